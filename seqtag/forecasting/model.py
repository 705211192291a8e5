"""A fitted forecaster: networks, encoders and corrections, from tables of series to forecasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.calibration.corrections import Corrections
from seqtag.forecasting.data.batches import Batch, WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.network.network import Answer
from seqtag.runs.bundle import save_bundle

TASK = "forecasting"
PREDICTION_BATCH = 512


class ForecastingModel:
    """What `Forecaster.fit` leaves, and a bundle holds.

    Args:
        ensemble: the fitted networks.
        encoder: of tables.
        columns: what the columns of the training data were called.
        season: steps of a season.
        corrections: what held-out windows taught.
    """

    def __init__(
        self,
        ensemble: ForecastEnsemble,
        encoder: SeriesEncoder,
        columns: SeriesColumns,
        season: int,
        corrections: Corrections | None = None,
    ) -> None:
        self.ensemble = ensemble
        self.encoder = encoder
        self.columns = columns
        self.season = season
        self.corrections = corrections or Corrections()
        self._traced: Callable[..., Answer] | None = None

    def corrected(self, corrections: Corrections) -> ForecastingModel:
        """The same networks with other corrections."""
        return ForecastingModel(self.ensemble, self.encoder, self.columns, self.season, corrections)

    @property
    def lookback(self) -> int:
        """Steps of history that a window has."""
        return self.ensemble.members[0].lookback

    @property
    def horizon(self) -> int:
        """Steps of a forecast."""
        return self.ensemble.members[0].horizon

    @property
    def levels(self) -> tuple[float, ...]:
        """Of the quantiles."""
        return self.ensemble.members[0].levels

    @property
    def reads_series(self) -> bool:
        """Whether an answer depends on which series of the training data a window is of."""
        network: dict[str, Any] = self.ensemble.members[0].config
        own_smoothing = (network["smoothing"] or {}).get("per_series", False)
        looked_up = network["moments"] is not None or own_smoothing or network["series_width"] > 0
        return looked_up or self.corrections.blend is not None

    def answer(self, batch: Mapping[str, tf.Tensor]) -> Answer:
        """The corrected answer to a batch, in the graph; what `forecast` and a SavedModel both run."""
        return self.corrections.apply(self.ensemble(batch), batch, self.season)

    def _graph(self, batch: Batch) -> Callable[..., Answer]:
        """The answer as a graph function, traced once for batches of any size."""
        if self._traced is None:
            specs = {name: tf.TensorSpec([None, *part.shape[1:]], part.dtype, name) for name, part in batch.items()}
            self._traced = tf.function(self.answer).get_concrete_function(specs)
        return self._traced

    def answers(self, table: SeriesTable, windows: Windows) -> Answer:
        """Points, quantiles and spreads of windows of a table, as arrays.

        Raises:
            DataError: a window's history holds no value, or one that has no logarithm where the network takes it; or as
                `SeriesEncoder.encode`.
        """
        _check_some_value(table, windows)
        if self.ensemble.members[0].scaling.logarithmic:
            _check_logarithm(table, windows)
        reader = WindowReader(self.encoder.encode(table), windows, with_target=False)
        parts = []
        for start in range(0, len(windows), PREDICTION_BATCH):
            chosen = tf.range(start, min(start + PREDICTION_BATCH, len(windows)), dtype=tf.int64)
            batch = reader.batch(chosen)
            parts.append([part.numpy() for part in self._graph(batch)(batch)])
        return Answer(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def forecast(self, table: SeriesTable, windows: Windows) -> Forecast:
        """The forecasts of windows whose future steps are in the table, as `future.append_future` puts them there."""
        point, quantiles, _ = self.answers(table, windows)
        return Forecast(point.astype(float), quantiles.astype(float), self.levels)

    def save(self, folder: Path) -> None:
        """Writes the bundle."""
        save_bundle(folder, TASK, self.ensemble.uncompiled(), self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back, beside the networks."""
        covariates = self.columns.covariates
        return {
            "encoder": self.encoder.to_dict(),
            "columns": {
                **{name: getattr(self.columns, name) for name in ("series", "time", "target")},
                **{name: list(getattr(covariates, name)) for name in ("past", "known", "static", "categorical")},
            },
            "season": self.season,
            "corrections": self.corrections.to_dict(),
        }

    @classmethod
    def from_dict(cls, ensemble: ForecastEnsemble, data: Mapping[str, Any]) -> ForecastingModel:
        """The model of a bundle.

        Raises:
            KeyError, TypeError, ValueError: `data` is not what `to_dict` gives.
        """
        columns = dict(data["columns"])
        covariates = {name: tuple(columns.pop(name)) for name in ("past", "known", "static", "categorical")}
        return cls(
            ensemble,
            SeriesEncoder.from_dict(data["encoder"]),
            SeriesColumns(**columns, covariates=CovariateNames(**covariates)),
            data["season"],
            Corrections.from_dict(data["corrections"]),
        )


def _check_some_value(table: SeriesTable, windows: Windows) -> None:
    empty = ~windows.history_has(table.observed)
    if empty.any():
        at = int(empty.argmax())
        time = table.format_time(table.times[min(int(windows.ends[at]), len(table.times) - 1)])
        raise DataError(
            f"series {table.ids[windows.series[at]]!r} at {time}: expected a value among the {windows.lookback} steps"
            " before, found none"
        )


def _check_logarithm(table: SeriesTable, windows: Windows) -> None:
    wrong = windows.history_has(table.values <= 0)
    if wrong.any():
        at = int(wrong.argmax())
        step = int(np.flatnonzero(table.values[: windows.ends[at]] <= 0)[-1])
        raise DataError(
            f"series {table.ids[windows.series[at]]!r} at {table.format_time(table.times[step])}: expected a value"
            f" above zero as all were in training, found {table.values[step]:g}"
        )
