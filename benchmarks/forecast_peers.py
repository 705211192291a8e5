"""Other models for M3, for comparison: statsforecast's Theta and AutoETS.

The library is optional, `pip install -e '.[bench]'`. Every function takes a training table and gives quantiles at
LEVELS for the steps after it, `(series, horizon, levels)`, and the seconds it took.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from seqtag.data.series.table import SeriesTable

__all__ = ["LEVELS", "PEERS"]

LEVELS = tuple(level / 10 for level in range(1, 10))
INTERVALS = [20, 40, 60, 80]

PeerForecast = tuple[np.ndarray, float]


def statistical(model: str) -> Callable[[SeriesTable, int, int], PeerForecast]:
    """A model of statsforecast by its name, on one core."""

    def forecast(table: SeriesTable, horizon: int, season_length: int) -> PeerForecast:
        from statsforecast import StatsForecast, models

        fitted = StatsForecast([getattr(models, model)(season_length=season_length)], freq=1, n_jobs=1)
        started = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = fitted.forecast(df=table.to_frame(), h=horizon, level=INTERVALS)
        seconds = time.monotonic() - started
        low = [f"{model}-lo-{interval}" for interval in reversed(INTERVALS)]
        high = [f"{model}-hi-{interval}" for interval in INTERVALS]
        return by_series(frame, table, [*low, model, *high], horizon), seconds

    return forecast


def by_series(frame: Any, table: SeriesTable, columns: list[str], horizon: int) -> np.ndarray:
    """Columns of a long frame as `(series, horizon, columns)` in the table's order of series."""
    frame = frame.reset_index() if "unique_id" not in frame.columns else frame
    parts = {name: part.sort_values("ds")[columns].to_numpy() for name, part in frame.groupby("unique_id")}
    found = np.stack([parts[name] for name in table.ids])
    assert found.shape == (len(table), horizon, len(columns))
    return np.sort(found, axis=-1)


PEERS: dict[str, Callable[[SeriesTable, int, int], PeerForecast]] = {
    "Theta": statistical("DynamicOptimizedTheta"),
    "AutoETS": statistical("AutoETS"),
}
