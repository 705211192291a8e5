"""Forecasting models that are fitted in the folds of a backtest."""

from __future__ import annotations

from itertools import count

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.backtesting.backtest import Fitter, Predictor
from seqtag.forecasting.backtesting.predictor import predictor
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.defaults.choices import choose
from seqtag.forecasting.search.fit import fit_searched
from seqtag.training.recording import Recording


def fitter(config: ForecastingConfig, verbose: bool = True) -> Fitter:
    """Fits a model in a fold as a configuration says, with units of the fold's own series; `verbose` shows progress.

    Where the configuration asks for a search, there is one in each fold that is fitted.
    """
    numbers = count(1)

    def fit(table: SeriesTable) -> Predictor:
        recording = Recording(label=f"fit {next(numbers)}", verbose=verbose)
        return predictor(fit_searched(table, choose(config, table), recording).model)

    return fit
