"""Anomaly scores of past values: how far each value lies in the tails of its one-step forecast."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.calibration.quantile_function import probabilities
from seqtag.forecasting.data.future import append_future, unknown_future
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.forecast import quantile_names
from seqtag.forecasting.model import ForecastingModel

# The smallest probability, so that scores are finite.
MIN_PROBABILITY = 1e-9


def score_anomalies(model: ForecastingModel, table: SeriesTable) -> pd.DataFrame:
    """Scores every value by its one-step forecast, which uses only earlier values.

    The score is `-log10 p`, where p is the probability of a value at least as far out on either side,
    `2 min(u, 1 - u)`: 0 at the median, 1 where one value in ten is as far out, 2 where one in a hundred is. Beyond the
    outermost quantiles, u follows exponential tails: high scores tell how far out a value is, rather than how probable
    it was. The first steps of a series are forecast from a short history; include a lookback of steps before those of
    interest.

    Args:
        model: the fitted model.
        table: the series.

    Returns:
        A row for each step after a series' first; without a pool of training series, for each with a value among the
        steps that the model reads: `unique_id, ds, y, forecast`, the quantiles, `probability` u and `score`,
        which are NaN where the value is missing.
    """
    whole = append_future(table, unknown_future(table, model.horizon))
    inside = np.arange(len(whole.values)) - whole.offsets[whole.series_of_step]
    ends = np.flatnonzero((inside > 0) & (inside < table.lengths[whole.series_of_step]))
    series = whole.series_of_step[ends]
    windows = model.answerable(whole, Windows(series, ends, whole.offsets[series], model.lookback, model.horizon))
    forecast = model.forecast(whole, windows).cut(slice(None), slice(0, 1))
    values = whole.values[windows.ends].astype(float)
    u = probabilities(values, forecast.quantiles[:, 0], model.levels, model.by_score)
    tail = np.maximum(2 * np.minimum(u, 1 - u), MIN_PROBABILITY)
    frame = pd.DataFrame(
        {"unique_id": whole.named(windows.series), "ds": whole.to_timestamps(whole.times[windows.ends])}
    )
    frame["y"], frame["forecast"] = values, forecast.point[:, 0]
    for name, column in zip(quantile_names(model.levels), forecast.quantiles[:, 0].T, strict=True):
        frame[name] = column
    return frame.assign(probability=u, score=-np.log10(tail))
