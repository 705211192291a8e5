"""Backtests: forecasts from rolling origins over a table of series, with any model, compared with the baselines."""

from seqtag.forecasting.backtesting.backtest import Fitter, Predictor, backtest
from seqtag.forecasting.backtesting.origins import Fold, RollingOrigins
from seqtag.forecasting.backtesting.output import plot_result, write_result
from seqtag.forecasting.backtesting.result import BacktestResult

__all__ = ["BacktestResult", "Fitter", "Fold", "Predictor", "RollingOrigins", "backtest", "plot_result", "write_result"]
