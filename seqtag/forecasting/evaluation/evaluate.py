"""Scores forecasts and the baselines: over all, by horizon step and by series.

>>> history = [10.0, 20.0, 12.0, 21.0, 13.0, 23.0]
>>> forecast = Forecast.of_quantiles(np.array([[[13.0, 14.0, 15.0], [23.0, 24.0, 26.0]]]), levels=(0.1, 0.5, 0.9))
>>> report = evaluate_forecasts(np.array([[14.0, 25.0]]), forecast, [history], season_lengths=2)
>>> report.overall.mae, report.baselines["seasonal_naive"].overall.mae
(0.5, 1.5)
>>> report.overall.coverage
{0.95: 1.0, 0.9: 1.0, 0.8: 1.0, 0.5: 1.0, 0.1: 0.5}
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from seqtag.forecasting.evaluation import baselines, metrics
from seqtag.forecasting.evaluation.forecast import Forecast, contiguous
from seqtag.forecasting.evaluation.histories import Histories, Prefixes, season_lengths_of
from seqtag.forecasting.evaluation.metrics import Scales
from seqtag.forecasting.evaluation.report import INTERVALS, ForecastReport, Scores, StepScores
from seqtag.forecasting.evaluation.theta import theta

if TYPE_CHECKING:
    from seqtag.data.series.table import SeriesTable
    from seqtag.forecasting.data.windows import Windows
    from seqtag.forecasting.model import ForecastingModel

K = TypeVar("K", bound=Hashable)


def evaluate_model(model: ForecastingModel, table: SeriesTable, windows: Windows) -> ForecastReport:
    """The report on windows of a table, with the baselines, which know each series from its first step on.

    A model of standardised series is scored in their units.
    """
    forecast, ids = model.forecast(table, windows), table.ids[windows.series].tolist()
    if model.units is not None:
        forecast = _standardised(forecast, model.units.of([str(name) for name in ids]))
        table = model.units.standardised(table)
    series = [table.values[table.rows(number)] for number in range(len(table))]
    histories = Prefixes(series, windows.series, windows.ends - windows.first)
    target = windows.future(table.values).astype(float)
    return evaluate_forecasts(target, forecast, histories, model.season_length, ids)


def _standardised(forecast: Forecast, moments: np.ndarray) -> Forecast:
    """A forecast in units of each row's mean and deviation, `(rows, 2)`."""
    mean, deviation = moments[:, 0:1], moments[:, 1:2]
    quantiles = (forecast.quantiles - mean[..., None]) / deviation[..., None]
    return Forecast((forecast.point - mean) / deviation, quantiles, forecast.levels)


def evaluate_forecasts(
    target: np.ndarray,
    forecast: Forecast,
    histories: Histories,
    season_lengths: int | Sequence[int],
    ids: Sequence[Hashable] | None = None,
    rules: Mapping[str, Forecast] | None = None,
) -> ForecastReport:
    """Scores forecasts, and the baselines on the same values.

    Args:
        target: the observed values, `(rows, horizon)`, NaN where they are missing or beyond a shorter horizon. A row is
            a series, or a window of one.
        forecast: the forecast of the same rows and steps.
        histories: the known values of each row before its first step, oldest first, NaN where missing; lengths may
            differ.
        season_lengths: the season length in steps, one for all rows or one for each.
        ids: the series of each row (or any other group), for `ForecastReport.per_series`.
        rules: the `baseline_forecasts` of the rows, where they are known already.

    Raises:
        ValueError: shapes or numbers that do not fit, an infinite target, or a forecast that is not finite where the
            target is observed.
        DataError: a history has no observed value, or an infinite one.
    """
    target = np.asarray(target, dtype=float)
    _check(target, forecast, histories, ids)
    rows, horizon = target.shape
    if rules is None:
        rules = baseline_forecasts(histories, horizon, season_lengths, forecast.levels)
    scales = metrics.scales(histories, season_lengths)
    scored = _by_step(target, forecast, scales)
    return ForecastReport(
        overall=scored.overall,
        per_step=scored.per_step,
        per_series=group_scores(target, forecast, scales, () if ids is None else ids),
        baselines={name: _by_step(target, found, scales) for name, found in rules.items()},
        season_lengths=tuple(sorted(set(season_lengths_of(season_lengths, rows)))),
        rows=rows,
    )


def baseline_forecasts(
    histories: Histories, horizon: int, season_lengths: int | Sequence[int], levels: Sequence[float] = ()
) -> dict[str, Forecast]:
    """The forecasts of every baseline; those of seasonal naive and Theta have quantiles at the levels."""
    seasonal = Forecast(baselines.seasonal_naive(histories, horizon, season_lengths))
    if len(levels):
        quantiles = baselines.seasonal_naive_quantiles(histories, horizon, season_lengths, levels)
        seasonal = Forecast(seasonal.point, quantiles, tuple(levels))
    return {
        "seasonal_naive": seasonal,
        "naive": Forecast(baselines.naive(histories, horizon)),
        "drift": Forecast(baselines.drift(histories, horizon)),
        "mean": Forecast(baselines.mean(histories, horizon)),
        "theta": theta(histories, horizon, season_lengths, levels),
    }


