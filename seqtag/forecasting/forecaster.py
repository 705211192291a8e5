"""`Forecaster`: one model over many series, as a scikit-learn estimator."""

from __future__ import annotations

import os
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.data.series.slicing import up_to_last_value
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.backtesting import RollingOrigins, backtest
from seqtag.forecasting.backtesting.fitters import fitter
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.future import Future
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.data.sources import next_steps, read_as_trained, training_table
from seqtag.forecasting.data.windows import Windows, last_windows
from seqtag.forecasting.evaluation.evaluate import evaluate_model
from seqtag.forecasting.export import export_saved_model
from seqtag.forecasting.fit import fit_forecasting_model
from seqtag.forecasting.leakage.audit import audit_known, audit_leakage
from seqtag.forecasting.leakage.report import LeakageReport
from seqtag.forecasting.levels import checked_levels
from seqtag.forecasting.model import TASK, ForecastingModel
from seqtag.forecasting.plots import plot_forecast
from seqtag.forecasting.plots.drawing import MAX_SERIES
from seqtag.forecasting.prediction.anomalies import score_anomalies
from seqtag.forecasting.prediction.effects import permutation_effects
from seqtag.forecasting.prediction.paths import sample_paths
from seqtag.forecasting.prediction.predict import predict
from seqtag.forecasting.series_file import SERIES, load_tail, save_tail
from seqtag.process.forks import check_can_run
from seqtag.runs import estimators
from seqtag.runs.places import new_folder
from seqtag.training.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The keys of `data` that a fit fixes; the others say how files are read.
FIXED = ("past", "known", "static", "categorical", "frequency", "time_zone", "standardise")


