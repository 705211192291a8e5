"""The layout of files of pairs, by their first lines."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import islice

from seqtag.data.text.lines import read_lines
from seqtag.errors import ConfigError, shown
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.number_frames import frames_header

# How many lines are looked at.
DETECTION_LINES = 100
CONLLU_SUFFIX = ".conllu"
_WORD_LINE = re.compile(r"\d+(?:[-.]\d+)?(?:\t[^\t]*){9}")
LAYOUTS = ("tsv", "parallel", "conllu", "frames")


def settled(data: DataConfig, files: Sequence[str | os.PathLike[str]]) -> DataConfig:
    """The configuration with the layout of these files in place of `auto`.

    Raises:
        ConfigError: the layout is of one file where there are two, or of two where there is one.
        DataError: a file cannot be read.
    """
    layout = detect_layout(files, data.encoding) if data.layout == "auto" else data.layout
    needed = 2 if layout in ("parallel", "frames") else 1
    if len(files) != needed:
        expected = "a file of sources and one of targets" if needed == 2 else "one file"
        found = "one file" if needed == 2 else f"{len(files)} files"
        raise ConfigError(f"expected {expected} for the layout {layout}, found {found}: {shown(files[0])}")
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
    head = [line.strip("\ufeff\r\n") for line in islice(read_lines(files[0], encoding), DETECTION_LINES)]
    lines = [line for line in head if line.strip()]
    if len(files) == 2:
        return "frames" if lines and frames_header(lines[0]) else "parallel"
    words = [line for line in lines if not line.startswith("#")]
    return "conllu" if words and all(map(_WORD_LINE.fullmatch, words)) else "tsv"
