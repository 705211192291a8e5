"""Pairs from files and from Python objects."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from seqtag.data.text.lines import source_name
from seqtag.errors import ConfigError
from seqtag.runs.config_file import resolve_path
from seqtag.seq2seq.config import DataConfig, Files
from seqtag.seq2seq.data.conllu import read_conllu
from seqtag.seq2seq.data.detection import TWO_FILES, settled
from seqtag.seq2seq.data.number_frames import read_frame_pairs
from seqtag.seq2seq.data.pairs import Pairs, Row
from seqtag.seq2seq.data.parallel import read_parallel
from seqtag.seq2seq.data.python_pairs import (
    is_dataframe,
    rows_of_dataframe,
    rows_of_lists,
    rows_of_pairs,
    rows_of_sources,
)
from seqtag.seq2seq.data.samples import is_sample, sample_pairs
from seqtag.seq2seq.data.split import SPLITS, hold_out, hold_out_last
from seqtag.seq2seq.data.tsv import read_tsv


def load_pairs(X: Any, data: DataConfig = DataConfig(), y: Any = None) -> Pairs:
    """Reads pairs.

    Args:
        X: a path, or two, of the sources and of the targets, which may stand as `SOURCES,TARGETS` where the layout is
            said to be of two files; `sample:NAME/SPLIT`, see `seqtag.seq2seq.data.samples`;
            pairs `(source, target)`; a DataFrame with the columns `source` and `target`; or sources, with their targets
            in `y`. A source is a text, or an array `(time, features)`; where `data.features` names columns, a tuple of
            the source and its features.
        data: how files are read, and which columns are which.
        y: the targets, when `X` holds sources.

    Raises:
        DataError: there is no pair, or one is wrong; the message says where.
        ConfigError: the layout is not one of these files.

    Example:

        >>> load_pairs(["ABBY", "A"], y=["AE B IY", "AH"]).targets
        ['AE B IY', 'AH']
    """
    if y is not None:
        return Pairs.of_rows(rows_of_lists(X, y, data), None)
    if is_dataframe(X):
        return Pairs.of_rows(rows_of_dataframe(X, data), None, "row")
    files = files_of(X, data)
    if not files:
        return Pairs.of_rows(rows_of_pairs(X, data), None)
    if is_sample(str(files[0])):
        return sample_pairs(str(files[0]))
    return Pairs.of_rows(_rows_of_files(files, settled(data, files)), source_name(files[0]))


def load_sources(X: Any, data: DataConfig = DataConfig()) -> Pairs:
    """Sources without targets from Python objects: a list, arrays, or a DataFrame; a text may be empty.

    Raises:
        DataError: `X` holds none, or one is of another kind.

    >>> load_sources(["ABBY", ""]).sources
    ['ABBY', '']
    """
    return Pairs.of_rows(rows_of_sources(X, data), None, "source")


def load_splits(data: DataConfig) -> dict[str, Pairs]:
    """The pairs that a configuration names: `train`, and `dev` and `test` where they have files or a share of train.

    Raises:
        ConfigError: the path of `train` is missing.
        DataError: a file is at fault, or train has too few sources for a split.
    """
    if data.train is None:
        raise ConfigError("data.train: expected a path, found none")
    found = {
        split: load_pairs(_located(files, data.root), data)
        for split in SPLITS
        if (files := getattr(data, split)) is not None
    }
    if data.test_last and "test" not in found:
        found |= hold_out_last(found["train"], data.test_last)
    dev_share, test_share = (0.0 if split in found else getattr(data, f"{split}_share") for split in SPLITS[1:])
    found |= hold_out(found["train"], dev_share, test_share)
    return {split: found[split] for split in SPLITS if split in found}


def with_layout(data: DataConfig, X: Any = None) -> DataConfig:
    """The configuration with the layout of the training files in place of `auto`, by which later files are read.

    Args:
        data: the configuration.
        X: what `fit` was given; the files of `data.train` unless given.
    """
    if X is None and data.train is not None:
        X = _located(data.train, data.root)
    files = files_of(X, data)
    return data if not files or is_sample(str(files[0])) else settled(data, files)


def files_of(X: Any, data: DataConfig) -> Sequence[str | os.PathLike[str]]:
    """The paths that `X` is: one, or two that may also stand as `SOURCES,TARGETS`; empty for anything else."""
    if isinstance(X, str) and data.layout in TWO_FILES and not os.path.exists(X) and X.count(",") == 1:
        return X.split(",")
    if isinstance(X, str | os.PathLike):
        return (X,)
    if isinstance(X, tuple | list) and len(X) == 2 and all(isinstance(path, str | os.PathLike) for path in X):
        return X
    return ()


def _located(files: Files, root: str | None) -> Files:
    """The paths of data files below `root`."""
    if isinstance(files, str):
        return files if is_sample(files) else str(resolve_path(files, root))
    first, second = (str(resolve_path(path, root)) for path in files)
    return first, second


def _rows_of_files(files: Sequence[str | os.PathLike[str]], data: DataConfig) -> Iterator[Row]:
    match data.layout:
        case "conllu":
            return read_conllu(files[0], data)
        case "parallel":
            return read_parallel(files[0], files[1], data)
        case "frames":
            return read_frame_pairs(files[0], files[1], data)
        case _:
            return read_tsv(files[0], data)
