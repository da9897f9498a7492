"""Running English text: the Brown corpus and ABC news, as sentences of lower-case words."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

from spikesim.datasets.store import Dataset, File, missing_files, read_file

DATASET = Dataset(
    name="corpora",
    title="Brown corpus and ABC news, 1.7 million words",
    files=(
        File("brown.zip", "9b275f9b3b95d7bd66ccfb7cd259f445a13bbe5d1f4107aba09fd3e8364bafa6", 3314357),
        File("abc.zip", "129bb6001beb828049a90a59b7dd3c2f0594a47012e48fc5177dfae38e658565", 1487851),
    ),
    url="https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora",
    licence="Brown: non-commercial use, redistribution permitted; ABC: none given",
    source="Francis & Kucera 1964, Brown corpus; Australian Broadcasting Commission 2006 (both as packed for NLTK)",
    directory="text",
)
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")
_END = re.compile(r"[.!?]+\s+|[\r\n]+")


def available() -> bool:
    """Whether the files are in the folder."""
    return not missing_files(DATASET)


def load() -> list[list[str]]:
    """Sentences of lower-case words, numbers and punctuation left out: Brown first, then ABC.

    Raises
    ------
    FileError
        If a file is missing, damaged or not the published one.
    """
    sentences = [*_brown(), *_abc()]
    return [sentence for sentence in sentences if len(sentence) > 1]


def _brown() -> Iterator[list[str]]:
    """Tagged text: a sentence a line, ``word/tag`` each."""
    with zipfile.ZipFile(io.BytesIO(read_file(DATASET, "brown.zip"))) as archive:
        for name in sorted(n for n in archive.namelist() if re.fullmatch(r"brown/c[a-r]\d\d", n)):
            for line in archive.read(name).decode("latin-1").splitlines():
                text = " ".join(token.rsplit("/", 1)[0] for token in line.split())
                yield _WORD.findall(text.lower())


def _abc() -> Iterator[list[str]]:
    with zipfile.ZipFile(io.BytesIO(read_file(DATASET, "abc.zip"))) as archive:
        for name in ("abc/rural.txt", "abc/science.txt"):
            for sentence in _END.split(archive.read(name).decode("latin-1").lower()):
                yield _WORD.findall(sentence)
