"""`Forecaster`: one model over many series, as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from seqtag.config import (
    ForecastingConfig,
    ForecastModelConfig,
    ForecastTrainingConfig,
    SeriesDataConfig,
    validate_section,
)
from seqtag.data.time_series.files import read_series
from seqtag.data.time_series.held_out import split
from seqtag.data.time_series.leakage import LeakageReport, audit_leakage
from seqtag.data.time_series.table import SeriesTable
from seqtag.data.time_series.windows import Windows, last_windows
from seqtag.forecasting.anomalies import score_anomalies
from seqtag.forecasting.effects import permutation_effects
from seqtag.forecasting.paths import sample_paths
from seqtag.forecasting.predicting import predict
from seqtag.training.forecasting import fit_forecasting_model, score, season_of
from seqtag.training.series_data import series_columns


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
        scaling: `"revin"`, `"last"`, `"mean"`, `"standard"` or `"none"`.
        head: `"quantiles"`, `"student_t"`, `"negative_binomial"`, `"point_mse"`, `"point_mae"` or `"point_huber"`.
        quantiles: levels that are forecast, 0.5 among them.
        season: steps of a season; that of the frequency unless given.
        calendar: whether time of day, day of week and the like are read.
        series_width: width of a learned vector of each series; 0 for none.
        dropout, recurrent_dropout: of the network.
        members: networks of different seeds whose answers are averaged.
        guard: `"blend"` draws forecasts toward seasonal naive where that was better; `"none"` does not.
        conformal: whether quantiles are corrected on held-out windows.
        data: how frames and files are read: a dict with the keys of the configuration's `data` section, among them
            `series`, `time`, `target`, `past`, `known`, `static`, `frequency`, `zone`.
        training: a dict with the keys of the configuration's `training` section.
        seed: the same seed gives the same model bit for bit on a CPU.

    Attributes:
        model_: the fitted `ForecastingModel`.
        table_: the training series, whose ends forecasts start from.
        report_: the report on the held-out windows beside the naive rules.
        history_: one dict an epoch.
        metrics_: the figures of `metrics.json`.

    Example:

        >>> from seqtag.data.time_series.samples import sample_series
        >>> history, future = sample_series(series=3, steps=120, horizon=7)
        >>> forecaster = Forecaster(horizon=7, lookback=28, units=8, training={"epochs": 2}).fit(history)
        >>> list(forecaster.predict().columns), len(forecaster.predict(horizon=10))
        (['unique_id', 'ds', 'forecast', 'q0.1', 'q0.5', 'q0.9'], 30)
    """

    def __init__(
        self,
        horizon: int = 24,
        lookback: int = 168,
        cell: str = "gru",
        units: int = 64,
        layers: int = 1,
        dilations: Sequence[int] | None = None,
        residual: bool = False,
        bidirectional: bool = False,
        segment: int = 1,
        output: str = "parallel",
        scaling: str = "revin",
        head: str = "quantiles",
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        season: int | None = None,
        calendar: bool = False,
        series_width: int = 0,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        members: int = 1,
        guard: str = "none",
        conformal: bool = True,
        data: dict[str, Any] | None = None,
        training: dict[str, Any] | None = None,
        seed: int = 1,
    ) -> None:
        self.horizon = horizon
        self.lookback = lookback
        self.cell = cell
        self.units = units
        self.layers = layers
        self.dilations = dilations
        self.residual = residual
        self.bidirectional = bidirectional
        self.segment = segment
        self.output = output
        self.scaling = scaling
        self.head = head
        self.quantiles = quantiles
        self.season = season
        self.calendar = calendar
        self.series_width = series_width
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.members = members
        self.guard = guard
        self.conformal = conformal
        self.data = data
        self.training = training
        self.seed = seed

    def fit(self, X: Any, y: None = None) -> Forecaster:
        """Fits the model on series, whose last steps choose the epoch and correct the quantiles.

        Args:
            X: a long frame (pandas or polars) or a CSV file: `unique_id, ds, y`, or the names of `data`.
            y: ignored, as scikit-learn's pipelines give it.

        Raises:
            DataError: what `read_series` finds wrong, named by series and time; no series is long enough.
            ConfigError: an argument of a wrong type or an unknown key.
        """
        config = self._config()
        table = self._read(X)
        self.model_, result, self.report_ = fit_forecasting_model(
            table, config.model, config.training, series_columns(config.data), seed=self.seed
        )
        self.table_ = table
        self.history_ = result.history
        self.metrics_ = {"task": "forecasting", "dev": self.report_.to_metrics(), "train": result.to_metrics()}
        return self

    def predict(self, horizon: int | None = None, X: Any = None, future: Any = None) -> pd.DataFrame:
        """The next steps of every series: `unique_id, ds, forecast` and the quantiles, `q0.1` and so on.

        Args:
            horizon: how many steps; more than the fitted horizon come from sample paths that read themselves.
            X: series to go on from; those of the fit unless given. Others than those are answered too.
            future: the known covariates of the steps to come, where the model reads any.
        """
        check_is_fitted(self, "model_")
        return predict(self.model_, self._series(X), horizon, future, self.seed)

    def score(self, X: Any, y: None = None) -> float:
        """The skill of forecasts of each series' last steps: the share of seasonal naive's MASE that is gone."""
        check_is_fitted(self, "model_")
        table = self._read(X)
        windows = last_windows(table, self.model_.lookback, self.model_.horizon)
        ends = windows.ends - self.model_.horizon
        inside = np.flatnonzero(ends > windows.first)
        shifted = Windows(windows.series, ends, windows.first, windows.lookback, windows.horizon).take(inside)
        return score(self.model_, table, shifted).skill["seasonal_naive"]

    def sample_paths(
        self, num_paths: int = 100, horizon: int | None = None, X: Any = None, future: Any = None
    ) -> np.ndarray:
        """Paths `(series, paths, horizon)` that keep the dependence between steps; arguments as of `predict`."""
        check_is_fitted(self, "model_")
        return sample_paths(self.model_, self._series(X), horizon, num_paths, future, self.seed)

    def score_anomalies(self, X: Any = None) -> pd.DataFrame:
        """Every value beside its one-step forecast; see `seqtag.forecasting.anomalies`."""
        check_is_fitted(self, "model_")
        return score_anomalies(self.model_, self._series(X))

    def permutation_effects(self, X: Any = None, repeats: int = 3) -> pd.DataFrame:
        """How much worse held-out steps are forecast with each covariate shuffled; see `seqtag.forecasting.effects`."""
        check_is_fitted(self, "model_")
        table = self._series(X)
        held_out = split(table, self.model_.lookback, self.model_.horizon).held_out
        return permutation_effects(self.model_, table, held_out, repeats, self.seed)

    def audit_leakage(self, X: Any = None) -> LeakageReport:
        """Whether a known covariate tells the target; needs no fit if `X` is given. See `LeakageReport`."""
        table = self._series(X)
        return audit_leakage(table, season=season_of(self._config().model, table), seed=self.seed)

    def _series(self, X: Any) -> SeriesTable:
        if X is not None:
            return self._read(X)
        check_is_fitted(self, "table_")
        return self.table_

    def _read(self, X: Any) -> SeriesTable:
        data = self._config().data
        return read_series(X, series_columns(data), frequency=data.frequency, zone=data.zone)

    def _config(self) -> ForecastingConfig:
        model = {name: getattr(self, name) for name in ForecastModelConfig.model_fields}
        return ForecastingConfig(
            task="forecasting",
            seed=self.seed,
            data=validate_section(SeriesDataConfig, self.data or {}, "Forecaster: data"),
            model=validate_section(ForecastModelConfig, model, "Forecaster"),
            training=validate_section(ForecastTrainingConfig, self.training or {}, "Forecaster: training"),
        )
