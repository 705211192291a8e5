"""Cuts a table of series into windows of history and future: as indices, without a copy of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqtag.data.series.table import SeriesTable


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of history and future, as indices into the steps of a table.

    Attributes:
        series: int64 `(windows,)`, the series of each window.
        ends: int64 `(windows,)`, the flat step after the end of the history, which is the first step to forecast.
        first: int64 `(windows,)`, the flat step at which the window's series starts.
        lookback: steps of history; those before `first` are padding.
        horizon: steps of future.
    """

    series: np.ndarray
    ends: np.ndarray
    first: np.ndarray
    lookback: int
    horizon: int

    def __len__(self) -> int:
        """The number of windows."""
        return len(self.ends)

    def take(self, chosen: np.ndarray) -> Windows:
        """The windows of these indices, or of a mask."""
        return Windows(self.series[chosen], self.ends[chosen], self.first[chosen], self.lookback, self.horizon)

    def history_count(self, flags: np.ndarray) -> np.ndarray:
        """At how many steps of each history `flags (steps,)` is true, int `(windows,)`."""
        count = np.r_[0, np.cumsum(flags)]
        return count[self.ends] - count[np.maximum(self.ends - self.lookback, self.first)]

    def history_has(self, flags: np.ndarray) -> np.ndarray:
        """Whether `flags (steps,)` is true at any step of each history, bool `(windows,)`."""
        return self.history_count(flags) > 0

    def history_steps(self) -> tuple[np.ndarray, np.ndarray]:
        """The flat steps of the histories and whether they exist, both `(windows, lookback)`.

        A step of padding is given as the first step of its series, so that any array of steps can be indexed.
        """
        steps = self.ends[:, None] + np.arange(-self.lookback, 0)
        real = steps >= self.first[:, None]
        return np.where(real, steps, self.first[:, None]), real

    def future_steps(self) -> np.ndarray:
        """The flat steps of the futures, `(windows, horizon)`."""
        return self.ends[:, None] + np.arange(self.horizon)

    def history(self, values: np.ndarray, padding: float = np.nan) -> np.ndarray:
        """`values (steps, ...)` of the histories, `(windows, lookback, ...)`; `padding` before a series starts."""
        steps, real = self.history_steps()
        found = values[steps]
        found[~real] = padding
        return found

    def future(self, values: np.ndarray) -> np.ndarray:
        """`values (steps, ...)` of the futures, `(windows, horizon, ...)`."""
        return values[self.future_steps()]


def all_windows(
    table: SeriesTable,
    lookback: int,
    horizon: int,
    *,
    stride: int = 1,
    min_history: int | None = None,
    min_future: int | None = None,
) -> Windows:
    """All windows whose future lies within their series, in the order of series and time.

    Args:
        table: the series.
        lookback: steps of history, at least 1.
        horizon: steps of future, at least 1.
        stride: steps from one window of a series to the next; the last window of a series is always included.
        min_history: the smallest number of steps of history in a window; `lookback` unless given. Windows with fewer
            steps than `lookback` are padded on the left.
        min_future: the smallest number of steps of future within the series; `horizon` unless given. If it is below
            `horizon`, the futures of a series' last windows reach past its end.

    Returns:
        The windows; none of a series shorter than `min_history + min_future`.

    Raises:
        ValueError: a length below 1, `min_history` above `lookback`, or `min_future` above `horizon`.

    Example:
        >>> from seqtag.data.series.files import read_series
        >>> import pandas as pd
        >>> table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(5), "y": range(5)}))
        >>> windows = all_windows(table, lookback=3, horizon=1, min_history=2)
        >>> windows.history(table.values).tolist(), windows.future(table.values).tolist()
        ([[nan, 0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]], [[2.0], [3.0], [4.0]])
    """
    min_history = lookback if min_history is None else min_history
    min_future = horizon if min_future is None else min_future
    lengths = {
        "lookback": lookback,
        "horizon": horizon,
        "stride": stride,
        "min_history": min_history,
        "min_future": min_future,
    }
    for name, value in lengths.items():
        if value < 1:
            raise ValueError(f"expected {name} to be at least 1, found {value}")
    if min_history > lookback:
        raise ValueError(f"expected min_history to be at most the lookback of {lookback}, found {min_history}")
    if min_future > horizon:
        raise ValueError(f"expected min_future to be at most the horizon of {horizon}, found {min_future}")
    spare = table.lengths - min_history - min_future
    counts = np.where(spare >= 0, spare // stride + 1, 0)
    series = np.repeat(np.arange(len(table)), counts)
    # Counted back from the last window, so that the newest values are in a window with any stride.
    left = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(series))
    ends = table.offsets[1:][series] - min_future - left * stride
    return Windows(series, ends, table.offsets[series], lookback, horizon)


def last_windows(table: SeriesTable, lookback: int, horizon: int) -> Windows:
    """One window of each series, whose history ends with the series: the start of a forecast.

    Its future is not in the table: `future` and `future_steps` cannot be used; see `SeriesTable.times_at` and
    `seqtag.forecasting.data.future`.
    """
    for name, value in (("lookback", lookback), ("horizon", horizon)):
        if value < 1:
            raise ValueError(f"expected {name} to be at least 1, found {value}")
    series = np.arange(len(table))
    return Windows(series, table.offsets[1:].copy(), table.offsets[:-1].copy(), lookback, horizon)


def training_windows(table: SeriesTable, lookback: int, horizon: int, min_history: int) -> Windows:
    """All windows with a value in their history and one in their future, which may reach past the end of the series.

    Without the windows that reach past the end, the newest values of a short series would not be fitted on.
    """
    return with_values(table, all_windows(table, lookback, horizon, min_history=min_history, min_future=1))


def subsample(windows: Windows, limit: int) -> Windows:
    """The windows, or `limit` of them at even distances where there are more."""
    return windows if len(windows) <= limit else windows.take(even_numbers(len(windows), limit))


def even_numbers(count: int, limit: int) -> np.ndarray:
    """All numbers below `count`, or `limit` of them at even distances where there are more, int64."""
    if count <= limit:
        return np.arange(count)
    return np.linspace(0, count - 1, limit).round().astype(np.int64)


def with_history(table: SeriesTable, windows: Windows) -> Windows:
    """The windows with a value in their history."""
    return windows.take(np.flatnonzero(windows.history_has(table.observed)))


def with_values(table: SeriesTable, windows: Windows) -> Windows:
    """The windows with a value in their history and one in their future."""
    windows = with_history(table, windows)
    observed_before = np.r_[0, np.cumsum(table.observed)]
    end = np.minimum(windows.ends + windows.horizon, table.offsets[1:][windows.series])
    return windows.take(np.flatnonzero(observed_before[end] > observed_before[windows.ends]))
