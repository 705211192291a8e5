"""Anomaly scores below the series that they judge."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from seqtag.figures import finish, new_figure
from seqtag.forecasting.plots.drawing import (
    BASELINE,
    FORECAST,
    MAX_SERIES,
    check_columns,
    chosen_series,
    draw_intervals,
    draw_line,
    draw_observed,
    legend,
    times_on,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_scores(
    scores: pd.DataFrame,
    threshold: float | None = None,
    series: Sequence[Hashable] | None = None,
    max_series: int = MAX_SERIES,
) -> Figure:
    """Anomaly scores below the series that they judge, with points at or above the threshold marked in both.

    Args:
        scores: `unique_id, ds, y, score`, and the one-step quantiles `q0.1`, ... if they are to be shown.
        threshold: the lowest score of a marked point; no point is marked unless given.
        series: the ids to show; those of the frame unless given.
        max_series: the largest number of series to show.

    Raises:
        ValueError: a column is missing, a series has no scores, or there is nothing to show.
    """
    check_columns(scores, ("unique_id", "ds", "y", "score"), "scores")
    ids = chosen_series(scores, series, max_series)
    figure = new_figure(10, 0.4 + 2.9 * len(ids))
    heights = [2, 1] * len(ids)
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).reshape(-1, 2)
    for (above, below), name in zip(axes, ids, strict=True):
        rows = scores[scores["unique_id"] == name].sort_values("ds", kind="stable")
        draw_intervals(above, rows)
        draw_observed(above, rows)
        draw_line(below, rows["ds"], rows["score"], color=FORECAST, linewidth=1.2, label="score")
        if threshold is not None:
            marked = rows[(rows["score"] >= threshold).to_numpy()]
            below.axhline(threshold, color=BASELINE, linewidth=1, linestyle="--", label=f"threshold {threshold:g}")
            for axis, column in ((above, "y"), (below, "score")):
                times = times_on(axis, marked["ds"])
                axis.plot(times, marked[column].to_numpy(), "o", color=BASELINE, markersize=5, label="anomaly")
        below.sharex(above)
        above.tick_params(labelbottom=False)
        finish(above, str(name))
        finish(below, "")
        below.set_ylabel("score")
    legend(figure, axes[0, 0], axes[0, 1])
    return figure
