"""`Forecaster`: one model over many series, as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.data.series.ids import id_texts
from seqtag.data.series.slicing import up_to_last_value
from seqtag.forecasting.backtesting import RollingOrigins, backtest
from seqtag.forecasting.backtesting.fitters import fitter
from seqtag.forecasting.data.future_frame import future_frame
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.data.joining import with_observations
from seqtag.forecasting.data.sources import series_columns, series_with_values, training_table
from seqtag.forecasting.data.windows import Windows, last_windows
from seqtag.forecasting.defaults.choices import choose
from seqtag.forecasting.evaluation.evaluate import evaluate_model
from seqtag.forecasting.hierarchy.totals import predict_totals
from seqtag.forecasting.leakage.audit import audit_known, audit_leakage
from seqtag.forecasting.leakage.report import LeakageReport
from seqtag.forecasting.levels import checked_levels
from seqtag.forecasting.model import TASK
from seqtag.forecasting.plots import plot_forecast
from seqtag.forecasting.plots.drawing import MAX_SERIES
from seqtag.forecasting.prediction.anomalies import score_anomalies
from seqtag.forecasting.prediction.effects import permutation_effects
from seqtag.forecasting.prediction.history import predict_history
from seqtag.forecasting.prediction.paths import sample_paths
from seqtag.forecasting.prediction.predict import predict
from seqtag.forecasting.search.fit import fit_searched
from seqtag.forecasting.stored_forecaster import StoredForecaster
from seqtag.process.forks import check_can_run
from seqtag.runs import estimators
from seqtag.training.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(eq=False, repr=False)
class Forecaster(StoredForecaster):
    """A probabilistic forecaster of many time series, by one recurrent network over all of them.

    Args:
        horizon: steps of a forecast.
        lookback: steps of history that the network reads. It follows from the data unless given, as do all arguments
            that are None: `chosen_` has their values, `seqtag.forecasting.defaults.choices.choose` the rules.
        cell: `"gru"` (unless given), `"lstm"`, `"peephole_lstm"` or `"simple_rnn"`.
        units: of every recurrent layer.
        layers: recurrent layers of the encoder.
        dilations: of each layer; 1 for all unless given.
        residual: whether layers from the second on have a skip connection.
        bidirectional: whether the encoder runs both ways.
        segment: steps that are read and written at once; 1 for points.
        stateful: whether forecasts follow from all steps of a series, by a state that is carried on from step to step;
            the lookback is then the length of the windows of the fit. For scaling `"standard"` or `"none"`.
        output: `"parallel"`, `"direct"` or `"recursive"`.
        scaling: `"seasonal"`, `"es_rnn"`, `"revin"`, `"last"`, `"mean"`, `"standard"` or `"none"`.
        anchor: whether the network starts from a linear map of the window.
        series_smoothing: with `"es_rnn"`, whether each series learns smoothing and season of its own.
        head: `"quantiles"`, `"student_t"`, `"negative_binomial"`, `"point_mse"`, `"point_mae"` or `"point_huber"`.
        quantiles: levels that are forecast, 0.5 among them.
        season_length: steps of a season.
        calendar: whether time of day, day of week and the like are read.
        series_width: width of a learned vector of each series; 0 for none.
        dropout, recurrent_dropout: of the network.
        members: networks that differ: for each a dict of the arguments that it has otherwise; `[]` for one network.
        ensemble_size: how many networks of different seeds are fitted of each; their forecasts are averaged.
        guard: `"blend"` weighs networks and rules (naive, seasonal naive, drift, mean, Theta) by what they were worth
            on held-out steps; `"none"` takes the networks alone.
        conformal: whether quantiles are corrected on held-out windows.
        lower, upper: bounds that no value and no forecast lies beyond, such as `lower=0`; None for none.
        search: `"small"` compares a handful of candidates for arguments that are not given on rolling origins, and fits
            the best; see `search_`. It takes about five times as long as a fit.
        data: how frames and files are read: a dict with the keys of the configuration's `data` section, among them
            `layout`, `series`, `time`, `target`, `past`, `known`, `static`, `frequency` (any offset of pandas),
            `time_zone`, `date_format`, `separator`, `decimal`, `standardise`.
        training: a dict with the keys of the configuration's `training` section.
        evaluation: a dict with the keys of its `evaluation` section, of which `backtest` reads `folds`.
        seed: the same seed gives the same model bit for bit on a CPU.
        verbose: 0 fits without a line of progress; warnings are given all the same.

    Attributes:
        model_: the fitted `ForecastingModel`.
        config_: the configuration of the fit. An argument that it fixed cannot be set to another value without a fit.
        table_: the training series, which forecasts continue, with the rows after their last values, and what `update`
            took in; after `load` only their last steps.
        report_: the report on the held-out windows, with the baselines; absent after `load`.
        chosen_: the settings that follow from the data, by their dotted keys in a configuration.
        search_: the table of the search: a row for each candidate in each round, with what it changes, its loss, MASE
            and `wql`; None without a search.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`.
        backtest_: the result of the last `backtest`, a `seqtag.forecasting.backtesting.BacktestResult`.

    Example:

        >>> from seqtag.forecasting.data.samples import sample_series
        >>> history, future = sample_series(series=3, steps=120, horizon=7)
        >>> forecaster = Forecaster(horizon=7, units=8, training={"epochs": 2}).fit(history)
        >>> list(forecaster.predict().columns), len(forecaster.predict(horizon=10))
        (['unique_id', 'ds', 'forecast', 'q0.1', 'q0.5', 'q0.9'], 30)
    """

    horizon: int = 24
    lookback: int | None = None
    cell: str | None = None
    units: int | None = None
    layers: int = 1
    dilations: Sequence[int] | None = None
    residual: bool = False
    bidirectional: bool = False
    segment: int | None = None
    stateful: bool = False
    output: str = "parallel"
    scaling: str | None = None
    anchor: bool | None = None
    series_smoothing: bool = False
    head: str = "quantiles"
    quantiles: Sequence[float] = (0.1, 0.5, 0.9)
    season_length: int | None = None
    calendar: bool = False
    series_width: int = 0
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    members: Sequence[dict[str, Any]] | None = None
    ensemble_size: int = 1
    guard: str | None = None
    conformal: bool = True
    lower: float | None = None
    upper: float | None = None
    search: str | None = None
    data: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    seed: int = 1
    verbose: int = 1

    def fit(self, X: Any, y: None = None, verbose: bool | int | None = None) -> Forecaster:
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
        table = series_with_values(whole)
        choices = choose(config, table)
        self.leakage_ = audit_known(table, choices.config)
        if self.leakage_ is not None and self.leakage_.leaking:
            names = ", ".join(map(repr, self.leakage_.leaking))
            warnings.warn(f"known covariates that hold the target: {names}; see leakage_.to_text()", stacklevel=2)
        verbose = estimators.is_verbose(self, verbose)
        fit = fit_searched(table, choices, Recording(verbose=verbose))
        self.model_, self.report_, self.search_ = fit.model, fit.report, fit.trials
        self.table_, self.config_, self.chosen_ = whole, config, dict(fit.choices.chosen)
        self.history_ = fit.result.history
        self.metrics_ = {"task": TASK, "dev": self.report_.to_metrics(), "train": fit.result.to_metrics()}
        self.metrics_ |= fit.to_metrics()
        return self

    def predict(
        self,
        X: Any = None,
        horizon: int | None = None,
        future: Any = None,
        levels: Sequence[float] | None = None,
        hierarchy: Any = None,
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
            hierarchy: totals to forecast as well, so that all add up: a frame or dict with the id of each series and
                the names of its totals, or a `seqtag.forecasting.hierarchy.Hierarchy`.

        Raises:
            NotFittedError, ConfigError: `fit` has not been called, or not since an argument that it fixed was changed.
            ValueError: no levels, or some that do not rise within (0, 1).
            DataError: a fault of `X`, of `future` or of `hierarchy`.
        """
        levels = None if levels is None else checked_levels(levels)
        table, steps = self._next_steps(X, horizon, future)
        if hierarchy is not None:
            return predict_totals(self.model_, table, steps, hierarchy, self._config().data.series, self.seed, levels)
        return predict(self.model_, table, None, steps, self.seed, levels)

    def predict_history(
        self,
        X: Any = None,
        origins: Any = None,
        stride: int | None = None,
        levels: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """Forecasts over the past, as the fitted model would have given them at any origins; needs no fit anew.

        A row for each series, origin and step: `unique_id, cutoff, ds, forecast`, the quantiles and `y`. Steps that the
        model was fitted on are forecast better than new ones: `backtest` fits before each origin.

        Args:
            X: the series; those of the fit unless given.
            origins: the last known times; or how many for each series, the last one a horizon before its end.
            stride: steps from one origin to the next; the horizon unless given.
            levels: of the quantiles, as in `predict`.

        Raises:
            ValueError, DataError: see `seqtag.forecasting.prediction.history.predict_history`.
        """
        levels = None if levels is None else checked_levels(levels)
        self._check_fitted()
        return predict_history(self.model_, self._series(X), origins, stride, levels)

    def make_future(self, horizon: int | None = None, X: Any = None) -> pd.DataFrame:
        """The frame of the next steps that `predict(future=...)` takes: ids, times, and known covariates to fill in.

        A covariate is missing, unless the series have a row for its step.

        Args:
            horizon: how many steps; that of the fit unless given.
            X: the series; those of the fit unless given.

        Raises:
            DataError: steps that the calendar of a series does not have.
        """
        self._check_fitted()
        steps = self.model_.horizon if horizon is None else horizon
        return future_frame(self._whole(X), steps, series_columns(self._config().data))

    def update(self, X: Any) -> Forecaster:
        """Takes new observations in, so that `predict` goes on from them; the model stays as it is.

        Values may be of steps that were forecast or of later ones, and of new series. Rows in the series that were to
        be forecast stay until they have a value.

        Args:
            X: rows as in `fit`, of some of the series or all, with the same covariates.

        Raises:
            DataError: a time that is not after the last observation of its series, or any other fault of `X`; a new
                series, where the model standardises each by moments of its own.
        """
        self._check_fitted()
        later = self._whole(X)
        if self.model_.units is not None:
            self.model_.units.of(id_texts(later.ids))
        self.table_ = with_observations(self._whole(None), later, self.model_.columns)
        return self

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
        self,
        X: Any,
        folds: int | None = None,
        refit: bool | int = True,
        step: int | None = None,
        train_steps: int | None = None,
    ) -> pd.DataFrame:
        """Fits and forecasts from rolling origins; needs no `fit` before, and leaves `model_` as it is.

        Args:
            X: series, as for `fit`.
            folds: how many origins; the `folds` of `evaluation`, five by default, unless given.
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
        origins = RollingOrigins(config.evaluation.folds if folds is None else folds, self.horizon, step, train_steps)
        season_length = choose(config, table).config.model.season_length
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
        season_length = choose(config, table).config.model.season_length
        return audit_leakage(table, season_length=season_length, seed=self.seed, horizon=self.horizon)
