"""Backtests: a metric by horizon step and by fold, and coverage by horizon step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from seqtag.figures import finish, new_figure
from seqtag.forecasting.plots.drawing import BASELINE, FORECAST, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# With more, bars are too thin to tell apart.
MAX_BARS = 30
ABBREVIATED = ("mase", "rmsse", "mae", "rmse", "mse", "wql", "crps")


def plot_backtest(
    by_step: Mapping[str, pd.DataFrame],
    by_fold: Mapping[str, pd.DataFrame],
    coverage: pd.DataFrame,
    metric: str = "mase",
) -> Figure:
    """A metric by horizon step, coverage by horizon step beside its nominal value, and the metric by fold.

    Args:
        by_step: for the forecasts and for one baseline, in this order, a row of metrics for each horizon step.
        by_fold: for the same two, a row of metrics for each fold.
        coverage: for each horizon step the coverage of each central interval; its columns are the nominal coverages.
        metric: the metric to draw, a column of those frames.

    Raises:
        ValueError: there is no such metric.
    """
    for frame in by_step.values():
        if metric not in frame:
            raise ValueError(f"expected metric to be one of {', '.join(frame)}, found {metric!r}")
    panels = 2 + bool(len(coverage.columns))
    figure = new_figure(10, 0.4 + 2.7 * panels)
    axes = figure.subplots(panels, 1)
    _draw_steps(axes[0], {model: frame[metric] for model, frame in by_step.items()})
    finish(axes[0], f"{_label(metric)} by horizon step, over all folds")
    if panels == 3:
        _draw_coverage(axes[1], coverage)
        finish(axes[1], "coverage of intervals by horizon step; dashed: nominal")
    _draw_folds(axes[-1], {model: frame[metric] for model, frame in by_fold.items()})
    finish(axes[-1], f"{_label(metric)} by fold")
    for axis, name in zip(axes, [*["horizon step"] * (panels - 1), "fold"], strict=True):
        axis.locator_params(axis="x", integer=True)
        axis.set_xlabel(name)
        axis.legend(fontsize=8, frameon=False, ncols=6, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    return figure


def _draw_steps(axis: Axes, lines: Mapping[str, pd.Series]) -> None:
    for (name, values), colour in zip(lines.items(), (FORECAST, BASELINE), strict=True):
        marker = "o" if len(values) <= MAX_BARS else ""
        axis.plot(values.index, values.to_numpy(), color=colour, marker=marker, markersize=4, label=_label(name))


def _draw_coverage(axis: Axes, coverage: pd.DataFrame) -> None:
    marker = "o" if len(coverage) <= MAX_BARS else ""
    for number, nominal in enumerate(coverage, start=1):
        colour = tint(0.4 + 1.6 * number / len(coverage.columns))
        label = f"{nominal:.0%}"
        axis.plot(coverage.index, coverage[nominal], color=colour, marker=marker, markersize=4, label=label)
        axis.axhline(nominal, color=colour, linewidth=1, linestyle="--")
    axis.set_ylim(0, 1.03)


def _draw_folds(axis: Axes, folds: Mapping[str, pd.Series]) -> None:
    """Bars side by side, or lines where there are too many folds for bars."""
    numbers = next(iter(folds.values())).index.to_numpy()
    if len(numbers) > MAX_BARS:
        _draw_steps(axis, folds)
        return
    for shift, colour, (name, values) in zip((-0.2, 0.2), (FORECAST, BASELINE), folds.items(), strict=True):
        axis.bar(numbers + shift, values.to_numpy(), width=0.4, color=colour, label=_label(name))


def _label(name: str) -> str:
    """The name of a metric or model as figures show it."""
    if name == "smape":
        return "sMAPE"
    return name.upper() if name in ABBREVIATED else name.replace("_", " ")
