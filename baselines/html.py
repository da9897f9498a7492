"""The report as one page of HTML that needs nothing beside it: tables, pictures inside, light and dark."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from baselines.pages import Sheet, colophon, sheets, summary, texts, title

_STYLE = """
:root { color-scheme: light dark; --line: #c8ccd2; --soft: #f3f5f7; --text: #1b1f24; --back: #fff; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --line: #444c56; --soft: #22272e; --text: #dde3ea; --back: #16191d; --link: #7cb7ff; }
}
body { margin: 0 auto; padding: 1rem; max-width: 70rem; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--text); background: var(--back); }
a { color: var(--link); }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { background: var(--soft); white-space: normal; vertical-align: bottom; }
.verdict { font-size: 1.1rem; padding: .75rem 1rem; background: var(--soft); border-left: .25rem solid var(--link); }
figure { margin: 1rem 0; padding: .5rem; background: #fff; border: 1px solid var(--line);
  overflow-x: auto; }
figure img { display: block; max-width: 100%; min-width: 42rem; height: auto; margin: auto; }
figcaption { color: #333; font-size: .875rem; }
nav a { margin-right: 1rem; }
.small { font-size: .8rem; overflow-wrap: anywhere; }
"""
_CAPTIONS = {
    "comparison": "score, operations, energy and break-even",
    "detail": "what lies behind: the spread over price tables, learning, and more",
    "exhibits": "small experiments",
    "raster": "the first test input in the core",
    "animation": "moving pictures of the replay in the core",
}


def page(families: Sequence[dict[str, Any]], pictures: Mapping[str, bytes]) -> str:
    """The whole report.

    Parameters
    ----------
    families : sequence of dict
        Entries of the JSON document.
    pictures : mapping
        PNG files by name, ``FAMILY_KIND.png``, and ``FAMILY_animation.gif``.
    """
    body = ["<h1>ANN and spiking twin</h1>"]
    if len(families) > 1:
        links = "".join(f'<a href="#{f["family"]}">{escape(f["family"])}</a>' for f in families)
        body += [f"<nav>{links}</nav>", table_html(summary(families))]
        body += ["<ul>", *(f"<li>{escape(f['family'])}: {escape(f['verdict'])}</li>" for f in families), "</ul>"]
    for f in families:
        body += _family(f, pictures)
    return document("ANN and spiking twin", body)


def document(heading: str, body: Sequence[str]) -> str:
    """A page of the parts `body`."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(heading)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _family(f: dict[str, Any], pictures: Mapping[str, bytes]) -> list[str]:
    parts = [f'<h2 id="{f["family"]}">{escape(title(f))}</h2>', f'<p class="verdict">{escape(f["verdict"])}</p>']
    first, *rest = sheets(f)
    parts.append(table_html(first._replace(heading="Both sides, per inference")))
    for kind, caption in (_CAPTIONS | f["galleries"]).items():
        kind_of = "gif" if kind == "animation" else "png"
        name = f"{f['family']}_{kind}.{kind_of}"
        if name in pictures:
            data = base64.b64encode(pictures[name]).decode()
            text = f"{f['family']}: {caption}"
            parts.append(
                f'<figure><img alt="{escape(text)}" src="data:image/{kind_of};base64,{data}">'
                f"<figcaption>{escape(text)}</figcaption></figure>"
            )
    parts += [table_html(sheet) for sheet in rest]
    for heading, lines in texts(f):
        parts += [f"<h3>{escape(heading)}</h3>", "<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"]
    return [*parts, f'<p class="small">{escape(colophon(f))}</p>']


def table_html(sheet: Sheet) -> str:
    """A table."""
    head = "".join(f"<th>{escape(name)}</th>" for name in sheet.columns)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in sheet.rows)
    return (
        f'<div class="wide"><table><caption>{escape(sheet.heading)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
