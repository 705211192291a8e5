"""What is missing in frames of numbers, told once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from seqtag.errors import DataWarning


def tell_missing(sequences: Sequence[np.ndarray], path: str | None, stacklevel: int = 3) -> None:
    """Gives one `DataWarning` with the share of the numbers that are missing; none where all are there.

    Args:
        sequences: frames `(time, features)`, NaN where a number is missing.
        path: the file; None for Python objects.
        stacklevel: of the warning.
    """
    missing = sum(int(np.isnan(frames).sum()) for frames in sequences)
    if missing:
        share = missing / sum(frames.size for frames in sequences)
        message = f"{missing} of the numbers are missing, {share:.2%}: they are read as the mean of training"
        warnings.warn(DataWarning(message, path), stacklevel=stacklevel)
