"""Forecasting models in a backtest: fitted in its folds, or fitted before."""

from __future__ import annotations

from itertools import count

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.backtesting.backtest import Fitter, Predictor
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.fit import fit_forecasting_model
from seqtag.forecasting.model import ForecastingModel
from seqtag.training.recording import Recording


def predictor(model: ForecastingModel) -> Predictor:
    """Forecasts a fold's windows with a fitted model, which reads as many steps as it was fitted to read."""

    def forecast(table: SeriesTable, windows: Windows) -> Forecast:
        shorter = Windows(windows.series, windows.ends, windows.first, model.lookback, windows.horizon)
        return model.forecast(table, shorter)

    return forecast


def fitter(config: ForecastingConfig, verbose: bool = True) -> Fitter:
    """Fits a model in a fold as a configuration says, with units of the fold's own series; `verbose` shows progress."""
    numbers = count(1)

    def fit(table: SeriesTable) -> Predictor:
        model, _, _ = fit_forecasting_model(table, config, Recording(label=f"fit {next(numbers)}", verbose=verbose))
        return predictor(model)

    return fit
