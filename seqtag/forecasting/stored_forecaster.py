"""What a forecaster has fitted and keeps: its settings, its series and its run directory."""

from __future__ import annotations

import os
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

import seqtag.process.tensorflow_first  # noqa: F401
from seqtag.data.series.slicing import up_to_last_value
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.future import Future
from seqtag.forecasting.data.sources import next_steps, read_as_trained
from seqtag.forecasting.defaults.choices import with_chosen
from seqtag.forecasting.export import export_saved_model
from seqtag.forecasting.model import TASK, ForecastingModel
from seqtag.forecasting.search.fit import SEARCH, read_search, write_search
from seqtag.forecasting.series_file import SERIES, load_tail, save_tail
from seqtag.runs import estimators
from seqtag.runs.places import new_folder

# The keys of `data` that a fit fixes; the others say how files are read.
DATA = ("past", "known", "static", "categorical", "frequency", "time_zone", "standardise")
FIXED = tuple(f"data.{key}" for key in DATA)


class StoredForecaster(BaseEstimator):
    """The part of `Forecaster` that saves and loads, and says which series and steps a question is about.

    Attributes:
        model_: the fitted model.
        config_: the configuration of its fit, as it was given.
        chosen_: the settings that followed from the data.
        search_: the table of the search, where there was one.
        table_: the series that forecasts continue.
    """

    model_: ForecastingModel
    config_: ForecastingConfig
    chosen_: dict[str, Any]
    table_: SeriesTable
    search_: pd.DataFrame | None
    history_: list[dict[str, Any]]
    metrics_: dict[str, Any]

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
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The forecaster of a run directory.

        Raises:
            RunError: there is no finished run, or one of another task or format version.
        """
        forecaster = estimators.read_estimator(cls, Path(path), ForecastingConfig, ForecastingModel.load)
        forecaster.chosen_ = forecaster.metrics_.get("chosen", {})
        searched = Path(path, SEARCH)
        forecaster.search_ = read_search(searched) if searched.exists() else None
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
        return next_steps(data, self._whole(X), self.model_.horizon, steps, future, self.model_.encoder.ids)

    def _series(self, X: Any) -> SeriesTable:
        """The series up to their last values."""
        return up_to_last_value(self._whole(X))

    def _whole(self, X: Any) -> SeriesTable:
        check_is_fitted(self, "model_")
        if X is not None:
            return read_as_trained(self._config().data, self.model_.encoder, X, self.model_.horizon, "history")
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
        # What the search has found is set, so that the run is repeated without one.
        settings = with_chosen(self.config_, {**self.chosen_, "model.search": None})
        estimators.write_estimator(folder, self, settings)
        if self.search_ is not None:
            write_search(folder / SEARCH, self.search_)
        if hasattr(self, "table_"):
            save_tail(folder, self.model_, self.table_)
