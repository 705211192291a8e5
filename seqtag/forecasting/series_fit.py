"""Fitting and scoring as a configuration says, units included: what command line, estimator and backtests share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.sources import series_columns
from seqtag.forecasting.data.windows import Windows, all_windows, with_values
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.evaluation.report import ForecastReport
from seqtag.forecasting.fit import fit_forecasting_model, score, season_of
from seqtag.forecasting.leakage.audit import audit_leakage
from seqtag.forecasting.leakage.report import LeakageReport
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.standardised import SeriesUnits, StandardisedModel
from seqtag.training.fit import FitResult
from seqtag.training.recording import Recording

Predictor = Callable[[SeriesTable, Windows], Forecast]


def fit_series_model(
    table: SeriesTable,
    config: ForecastingConfig,
    *,
    recording: Recording = Recording(),
) -> tuple[ForecastingModel, FitResult, ForecastReport]:
    """Fits a model on a table as a configuration says.

    With `data.standardise` the networks read `(y - mean) / deviation`, with the moments of each series' steps before
    those that are held out, and the report is in these units; the model takes and gives the series' own.

    Returns:
        What `fit_forecasting_model` gives, which the other arguments are passed on to.
    """
    units = _units(table, config) if config.data.standardise else None
    model, result, report = fit_forecasting_model(
        table if units is None else units.standardised(table),
        config.model,
        config.training,
        series_columns(config.data),
        seed=config.seed,
        recording=recording,
    )
    return (model if units is None else StandardisedModel(model, units)), result, report


def audit_known(table: SeriesTable, config: ForecastingConfig) -> LeakageReport | None:
    """Whether a known covariate tells what is to be forecast; None where there is no known covariate."""
    if not table.known:
        return None
    season = season_of(config.model, table)
    return audit_leakage(table, season_length=season, seed=config.seed, horizon=config.model.horizon)


def _units(table: SeriesTable, config: ForecastingConfig) -> SeriesUnits:
    held_out = config.training.validation_steps or config.model.horizon
    return SeriesUnits.fit(table, np.where(table.lengths > held_out, table.lengths - held_out, table.lengths))


def score_series_model(model: ForecastingModel, table: SeriesTable, windows: Windows) -> ForecastReport:
    """The report on windows of a table, in the units that the networks read."""
    if isinstance(model, StandardisedModel):
        table, model = model.units.standardised(table), model.plain
    return score(model, table, windows)


def last_folds(table: SeriesTable, lookback: int, horizon: int, folds: int) -> Windows:
    """The windows that forecast the last `folds` horizons of each series, one after the other.

    A series has as many as it is long enough for; windows without a value on either side are left out.

    Raises:
        DataError: there are none.
    """
    windows = all_windows(table, lookback, horizon, stride=horizon, min_history=1)
    recent = windows.ends >= table.offsets[1:][windows.series] - folds * horizon
    windows = with_values(table, windows.take(np.flatnonzero(recent)))
    if not len(windows):
        longest = int(table.lengths.argmax())
        raise DataError(
            f"series {table.ids[longest]!r}: expected values in a history and in a horizon of {horizon} steps, found"
            f" {table.lengths[longest]} steps in the longest series"
        )
    return windows


def predictor(model: ForecastingModel) -> Predictor:
    """The model as a backtest asks it: it looks back as far as it was fitted to."""

    def forecast(table: SeriesTable, windows: Windows) -> Forecast:
        own = Windows(windows.series, windows.ends, windows.first, model.lookback, windows.horizon)
        return model.forecast(table, own)

    return forecast


def fitter(config: ForecastingConfig) -> Callable[[SeriesTable], Predictor]:
    """What a backtest fits in its folds: a model as the configuration says, moments of the fold's own included."""
    numbers = count(1)

    def fit(table: SeriesTable) -> Predictor:
        model, _, _ = fit_series_model(table, config, recording=Recording(label=f"fit {next(numbers)}"))
        return predictor(model)

    return fit
