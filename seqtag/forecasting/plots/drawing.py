"""What several plots of forecasts draw: lines with gaps, intervals, times in their time zone, legends."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqtag.forecasting.evaluation.metrics import central_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OBSERVED, FORECAST, BASELINE = "#3a3a3a", "#1f5a9d", "#c4542b"
QUIET = "#8a8a8a"
MAX_SERIES = 12


def check_columns(frame: pd.DataFrame, names: Sequence[str], argument: str) -> None:
    """Raises a `ValueError` unless the frame, an argument of this name, has these columns."""
    absent = [name for name in names if name not in frame]
    if absent:
        raise ValueError(f"expected columns {', '.join(names)} in {argument}, found no {absent[0]!r}")


def chosen_series(frame: pd.DataFrame, series: Sequence[Hashable] | None, limit: int) -> list[Hashable]:
    """The first `limit` of the series, or of all series of the frame where `series` is None.

    Raises:
        ValueError: the frame does not have a series, or there is none.
    """
    known = list(dict.fromkeys(frame["unique_id"]))
    absent = [name for name in series or () if name not in known]
    if absent:
        raise ValueError(f"expected series of the frame, found {absent[0]!r}")
    chosen = (known if series is None else list(series))[:limit]
    if not chosen:
        raise ValueError("expected at least one series to show, found none")
    return chosen


def times_on(axis: Axes, times: pd.Series) -> np.ndarray:
    """Times as matplotlib places them; timestamps with a time zone are labelled in local time."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if not pd.api.types.is_datetime64_any_dtype(times):
        return times.to_numpy()
    time_zone = getattr(times.dtype, "tz", None)
    if not isinstance(axis.xaxis.get_major_formatter(), ConciseDateFormatter):
        locator = AutoDateLocator(tz=time_zone)
        axis.xaxis_date(time_zone)
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=time_zone))
    return (times.dt.tz_convert("UTC").dt.tz_localize(None) if time_zone is not None else times).to_numpy()


def draw_line(axis: Axes, times: pd.Series, values: pd.Series, **style: Any) -> None:
    """Draws a line with gaps; a value without neighbours is a dot."""
    at, y = times_on(axis, times), values.to_numpy(float)
    alone = _alone(y)
    axis.plot(at, y, **style)
    if alone.any():
        axis.plot(at[alone], y[alone], "o", color=style["color"], markersize=2.5)


def _alone(values: np.ndarray) -> np.ndarray:
    """Whether each value has no neighbour, so that no line and no area shows it."""
    observed = np.pad(~np.isnan(values), 1)
    return observed[1:-1] & ~observed[:-2] & ~observed[2:]


def draw_intervals(axis: Axes, rows: pd.DataFrame) -> None:
    """Draws the central intervals of the quantiles, the widest in the palest colour."""
    columns = [name for name in map(str, rows.columns) if name[:1] == "q" and name[1:].replace(".", "", 1).isdigit()]
    pairs = central_intervals([float(name[1:]) for name in columns])
    times = times_on(axis, rows["ds"])
    for number, (nominal, (low, high)) in enumerate(pairs.items(), start=1):
        lower, upper = (rows[columns[column]].to_numpy(float) for column in (low, high))
        colour, alone = tint(number / len(pairs)), _alone(lower + upper)
        axis.fill_between(times, lower, upper, color=colour, linewidth=0, label=f"{nominal:.0%} interval")
        if alone.any():
            axis.vlines(times[alone], lower[alone], upper[alone], color=colour, linewidth=6)


def tint(depth: float) -> tuple[float, ...]:
    """A lighter forecast colour, solid rather than transparent, so that an interval over another keeps its colour."""
    from matplotlib.colors import to_rgb

    strength = 0.15 + 0.4 * depth
    return tuple(1 - strength * (1 - part) for part in to_rgb(FORECAST))


def draw_observed(axis: Axes, rows: pd.DataFrame) -> None:
    """Draws the observed values `y` of a frame."""
    draw_line(axis, rows["ds"], rows["y"], color=OBSERVED, linewidth=1.2, label="observed")


def legend(figure: Figure, *axes: Axes) -> None:
    """Draws one legend for all panels, with each label once."""
    found: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(found.values(), found, loc="outside upper right", ncols=len(found), fontsize=8, frameon=False)
