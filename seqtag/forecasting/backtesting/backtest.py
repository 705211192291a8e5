"""Backtests a model: fits and forecasts fold by fold, and hides from the model what it has to forecast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.errors import shown
from seqtag.forecasting.backtesting.origins import Fold, RollingOrigins
from seqtag.forecasting.backtesting.result import BacktestResult
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.evaluation.histories import season_lengths_of
from seqtag.progress import LiveLine, clock, seconds_left

Predictor = Callable[[SeriesTable, Windows], Forecast]
Fitter = Callable[[SeriesTable], Predictor]


def backtest(
    table: SeriesTable,
    origins: RollingOrigins,
    fitter: Fitter,
    *,
    season_length: int | Sequence[int],
    refit: bool | int = True,
    levels: Sequence[float] | None = None,
    progress: bool = True,
) -> BacktestResult:
    """Forecasts from every cutoff of rolling origins, and scores the forecasts and the baselines.

    The fitter gets the training part of a fold and nothing else, so that all it fits (weights, scalers, the choice of
    an epoch) depends only on steps before the cutoff. It returns a predictor, which is called with the whole table and
    the fold's windows, one for each series. In this table the values and past covariates after the cutoff are missing;
    known covariates are not. The `lookback` of the windows is the length of the longest training part; a predictor that
    reads less uses the last steps of it. Series have to be identified by their ids: the training part leaves out
    series that are too short, and without refitting there may be series that the predictor was not fitted on.

    Args:
        table: the series.
        origins: the folds.
        fitter: fits on a table and returns the predictor.
        season_length: the season length of MASE, RMSSE and seasonal naive, in steps: one for all series or one for
            each.
        refit: whether to fit in each fold, or k to fit in every k-th fold. With False, the predictor of the first fold,
            which has the fewest steps to learn from, forecasts all folds.
        levels: the levels of the quantiles to keep, in this order; all that the predictor gives unless given.
        progress: whether to show a progress line on standard error; use False with a fitter that shows its own.

    Raises:
        DataError: all series are too short for a fold.
        ValueError: `refit` below 1, or not one season length for each series; or a forecast of another shape, without
            one of the levels, or not finite where a value was observed. The message names fold, series and step.
        TypeError: the predictor does not return a `Forecast`.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(9), "y": range(9)}))
        >>> def last_value(train):
        ...     return lambda table, windows: Forecast(windows.history(table.values)[:, -1:].repeat(2, axis=1))
        >>> result = backtest(table, RollingOrigins(folds=2, horizon=2), last_value, season_length=1)
        >>> result.forecasts[["fold", "cutoff", "step", "ds", "y", "forecast"]].to_numpy(int).tolist()
        [[1, 4, 1, 5, 5, 4], [1, 4, 2, 6, 6, 4], [2, 6, 1, 7, 7, 6], [2, 6, 2, 8, 8, 6]]
    """
    season_lengths = tuple(season_lengths_of(season_length, len(table)))
    folds = list(origins.split(table))
    fitted = _folds_to_fit(refit, len(folds))
    forecasts: list[Forecast] = []
    with LiveLine() if progress else nullcontext() as line:
        work = _Progress(len(fitted), len(folds), line)
        for fold in folds:
            if fold.number in fitted:
                with work.timed("fitting", fold.number):
                    predictor = fitter(fold.train())
            with work.timed("forecasting", fold.number):
                forecast = predictor(fold.known(), fold.windows)
            kept = levels if levels is not None or not forecasts else forecasts[0].levels
            forecasts.append(_checked(forecast, fold, kept))
    return BacktestResult(
        table=table,
        windows=_joined([fold.windows for fold in folds]),
        fold=np.repeat([fold.number for fold in folds], [len(fold.windows) for fold in folds]),
        forecast=Forecast(
            np.concatenate([forecast.point for forecast in forecasts]),
            np.concatenate([forecast.quantiles for forecast in forecasts]),
            forecasts[0].levels,
        ),
        season_lengths=season_lengths,
        left_out={fold.number: tuple(table.ids[fold.left_out]) for fold in folds if len(fold.left_out)},
        fitted=fitted,
        fit_seconds=work.seconds["fitting"],
        predict_seconds=work.seconds["forecasting"],
    )


def _folds_to_fit(refit: bool | int, folds: int) -> tuple[int, ...]:
    interval = {True: 1, False: folds}[refit] if isinstance(refit, bool) else refit
    if interval < 1:
        raise ValueError(f"expected refit to be True, False or at least 1, found {refit}")
    return tuple(range(1, folds + 1, interval))


def _checked(forecast: Forecast, fold: Fold, levels: Sequence[float] | None) -> Forecast:
    """The forecast at the levels, after a check of its shape and values."""
    if not isinstance(forecast, Forecast):
        raise TypeError(
            f"expected a Forecast from the predictor in fold {fold.number}, found {type(forecast).__name__}"
        )
    expected = (len(fold.windows), fold.windows.horizon)
    if np.shape(forecast.point) != expected:
        raise ValueError(f"expected forecasts {expected} in fold {fold.number}, found shape {np.shape(forecast.point)}")
    if levels is not None:
        absent = [level for level in levels if level not in forecast.levels]
        if absent:
            raise ValueError(f"expected level {absent[0]} in fold {fold.number}, found levels {forecast.levels}")
        columns = [forecast.levels.index(level) for level in levels]
        quantiles = forecast.quantiles[..., columns] if columns else np.empty(0)
        forecast = Forecast(forecast.point, quantiles, tuple(levels))
    _check_finite(forecast, fold)
    return forecast


def _check_finite(forecast: Forecast, fold: Fold) -> None:
    finite = np.isfinite(forecast.point)
    if forecast.levels:
        finite = finite & np.isfinite(forecast.quantiles).all(axis=-1)
    wrong = np.argwhere(~finite & fold.windows.future(fold.table.observed))
    if len(wrong):
        row, step = wrong[0]
        series, time = fold.windows.series[row], fold.table.times[fold.windows.ends[row] + step]
        raise ValueError(
            f"series {shown(fold.table.ids[series])} at {fold.table.format_time(time)}: expected a finite forecast of"
            f" step {step + 1} in fold {fold.number}, found one that is not"
        )


def _joined(parts: list[Windows]) -> Windows:
    return Windows(
        np.concatenate([windows.series for windows in parts]),
        np.concatenate([windows.ends for windows in parts]),
        np.concatenate([windows.first for windows in parts]),
        max(windows.lookback for windows in parts),
        parts[0].horizon,
    )


class _Progress:
    """Measures how long fitting and forecasting take, and shows it with the time left."""

    def __init__(self, fits: int, folds: int, line: LiveLine | None) -> None:
        self.planned = {"fitting": fits, "forecasting": folds}
        self.done = dict.fromkeys(self.planned, 0)
        self.seconds = dict.fromkeys(self.planned, 0.0)
        self.line = line

    @contextmanager
    def timed(self, task: str, fold: int) -> Iterator[None]:
        """Counts and measures the block as one unit of a task."""
        if self.line is not None:
            self.line.show(lambda: self.text(task, fold), at_once=task == "fitting")
        started = time.monotonic()
        yield
        self.seconds[task] += time.monotonic() - started
        self.done[task] += 1

    def text(self, task: str, fold: int) -> str:
        """The fold and the task, with the time left as soon as each task was done once."""
        line = f"backtest: fold {fold} of {self.planned['forecasting']}  {task}"
        if not all(self.done.values()):
            return line
        left = sum(seconds_left(self.seconds[name], self.done[name], self.planned[name]) for name in self.done)
        return f"{line}  {clock(left)} left"
