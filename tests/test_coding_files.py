"""Signals from files: sound, pictures, tables, event recordings; damaged ones are refused in one line."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from scipy.io import savemat, wavfile

from spikesim.coding import signals
from spikesim.errors import FileError, ParameterError

RATE = 8000.0


def tone(frequency, seconds=0.5, rate=RATE):
    """A sine wave."""
    return np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


# ---------------------------------------------------------------- sound


def test_wav_files_of_any_depth_give_the_same_sound(tmp_path):
    sound = 0.5 * tone(440.0)
    for name, raw, off in (
        ("i16.wav", np.round(sound * 32767).astype(np.int16), 1e-4),
        ("i32.wav", np.round(sound * (2**31 - 1)).astype(np.int32), 1e-8),
        ("f32.wav", sound.astype(np.float32), 1e-6),
        ("u8.wav", np.round(sound * 127 + 128).astype(np.uint8), 1e-2),
    ):
        wavfile.write(tmp_path / name, 8000, raw)
        read, rate = signals.read_wav(tmp_path / name)
        assert rate == 8000.0 and np.abs(read - sound).max() < off


def test_bad_sound_files_are_refused(tmp_path):
    good, stereo, cut, text, empty = (tmp_path / f"{n}.wav" for n in ("good", "stereo", "cut", "text", "empty"))
    wavfile.write(good, 8000, np.zeros(500, np.int16))
    wavfile.write(stereo, 8000, np.zeros((500, 2), np.int16))
    wavfile.write(empty, 8000, np.zeros(0, np.int16))
    cut.write_bytes(good.read_bytes()[:-301])
    text.write_text("no sound at all")
    for path, message in (
        (stereo, "has 2 channels; mix them to one"),
        (cut, "cut short or damaged|not a readable"),
        (text, "not a readable WAV"),
        (empty, "holds no samples"),
        (tmp_path / "none.wav", "does not exist"),
    ):
        with pytest.raises(FileError, match=message):
            signals.read_wav(path)


def test_bands_and_places_follow_the_frequency():
    for spectrum in (
        lambda x: signals.log_mel(x, RATE, bands=20, window=400, hop=200),
        lambda x: signals.cochlea(x, RATE, channels=20),
    ):
        peaks = [int(spectrum(tone(f)).mean(axis=0).argmax()) for f in (150.0, 400.0, 900.0, 1800.0, 3000.0)]
        assert peaks == sorted(peaks) and len(set(peaks)) == 5


def test_log_mel_by_the_definition(rng):
    x = rng.normal(size=400)
    found = signals.log_mel(x, RATE, bands=8, low=100.0, high=3000.0, window=128, hop=50)
    assert found.shape == (9, 8)
    padded = np.pad(x, 64, mode="reflect")
    spectrum = np.abs(np.fft.rfft(padded[150:278] * np.hanning(129)[:-1])) ** 2
    mel = np.linspace(*(2595 * np.log10(1 + np.array([100.0, 3000.0]) / 700)), 10)
    edges = 700 * (10 ** (mel / 2595) - 1)
    f = np.fft.rfftfreq(128, 1 / RATE)
    for band in range(8):
        weights = np.interp(f, edges[band : band + 3], [0.0, 1.0, 0.0])
        assert found[3, band] == pytest.approx(np.log(spectrum @ weights + 1e-6), abs=1e-9)


def test_cochlea_frames_and_loudness():
    quiet, loud = (signals.cochlea(a * tone(500.0), RATE, channels=12, hop=10.0) for a in (0.1, 0.8))
    assert quiet.shape == (50, 12)
    assert loud[20:].max() / quiet[20:].max() == pytest.approx(2.0, rel=1e-6)  # the cube root of 8
    assert signals.cochlea(tone(500.0, 0.001), RATE, hop=10.0).shape[0] == 1
    with pytest.raises(ParameterError, match=r"cochlea\.low"):
        signals.cochlea(tone(500.0), RATE, low=5000.0)
    with pytest.raises(ParameterError, match="two samples or more"):
        signals.log_mel(np.zeros((3, 2)), RATE)


def test_speech2spikes_follows_the_bands(rng):
    sound = np.concatenate([np.zeros(1600), 0.5 * tone(700.0, 0.3), np.zeros(1600)])
    spikes, code = signals.speech2spikes(sound + 1e-4 * rng.normal(size=sound.size), RATE)
    assert spikes.n == 40 and code.dt == 5.0 and code.threshold == 1.0
    dense = spikes.to_dense(5.0)
    assert dense.max() == 1  # one event a frame and channel at most
    read = code.decode(spikes)
    active = int(read.max(axis=0).argmax())
    middle, end = len(read) // 2, len(read) - 1
    assert read[middle, active] > 4.0 and abs(read[end, active]) < 3.0


def test_unit_range():
    assert signals.unit_range([[0.0, 5.0], [3.0, 5.0]], [0.0, 5.0], [2.0, 5.0]).tolist() == [[0, 0], [1, 0]]


# ---------------------------------------------------------------- pictures and tables


def test_pictures_become_grey(tmp_path):
    from matplotlib.image import imsave

    rgb = np.zeros((3, 4, 3))
    rgb[0, :, 0], rgb[1, :, 1], rgb[2] = 1.0, 1.0, 0.5
    imsave(tmp_path / "p.png", rgb)
    grey = signals.read_picture(tmp_path / "p.png")
    assert grey.shape == (3, 4) and grey[:, 0] == pytest.approx([0.299, 0.587, 0.5], abs=0.01)
    (tmp_path / "bad.png").write_bytes(b"\x89PNG nothing")
    for path, message in ((tmp_path / "bad.png", "not a readable picture"), (tmp_path / "no.png", "does not exist")):
        with pytest.raises(FileError, match=message):
            signals.read_picture(path)


def test_tables(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,Label,b\n1,x,2\n3,y,4\n")
    table = signals.read_table(path)
    assert table.values.tolist() == [[1, 2], [3, 4]] and table.labels.tolist() == ["x", "y"]
    assert table.columns == ("a", "b")
    path.write_text("1,2\n3,4\n\n")
    assert signals.read_table(path).values.tolist() == [[1, 2], [3, 4]]
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    assert signals.read_table(tmp_path / "a.npy").values.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "no rows"),
        ("1,2\n3\n", "line 2 has 1 cells, the first has 2"),
        ("a,b\n1,2\n3,x\n", "line 3 holds 'x'"),
        ("1,nan\n", r"finite numbers, got nan at \[0, 1\]"),
        ("label\nx\n", "no column of numbers"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=message):
        signals.read_table(path)


def test_bad_arrays_are_refused(tmp_path):
    np.save(tmp_path / "o.npy", np.array(["a"]))
    np.save(tmp_path / "e.npy", np.zeros((0, 3)))
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00")
    for name, message in (("o", "array of numbers"), ("e", "not empty"), ("x", "cannot be read"), ("n", "not exist")):
        with pytest.raises(FileError, match=message):
            signals.read_table(tmp_path / f"{name}.npy")


# ---------------------------------------------------------------- events


def five_bytes(address, p, t):
    """One event of the N-MNIST kind from its two address bytes."""
    return bytes([*address, p << 7 | t >> 16, t >> 8 & 255, t & 255])


def test_five_byte_events(tmp_path):
    (tmp_path / "a.bin").write_bytes(five_bytes((3, 7), 1, 70_000) + five_bytes((33, 0), 0, 5))
    spikes, width, height, polarities = signals.read_events(tmp_path / "a.bin")
    assert (width, height, polarities, spikes.n) == (34, 34, 2, 2312)
    assert spikes.times.tolist() == pytest.approx([0.005, 70.0])
    assert spikes.ids.tolist() == [33, (34 + 7) * 34 + 3]
    assert np.all(spikes.times < spikes.t_stop)
    (tmp_path / "b.bs1").write_bytes(five_bytes((0, 63), 1, 1_000_000))
    cochlea = signals.read_events(tmp_path / "b.bs1")
    assert cochlea.spikes.ids.tolist() == [63] and cochlea.spikes.times.tolist() == [1000.0]


def test_prophesee_events(tmp_path):
    words = np.array([[10, 5 | 6 << 14 | 1 << 28], [20, 7 | 2 << 14]], "<u4")
    body = b"% Version 2\n% Width 304\n% Height 240\n" + bytes([0, 8]) + words.tobytes()
    (tmp_path / "a.dat").write_bytes(body)
    recording = signals.read_events(tmp_path / "a.dat")
    assert (recording.width, recording.height) == (304, 240)
    assert recording.spikes.ids.tolist() == [(240 + 6) * 304 + 5, 2 * 304 + 7]
    (tmp_path / "cut.dat").write_bytes(body[:-3])
    (tmp_path / "other.dat").write_bytes(b"hello")
    for name, message in (("cut", "cut short"), ("other", "no header")):
        with pytest.raises(FileError, match=message):
            signals.read_events(tmp_path / f"{name}.dat")


def test_touch_events(tmp_path):
    train = np.zeros((101, 2))
    train[12, 0], train[99, 1], train[100] = 1, -1, (0.2, 0.3)
    savemat(tmp_path / "a.mat", {"spiketrain": train})
    recording = signals.read_events(tmp_path / "a.mat")
    assert recording.spikes.ids.tolist() == [100 + 12, 99]
    assert recording.spikes.times == pytest.approx([200.0, 300.0])


def test_bad_event_files_are_refused(tmp_path):
    (tmp_path / "cut.bin").write_bytes(bytes(7))
    (tmp_path / "far.bin").write_bytes(five_bytes((200, 7), 1, 3))
    (tmp_path / "x.mat").write_bytes(b"no matlab file")
    for name, kind, message in (
        ("cut.bin", FileError, "five bytes an event, got 7 bytes"),
        ("far.bin", FileError, r"damaged or of another format \(from_events\.x: must be in 0 … 33, got 200"),
        ("x.mat", FileError, "not a readable ST-MNIST"),
        ("none.bs2", FileError, "does not exist"),
        ("a.raw", ParameterError, r"unknown format of event file 'a\.raw'.*\.aedat4"),
    ):
        with pytest.raises(kind, match=message):
            signals.read_events(tmp_path / name)
    with pytest.raises(ParameterError, match="at least one event"):
        signals.from_events([], [], [], [])
    with pytest.raises(ParameterError, match="equally long"):
        signals.from_events([1], [1], [1], [1, 2])


@pytest.mark.parametrize(
    ("name", "events", "on", "size"),
    [
        ("sample_nmnist.bin", 4325, 2145, (34, 34)),
        ("nmnist_60001.bs2", 3330, None, (34, 34)),
        ("ntidigits_1.bs1", 898, 0, (64, 1)),
        ("sample_ncars.dat", 2009, 1350, (78, 42)),
        ("sample_stmnist.mat", 2346, None, (10, 10)),
        ("sample.aedat4", 111_954, None, (320, 240)),  # as the maker's dv-processing counts them
    ],
)
def test_real_recordings(data_dir, name, events, on, size):
    path = data_dir / "event_samples" / name
    if not path.exists():
        pytest.skip(f"no {name} in SPIKESIM_DATA")
    if name.endswith("aedat4") and importlib.util.find_spec("aedat") is None:
        with pytest.raises(FileError, match=r"spikesim\[events\]"):
            signals.read_events(path)
        pytest.skip("the package aedat is not installed")
    spikes, width, height, _ = signals.read_events(path)
    assert len(spikes) == events and (width, height) == size
    if on is not None:
        assert np.count_nonzero(spikes.ids >= width * height) == on
