"""Backtests of forecasts: rolling origins over a table of series, with any fitter, beside the naive rules."""

from seqtag.backtesting.backtest import Fitter, Predictor, backtest
from seqtag.backtesting.origins import Fold, RollingOrigins
from seqtag.backtesting.result import BacktestResult

__all__ = ["BacktestResult", "Fitter", "Fold", "Predictor", "RollingOrigins", "backtest"]
