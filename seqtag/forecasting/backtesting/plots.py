"""Pictures of forecasts: fan charts, backtests, anomaly scores and effects of covariates, from frames alone.

Each function returns a figure that belongs to no window. A missing value is a gap in its line; a single value
between two gaps is a dot. Frames have a row for each step, as `SeriesTable.to_frame` gives them: a step without a row
is no gap.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqtag.forecasting.backtesting.drawing import (
    BESIDE,
    FORECAST,
    OBSERVED,
    QUIET,
    draw_intervals,
    draw_line,
    finish,
    legend,
    new_figure,
    times_on,
    tint,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from seqtag.forecasting.backtesting.result import BacktestResult

MOST_SERIES = 12
# Of the history, unless told: long enough to judge the forecast by, short enough to see it.
HORIZONS_OF_HISTORY = 4
LEAST_HISTORY = 24
# Above, bars are too thin to tell apart.
MOST_BARS = 30
ABBREVIATED = ("mase", "rmsse", "mae", "rmse", "mse", "wql", "crps")


def plot_forecast(
    history: pd.DataFrame,
    forecast: pd.DataFrame,
    series: Sequence[Hashable] | None = None,
    max_series: int = MOST_SERIES,
    history_steps: int | None = None,
) -> Figure:
    """Fan charts, one for each series: what was observed, the point forecast, its central intervals, the cutoff.

    Args:
        history: `unique_id, ds, y`; may go on beyond the cutoff.
        forecast: `unique_id, ds, forecast`, quantiles `q0.1`, ..., what came as `y` where it is known; rows of
            several cutoffs have a column `cutoff`.
        series: the ids to show; those of the forecast unless given.
        max_series: how many to show at most.
        history_steps: steps before the first cutoff to show; four horizons and at least 24 unless given.

    Raises:
        ValueError: a column is missing, a series has no forecast, or there is nothing to show.
    """
    _check_columns(history, ("unique_id", "ds", "y"), "history")
    _check_columns(forecast, ("unique_id", "ds", "forecast"), "forecast")
    shown = _chosen(forecast, series, max_series)
    columns = 1 if len(shown) <= 2 else 2 if len(shown) <= 8 else 3
    rows = -(-len(shown) // columns)
    figure = new_figure(10 if columns == 1 else 6 * columns, 0.5 + 2.7 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, name in zip(axes, shown, strict=False):
        ahead = forecast[forecast["unique_id"] == name].sort_values("ds", kind="stable")
        _draw_observed(axis, _observed(history[history["unique_id"] == name], ahead, history_steps))
        for cutoff, part in _by_cutoff(ahead):
            _draw_fan(axis, part)
            _draw_cutoff(axis, cutoff, part)
        finish(axis, str(name))
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    legend(figure, axes[0])
    return figure


def plot_backtest(result: BacktestResult, metric: str = "mase") -> Figure:
    """A metric by horizon step beside seasonal naive, coverage by step beside what it should be, the metric by fold.

    Raises:
        ValueError: there is no such metric.
    """
    steps = {of: result.by_step(of) for of in ("forecast", "seasonal_naive")}
    if metric not in steps["forecast"]:
        raise ValueError(f"expected metric to be one of {', '.join(steps['forecast'])}, found {metric!r}")
    covered = pd.DataFrame([dict(scores.coverage) for scores in result.report.per_step], index=steps["forecast"].index)
    panels = 2 + bool(len(covered.columns))
    figure = new_figure(10, 0.4 + 2.7 * panels)
    axes = figure.subplots(panels, 1)
    _draw_steps(axes[0], {of: frame[metric] for of, frame in steps.items()})
    finish(axes[0], f"{_spoken(metric)} by horizon step, over all folds")
    if panels == 3:
        _draw_coverage(axes[1], covered)
        finish(axes[1], "coverage by horizon step; dashed: nominal")
    folds = {of: result.by_fold(of)[metric] for of in steps}
    _draw_folds(axes[-1], folds)
    finish(axes[-1], f"{_spoken(metric)} by fold")
    for axis, name in zip(axes, [*["horizon step"] * (panels - 1), "fold"], strict=True):
        axis.locator_params(axis="x", integer=True)
        axis.set_xlabel(name)
        axis.legend(fontsize=8, frameon=False, ncols=6, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    return figure


def plot_scores(
    scores: pd.DataFrame,
    threshold: float | None = None,
    series: Sequence[Hashable] | None = None,
    max_series: int = MOST_SERIES,
) -> Figure:
    """Anomaly scores under the series they judge; points whose score is above the threshold are marked in both.

    Args:
        scores: `unique_id, ds, y, score`, and the one-step quantiles `q0.1`, ... where they are to be shown.
        threshold: from which score on a point is marked; none is unless given.
        series: the ids to show; those of the frame unless given.
        max_series: how many to show at most.

    Raises:
        ValueError: a column is missing, a series has no scores, or there is nothing to show.
    """
    _check_columns(scores, ("unique_id", "ds", "y", "score"), "scores")
    shown = _chosen(scores, series, max_series)
    figure = new_figure(10, 0.4 + 2.9 * len(shown))
    heights = [2, 1] * len(shown)
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).reshape(-1, 2)
    for (above, below), name in zip(axes, shown, strict=True):
        rows = scores[scores["unique_id"] == name].sort_values("ds", kind="stable")
        draw_intervals(above, rows)
        _draw_observed(above, rows)
        draw_line(below, rows["ds"], rows["score"], color=FORECAST, linewidth=1.2, label="score")
        if threshold is not None:
            marked = rows[(rows["score"] >= threshold).to_numpy()]
            below.axhline(threshold, color=BESIDE, linewidth=1, linestyle="--", label=f"threshold {threshold:g}")
            for axis, column in ((above, "y"), (below, "score")):
                times = times_on(axis, marked["ds"])
                axis.plot(times, marked[column].to_numpy(), "o", color=BESIDE, markersize=5, label="anomaly")
        below.sharex(above)
        above.tick_params(labelbottom=False)
        finish(above, str(name))
        finish(below, "")
        below.set_ylabel("score")
    legend(figure, axes[0, 0], axes[0, 1])
    return figure


def plot_effects(effects: pd.DataFrame, label: str = "increase of the loss when shuffled") -> Figure:
    """Effects of covariates as bars, the largest on top; the bars of those below zero have another colour.

    Args:
        effects: `covariate, increase`, and `deviation` (of repeated shuffles) where there is one.
        label: what an effect is.

    Raises:
        ValueError: a column is missing, or there are no rows.
    """
    _check_columns(effects, ("covariate", "increase"), "effects")
    if not len(effects):
        raise ValueError("expected effects of at least one covariate, found no rows")
    rows = effects.sort_values("increase", kind="stable")
    figure = new_figure(8, 1.1 + 0.32 * len(rows))
    axis = figure.subplots()
    values = rows["increase"].to_numpy(float)
    spread = rows["deviation"].to_numpy(float) if "deviation" in rows else None
    colours = [FORECAST if value >= 0 else BESIDE for value in values]
    axis.barh(np.arange(len(rows)), values, xerr=spread, color=colours, ecolor=QUIET, height=0.7)
    axis.set_yticks(np.arange(len(rows)), rows["covariate"].astype(str))
    axis.axvline(0, color=OBSERVED, linewidth=0.8)
    axis.set_xlabel(label)
    finish(axis, "effects of covariates", along="x")
    return figure


def _check_columns(frame: pd.DataFrame, names: Sequence[str], argument: str) -> None:
    absent = [name for name in names if name not in frame]
    if absent:
        raise ValueError(f"expected columns {', '.join(names)} in {argument}, found no {absent[0]!r}")


def _chosen(frame: pd.DataFrame, series: Sequence[Hashable] | None, most: int) -> list[Hashable]:
    there = list(dict.fromkeys(frame["unique_id"]))
    absent = [name for name in series or () if name not in there]
    if absent:
        raise ValueError(f"expected series of the frame, found {absent[0]!r}")
    shown = (there if series is None else list(series))[:most]
    if not shown:
        raise ValueError("expected at least one series to show, found none")
    return shown


def _observed(history: pd.DataFrame, ahead: pd.DataFrame, steps: int | None) -> pd.DataFrame:
    """The last steps before the forecast, and what came within it where that is known."""
    first, last = ahead["ds"].min(), ahead["ds"].max()
    horizon = ahead["ds"].nunique()
    steps = max(HORIZONS_OF_HISTORY * horizon, LEAST_HISTORY) if steps is None else steps
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


def _draw_observed(axis: Axes, rows: pd.DataFrame) -> None:
    draw_line(axis, rows["ds"], rows["y"], color=OBSERVED, linewidth=1.2, label="observed")


def _draw_fan(axis: Axes, rows: pd.DataFrame) -> None:
    draw_intervals(axis, rows)
    draw_line(axis, rows["ds"], rows["forecast"], color=FORECAST, linewidth=1.8, label="forecast")


def _draw_cutoff(axis: Axes, cutoff: Any, rows: pd.DataFrame) -> None:
    """A line at the last time that was known, or at the first that is forecast where the frame does not say."""
    times = rows["ds"].iloc[:1] if cutoff is None else rows["cutoff"].iloc[:1]
    axis.axvline(times_on(axis, times)[0], color=QUIET, linewidth=1, linestyle=":", label="cutoff")


def _draw_steps(axis: Axes, lines: Mapping[str, pd.Series]) -> None:
    for (name, values), colour in zip(lines.items(), (FORECAST, BESIDE), strict=True):
        marker = "o" if len(values) <= MOST_BARS else ""
        axis.plot(values.index, values.to_numpy(), color=colour, marker=marker, markersize=4, label=_spoken(name))


def _draw_coverage(axis: Axes, covered: pd.DataFrame) -> None:
    marker = "o" if len(covered) <= MOST_BARS else ""
    for number, nominal in enumerate(covered, start=1):
        colour = tint(0.4 + 1.6 * number / len(covered.columns))
        label = f"{nominal:.0%} interval"
        axis.plot(covered.index, covered[nominal], color=colour, marker=marker, markersize=4, label=label)
        axis.axhline(nominal, color=colour, linewidth=1, linestyle="--")
    axis.set_ylim(0, 1.03)


def _draw_folds(axis: Axes, folds: Mapping[str, pd.Series]) -> None:
    """Bars side by side; lines where there are too many folds for bars."""
    numbers = next(iter(folds.values())).index.to_numpy()
    if len(numbers) > MOST_BARS:
        _draw_steps(axis, folds)
        return
    for shift, colour, (name, values) in zip((-0.2, 0.2), (FORECAST, BESIDE), folds.items(), strict=True):
        axis.bar(numbers + shift, values.to_numpy(), width=0.4, color=colour, label=_spoken(name))


def _spoken(name: str) -> str:
    """The name of a metric or model as a figure shows it."""
    if name == "smape":
        return "sMAPE"
    return name.upper() if name in ABBREVIATED else name.replace("_", " ")
