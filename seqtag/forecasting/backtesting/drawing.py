"""The strokes of `plots`: figures without a window, times with a zone, lines with gaps, intervals, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from seqtag.forecasting.evaluation.metrics import central_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OBSERVED, FORECAST, BESIDE = "#3a3a3a", "#1f5a9d", "#c4542b"
QUIET = "#8a8a8a"
DPI = 130


def new_figure(width: float, height: float) -> Figure:
    """A figure that belongs to no window, so that drawing changes no setting of the process."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def times_on(axis: Axes, times: pd.Series) -> np.ndarray:
    """Times as matplotlib places them; timestamps with a zone are labelled with its clocks."""
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
    """A line with gaps; a value with a gap on both sides, or alone, is a dot."""
    at, y = times_on(axis, times), values.to_numpy(float)
    alone = _alone(y)
    axis.plot(at, y, **style)
    if alone.any():
        axis.plot(at[alone], y[alone], "o", color=style["color"], markersize=2.5)


def _alone(values: np.ndarray) -> np.ndarray:
    """Whether each value has a missing one, or none, on both sides: no line and no area shows it."""
    there = np.pad(~np.isnan(values), 1)
    return there[1:-1] & ~there[:-2] & ~there[2:]


def draw_intervals(axis: Axes, rows: pd.DataFrame) -> None:
    """The central intervals of the quantiles, the widest palest."""
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
    """The forecast's colour on white: solid, so that intervals under one another keep the colour of the legend."""
    from matplotlib.colors import to_rgb

    strength = 0.15 + 0.4 * depth
    return tuple(1 - strength * (1 - part) for part in to_rgb(FORECAST))


def finish(axis: Axes, title: str, along: Literal["x", "y"] = "y") -> None:
    """The title and the grid that all panels have."""
    axis.set_title(title, loc="left", fontsize=10, weight="bold")
    axis.grid(True, axis=along, color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.01)


def legend(figure: Figure, *axes: Axes) -> None:
    """One legend for all panels, each label once."""
    found: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(found.values(), found, loc="outside upper right", ncols=len(found), fontsize=8, frameon=False)
