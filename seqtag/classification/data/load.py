"""Sequences and labels from files and from Python objects."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqtag.classification.config import DataConfig
from seqtag.classification.config import Files as NamedFiles
from seqtag.classification.data.classes import classes_of_folder, named_files, read_classes
from seqtag.classification.data.detection import Files, settled
from seqtag.classification.data.examples import Examples, Kind, Row
from seqtag.classification.data.fasttext import read_fasttext
from seqtag.classification.data.frame_examples import (
    read_frame_examples,
    rows_of_arrays,
    rows_of_frame_pairs,
    rows_of_frames,
    rows_of_long_frame,
)
from seqtag.classification.data.python_examples import (
    is_dataframe,
    rows_of_dataframe,
    rows_of_lists,
    rows_of_pairs,
    rows_of_texts,
)
from seqtag.classification.data.split import hold_out
from seqtag.classification.data.tables import read_table
from seqtag.data.frames.missing import tell_missing
from seqtag.errors import ConfigError
from seqtag.runs.config_file import resolve_path

SPLITS = ("train", "dev", "test")


def load_examples(X: Any, data: DataConfig = DataConfig(), kind: Kind = Kind(), y: Any = None) -> Examples:
    """Reads sequences with their labels.

    Args:
        X: a path, a file for each label by the label, also as `LABEL=PATH,LABEL=PATH`, a folder of such files; pairs
            `(text, label)`; a DataFrame with the columns `text` and `label`; or texts, with their labels in `y`. Of
            frames, arrays `(time, features)` stand in the place of texts, and a DataFrame is in long form.
        data: how files are read, and which columns are which.
        kind: what sequences are, and whether they may have several labels.
        y: the labels, when `X` holds texts or arrays.

    Raises:
        DataError: there is no sequence, or something is wrong with one; the message says where.
        ConfigError: the layout is not one of these files.

    Example:

        >>> load_examples(["fine", "dull"], y=["pos", "neg"]).labels
        [('pos',), ('neg',)]
    """
    files = None if y is not None or is_dataframe(X) else files_of(X)
    if files is not None:
        rows, path, what = _rows_of_files(files, settled(data, files, kind), kind), _name(files), "text"
    else:
        rows, path, what = _rows_of_objects(X, data, kind, y), None, "row" if is_dataframe(X) else "text"
    found = Examples.of_rows(rows, path, "sequence" if kind.is_frames else what)
    if kind.is_frames:
        tell_missing(found.sources, path)
    return found


def _rows_of_objects(X: Any, data: DataConfig, kind: Kind, y: Any) -> Iterator[Row]:
    if kind.is_frames:
        if y is not None:
            return rows_of_arrays(X, y, kind.several)
        return rows_of_long_frame(X, data, kind.several) if is_dataframe(X) else rows_of_frame_pairs(X, kind.several)
    if y is not None:
        return rows_of_lists(X, y, kind.several)
    return rows_of_dataframe(X, data, kind.several) if is_dataframe(X) else rows_of_pairs(X, kind.several)


def load_sources(X: Any, data: DataConfig = DataConfig(), kind: Kind = Kind()) -> Examples:
    """Sequences without labels from Python objects: a list, or a DataFrame.

    Raises:
        DataError: `X` holds none, or what is no text or no array.

    >>> load_sources(["fine", ""]).sources
    ['fine', '']
    """
    if kind.is_frames:
        return Examples.of_rows(rows_of_frames(X, data), None, "sequence")
    return Examples.of_rows(rows_of_texts(X, data), None)


def load_splits(data: DataConfig, kind: Kind) -> dict[str, Examples]:
    """The data that a configuration names: `train`, `dev` from a file or held out of it, `test` where it has a file.

    Raises:
        ConfigError: the path of `train` is missing, or neither a path nor a share of `dev` is there.
        DataError: a file is at fault, or train has too few texts to hold some out.
    """
    if data.train is None:
        raise ConfigError("data.train: expected a path, found none")
    found = {
        split: load_examples(located(files, data.root), data, kind)
        for split in SPLITS
        if (files := getattr(data, split)) is not None
    }
    if "dev" not in found:
        if not data.dev_share:
            raise ConfigError("data.dev: expected a path, or a dev_share above 0, found neither")
        found["train"], found["dev"] = hold_out(found["train"], data.dev_share)
    return {split: found[split] for split in SPLITS if split in found}


def with_layout(data: DataConfig, kind: Kind, X: Any = None) -> DataConfig:
    """The configuration with the layout of the training files in place of `auto`, by which later files are read.

    Args:
        data: the configuration.
        kind: what sequences are.
        X: what `fit` was given; the files of `data.train` unless given.
    """
    if X is None and data.train is not None:
        X = located(data.train, data.root)
    files = None if is_dataframe(X) else files_of(X)
    return data if files is None else settled(data, files, kind)


def files_of(X: Any) -> Files | None:
    """The file that `X` is, or the files by their labels; None for anything else."""
    if isinstance(X, str) and not os.path.exists(X) and (named := named_files(X)):
        return named
    if isinstance(X, str | os.PathLike | Mapping):
        return X
    return None


def located(files: NamedFiles, root: str | None) -> NamedFiles:
    """The paths of data files below `root`."""
    if isinstance(files, str):
        return str(resolve_path(files, root))
    return {label: str(resolve_path(path, root)) for label, path in files.items()}


def _name(files: Files) -> str:
    return ", ".join(os.fspath(path) for path in files.values()) if isinstance(files, Mapping) else os.fspath(files)


def _rows_of_files(files: Files, data: DataConfig, kind: Kind) -> Iterator[Row]:
    if isinstance(files, Mapping):
        return read_classes(files, data)
    match data.layout:
        case "classes":
            return read_classes(classes_of_folder(Path(files)), data)
        case "fasttext":
            return read_fasttext(files, data, kind.several)
        case "frames":
            return read_frame_examples(files, data, kind.several)
        case _:
            return read_table(files, data, kind.several)