def group_scores(target: np.ndarray, forecast: Forecast, scales: Scales, groups: Sequence[K]) -> dict[K, Scores]:
    """The scores of each group of rows, in the order of the groups' first rows.

    Args:
        target: `(rows, horizon)`, NaN where missing.
        forecast: the forecast of the same rows and steps.
        scales: the scales of the rows.
        groups: the group of each row: its series, or the fold of a backtest.
    """
    rows_of: dict[K, list[int]] = {}
    for row, name in enumerate(groups):
        rows_of.setdefault(name, []).append(row)
    hits = _hits(target, forecast)
    return {
        name: _score(target[rows], forecast.cut(rows, slice(None)), hits[rows], scales, rows)
        for name, rows in rows_of.items()
    }


def _by_step(target: np.ndarray, forecast: Forecast, scales: Scales) -> StepScores:
    all_rows = slice(None)
    columns = [slice(step, step + 1) for step in range(target.shape[1])]
    hits = _hits(target, forecast)
    return StepScores(
        overall=_score(target, forecast, hits, scales, all_rows),
        per_step=tuple(
            _score(contiguous(target[:, step]), forecast.cut(all_rows, step), hits[:, step], scales, all_rows)
            for step in columns
        ),
    )


def _hits(target: np.ndarray, forecast: Forecast) -> np.ndarray:
    """Whether each value lies in each of `INTERVALS`, their ends included, bool `(rows, horizon, intervals)`.

    Without at least two quantiles there are no intervals. They are found once for all cuts of the forecasts, and one
    after the other: all their ends together would be several times as large as the forecasts.
    """
    intervals = INTERVALS if len(forecast.levels) > 1 else ()
    found = np.empty((*target.shape, len(intervals)), bool)
    for column, nominal in enumerate(intervals):
        # The ends of .8 are .1 and .9, and not what floating point makes of them.
        ends = forecast.at([round((1 - nominal) / 2, 9), round((1 + nominal) / 2, 9)]).quantiles
        found[..., column] = (target >= ends[..., 0]) & (target <= ends[..., 1])
    return found


def _score(target: np.ndarray, forecast: Forecast, hits: np.ndarray, scales: Scales, rows: Any) -> Scores:
    """Scores some rows and steps, whose `_hits` are given; `rows` selects their scales."""
    point, quantiles, levels = forecast.point, forecast.quantiles, forecast.levels
    observed = ~np.isnan(target)
    return Scores(
        mase=metrics.mase(target, point, scales.mean[rows]),
        smape=metrics.smape(target, point),
        rmsse=metrics.rmsse(target, point, scales.rms[rows]),
        mae=metrics.mae(target, point),
        rmse=metrics.rmse(target, point),
        mse=metrics.mse(target, point),
        wql=metrics.wql(target, quantiles, levels),
        crps=metrics.crps(target, quantiles, levels),
        coverage=_coverage(hits[observed]),
        observed=int(observed.sum()),
        unscaled=int((observed.any(axis=1) & np.isnan(scales.mean[rows])).sum()),
    )


def _coverage(hits: np.ndarray) -> dict[float, float]:
    """The share of observed values in each interval, from their `_hits (values, intervals)`."""
    count = hits.sum(axis=0)
    shares = count / len(hits) if len(hits) else np.full(len(count), np.nan)
    return dict(zip(INTERVALS, shares.tolist(), strict=False))


def _check(target: np.ndarray, forecast: Forecast, histories: Histories, ids: Sequence[Hashable] | None) -> None:
    if target.shape != forecast.point.shape:
        raise ValueError(f"expected targets of shape {forecast.point.shape} as the forecasts, found {target.shape}")
    for name, found in (("histories", histories), ("ids", ids)):
        if found is not None and len(found) != len(target):
            raise ValueError(f"expected {len(target)} {name}, one for each row, found {len(found)}")
    if np.isinf(target).any():
        row, step = np.argwhere(np.isinf(target))[0]
        raise ValueError(f"expected finite or missing targets, found {target[row, step]} in row {row}, step {step + 1}")
    values = [forecast.point, *np.moveaxis(forecast.quantiles, -1, 0)] if forecast.levels else [forecast.point]
    for value in values:
        wrong = np.argwhere(~np.isfinite(value) & ~np.isnan(target))
        if len(wrong):
            row, step = wrong[0]
            raise ValueError(f"expected finite forecasts, found {value[row, step]} in row {row}, step {step + 1}")
