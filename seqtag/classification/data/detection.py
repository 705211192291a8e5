"""The layout of files of texts and labels, by their first lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from seqtag.classification.config import DataConfig
from seqtag.classification.data.columns import has_header, rows_of, separator_of
from seqtag.classification.data.examples import Kind
from seqtag.classification.data.fasttext import PREFIX
from seqtag.data.frames.archive import MARKS
from seqtag.data.text.lines import read_lines
from seqtag.errors import ConfigError, DataError

Files = str | os.PathLike[str] | Mapping[str, str | os.PathLike[str]]

LAYOUTS = ("table", "fasttext", "classes", "frames")
# Where time-series archives have their frames.
ARCHIVE_SUFFIX = ".ts"
# How many lines are looked at.
DETECTION_LINES = 20


def settled(data: DataConfig, files: Files, kind: Kind) -> DataConfig:
    """The configuration with the layout of these files in place of `auto`.

    Raises:
        ConfigError: the layout is not one of such files, or of sources of another kind.
        DataError: a file cannot be read.
    """
    layout: str = data.layout
    if layout == "auto":
        layout = "frames" if kind.is_frames else detect_layout(files, data.encoding)
    if (layout == "frames") != kind.is_frames:
        expected = "frames" if layout == "frames" else "text"
        raise ConfigError(f"model.source: expected {expected} for the layout {layout}, found {kind.source}")
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
    `text` and `label`; or it is one of the time-series archives, `.ts`.
    """
    if layout not in (None, "auto"):
        # Frames of numbers are of several tasks.
        return layout in LAYOUTS and layout != "frames"
    try:
        lines = head_of(files[0])
    except (DataError, ConfigError):
        return False
    if not lines:
        return False
    if is_archive(files[0], lines):
        return True
    data = DataConfig()
    _, first = next(rows_of(lines[:1], separator_of(data, files[0], lines[0])))
    return all(line.startswith(PREFIX) for line in lines if line.strip()) or has_header(first, data)


def is_archive(file: str, lines: Sequence[str]) -> bool:
    """Whether a file is one of the time-series archives."""
    return file.lower().endswith(ARCHIVE_SUFFIX) and lines[0].startswith(MARKS)


def head_of(file: str | os.PathLike[str], encoding: str = "utf-8") -> list[str]:
    """The first lines of a file, without their ends; none of a stream, which could not be read again.

    Raises:
        DataError: the file cannot be read.
    """
    if file == "-" or (os.path.exists(file) and not os.path.isfile(file)):
        return []
    return [line.strip("\ufeff\r\n") for line in islice(read_lines(file, encoding), DETECTION_LINES)]
