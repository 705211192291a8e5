"""Mean and deviation of values in float64, for small movements on a large level and for sizes like 1e20 and 1e-20."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from seqtag.data.series.table import SeriesTable

_LITTLE = 0.01


def training_moments(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each series, float64 `(series, 2)`; NaN is left out.

    The deviation of a constant series is 0.
    """
    return np.array([moments_of(values[start:end]) for start, end in pairwise(offsets)])


def moments_of(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of values, without NaN; both 0 where there is none.

    The deviation is 0 where float64 does not resolve it beside the values.
    """
    seen = values[~np.isnan(values)]
    if not seen.size:
        return 0.0, 0.0
    above = seen - seen[0]
    away = above - above.mean()
    largest = float(np.abs(away).max())
    deviation = largest * float(np.sqrt(np.mean((away / (largest or 1.0)) ** 2)))
    resolution = np.finfo(float).eps * float(np.abs(seen).max())
    return float(seen[0] + above.mean()), deviation if deviation > resolution else 0.0


def typical_deviation(table: SeriesTable) -> float:
    """The median of the deviations of the series that vary; 0 where none does."""
    deviations = training_moments(table.values, table.offsets)[:, 1]
    varying = deviations[deviations > 0]
    return float(np.median(varying)) if len(varying) else 0.0


def moves_little(table: SeriesTable) -> bool:
    """Whether most series that vary do so by less than a hundredth of their level: a ratio says nothing about them."""
    mean, deviation = training_moments(table.values, table.offsets).T
    varying = deviation > 0
    return bool(varying.any() and np.mean(deviation[varying] < _LITTLE * np.abs(mean[varying])) > 0.5)
