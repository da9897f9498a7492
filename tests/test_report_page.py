"""The page of HTML in a real browser: light and dark, narrow and wide. Left out where there is no Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

pytest.importorskip("torch")
pytest.importorskip("snntorch")
pytest.importorskip("sklearn")
from matplotlib import image

from baselines import Options, compare

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = os.environ.get("SPIKESIM_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium found; SPIKESIM_BROWSER names one")
_MEASURE = """<script>
addEventListener("load", () => {
  const pictures = [...document.images].filter(i => i.complete && i.naturalWidth > 100).length;
  document.title = [document.documentElement.scrollWidth, innerWidth, document.images.length, pictures].join(" ");
});
</script>"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A small report of two families."""
    out = tmp_path_factory.mktemp("report")
    compare(["gnn", "mlp"], Options(quick=True, epochs=1, steps=3, out=out / "r"), progress=False)
    return out / "r" / "report.html"


def browse(page, *options: str) -> str:
    """What the browser prints about a page."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options, page.as_uri()]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [*command[:-1], profile, command[-1]], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


@pytest.mark.parametrize("width", [500, 1400])
def test_page_fits_the_window_and_shows_its_pictures(report, width) -> None:
    copy = report.with_name(f"measured{width}.html")
    copy.write_text(report.read_text(encoding="utf-8").replace("</head>", f"{_MEASURE}</head>"), encoding="utf-8")
    dom = browse(copy, f"--window-size={width},900", "--virtual-time-budget=5000", "--dump-dom")
    scroll, inner, pictures, shown = map(int, re.search(r"<title>([\d ]+)</title>", dom).group(1).split())
    assert scroll <= inner and abs(inner - width) <= 20
    assert pictures == shown >= 6


@pytest.mark.parametrize(("scheme", "bright"), [("1", True), ("0", False)])
def test_page_follows_light_and_dark(report, scheme, bright, tmp_path) -> None:
    shot = tmp_path / "shot.png"
    browse(report, "--window-size=900,700", f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={shot}")
    pixels = image.imread(shot)[..., :3]
    assert (pixels[5, 5].mean() > 0.9) == bright and (pixels[5, 5].mean() < 0.2) == (not bright)
    assert pixels.std() > 0.02  # something is written on it
