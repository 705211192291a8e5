"""The layout of files of texts and labels, by their first lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from seqtag.classification.config import DataConfig
from seqtag.classification.data.columns import has_header, rows_of, separator_of
from seqtag.classification.data.fasttext import PREFIX
from seqtag.data.text.lines import read_lines
from seqtag.errors import ConfigError, DataError

Files = str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]

LAYOUTS = ("table", "fasttext", "classes")
# How many lines are looked at.
DETECTION_LINES = 20


def settled(data: DataConfig, files: Files) -> DataConfig:
    """The configuration with the layout of these files in place of `auto`.

    Raises:
        ConfigError: the layout is not one of such files.
        DataError: a file cannot be read.
    """
    layout = detect_layout(files, data.encoding) if data.layout == "auto" else data.layout
    is_of_classes = isinstance(files, Mapping) or Path(files).is_dir()
    if is_of_classes != (layout == "classes"):
        expected = "a file for each label, or a folder of them" if layout == "classes" else "one file"
        found = "a file for each label" if is_of_classes else "one file"
        raise ConfigError(f"expected {expected} for the layout {layout}, found {found}", setting="data.layout")
    return data.model_copy(update={"layout": layout})


def detect_layout(files: Files, encoding: str = "utf-8") -> str:
    """The layout of a file, of a folder, or of a file for each label.

    Raises:
        DataError: the file cannot be read.
    """
    if isinstance(files, Mapping) or Path(files).is_dir():
        return "classes"
    lines = [line for line in head_of(files, encoding) if line.strip()]
    return "fasttext" if lines and all(line.startswith(PREFIX) for line in lines) else "table"


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether `inspect` of this task is for these files.

    The layout is one of this task's; or the file begins with ``__label__``, or with names of columns among which are
    `text` and `label`.
    """
    if layout not in (None, "auto"):
        return layout in LAYOUTS
    try:
        lines = head_of(files[0])
    except (DataError, ConfigError):
        return False
    if not lines:
        return False
    data = DataConfig()
    _, first = next(rows_of(lines[:1], separator_of(data, files[0], lines[0])))
    return all(line.startswith(PREFIX) for line in lines if line.strip()) or has_header(first, data)


def head_of(file: str | os.PathLike[str], encoding: str = "utf-8") -> list[str]:
    """The first lines of a file, without their ends; none of a stream, which could not be read again.

    Raises:
        DataError: the file cannot be read.
    """
    if file == "-" or (os.path.exists(file) and not os.path.isfile(file)):
        return []
    return [line.strip("\ufeff\r\n") for line in islice(read_lines(file, encoding), DETECTION_LINES)]
