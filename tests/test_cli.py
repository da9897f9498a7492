"""The command line as a stranger meets it: output, files, mistakes, Ctrl-C, commands of other packages."""

import json
import os
import signal
import subprocess
import sys
import time
import types
from importlib.metadata import EntryPoint

import pytest
from typer.testing import CliRunner

import spikesim as ss
from spikesim import commands
from spikesim._jit import COMPILED
from spikesim.cli import app
from spikesim.commands import run as run_command
from spikesim.errors import FileError

SMALL = ("run", "brunel", "--scale", "0.02", "--duration", "30", "--engine", "grid")


@pytest.fixture
def cli(monkeypatch):
    """Function that runs the command line in this process."""
    monkeypatch.setattr(commands, "entry_points", lambda group: ())
    return lambda *args: CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture
def plugins(monkeypatch):
    """Function that pretends that packages with these entry points are installed."""

    def install(**registers):
        entries = []
        for name, register in registers.items():
            module = types.ModuleType(f"fake_{name}")
            module.register = register
            monkeypatch.setitem(sys.modules, module.__name__, module)
            entries.append(EntryPoint(name, f"{module.__name__}:register", "spikesim.commands"))
        monkeypatch.setattr(commands, "entry_points", lambda group: entries)

    return install


def fails(result, *parts):
    """Whether the command ended with exit code 2 and one line that holds all parts."""
    lines = result.stderr.strip().splitlines()
    assert result.exit_code == 2, result.output
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    assert result.stdout == ""
    missing = [part for part in parts if part not in lines[0]]
    assert not missing, lines[0]


# ---------------------------------------------------------------- start


def test_help_and_version(cli):
    result = cli("--help")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in ("run", "zoo", "info"))
    assert cli("--version").stdout.strip() == f"spikesim {ss.__version__}"


