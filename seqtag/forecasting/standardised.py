"""A forecaster whose networks read standardised series: values in, values out, units inside.

Networks that were fitted on `(y - mean) / deviation`, with the moments of each series, answer in those units. The
model here takes series as they are, standardises them in the graph and gives answers in the series' own units.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.series.table import SeriesTable
from seqtag.errors import DataError
from seqtag.forecasting.calibration.corrections import Corrections
from seqtag.forecasting.data.windows import Windows
from seqtag.forecasting.model import TASK, ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.network.network import Answer
from seqtag.runs.bundle import load_bundle

UNITS = "units"


class SeriesUnits:
    """The mean and the deviation that each series is measured by.

    Args:
        ids: the series.
        moments: float `(series, 2)`, mean and standard deviation of each.

    Example:

        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(4), "y": [1.0, 3.0, 9.0, 9.0]}))
        >>> units = SeriesUnits.fit(table, np.array([2]))
        >>> units.moments.tolist(), units.standardised(table).values.tolist()
        ([[2.0, 1.0]], [-1.0, 1.0, 7.0, 7.0])
    """

    def __init__(self, ids: list[str], moments: np.ndarray) -> None:
        self.ids = list(ids)
        self.moments = np.asarray(moments, dtype=float)
        self._rows = {name: row for row, name in enumerate(self.ids)}

    @classmethod
    def fit(cls, table: SeriesTable, steps: np.ndarray) -> SeriesUnits:
        """The moments of the first so many steps of each series; of all where those hold no value.

        The deviation is that of the population, as scikit-learn's scaler has it; 1 where all values are the same.
        """
        return cls([str(name) for name in table.ids], np.array([_moments(table, s, n) for s, n in enumerate(steps)]))

    def standardised(self, table: SeriesTable) -> SeriesTable:
        """The table with every value in units of its series.

        Raises:
            DataError: a series that has no units here.
        """
        mean, deviation = self.of([str(name) for name in table.ids])[table.series_of_step].T
        return dataclasses.replace(table, values=((table.values - mean) / deviation).astype(table.values.dtype))

    def of(self, ids: list[str]) -> np.ndarray:
        """The moments of some series, `(series, 2)`; errors as of `standardised`."""
        strange = [name for name in ids if name not in self._rows]
        if strange:
            raise DataError(
                f"series {strange[0]!r}: expected a series of the training data, whose moments standardise it,"
                " found another"
            )
        return self.moments[[self._rows[name] for name in ids]]


def _moments(table: SeriesTable, series: int, steps: int) -> tuple[float, float]:
    values = table.values[table.rows(series)].astype(float)
    first = values[:steps]
    chosen = first if (~np.isnan(first)).any() else values
    return float(np.nanmean(chosen)), float(np.nanstd(chosen)) or 1.0


class StandardisedModel(ForecastingModel):
    """A fitted model of standardised series that takes and gives the series' own units.

    Args:
        plain: the model of standardised series.
        units: of each series that it was fitted on.
    """

    def __init__(self, plain: ForecastingModel, units: SeriesUnits) -> None:
        super().__init__(plain.ensemble, plain.encoder, plain.columns, plain.season, plain.corrections)
        self.plain = plain
        self.units = units
        # Row 0 stands for series that were not there in training: see `EncodedSeries.series`.
        rows = np.vstack([[np.nan, np.nan], units.of(plain.encoder.ids)])
        self._moments = rows.astype(np.float32)

    def corrected(self, corrections: Corrections) -> StandardisedModel:
        """The same networks and units with other corrections."""
        return StandardisedModel(self.plain.corrected(corrections), self.units)

    @property
    def reads_series(self) -> bool:
        """Always: an answer depends on the units of its series."""
        return True

    def answers(self, table: SeriesTable, windows: Windows) -> Answer:
        """As of every model.

        Raises:
            DataError: a series that has no units; or as `ForecastingModel.answers`.
        """
        self.units.of([str(name) for name in table.ids])
        return super().answers(table, windows)

    def answer(self, batch: Mapping[str, tf.Tensor]) -> Answer:
        """The corrected answer in the series' own units; NaN for a series that has none."""
        moments = tf.gather(tf.constant(self._moments), batch["series"])
        mean, deviation = moments[:, 0:1], moments[:, 1:2]
        answer = self.plain.answer({**batch, "history": (batch["history"] - mean) / deviation})
        return Answer(
            point=answer.point * deviation + mean,
            quantiles=answer.quantiles * deviation[..., None] + mean[..., None],
            spread=answer.spread * deviation,
        )

    def to_dict(self) -> dict[str, Any]:
        """What `read_forecasting_model` reads back, beside the networks."""
        return {**self.plain.to_dict(), UNITS: {"ids": self.units.ids, "moments": self.units.moments.tolist()}}


def read_forecasting_model(ensemble: ForecastEnsemble, data: Mapping[str, Any]) -> ForecastingModel:
    """The model of a bundle, standardised or not.

    Raises:
        KeyError, TypeError, ValueError: `data` is not what `to_dict` gives.
    """
    plain = ForecastingModel.from_dict(ensemble, data)
    units = data.get(UNITS)
    return plain if units is None else StandardisedModel(plain, SeriesUnits(units["ids"], np.array(units["moments"])))


def load_forecasting_model(run: str | os.PathLike[str]) -> ForecastingModel:
    """Reads the model of a finished run.

    Raises:
        RunError: see `load_bundle`.
    """
    return load_bundle(run, TASK, read_forecasting_model)
