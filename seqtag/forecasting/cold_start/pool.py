"""The pool of training series, from which a series with no value or a few is forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.forecasting.calibration.dependence import StepDependence
from seqtag.forecasting.levels import checked_levels
from seqtag.forecasting.network.network import ForecastOutput
from seqtag.forecasting.network.window_scale import newest_value, observed_steps

# In the key of a group: whatever the category is.
ANY = -1


class Seen(NamedTuple):
    """What the pool reads of the history of each row.

    Attributes:
        count: int `(batch,)`, how many values it holds.
        newest: float64 `(batch,)`, the last of them, 0 where there is none.
        elapsed: int `(batch,)`, how many steps have passed since that one.
    """

    count: tf.Tensor
    newest: tf.Tensor
    elapsed: tf.Tensor

    @classmethod
    def of(cls, history: tf.Tensor) -> Seen:
        """What is seen in histories `(batch, time)`, NaN where missing."""
        observed = observed_steps(history)
        count = tf.reduce_sum(tf.cast(observed, tf.int32), axis=1)
        steps = tf.range(1, tf.shape(history)[1] + 1)
        last = tf.reduce_max(tf.where(observed, steps, 0), axis=1)
        return cls(count, newest_value(history, observed)[:, 0], tf.shape(history)[1] - last)


@dataclass(frozen=True, eq=False)
class Pool:
    """Quantiles of the training series' values and of their changes, every series weighted equally.

    A series without a value has the quantiles of all values of the first group that it belongs to, at every step. A
    series with less than `enough` values starts from its newest one: to it come the quantiles of the changes over as
    many steps as lie between that value and the step; of series above zero, it is multiplied by those of the ratios.

    Attributes:
        levels: of the quantiles.
        keys: int `(groups, categorical static covariates)`, the categories of each group; -1 stands for any. The last
            group is that of all series.
        values: `(groups, levels)`, quantiles of the values of each group.
        changes: `(horizon, levels)`, quantiles of the changes over 1, 2, ... steps.
        ratios: the same of the logarithms of ratios; None where some value is not above zero, or values move little
            beside their level.
        enough: the number of values in a window from which the network answers.
        between_values: the dependence between steps of what is drawn from `values`, for sample paths.
        between_changes: the same of `changes`.
    """

    levels: tuple[float, ...]
    keys: np.ndarray
    values: np.ndarray
    changes: np.ndarray
    ratios: np.ndarray | None
    enough: int
    between_values: StepDependence
    between_changes: StepDependence

    def answers(self, count: Any, lookback: int) -> Any:
        """Whether the pool answers for histories with so many values; a whole window is always the network's."""
        return count < max(1, min(self.enough, lookback))

    def apply(self, output: ForecastOutput, seen: Seen, static_codes: tf.Tensor, lookback: int) -> ForecastOutput:
        """The forecasts, with those of the pool in the rows that it answers."""
        changed = self._of_changes(seen, output.point.shape[1])
        quantiles = tf.where((seen.count == 0)[:, None, None], self._of_values(static_codes), changed)
        chosen = self.answers(seen.count, lookback)[:, None]
        return output._replace(
            point=tf.where(chosen, quantiles[..., self.levels.index(0.5)], output.point),
            quantiles=tf.where(chosen[..., None], quantiles, output.quantiles),
        )

    def _of_values(self, static_codes: tf.Tensor) -> tf.Tensor:
        """`(batch, 1, levels)`, of the first group whose key fits."""
        keys = tf.constant(self.keys, tf.int32)
        fits = tf.reduce_all((keys == ANY) | (keys == static_codes[:, None, :]), axis=-1)
        group = tf.argmax(tf.cast(fits, tf.int32), axis=1)
        return tf.gather(tf.constant(self.values, tf.float64), group)[:, None]

    def _of_changes(self, seen: Seen, horizon: int) -> tf.Tensor:
        """`(batch, horizon, levels)`, around the newest value."""
        lags = tf.minimum(seen.elapsed[:, None] + tf.range(horizon), len(self.changes) - 1)
        newest = seen.newest[:, None, None]
        added = newest + tf.gather(tf.constant(self.changes, tf.float64), lags)
        if self.ratios is None:
            return added
        return tf.where(newest > 0, newest * tf.exp(tf.gather(tf.constant(self.ratios, tf.float64), lags)), added)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {
            "levels": list(self.levels),
            "keys": self.keys.tolist(),
            "values": self.values.tolist(),
            "changes": self.changes.tolist(),
            "ratios": None if self.ratios is None else self.ratios.tolist(),
            "enough": self.enough,
            "between_values": self.between_values.to_dict(),
            "between_changes": self.between_changes.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pool:
        """The pool that `to_dict` described."""
        arrays = {name: np.array(data[name], float) for name in ("values", "changes")}
        return cls(
            levels=checked_levels(data["levels"]),
            keys=np.array(data["keys"], np.int32).reshape(len(data["keys"]), -1),
            **arrays,
            ratios=None if data["ratios"] is None else np.array(data["ratios"], float),
            enough=int(data["enough"]),
            between_values=StepDependence.from_dict(data["between_values"]),
            between_changes=StepDependence.from_dict(data["between_changes"]),
        )