def test_help_needs_neither_kernels_nor_figures_nor_training():
    code = (
        "import sys, spikesim.cli as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numba', 'matplotlib', 'sklearn', 'torch'} & set(sys.modules), 'slow start'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_python_dash_m_is_the_same_command():
    done = subprocess.run([sys.executable, "-m", "spikesim", "zoo", "brunl"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: unknown network 'brunl' (did you mean 'brunel'?)")


# ---------------------------------------------------------------- zoo and info


def test_zoo_lists_and_describes(cli):
    listing = cli("zoo")
    assert listing.exit_code == 0 and all(name in listing.stdout for name in ss.zoo.names())
    rows = json.loads(cli("zoo", "--json").stdout)
    assert [row["name"] for row in rows] == list(ss.zoo.names())
    assert {"neurons", "synapses", "engines", "citation", "parameters"} <= set(rows[0])
    page = cli("zoo", "brunel").stdout
    assert "doi:10.1023/A:1008925309027" in page and "v_reset" in page and "15,625,000 synapses" in page
    one = json.loads(cli("zoo", "brunel", "--json").stdout)
    assert {"name": "g", "default": 5.0, "unit": "", "bounds": ">= 0"}.items() <= one["parameters"][4].items()


def test_info_shows_machine_and_support_matrix(cli):
    found = json.loads(cli("info", "--json").stdout)
    assert found["version"] == ss.__version__ and found["cores"] >= 1 and found["memory_gb"] > 0
    assert {"numpy", "numba"} <= set(found["libraries"]) and found["cache"]["folder"] and found["support"]
    page = cli("info")
    assert page.exit_code == 0 and "LIF" in page.stdout and "event" in page.stdout and "kernel cache" in page.stdout


# ---------------------------------------------------------------- run


def test_run_json_is_one_object_with_everything(cli):
    result = cli(*SMALL, "--seed", "3", "--threads", "2", "--set", "g=4", "--json")
    assert result.exit_code == 0 and result.stderr == ""
    found = json.loads(result.stdout)
    expected = {"network": "brunel", "engine": "grid", "neurons": 250, "threads": 2, "seed": 3, "duration_ms": 30.0}
    assert expected.items() <= found.items()
    assert found["synapses"] == 250 * 25 and found["parameters"] == {"g": 4.0} and found["interrupted"] is False
    assert all(found[key] >= 0 for key in ("build_s", "compile_s", "run_s", "synaptic_events"))
    assert found["peak_rss_mb"] > 10
    assert [(p["name"], p["size"]) for p in found["populations"]] == [("exc", 200), ("inh", 50)]
    assert found["spikes"] == sum(p["spikes"] for p in found["populations"]) > 0
    assert found["mean_rate_hz"] == pytest.approx(found["spikes"] / 250 / 0.03)
    assert found["populations"][0]["rate_hz"] == pytest.approx(found["populations"][0]["spikes"] / 200 / 0.03)
    assert set(found["populations"][0]) >= {"rate_hz", "cv_isi"}


def test_run_prints_a_table_and_is_reproducible(cli):
    first, second = cli(*SMALL), cli(*SMALL)
    assert first.exit_code == 0 and first.stderr == ""
    assert all(word in first.stdout for word in ("grid engine", "6,250", "real-time factor", "exc", "inh", "CV of ISI"))

    def spikes(text):
        return [line.split()[2] for line in text.splitlines() if line.split()[:1] in (["exc"], ["inh"])]

    assert spikes(first.stdout) == spikes(second.stdout) != []


@pytest.mark.skipif(not COMPILED, reason="nothing is compiled")
def test_kernels_are_compiled_once(tmp_path):
    args = [sys.executable, "-m", "spikesim", *SMALL, "--json"]
    environment = {**os.environ, "SPIKESIM_CACHE": str(tmp_path)}
    cold, warm = (
        json.loads(subprocess.run(args, capture_output=True, env=environment, check=True).stdout) for _ in range(2)
    )
    assert warm["compile_s"] < 0.4 * cold["compile_s"]
    assert warm["populations"] == cold["populations"]


def test_default_engine_is_event_where_the_network_allows_it(cli):
    event = json.loads(cli("run", "brunel", "--scale", "0.01", "--duration", "5", "--json").stdout)
    assert (event["engine"], event["dt_ms"]) == ("event", None)
    grid = json.loads(cli("run", "vogels-abbott-coba", "--scale", "0.1", "--duration", "5", "--json").stdout)
    assert (grid["engine"], grid["dt_ms"]) == ("grid", 0.1)


def test_silence_has_no_irregularity(cli):
    found = json.loads(cli(*SMALL, "--set", "eta=0", "--json").stdout)
    assert found["spikes"] == 0 and found["populations"][0]["cv_isi"] is None


def test_out_writes_whole_files_once(cli, tmp_path):
    out = tmp_path / "new" / "folder"
    result = cli(*SMALL, "--out", out, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert sorted(p.name for p in out.iterdir()) == ["overview.png", "spikes.h5", "summary.json"]
    assert json.loads((out / "summary.json").read_text()) == found
    assert (out / "overview.png").read_bytes().startswith(b"\x89PNG")
    loaded = ss.Result.load(out / "spikes.h5")
    assert sum(len(s) for s in loaded.spikes.values()) == found["spikes"]
    assert result.stderr.count("wrote ") == 3
    fails(cli(*SMALL, "--out", out), "exists already", "--overwrite")
    assert cli(*SMALL, "--out", out, "--overwrite").exit_code == 0


@pytest.mark.parametrize("engine", ["event", "grid"])
def test_states_are_sampled_to_the_file(cli, tmp_path, engine):
    args = ("run", "vogels-abbott-cuba", "--scale", "0.1", "--duration", "20", "--engine", engine, "--out", tmp_path)
    result = cli(*args, "--record-states", "v, i_exc", "--interval", "2.5", "--json")
    assert result.exit_code == 0 and result.stderr.count("wrote ") == 3, result.stderr
    found = ss.Result.load(tmp_path / "spikes.h5")
    assert found.state_times == pytest.approx([0, 2.5, 5, 7.5, 10, 12.5, 15, 17.5, 20], abs=1e-9)
    assert {name: list(x) for name, x in found.states.items()} == {"exc": ["v", "i_exc"], "inh": ["v", "i_exc"]}
    assert found.states["exc"]["v"].shape == (9, 320)
    assert found.states["exc"]["i_exc"].max() > 10.0  # of the stimulus
    network = ss.zoo.build("vogels-abbott-cuba", scale=0.1)
    plain = ss.simulate(network, 20.0, engine=engine)
    assert found.counts == plain.counts and found.spikes["stimulus"] == plain.spikes["stimulus"]
    fails(cli(*args, "--record-states", "v"), "exists already")


def test_drawn_delays_of_the_microcircuit_lie_on_the_grid_without_a_note(cli):
    result = cli("run", "microcircuit", "--scale", "0.01", "--duration", "1", "--engine", "grid", "--json")
    assert result.exit_code == 0 and result.stderr == ""
    coarse = cli("run", "microcircuit", "--scale", "0.01", "--duration", "1", "--engine", "grid", "--dt", "0.15")
    assert coarse.exit_code == 0 and coarse.stderr.startswith("note: grid engine: times rounded to whole steps of 0.15")


def test_plot_writes_a_picture(cli, tmp_path):
    assert cli(*SMALL, "--plot", tmp_path / "a.png").exit_code == 0
    assert (tmp_path / "a.png").stat().st_size > 1000
    fails(cli(*SMALL, "--plot", tmp_path / "a.png"), "a.png: exists already")


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (("run", "brunell"), ("unknown network 'brunell' (did you mean 'brunel'?)", "vogels-abbott-cuba")),
        (("run", "brunel", "--duration", "0"), ("--duration: must be > 0 ms, got 0.0",)),
        (("run", "brunel", "--duration", "-1"), ("--duration: must be > 0 ms, got -1.0",)),
        (("run", "brunel", "--duration", "nan"), ("--duration: must be > 0 ms, got nan",)),
        (("run", "brunel", "--dt", "0"), ("--dt: must be > 0 ms",)),
        (("run", "brunel", "--scale", "-2"), ("--scale: must be > 0, got -2.0",)),
        (("run", "brunel", "--scale", "1e-7"), ("brunel: scale 1e-07 leaves none", "use 5.1e-05 or more")),
        (("run", "brunel", "--scale", "1e300"), ("makes too many",)),
        (
            ("run", "brunel", "--engine", "grid", "--duration", "0.01"),
            ("at least one time step (0.1 ms), got 0.01 ms",),
        ),
        (("run", "brunel", "--seed", "-1"), ("--seed: must be >= 0, got -1",)),
        (("run", "brunel", "--threads", "0"), ("--threads: must be >= 1, got 0",)),
        (("run", "brunel", "--engine", "evnt"), ("unknown engine 'evnt' (did you mean 'event'?)",)),
        (("run", "vogels-abbott-coba", "--engine", "event"), ("does not run on the event engine; use --engine grid",)),
        (("run", "brunel", "--set", "gg=3"), ("unknown parameter of brunel: 'gg'", "v_reset")),
        (("run", "brunel", "--set", "g"), ("setting 'g': must look like name=value",)),
        (("run", "brunel", "--set", "tau_m=-20"), ("brunel: tau_m: must be > 0 ms, got -20.0",)),
        (("run", "microcircuit", "--set", "drive=ac"), ("drive: 'ac'", "valid: dc, poisson")),
        (("run", "brunel", "--plot", "picture.txt"), ("--plot picture.txt: must end in .jpg, .pdf, .png",)),
        (("run", "brunel", "--plot", "no/such/folder/a.png"), ("cannot write there",)),
        (("zoo", "nest"), ("unknown network 'nest'",)),
        (("run", "brunel", "--record-states", "v"), ("--record-states: needs --out DIR",)),
        (("run", "brunel", "--record-states", "u", "--out", "no"), ("unknown state in --record-states", "'u'", "v")),
        (("run", "brunel", "--record-states", ",", "--out", "no"), ("unknown state", "valid: v")),
        (("run", "brunel", "--interval", "2"), ("--interval:", "name them with --record-states")),
        (
            ("run", "brunel", "--record-states", "v", "--interval", "-1", "--out", "no"),
            ("--interval: must be > 0 ms, got -1.0",),
        ),
        (
            ("run", "brunel", "--record-states", "v", "--interval", "0.15", "--engine", "grid", "--out", "no"),
            ("--interval: must be a multiple of the time step of 0.1 ms, got 0.15 ms",),
        ),
        (("run", "brunel", "--set", "eta=1e308"), ("brunel: no network can be made with eta=1e+308: ", "got inf")),
        (("run", "brunel", "--set", "n_exc=1e12"), ("brunel: n_exc: must be <= 2147483647, got 1e+12",)),
        (("run", "microcircuit", "--set", "tau_m=1e300"), ("with tau_m=1e+300: numbers too large or too small",)),
    ],
)
def test_mistakes_end_in_one_line(cli, args, parts):
    fails(cli(*args), *parts)


def test_a_file_in_the_place_of_the_folder(cli, tmp_path):
    (tmp_path / "file").write_text("mine")
    fails(cli(*SMALL, "--out", tmp_path / "file"), "cannot write there")
    (tmp_path / "folder.png").mkdir()
    fails(cli(*SMALL, "--plot", tmp_path / "folder.png", "--overwrite"), "is a folder, not a file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written(cli, tmp_path):
    tmp_path.chmod(0o500)
    fails(cli(*SMALL, "--out", tmp_path), "cannot write there")


@pytest.mark.parametrize(
    "args", [("run",), ("run", "brunel", "--speed", "3"), ("run", "brunel", "--scale", "x"), ("rum",)]
)
def test_wrong_usage_shows_the_usage(cli, args):
    result = cli(*args)
    assert result.exit_code == 2 and "Usage:" in result.stderr and "Traceback" not in result.output


def test_warnings_are_notes_on_stderr(cli):
    result = cli(
        "run", "microcircuit", "--scale", "0.01", "--set", "drive=dc", "--duration", "1", "--json", *SMALL[-2:]
    )
    assert result.exit_code == 0 and json.loads(result.stdout)["network"] == "microcircuit"
    assert result.stderr.startswith("note: microcircuit: at this scale drive=dc stays below threshold")
    assert "UserWarning" not in result.stderr


def test_lack_of_memory_is_one_line(cli, monkeypatch):
    def execute(job):
        raise MemoryError("Unable to allocate 2 PiB")

    monkeypatch.setattr(run_command, "execute", execute)
    fails(cli(*SMALL), "not enough memory (Unable to allocate 2 PiB)", "--scale")


# ---------------------------------------------------------------- full disk, Ctrl-C


def test_a_full_disk_leaves_the_table_of_what_was_recorded(cli, monkeypatch, tmp_path):
    run = ss.Simulation.run

    def full(self, duration):
        run(self, 20.0)
        raise FileError("spikes.h5 could not be written on: No space left on device")

    monkeypatch.setattr(ss.Simulation, "run", full)
    result = cli(*SMALL, "--json", "--out", tmp_path, "--record-states", "v")
    found = json.loads(result.stdout)
    assert result.exit_code == 2
    assert result.stderr.endswith("error: spikes.h5 could not be written on: No space left on device\n")
    assert found["interrupted"] is True and found["duration_ms"] == 20.0 and found["spikes"] > 0
    assert ss.Result.load(tmp_path / "spikes.h5").duration == 20.0


def test_ctrl_c_keeps_what_is_done(cli, monkeypatch, tmp_path):
    run = ss.Simulation.run

    def pressed(self, duration):
        def press(done, total):
            if done > 10.0:
                signal.raise_signal(signal.SIGINT)

        return run(self, duration, progress=press)

    monkeypatch.setattr(ss.Simulation, "run", pressed)
    monkeypatch.setattr(sys.modules[ss.Simulation.__module__], "SPLIT_EVERY", 0.0)  # seconds between reports
    before = signal.getsignal(signal.SIGINT)
    result = cli(*SMALL[:4], "--duration", "2000", "--json", "--out", tmp_path, *SMALL[-2:])
    found = json.loads(result.stdout)
    assert result.exit_code == 130 and found["interrupted"] is True
    assert 10.0 < found["duration_ms"] < 2000.0 and "what was recorded until then" in result.stderr
    assert json.loads((tmp_path / "summary.json").read_text()) == found
    kept = ss.Result.load(tmp_path / "spikes.h5")
    assert kept.duration == found["duration_ms"] and (tmp_path / "overview.png").exists()
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.undo()
    whole = ss.simulate(ss.zoo.build("brunel", scale=0.02), found["duration_ms"], engine="grid")
    assert whole.spikes["exc"] == kept.spikes["exc"]


def test_ctrl_c_from_outside():
    args = [sys.executable, "-m", "spikesim", *SMALL[:4], "--duration", "1e9", "--json", *SMALL[-2:]]
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(5.0)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in stderr
    if stdout:  # else it was still building
        assert json.loads(stdout)["interrupted"] is True


def test_ctrl_c_before_the_run_leaves_no_traceback(cli, monkeypatch):
    def execute(job):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_command, "execute", execute)
    result = cli(*SMALL)
    assert result.exit_code == 130 and result.stderr.strip() == "error: interrupted" and result.stdout == ""


# ---------------------------------------------------------------- commands of other packages


def test_other_packages_add_commands(cli, plugins):
    def register(extra):
        @extra.command()
        def compare(family: str):
            """Compare two worlds."""
            if family == "wrong":
                raise ss.errors.ParameterError("unknown family 'wrong'")
            print(f"comparing {family}")

    plugins(compare=register)
    assert "Compare two worlds." in cli("--help").stdout
    assert cli("compare", "mlp").stdout == "comparing mlp\n"
    fails(cli("compare", "wrong"), "unknown family 'wrong'")


def test_a_command_that_lacks_a_library_says_how_to_install_it(cli, plugins):
    def register(extra):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    plugins(compare=register)
    assert "compare" in cli("--help").stdout
    fails(cli("compare", "mlp", "--seeds", "2"), "compare needs torch", "pip install 'spikesim[fake_compare]'")


def test_own_commands_cannot_be_replaced(cli, plugins):
    plugins(zoo=lambda extra: extra.command("zoo")(lambda: print("other")))
    assert "brunel" in cli("zoo").stdout