@dataclass(eq=False, repr=False)
class Forecaster(BaseEstimator):
    """A probabilistic forecaster of many time series, by one recurrent network over all of them.

    Args:
        horizon: steps of a forecast.
        lookback: steps of history that the network reads.
        cell: `"gru"`, `"lstm"`, `"peephole_lstm"` or `"simple_rnn"`.
        units: of every recurrent layer.
        layers: recurrent layers of the encoder.
        dilations: of each layer; 1 for all unless given.
        residual: whether layers from the second on have a skip connection.
        bidirectional: whether the encoder runs both ways.
        segment: steps that are read and written at once; 1 for points.
        output: `"parallel"`, `"direct"` or `"recursive"`.
        scaling: `"revin"`, `"last"`, `"mean"`, `"standard"`, `"es_rnn"` or `"none"`.
        series_smoothing: with `"es_rnn"`, whether each series learns smoothing and season of its own.
        head: `"quantiles"`, `"student_t"`, `"negative_binomial"`, `"point_mse"`, `"point_mae"` or `"point_huber"`.
        quantiles: levels that are forecast, 0.5 among them.
        season_length: steps of a season; that of the frequency unless given.
        calendar: whether time of day, day of week and the like are read.
        series_width: width of a learned vector of each series; 0 for none.
        dropout, recurrent_dropout: of the network.
        ensemble_size: how many networks of different seeds are fitted; their forecasts are averaged.
        guard: `"blend"` blends forecasts with seasonal naive where that was better; `"none"` does not.
        conformal: whether quantiles are corrected on held-out windows.
        lower, upper: bounds that no value and no forecast lies beyond, such as `lower=0`; None for none.
        data: how frames and files are read: a dict with the keys of the configuration's `data` section, among them
            `layout`, `series`, `time`, `target`, `past`, `known`, `static`, `frequency` (any offset of pandas),
            `time_zone`, `date_format`, `separator`, `decimal`, `standardise`.
        training: a dict with the keys of the configuration's `training` section.
        seed: the same seed gives the same model bit for bit on a CPU.
        verbose: 0 fits without a line of progress; warnings are given all the same.

    Attributes:
        model_: the fitted `ForecastingModel`.
        config_: the configuration of the fit. An argument that it fixed cannot be set to another value without a fit.
        table_: the training series, which forecasts continue, with the rows after their last values; after `load` only
            their last steps.
        report_: the report on the held-out windows, with the baselines; absent after `load`.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`.
        backtest_: the result of the last `backtest`, a `seqtag.forecasting.backtesting.BacktestResult`.

    Example:

        >>> from seqtag.forecasting.data.samples import sample_series
        >>> history, future = sample_series(series=3, steps=120, horizon=7)
        >>> forecaster = Forecaster(horizon=7, lookback=28, units=8, training={"epochs": 2}).fit(history)
        >>> list(forecaster.predict().columns), len(forecaster.predict(horizon=10))
        (['unique_id', 'ds', 'forecast', 'q0.1', 'q0.5', 'q0.9'], 30)
    """

    horizon: int = 24
    lookback: int = 168
    cell: str = "gru"
    units: int = 64
    layers: int = 1
    dilations: Sequence[int] | None = None
    residual: bool = False
    bidirectional: bool = False
    segment: int = 1
    output: str = "parallel"
    scaling: str = "revin"
    series_smoothing: bool = False
    head: str = "quantiles"
    quantiles: Sequence[float] = (0.1, 0.5, 0.9)
    season_length: int | None = None
    calendar: bool = False
    series_width: int = 0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    ensemble_size: int = 1
    guard: str = "none"
    conformal: bool = True
    lower: float | None = None
    upper: float | None = None
    data: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    seed: int = 1
    verbose: int = 1

    def fit(self, X: Any, y: None = None, verbose: int | None = None) -> Forecaster:
        """Fits the model on series, whose last steps choose the epoch and correct the quantiles.

        Rows after the last value of a series (`y` NaN) are not fitted on: they are what `predict` forecasts.

        Args:
            X: a long frame (pandas or polars) or a CSV file: `unique_id, ds, y`, or the names of `data`. A frame
                without `unique_id` is one series, and so is a pandas Series; times may be in the index.
            y: ignored; scikit-learn's pipelines pass it.
            verbose: that of the estimator unless given.

        Raises:
            DataError: a fault of the series, named by series and time; no series is long enough.
            ConfigError: an argument of a wrong type or an unknown key.
        """
        check_can_run()
        config = self._config()
        whole = training_table(config, X)
        table = up_to_last_value(whole)
        self.leakage_ = audit_known(table, config)
        if self.leakage_ is not None and self.leakage_.leaking:
            names = ", ".join(map(repr, self.leakage_.leaking))
            warnings.warn(f"known covariates that hold the target: {names}; see leakage_.to_text()", stacklevel=2)
        self.model_, result, self.report_ = fit_forecasting_model(
            table, config, Recording(verbose=estimators.is_verbose(self, verbose))
        )
        self.table_, self.config_ = whole, config
        self.history_ = result.history
        self.metrics_ = {"task": TASK, "dev": self.report_.to_metrics(), "train": result.to_metrics()}
        return self

    def predict(
        self,
        X: Any = None,
        horizon: int | None = None,
        future: Any = None,
        levels: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """The next steps of every series: `unique_id, ds, forecast` and the quantiles, `q0.1` and so on.

        Ids have the dtype that they have in `X` or had in `fit`.

        Args:
            X: series to continue; those of the fit unless given. They may be others. A number here is the horizon.
            horizon: how many steps; those beyond the fitted horizon come from sample paths, read as history in turn.
                Unless given, it is that of the fit; or, where every series ends with rows without a value, the
                longest run of them.
            future: the known covariates of the next steps, where the model reads any and such rows do not have them.
                Rows of other steps or series are ignored with a warning.
            levels: of the quantiles, rising, any within (0, 1); those of the fit unless given.

        Raises:
            NotFittedError, ConfigError: `fit` has not been called, or not since an argument that it fixed was changed.
            ValueError: no levels, or some that do not rise within (0, 1).
            DataError: a fault of `X` or of `future`.
        """
        levels = None if levels is None else checked_levels(levels)
        table, steps = self._next_steps(X, horizon, future)
        return predict(self.model_, table, None, steps, self.seed, levels)

    def score(self, X: Any, y: None = None) -> float:
        """The skill of forecasts of each series' last steps: 1 - MASE / MASE of seasonal naive."""
        self._check_fitted()
        table = self._series(X)
        windows = last_windows(table, self.model_.lookback, self.model_.horizon)
        ends = windows.ends - self.model_.horizon
        inside = np.flatnonzero(ends > windows.first)
        shifted = Windows(windows.series, ends, windows.first, windows.lookback, windows.horizon).take(inside)
        return evaluate_model(self.model_, table, shifted).skill["seasonal_naive"]

    def backtest(
        self, X: Any, folds: int = 5, refit: bool | int = True, step: int | None = None, train_steps: int | None = None
    ) -> pd.DataFrame:
        """Fits and forecasts from rolling origins; needs no `fit` before, and leaves `model_` as it is.

        Args:
            X: series, as for `fit`.
            folds: how many origins.
            refit: whether to fit in each fold, or in every k-th; False fits in the first fold alone.
            step: steps from one origin to the next; the horizon unless given.
            train_steps: steps of each training part; all before the origin unless given.

        Returns:
            A row for the forecasts and for each baseline, a column for each metric. `backtest_` has the forecasts,
            scores by fold, step and series, and figures.

        Raises:
            DataError: a fold for which all series are too short.
        """
        config = self._config()
        table = up_to_last_value(training_table(config, X))
        origins = RollingOrigins(folds, self.horizon, step, train_steps)
        season_length = config.model.season_length_of(table)
        self.backtest_ = backtest(
            table, origins, fitter(config, bool(self.verbose)), season_length=season_length, refit=refit, progress=False
        )
        return self.backtest_.summary()

    def plot(
        self,
        series: Sequence[Hashable] | None = None,
        horizon: int | None = None,
        X: Any = None,
        future: Any = None,
        max_series: int = MAX_SERIES,
        history_steps: int | None = None,
    ) -> Figure:
        """Fan charts of the last steps and the forecast of each series, or of some.

        `horizon`, `X` and `future` are those of `predict`, the others those of `plots.plot_forecast`.
        """
        table, steps = self._next_steps(X, horizon, future)
        forecast = predict(self.model_, table, None, steps, self.seed)
        return plot_forecast(table.to_frame(), forecast, series, max_series, history_steps)

    def sample_paths(
        self, num_paths: int = 100, horizon: int | None = None, X: Any = None, future: Any = None
    ) -> np.ndarray:
        """Paths `(series, paths, horizon)` that keep the dependence between steps, series in the order of `predict`.

        The other arguments are those of `predict`.
        """
        table, steps = self._next_steps(X, horizon, future)
        return sample_paths(self.model_, table, None, num_paths, steps, self.seed)

    def score_anomalies(self, X: Any = None) -> pd.DataFrame:
        """Scores every value against its one-step forecast; see `seqtag.forecasting.prediction.anomalies`."""
        self._check_fitted()
        return score_anomalies(self.model_, self._series(X))

    def permutation_effects(self, X: Any = None, repeats: int = 3) -> pd.DataFrame:
        """Measures how much worse the held-out steps are forecast when each covariate is shuffled.

        See `seqtag.forecasting.prediction.effects`.
        """
        self._check_fitted()
        table = self._series(X)
        held_out = split(table, self.model_.lookback, self.model_.horizon).held_out_windows
        return permutation_effects(self.model_, table, held_out, repeats, self.seed)

    def audit_leakage(self, X: Any = None) -> LeakageReport:
        """Finds known covariates that hold the target; needs no fit if `X` is given. See `LeakageReport`."""
        config = self._config()
        fitted = X is None or hasattr(self, "model_")
        table = self._series(X) if fitted else up_to_last_value(training_table(config, X))
        season_length = config.model.season_length_of(table)
        return audit_leakage(table, season_length=season_length, seed=self.seed, horizon=self.horizon)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a run directory that `load` and the command line read.

        `series.csv` in it has the last steps of each series, which the loaded forecaster continues.

        Raises:
            RunError: something is there already.
        """
        self._check_fitted()
        with new_folder(path) as folder:
            self._write(folder)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Forecaster:
        """The estimator of a run directory.

        Raises:
            RunError: there is no finished run, or one of another task or format version.
        """
        forecaster = estimators.read_estimator(cls, Path(path), ForecastingConfig, ForecastingModel.load)
        if Path(path, SERIES).exists():
            forecaster.table_ = load_tail(Path(path), forecaster.model_)
        return forecaster

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes a SavedModel that needs TensorFlow alone; see `seqtag.forecasting.export`."""
        self._check_fitted()
        export_saved_model(self.model_, path)

    def _next_steps(self, X: Any, horizon: int | None, future: Any) -> tuple[SeriesTable, Future]:
        """The series to continue, and the steps to forecast. Callers may exchange series and horizon."""
        self._check_fitted()
        if isinstance(X, Integral) or not (horizon is None or isinstance(horizon, Integral)):
            X, horizon = horizon, X
        if not (horizon is None or isinstance(horizon, Integral)):
            raise TypeError(f"expected series and one horizon, found {type(X).__name__} and {type(horizon).__name__}")
        steps, data = None if horizon is None else int(horizon), self._config().data
        if isinstance(X, pd.DataFrame) and data.layout == "long" and data.target not in X.columns:
            raise DataError(f"expected series with values in a column {data.target!r}, found none; is it the `future`?")
        return next_steps(data, self._whole(X), self.model_.horizon, steps, future)

    def _series(self, X: Any) -> SeriesTable:
        """The series up to their last values."""
        return up_to_last_value(self._whole(X))

    def _whole(self, X: Any) -> SeriesTable:
        check_is_fitted(self, "model_")
        if X is not None:
            return read_as_trained(self._config().data, self.model_.encoder, X, self.horizon, "history")
        if not hasattr(self, "table_"):
            raise DataError(f"expected series to go on from, as X; found none, nor {SERIES} in the run")
        return self.table_

    def _check_fitted(self) -> None:
        estimators.check_fitted(self, self._config(), FIXED)

    def _config(self) -> ForecastingConfig:
        return estimators.config_of(self, ForecastingConfig, TASK)

    def __getstate__(self) -> dict[str, Any]:
        return estimators.pickled_state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        estimators.restore_state(self, state, ForecastingModel.load)

    def _write(self, folder: Path) -> None:
        estimators.write_estimator(folder, self)
        if hasattr(self, "table_"):
            save_tail(folder, self.model_, self.table_)
