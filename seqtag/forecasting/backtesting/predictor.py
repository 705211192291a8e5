"""A fitted forecasting model in a backtest."""

from __future__ import annotations

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.backtesting.backtest import Predictor
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.model import ForecastingModel


def predictor(model: ForecastingModel) -> Predictor:
    """Forecasts a fold's windows with a fitted model, which reads as many steps as it was fitted to read."""

    def forecast(table: SeriesTable, windows: Windows) -> Forecast:
        shorter = Windows(windows.series, windows.ends, windows.first, model.lookback, windows.horizon)
        return model.forecast(table, shorter)

    return forecast
