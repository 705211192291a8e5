"""A fitted forecaster: networks, encoders and corrections, from tables of series to forecasts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns
from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError, shown
from seqtag.forecasting.calibration.bounds import Bounds
from seqtag.forecasting.calibration.corrections import Corrections
from seqtag.forecasting.cold_start.pool import Pool, Seen
from seqtag.forecasting.data.batches import Batch, WindowReader
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.units import SeriesUnits
from seqtag.forecasting.data.windows import Windows, with_history
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.stateful.unit_moments import UnitMoments
from seqtag.forecasting.stateful.windows import StatefulWindows
from seqtag.forecasting.stored_sizes import stored_sizes
from seqtag.process.forks import check_can_run
from seqtag.runs.bundle import load_bundle, save_bundle

TASK = "forecasting"
PREDICTION_BATCH = 512
# The speed of a graph of all corrections pays for building it from so many numbers on, windows x lookback.
MANY_NUMBERS = 50_000
COLUMNS = ("series", "time", "target")
# More steps than a series has.
ALL_STEPS = 2**40
COVARIATES = ("past", "known", "static", "categorical")


class ForecastingModel:
    """A fitted forecaster: what `Forecaster.fit` gives and a bundle holds.

    With `units` the networks read standardised series, `(y - mean) / deviation` with the moments of each series; the
    model takes series as they are, standardises them in the graph, and gives forecasts in the series' own units.

    Args:
        ensemble: the fitted networks.
        encoder: encodes tables of series.
        columns: the names of the columns of the training data.
        season_length: steps of a season.
        corrections: of the networks' forecasts.
        units: of each series that the networks were fitted on; None where they read series as they are.
        bounds: that no forecast lies beyond, in the series' own units.
        by_score: how sample paths and probabilities are read off quantiles; see `calibration.quantile_function`.
        pool: the training series, from which a series with no value or a few is forecast; None where none is.
    """

    def __init__(
        self,
        ensemble: ForecastEnsemble,
        encoder: SeriesEncoder,
        columns: SeriesColumns,
        season_length: int,
        corrections: Corrections | None = None,
        units: SeriesUnits | None = None,
        bounds: Bounds | None = None,
        pool: Pool | None = None,
        by_score: bool = True,
    ) -> None:
        self.ensemble = ensemble
        self.encoder = encoder
        self.columns = columns
        self.season_length = season_length
        self.corrections = corrections or Corrections()
        self.units = units
        self.bounds = bounds or Bounds()
        self.by_score = by_score
        self.pool = pool

    @property
    def lookback(self) -> int:
        """Steps of history that a window has; of a stateful model, those that it was fitted on."""
        return self.ensemble.members[0].lookback

    @property
    def stateful(self) -> bool:
        """Whether a forecast follows from all steps of its history, by a state; see `stateful.state`."""
        return bool(self.ensemble.members[0].config["stateful"])

    @property
    def horizon(self) -> int:
        """Steps of a forecast."""
        return self.ensemble.members[0].horizon

    @property
    def levels(self) -> tuple[float, ...]:
        """Levels of the quantiles."""
        return self.ensemble.members[0].levels

    @property
    def reads_series(self) -> bool:
        """Whether a forecast depends on which series of the training data a window is of."""
        looked_up = any(_reads_series(member.config) for member in self.ensemble.members)
        return looked_up or self.corrections.blend is not None or self.units is not None

    @property
    def logarithmic(self) -> bool:
        """Whether all networks take logarithms, so that all values must be above zero."""
        return all(member.scaling.logarithmic for member in self.ensemble.members)

    def forecast_batch(self, batch: Mapping[str, tf.Tensor]) -> ForecastOutput:
        """The finished forecasts of a batch, in the graph: a SavedModel runs this, and `forecast` gives the same."""
        read = self._read_by_networks(batch)
        output = self.corrections.apply(self.ensemble.outputs(read), read, self.season_length)
        return self.bounds.apply(self._answered(output, batch))

    def _read_by_networks(self, batch: Mapping[str, tf.Tensor]) -> Batch:
        """The batch with its history in the units of the networks. That of a series that has none is NaN."""
        if self.units is None:
            return dict(batch)
        return {**batch, "history": self._units_of(self.units, batch).standard(batch["history"])}

    def _answered(self, output: ForecastOutput, batch: Mapping[str, tf.Tensor]) -> ForecastOutput:
        """The forecasts before bounds, in the series' own units, with the pool's for rows with no value or a few."""
        if self.units is not None:
            output = self._units_of(self.units, batch).original(output)
        if self.pool is None:
            return output
        return self.pool.apply(output, Seen.of(batch["history"]), batch["static_codes"], self.lookback)

    def _units_of(self, units: SeriesUnits, batch: Mapping[str, tf.Tensor]) -> UnitMoments:
        return UnitMoments.of(units, self.encoder.ids, batch["series"])

    def outputs(self, table: SeriesTable, windows: Windows) -> ForecastOutput:
        """Points, quantiles and spreads of windows of a table, as arrays, before bounds.

        Other levels and sample paths are read off these, and bounded then.

        Raises:
            DataError: a window's history holds no value, where the model has no pool; it holds one that has no
                logarithm where the network takes it; a series without units, where the model has some and the pool does
                not answer; or as `SeriesEncoder.encode`.
        """
        check_can_run()
        windows = self.whole(windows)
        asked = self._asked(table, windows)
        if self.units is not None:
            self.units.of([str(table.ids[series]) for series in np.unique(asked.series)])
        _check_some_value(table, asked)
        if self.logarithmic:
            _check_logarithm(table, asked)
        if self.stateful:
            return self._of_states.outputs(self.encoder.encode(table), windows)
        reader = WindowReader(self.encoder.encode(table), windows, with_target=False)
        many = len(windows) * self.lookback > MANY_NUMBERS
        correct = self.corrections.traced_apply if many else self.corrections.apply
        parts = []
        for start in range(0, len(windows), PREDICTION_BATCH):
            batch = reader.batch(tf.range(start, min(start + PREDICTION_BATCH, len(windows)), dtype=tf.int64))
            read = self._read_by_networks(batch)
            output = correct(self.ensemble.traced_outputs(read), read, self.season_length)
            parts.append([part.numpy() for part in self._answered(output, batch)])
        return ForecastOutput(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    @cached_property
    def _of_states(self) -> StatefulWindows:
        return StatefulWindows(self)

    def whole(self, windows: Windows) -> Windows:
        """The windows with all steps of history that a forecast reads: those from `first` on, if it is stateful."""
        return replace(windows, lookback=ALL_STEPS) if self.stateful else windows

    def answerable(self, table: SeriesTable, windows: Windows) -> Windows:
        """The whole windows that have a forecast: without a value in their history, only a pool gives one."""
        windows = self.whole(windows)
        return with_history(table, windows) if self.pool is None else windows

    def pooled(self, count: Any) -> Any:
        """Which histories the pool answers, of how many values each has: an array or a tensor."""
        return count < 0 if self.pool is None else self.pool.answers(count, self.lookback)

    def _asked(self, table: SeriesTable, windows: Windows) -> Windows:
        """The windows that the networks answer."""
        return windows.take(~self.pooled(windows.history_count(table.observed)))

    def forecast(self, table: SeriesTable, windows: Windows, levels: Sequence[float] | None = None) -> Forecast:
        """The forecasts of windows whose future steps are in the table, as `future.append_future` puts them there.

        Args:
            table: the series.
            windows: the windows.
            levels: of the quantiles; those of the fit unless given. Others lie on the quantile function of these.

        Raises:
            ValueError: levels as of `checked_levels`.
            DataError: as `outputs`.
        """
        point, quantiles, _ = self.outputs(table, windows)
        found = Forecast(point, quantiles, self.levels)
        found = found if levels is None else found.at(levels)
        return Forecast(self.bounds.moved(found.point), self.bounds.moved(found.quantiles), found.levels)

    def save(self, folder: Path) -> None:
        """Writes the bundle."""
        save_bundle(folder, TASK, self.ensemble.uncompiled(), self.to_dict())

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> ForecastingModel:
        """Reads the model of a finished run.

        Raises:
            RunError: see `load_bundle`.
        """
        return load_bundle(run, TASK, cls.from_dict, stored_sizes)

    def to_dict(self) -> dict[str, Any]:
        """All but the networks, as JSON can hold it."""
        covariates = self.columns.covariates
        return {
            "encoder": self.encoder.to_dict(),
            "columns": {
                **{name: getattr(self.columns, name) for name in COLUMNS},
                **{name: list(getattr(covariates, name)) for name in COVARIATES},
            },
            "season_length": self.season_length,
            "corrections": self.corrections.to_dict(),
            "units": None if self.units is None else self.units.to_dict(),
            "bounds": asdict(self.bounds),
            "by_score": self.by_score,
            "pool": None if self.pool is None else self.pool.to_dict(),
        }

    @classmethod
    def from_dict(cls, ensemble: ForecastEnsemble, data: Mapping[str, Any]) -> ForecastingModel:
        """The model that `to_dict` described, around its networks.

        Raises:
            KeyError, TypeError, ValueError: `data` is not what `to_dict` gives.
        """
        columns = dict(data["columns"])
        covariates = {name: tuple(columns.pop(name)) for name in COVARIATES}
        units, pool = data["units"], data.get("pool")
        return cls(
            ensemble,
            SeriesEncoder.from_dict(data["encoder"]),
            SeriesColumns(**columns, covariates=CovariateNames(**covariates)),
            data["season_length"],
            Corrections.from_dict(data["corrections"]),
            None if units is None else SeriesUnits.from_dict(units),
            Bounds(**data.get("bounds", {})),
            None if pool is None else Pool.from_dict(pool),
            bool(data.get("by_score", False)),
        )


def _reads_series(network: Mapping[str, Any]) -> bool:
    smoothed_alone = (network["smoothing"] or {}).get("per_series", False)
    moments = network["moments"] is not None and network["scaling"] != "none"
    return moments or smoothed_alone or network["series_width"] > 0


def _check_some_value(table: SeriesTable, windows: Windows) -> None:
    empty = ~windows.history_has(table.observed)
    if empty.any():
        at = int(empty.argmax())
        time = table.format_time(table.times[min(int(windows.ends[at]), len(table.times) - 1)])
        raise DataError(
            f"series {shown(table.ids[windows.series[at]])} at {time}: expected a value among the {windows.lookback} "
            "steps before, found none"
        )


def _check_logarithm(table: SeriesTable, windows: Windows) -> None:
    wrong = windows.history_has(table.values <= 0)
    if wrong.any():
        at = int(wrong.argmax())
        step = int(np.flatnonzero(table.values[: windows.ends[at]] <= 0)[-1])
        raise DataError(
            f"series {shown(table.ids[windows.series[at]])} at {table.format_time(table.times[step])}: expected a value"
            f" above zero as all were in training, found {table.values[step]:g}"
        )
