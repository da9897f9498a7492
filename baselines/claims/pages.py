"""The report to be read: in the terminal, as Markdown, as one page of HTML."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from html import escape
from typing import Any

from baselines.claims.statistics import FAILS, HOLDS, OPEN
from baselines.html import document, table_html
from baselines.pages import Sheet, markdown_table
from baselines.words import joules

NONE = "–"
HEADING = "What is said of spiking networks"
NOTES = (
    "Intervals are t intervals of 95 % over seeds, not corrected for the number of questions. Each seed divides "
    "training and validation data anew and draws weights, orders and spikes; the test images stay the same, so that "
    "the intervals know nothing of the choice of these 360. That is worth about a point by itself, hence the margin.",
    "Learning rates, epochs, steps and bits are chosen on validation data; test data are looked at in the end.",
)


def summary(d: dict[str, Any]) -> Sheet:
    """One row per claim."""
    rows = [(c["title"], c["verdict"], _counts(c), str(c["seeds"])) for c in d["claims"]]
    return Sheet("Verdicts", ("claim", "verdict", "deciding questions: hold, do not, cannot be told", "seeds"), rows)


def _counts(c: dict[str, Any]) -> str:
    deciding = [a["verdict"] for a in c["questions"] if a["decides"]]
    return ", ".join(str(deciding.count(v)) for v in (HOLDS, FAILS, OPEN))


def questions(c: dict[str, Any]) -> Sheet:
    """Questions of a claim, those that decide first."""
    answers = sorted(c["questions"], key=lambda a: not a["decides"])
    rows = [
        (a["title"], difference(a), _number(a, a["margin"]), a["verdict"], "yes" if a["decides"] else "no")
        for a in answers
    ]
    return Sheet("Questions", ("question", "difference (95 % interval)", "margin", "verdict", "decides"), rows)


def measures(c: dict[str, Any]) -> Sheet:
    """What each contestant did."""
    rows = [(m["title"], _measure(m["name"], m)) for m in c["measures"]]
    return Sheet("Contestants", ("contestant", "mean over seeds (95 % interval)"), rows)


def difference(a: Mapping[str, Any]) -> str:
    """A mean with its interval, in words."""
    text = _number(a, a["mean"])
    return text if a["low"] is None else f"{text} ({_number(a, a['low'])} … {_number(a, a['high'])})"


def _number(a: Mapping[str, Any], value: float) -> str:
    if a["unit"] == "factor":
        return f"× {math.exp(value):.2f}"
    return f"{100 * value:+.1f}"


def _measure(name: str, m: Mapping[str, Any]) -> str:
    shown = joules if name.startswith("energy") else _plain if m["mean"] > 1 else _percent
    text = shown(m["mean"])
    return text if m["low"] is None else f"{text} ({shown(m['low'])} … {shown(m['high'])})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _plain(value: float) -> str:
    return f"{value:.3g}"


def title(c: dict[str, Any]) -> str:
    """Heading of one claim."""
    seeds = f"{c['seeds']} {'seed' if c['seeds'] == 1 else 'seeds'}"
    if c["seeds"] < c["seeds_planned"]:
        why = "diverged" if c["seeds"] + len(c["diverged"]) == c["seeds_planned"] else "interrupted"
        seeds = f"{c['seeds']} of {c['seeds_planned']} seeds ({why})"
    return f"{c['title']} — {seeds}{', quick' if c['quick'] else ''}"


def texts(c: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Headings and the sentences below them."""
    lost = [f"Seed {x['seed']} is in no figure: {x['error']}." for x in c["diverged"]]
    notes = [f"{name}: {_measure('', {**n, 'mean': max(n['mean'], 1.1)})}" for name, n in c["notes"].items()]
    found = (("What it says", [*c["findings"], *lost]), ("Chances", c["chances"]), ("Chosen, and sizes", notes))
    return [(heading, lines) for heading, lines in found if lines]


def markdown(d: dict[str, Any]) -> str:
    """The whole report."""
    parts = [f"# {HEADING}\n", d["rule"] + "\n", *markdown_table(summary(d))]
    for c in d["claims"]:
        parts += [f"\n## {title(c)}\n", f"Task: {c['task']}.\n", f"**{c['sentence']}**\n"]
        parts += [
            *markdown_table(questions(c)),
            "",
            *markdown_table(measures(c)),
            f"\n![{c['title']}]({c['name']}.png)",
        ]
        for heading, lines in texts(c):
            parts += [f"\n### {heading}\n", *(f"- {line}" for line in lines)]
    parts += ["\n## How to read it\n", *(f"- {line}" for line in NOTES)]
    return "\n".join(parts) + "\n"


def page(d: dict[str, Any], pictures: Mapping[str, bytes]) -> str:
    """The whole report as HTML, with the PNG files by name inside."""
    body = [f"<h1>{escape(HEADING)}</h1>", f"<p>{escape(d['rule'])}</p>", table_html(summary(d))]
    for c in d["claims"]:
        body += [f'<h2 id="{c["name"]}">{escape(title(c))}</h2>', f"<p>{escape(c['task'])}</p>"]
        body += [f'<p class="verdict">{escape(c["sentence"])}</p>', table_html(questions(c)), table_html(measures(c))]
        if picture := pictures.get(f"{c['name']}.png"):
            data = base64.b64encode(picture).decode()
            body.append(f'<figure><img alt="{escape(c["title"])}" src="data:image/png;base64,{data}"></figure>')
        for heading, lines in texts(c):
            body += [f"<h3>{escape(heading)}</h3>", "<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"]
    body += ["<h2>How to read it</h2>", "<ul>", *(f"<li>{escape(line)}</li>" for line in NOTES), "</ul>"]
    return document(HEADING, body)


def terminal(d: dict[str, Any]) -> list[Any]:
    """The same for the terminal: tables and sentences."""
    from spikesim.commands import table

    items: list[Any] = []
    for c in d["claims"]:
        for sheet in (questions(c), measures(c)):
            shown = table(None if sheet.heading == "Contestants" else title(c), sheet.columns[0], *(
                f">{name}" for name in sheet.columns[1:]
            ))  # fmt: skip
            for row in sheet.rows:
                shown.add_row(*row)
            items.append(shown)
        items += [c["sentence"], *c["findings"], *(f"Seed {x['seed']}: {x['error']}" for x in c["diverged"]), ""]
    sheet = summary(d)
    verdicts = table(sheet.heading, *sheet.columns[:2], *(f">{name}" for name in sheet.columns[2:]))
    for row in sheet.rows:
        verdicts.add_row(*row)
    return [*items, verdicts, d["rule"], *NOTES]
