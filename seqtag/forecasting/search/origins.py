"""Where a search scores its candidates: the series and the rolling origins on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqtag.data.series.slicing import first_steps, select_series
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.backtesting.origins import RollingOrigins
from seqtag.forecasting.config import ForecastingConfig

MAX_ORIGINS = 3
# A series is long that has so many times the held-out steps and those of the origins.
LONG = 4


def search_origins(table: SeriesTable, config: ForecastingConfig, lookback: int) -> tuple[SeriesTable, RollingOrigins]:
    """The series that candidates are fitted and scored on, and the origins that they forecast from.

    There are as many origins as horizons are held out of the final fit, three at most. They lie before the steps that
    it holds out, so that these have chosen nothing before they choose its epochs and weights; where both would take
    more than a quarter of the median series, they are at the end of the held-out steps themselves: fitted on much less
    than the final fit is, a candidate that reads or learns less would look better than it is. Series are left out that
    have no value among the `lookback` steps before an origin.

    Args:
        table: the series.
        config: all settings.
        lookback: the shortest that a candidate has.

    Raises:
        DataError: no series is long enough.
    """
    horizon, held_out = config.model.horizon, config.training.validation_steps
    folds = min(held_out // horizon, MAX_ORIGINS)
    behind = held_out if np.median(table.lengths) >= LONG * (held_out + folds * horizon) else 0
    origins = RollingOrigins(folds, horizon)
    enough = table.lengths > behind + folds * horizon
    if enough.any():
        before = select_series(table, enough)
        before = first_steps(before, before.lengths - behind)
        if (answered := _answerable(before, origins, lookback)).any():
            return select_series(before, answered), origins
    longest = int(table.lengths.argmax())
    raise DataError(
        f"series {shown(table.ids[longest])}: expected values in more than {behind + folds * horizon} steps for a"
        f" search, found {table.lengths[longest]} steps in the longest series"
    )


def _answerable(table: SeriesTable, origins: RollingOrigins, lookback: int) -> np.ndarray:
    """Which series have a value before each origin that is near enough for a network to read it."""
    found = np.ones(len(table), bool)
    for fold in origins.split(table):
        windows = replace(fold.windows, lookback=lookback)
        read = np.zeros(len(table), bool)
        read[windows.series] = windows.history_has(table.observed)
        found &= read
    return found
