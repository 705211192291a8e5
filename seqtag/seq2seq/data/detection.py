"""The layout of files of pairs, by their first lines."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import islice

from seqtag.data.frames.files import frames_header
from seqtag.data.text.lines import read_lines
from seqtag.errors import ConfigError, DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.samples import is_known_sample

# How many lines are looked at.
DETECTION_LINES = 100
CONLLU_SUFFIX = ".conllu"
_WORD_LINE = re.compile(r"\d+(?:[-.]\d+)?(?:\t[^\t]*){9}")
LAYOUTS = ("tsv", "parallel", "conllu", "frames")
# Layouts of a file of sources and one of targets.
TWO_FILES = ("parallel", "frames")
# What `inspect` calls files of pairs whose layout it detects.
PAIRS = "pairs"


def settled(data: DataConfig, files: Sequence[str | os.PathLike[str]]) -> DataConfig:
    """The configuration with the layout of these files in place of `auto`.

    Raises:
        ConfigError: the layout is of one file where there are two, or of two where there is one.
        DataError: a file cannot be read.
    """
    layout = detect_layout(files, data.encoding) if data.layout == "auto" else data.layout
    needed = 2 if layout in TWO_FILES else 1
    if len(files) != needed:
        expected = "a file of sources and one of targets" if needed == 2 else "one file"
        found = "one file" if needed == 2 else f"{len(files)} files"
        raise ConfigError(f"expected {expected} for the layout {layout}, found {found}", setting="data.layout")
    return data.model_copy(update={"layout": layout})


def detect_layout(files: Sequence[str | os.PathLike[str]], encoding: str = "utf-8") -> str:
    """The layout of a file of pairs, or of a file of sources and one of targets.

    Two files are `parallel`, unless the first one begins with the header of a table that has a column `id`: `frames`.
    One file is `conllu` if its name ends so, or if all lines but blank ones and comments are words of CoNLL-U; else it
    is `tsv`.

    Raises:
        DataError: the file cannot be read.
    """
    if len(files) == 1 and os.fspath(files[0]).endswith(CONLLU_SUFFIX):
        return "conllu"
    lines = [line for line in head_of(files[0], encoding) if line.strip()]
    if len(files) == 2:
        return "frames" if lines and frames_header(lines[0]) else "parallel"
    words = [line for line in lines if not line.startswith("#")]
    return "conllu" if words and all(map(_WORD_LINE.fullmatch, words)) else "tsv"


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether `inspect` of this task is for these files.

    The layout is `pairs`, or `frames` of a file of numbers and one of targets, `X,Y`; the first file is a sample of
    pairs, or it looks like pairs. See `looks_like_pairs`, which leaves to taggers what they can read.
    """
    if layout not in (None, "auto"):
        return layout == PAIRS or (layout == "frames" and "," in files[0])
    if is_known_sample(files[0]):
        return True
    try:
        return looks_like_pairs(head_of(files[0]))
    except (DataError, ConfigError):
        return False


def looks_like_pairs(lines: Sequence[str]) -> bool:
    r"""Whether the first lines of a file can be nothing but pairs.

    There are at least `DETECTION_LINES`, all with the same number of fields between TABs, two or three, none of them
    empty. At least half of the values of each column are distinct, as tags are not. Lines of which each has as many
    words on both sides are no pairs, but sentences and their tags.

    >>> looks_like_pairs([f"word {n}\tmot {n} ici" for n in range(100)]), looks_like_pairs(["Oslo\tB-LOC"] * 100)
    (True, False)
    """
    rows = [[field.strip() for field in line.split("\t")] for line in lines]
    if len(rows) < DETECTION_LINES or len(rows[0]) not in (2, 3) or any(len(row) != len(rows[0]) for row in rows):
        return False
    if not all(map(all, rows)) or any(2 * len(set(column)) < len(rows) for column in zip(*rows, strict=True)):
        return False
    counts = [(len(row[0].split()), len(row[1].split())) for row in rows]
    is_sentence_a_line = all(source == target for source, target in counts) and any(source > 1 for source, _ in counts)
    return not is_sentence_a_line


def head_of(file: str | os.PathLike[str], encoding: str = "utf-8") -> list[str]:
    """The first lines of a file, without their ends; none of a stream, which could not be read again.

    Raises:
        DataError: the file cannot be read.
    """
    if file == "-" or (os.path.exists(file) and not os.path.isfile(file)):
        return []
    return [line.strip("\ufeff\r\n") for line in islice(read_lines(file, encoding), DETECTION_LINES)]
