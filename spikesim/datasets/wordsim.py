"""Word pairs and how similar people found them: WordSim-353, SimLex-999, MEN, and the old list of 65."""

from __future__ import annotations

from spikesim.datasets.store import Dataset, File, missing_files, read_file
from spikesim.errors import FileError

_FILES = {
    "WordSim-353": File("EN-WS-353-ALL.txt", "ce12919b240af45bdf46d243601eaca2b6212b159b5e7e9b435ee7ee40c5619c", 7405),
    "SimLex-999": File("EN-SIMLEX-999.txt", "405394ffb7d25f6d0e3c041f87c9f27d29dc6b047506769953e85c4523b11685", 18024),
    "MEN": File("EN-MEN-TR-3k.txt", "888b13580faa362c7b11da0a670258cf1b1eb4bf0ecbcd418918729a3bd3f43a", 53593),
    "RG-65": File("EN-RG-65.txt", "c243f3a91c3f5d8cf67f21a67f6fb80bde8b6bb060851a6a48e6f2d68ec98c9f", 1210),
}
DATASET = Dataset(
    name="wordsim",
    title="word pairs with human scores of similarity",
    files=tuple(_FILES.values()),
    url="https://raw.githubusercontent.com/mfaruqui/eval-word-vectors/master/data/word-sim",
    licence="none given with the lists; WordSim-353 and MEN are widely given as CC BY, SimLex-999 as free for research",
    source="Finkelstein et al. 2002; Hill, Reichart & Korhonen 2015; Bruni, Tran & Baroni 2014; Rubenstein & "
    "Goodenough 1965",
)


def available() -> bool:
    """Whether the files are in the folder."""
    return not missing_files(DATASET)


def load() -> dict[str, list[tuple[str, str, float]]]:
    """Lists by name, each of (word, word, mean score) in lower case.

    Raises
    ------
    FileError
        If a file is missing, damaged or not the published one.
    """
    return {name: [_row(file.name, line) for line in _lines(file.name)] for name, file in _FILES.items()}


def _lines(name: str) -> list[str]:
    return [line for line in read_file(DATASET, name).decode("utf-8").splitlines() if line.strip()]


def _row(name: str, line: str) -> tuple[str, str, float]:
    try:
        first, second, score = line.lower().split()
        return first, second, float(score)
    except ValueError:
        raise FileError(f"{DATASET.folder / name}: not a word, a word and a number: {line!r}") from None
