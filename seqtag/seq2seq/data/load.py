"""Pairs from files and from Python objects."""

from __future__ import annotations

import os
from typing import Any

from seqtag.data.text.lines import source_name
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.tsv import read_tsv


def load_pairs(X: Any, data: DataConfig = DataConfig(), y: Any = None) -> Pairs:
    """Reads pairs.

    Args:
        X: a path.
        data: how files are read.
        y: the targets, where `X` holds sources.

    Raises:
        DataError: there is no pair, or one is wrong; the message says where.
    """
    return Pairs.of_rows(read_tsv(os.fspath(X), data), source_name(X))
