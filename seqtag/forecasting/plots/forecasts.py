"""Fan charts: what was observed, the forecast, and its intervals."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from seqtag.figures import finish, new_figure
from seqtag.forecasting.plots.drawing import (
    FORECAST,
    MAX_SERIES,
    QUIET,
    check_columns,
    chosen_series,
    draw_intervals,
    draw_line,
    draw_observed,
    legend,
    times_on,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# How much history is shown by default: long enough to judge the forecast by, short enough to see it.
HORIZONS_OF_HISTORY = 4
MIN_HISTORY = 24


def plot_forecast(
    history: pd.DataFrame,
    forecast: pd.DataFrame,
    series: Sequence[Hashable] | None = None,
    max_series: int = MAX_SERIES,
    history_steps: int | None = None,
) -> Figure:
    """Fan charts, one for each series: observed values, the point forecast, its central intervals, the cutoff.

    Args:
        history: `unique_id, ds, y`; may continue after the cutoff.
        forecast: `unique_id, ds, forecast`, quantiles `q0.1`, ..., and the observed `y` where it is known. A column
            `cutoff` tells the forecasts of several cutoffs apart.
        series: the ids to show; those of the forecast unless given.
        max_series: the largest number of series to show.
        history_steps: steps before the first cutoff to show; four horizons and at least 24 unless given.

    Raises:
        ValueError: a column is missing, a series has no forecast, or there is nothing to show.
    """
    check_columns(history, ("unique_id", "ds", "y"), "history")
    check_columns(forecast, ("unique_id", "ds", "forecast"), "forecast")
    ids = chosen_series(forecast, series, max_series)
    columns = 1 if len(ids) <= 2 else 2 if len(ids) <= 8 else 3
    rows = -(-len(ids) // columns)
    figure = new_figure(10 if columns == 1 else 6 * columns, 0.5 + 2.7 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, name in zip(axes, ids, strict=False):
        ahead = forecast[forecast["unique_id"] == name].sort_values("ds", kind="stable")
        draw_observed(axis, _observed(history[history["unique_id"] == name], ahead, history_steps))
        for cutoff, part in _by_cutoff(ahead):
            _draw_fan(axis, part)
            _draw_cutoff(axis, cutoff, part)
        finish(axis, str(name))
    for axis in axes[len(ids) :]:
        axis.set_axis_off()
    legend(figure, axes[0])
    return figure


def _observed(history: pd.DataFrame, ahead: pd.DataFrame, steps: int | None) -> pd.DataFrame:
    """The last steps before the forecast, and the observed values within it where they are known."""
    first, last = ahead["ds"].min(), ahead["ds"].max()
    horizon = ahead["ds"].nunique()
    steps = max(HORIZONS_OF_HISTORY * horizon, MIN_HISTORY) if steps is None else steps
    rows = history[["ds", "y"]]
    if "y" in ahead:
        rows = pd.concat([rows, ahead[["ds", "y"]]]).drop_duplicates("ds", keep="last")
    rows = rows.sort_values("ds", kind="stable")
    before = rows[rows["ds"] < first]
    return pd.concat([before.iloc[max(len(before) - steps, 0) :], rows[rows["ds"].between(first, last)]])


def _by_cutoff(ahead: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    if "cutoff" in ahead:
        yield from ahead.groupby("cutoff", sort=True)
    else:
        yield None, ahead


def _draw_fan(axis: Axes, rows: pd.DataFrame) -> None:
    draw_intervals(axis, rows)
    draw_line(axis, rows["ds"], rows["forecast"], color=FORECAST, linewidth=1.8, label="forecast")


def _draw_cutoff(axis: Axes, cutoff: Any, rows: pd.DataFrame) -> None:
    """Draws a line at the last known time, or at the first forecast where the frame does not have the cutoff."""
    times = rows["ds"].iloc[:1] if cutoff is None else rows["cutoff"].iloc[:1]
    axis.axvline(times_on(axis, times)[0], color=QUIET, linewidth=1, linestyle=":", label="cutoff")
