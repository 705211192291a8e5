"""`Forecast`: point forecasts and quantiles of many series or windows, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqtag.errors import ConfigError
from seqtag.forecasting.calibration.quantile_function import at_levels
from seqtag.forecasting.levels import checked_levels


@dataclass(frozen=True, eq=False)
class Forecast:
    """Point forecasts, with quantiles where there are any.

    Attributes:
        point: `(rows, horizon)`.
        quantiles: `(rows, horizon, levels)`.
        levels: the levels of the quantiles, each in (0, 1), in the order of the array.

    Raises:
        ValueError: shapes that do not fit, a level outside (0, 1) or given twice.
    """

    point: np.ndarray
    quantiles: np.ndarray = field(default_factory=lambda: np.empty(0))
    levels: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if np.ndim(self.point) != 2:
            raise ValueError(f"expected point forecasts (rows, horizon), found shape {np.shape(self.point)}")
        expected = (*np.shape(self.point), len(self.levels))
        if self.levels and np.shape(self.quantiles) != expected:
            raise ValueError(f"expected quantiles of shape {expected}, found {np.shape(self.quantiles)}")
        if not self.levels and np.size(self.quantiles):
            raise ValueError("expected the levels of the quantiles, found none")
        if self.levels:
            checked_levels(sorted(self.levels))

    @classmethod
    def of_quantiles(cls, quantiles: np.ndarray, levels: Sequence[float]) -> Forecast:
        """A forecast of quantiles, whose median is the point forecast.

        Raises:
            ValueError: there is no level of 0.5, or as the class.
        """
        if 0.5 not in levels:
            raise ValueError(f"expected a level of 0.5 for the point forecast, found {tuple(levels)}")
        values = np.asarray(quantiles, dtype=float)
        if values.ndim != 3 or values.shape[2] != len(levels):
            raise ValueError(f"expected quantiles (rows, horizon, {len(levels)}), found shape {values.shape}")
        return cls(values[..., list(levels).index(0.5)], values, tuple(levels))

    def cut(self, rows: Any, steps: Any) -> Forecast:
        """The forecast of some rows and steps: `steps` is a slice, `rows` a slice or a list of indices."""
        quantiles = contiguous(self.quantiles[rows][:, steps]) if self.levels else self.quantiles
        return Forecast(contiguous(self.point[rows][:, steps]), quantiles, self.levels)

    def at(self, levels: Sequence[float]) -> Forecast:
        """The forecast with quantiles at other levels; see `seqtag.forecasting.calibration.quantile_function`.

        Raises:
            ValueError: levels as of `checked_levels`.
            ConfigError: fewer than two quantiles, of which no others follow.

        Example:
            >>> Forecast.of_quantiles([[[1.0, 3.0, 4.0]]], (0.1, 0.5, 0.9)).at([0.25, 0.75]).quantiles.round(3).tolist()
            [[[1.947, 3.526]]]
        """
        if len(self.levels) < 2 and tuple(levels) != self.levels:
            raise ConfigError("expected a model of at least two quantiles for other levels, found one of their median")
        order = np.argsort(self.levels)
        rising = bool((np.diff(order) == 1).all())
        quantiles = self.quantiles if rising else self.quantiles[..., order]
        return Forecast(self.point, at_levels(quantiles, sorted(self.levels), levels), checked_levels(levels))


def contiguous(values: np.ndarray) -> np.ndarray:
    """The values side by side in memory: metrics read them several times, and a strided column is slow to read."""
    return np.ascontiguousarray(values)


def quantile_names(levels: Sequence[float]) -> list[str]:
    """The columns that hold quantiles in a frame of forecasts.

    >>> quantile_names((0.1, 0.5))
    ['q0.1', 'q0.5']
    """
    return [f"q{level:.12g}" for level in levels]
