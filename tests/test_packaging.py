"""What a stranger sees first: the README and the documents hold what they promise, and the package fits together."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

import pytest
import typer

import spikesim as ss
from spikesim.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HEAVY = ("torch", "snntorch", "sklearn", "pandas", "xarray", "matplotlib.pyplot")


def blocks(page, *languages):
    """Fenced blocks of a page in one of the languages."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def python(*args, cwd):
    """Run a fresh interpreter in which warnings are errors."""
    path = os.pathsep.join(filter(None, [str(Path(ss.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": path}
    command = [sys.executable, "-W", "error", *map(str, args)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def spikesim_lines():
    """Every call of the command on any page."""
    lines = [line for page in PAGES for text in blocks(page, "sh", "bash", "console") for line in text.splitlines()]
    calls = [call.strip() for line in lines for call in line.removeprefix("$ ").split("&&")]
    return sorted({call.partition(" #")[0].rstrip() for call in calls if re.match(r"(\S*/)?spikesim\s", call)})


# ---------------------------------------------------------------- documents


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_examples_run(page, tmp_path):
    script = tmp_path / "example.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    python(script, cwd=tmp_path)


def test_the_picture_beside_the_example_is_made_by_it():
    script = (ROOT / "docs" / "first_network.py").read_text(encoding="utf-8")
    (example,) = blocks(ROOT / "README.md", "python")
    assert example == script
    assert len([line for line in example.splitlines() if line]) <= 10
    (command,) = re.findall(r"picture is made by `cd (\S+) && python (\S+)`", README)
    assert (ROOT / command[0] / command[1]).resolve() == ROOT / "docs" / "first_network.py"
    assert (ROOT / command[0] / "first_network.png").stat().st_size < 200_000


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("call", spikesim_lines())
def test_documented_commands_exist(call):
    name, *words = shlex.split(call)[1:]
    extra = typer.Typer()
    extra.callback()(lambda: None)
    for value in PROJECT["entry-points"]["spikesim.commands"].values():
        importlib.import_module(value.partition(":")[0]).register(extra)
    commands = {**typer.main.get_group(extra).commands, **typer.main.get_group(app).commands}
    assert name in commands
    made = commands[name].make_context(name, words)
    if name == "run":
        network = made.params["network"]
        ss.zoo.describe(network)
        ss.zoo.parse(network, made.params["settings"] or ())


def test_support_matrix_is_the_one_the_engines_use():
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (yes|–) \| (yes|–) \|$", README, re.MULTILINE)
    shown = [(kind, part, event == "yes", grid == "yes") for kind, part, event, grid in rows]
    own = [
        row for row in ss.engines.support() if hasattr(ss, str(row["part"]))
    ]  # tests may have made parts of their own
    assert shown == [(row["kind"], row["part"], row["event"], row["grid"]) for row in own]


# ---------------------------------------------------------------- package


def test_one_version():
    assert PROJECT["version"] == ss.__version__
    assert f"\nversion: {ss.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    try:
        assert version("spikesim") == ss.__version__
    except PackageNotFoundError:
        pytest.skip("spikesim runs from its source tree and is not installed")


def test_entry_points_are_functions():
    named = [*PROJECT["scripts"].values(), *PROJECT["entry-points"]["spikesim.commands"].values()]
    for value in named:
        module, _, name = value.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


def test_installed_commands_are_the_declared_ones():
    try:
        version("spikesim")
    except PackageNotFoundError:
        pytest.skip("spikesim runs from its source tree and is not installed")
    found = {e.name: e.value for e in entry_points(group="spikesim.commands") if e.module.startswith("baselines")}
    assert found == PROJECT["entry-points"]["spikesim.commands"]


def test_import_brings_no_heavy_package(tmp_path):
    loaded = python("-c", "import sys, spikesim; print(*sys.modules, sep='\\n')", cwd=tmp_path).split()
    assert not set(HEAVY) & set(loaded)


def test_public_names_come_when_they_are_asked_for(tmp_path):
    code = """
import sys, spikesim
assert "numba" not in sys.modules
assert spikesim.errors.SpikesimError and "numba" not in sys.modules
names = spikesim.__all__
assert {"LIF", "FixedIndegree", "simulate", "zoo"} <= set(names) <= set(dir(spikesim)), names
assert callable(spikesim.simulate) and spikesim.plotting.raster and spikesim.analysis
from spikesim import *
assert LIF is spikesim.LIF and simulate is spikesim.simulate
for name in ("nothing", "_nothing", "simulation_"):
    assert not hasattr(spikesim, name)
try:
    from spikesim import Lif
except ImportError as error:
    assert "cannot import name 'Lif' from 'spikesim'" in str(error)
"""
    python("-c", code, cwd=tmp_path)


def test_no_module_hides_a_public_name():
    modules = {path.stem for path in Path(ss.__file__).parent.iterdir()}
    hidden = [name for name in ss.__all__ if name in modules and not isinstance(getattr(ss, name), type(ss))]
    assert not hidden


def test_requirements_are_pinned_where_tests_install_them():
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(r for extra in ("baselines", "test", "dev", "docs") for r in extras[extra])]
    names = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in wanted}
    assert {n.replace("_", "-") for n in names} <= {n.replace("_", "-").lower() for n in pinned}
