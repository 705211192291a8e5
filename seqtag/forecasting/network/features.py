"""The features of a window's steps beside the scaled values: mask, time since the last value, covariates, calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.forecasting.network.window_scale import filled, observed_steps, since_seen
from seqtag.layers.embedding import Embedding
from seqtag.ops.recurrence import Tensor

WIDEST_EMBEDDING = 16
# The arrays of steps that are known before they come.
OF_KNOWN = ("calendar", "known", "known_codes")


class StepFeatures(keras.layers.Layer):
    """Covariates and calendar as vectors: numbers standardised, each with its mask, and categories embedded.

    Args:
        inputs: the description of the inputs, from `SeriesEncoder.inputs`.
        series_width: width of a learned vector of each series, which joins the static covariates; 0 for none. It
            is zero for a series that training did not have.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.
    """

    def __init__(self, inputs: Mapping[str, Any], series_width: int = 0, **kwargs: Any) -> None:
        # Keras would cast covariates to the layer's float32 before their mean is subtracted.
        super().__init__(autocast=False, **kwargs)
        self.inputs = inputs
        self.embeddings = {
            kind: [
                Embedding(size, min(WIDEST_EMBEDDING, (size + 1) // 2), dtype=self.dtype_policy, name=f"{kind}_{n}")
                for n, size in enumerate(inputs[f"{kind}_codes"])
            ]
            for kind in ("past", "known", "static")
        }
        self.series_width = series_width
        self.series_embedding: Any = None

    def build(self, batch_shape: Any = None) -> None:
        """Makes the embeddings."""
        for tables in self.embeddings.values():
            for table in tables:
                table.build()
        if self.series_width:
            shape = (self.inputs["series"] + 1, self.series_width)
            self.series_embedding = self.add_weight(
                name="series_embedding", shape=shape, initializer=keras.initializers.RandomNormal(stddev=1.0)
            )
        self.built = True

    def widths(self) -> tuple[int, int, int]:
        """How wide the vectors of history, future and series are."""
        widths = {
            kind: 2 * len(self.inputs[kind]) + sum(table.output_dim for table in tables)
            for kind, tables in self.embeddings.items()
        }
        future = self.inputs["calendar"] + widths["known"]
        return 3 + widths["past"] + future, future, widths["static"] + self.series_width

    def call(self, batch: Mapping[str, Tensor], scaled: Tensor, observed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors of the steps of the history `(batch, lookback, ...)`, of the future, and of the series.

        Args:
            batch: the inputs of the network.
            scaled: the scaled values of the history, 0 where missing.
            observed: which of them are not missing.
        """
        lookback = scaled.shape[1]
        before, after = ({**batch, **{name: batch[name][:, part] for name in OF_KNOWN}} for part in _parts(lookback))
        history = self.history(before, scaled, observed, since_seen(observed), lookback)
        return history, self.future(after), self.series(batch)

    def history(
        self, batch: Mapping[str, Tensor], scaled: Tensor, observed: Tensor, elapsed: Tensor, lookback: int
    ) -> Tensor:
        """Vectors of past steps, whose arrays alone the batch has.

        Args:
            batch: the inputs of these steps.
            scaled: their scaled values, 0 where missing.
            observed: which of them are not missing.
            elapsed: steps since the last value, float32.
            lookback: steps of a window.
        """
        elapsed = ops.log1p(elapsed) / np.log1p(lookback)
        values = ops.stack([scaled, ops.cast(observed, scaled.dtype), elapsed], axis=-1)
        return ops.concatenate([values, *self._covariates(batch, "past"), self.future(batch)], axis=-1)

    def future(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Vectors of what is known of steps before them, whose arrays alone the batch has."""
        return ops.concatenate([batch["calendar"], *self._covariates(batch, "known")], axis=-1)

    def series(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Vectors of the series."""
        series = self._covariates(batch, "static")
        if self.series_embedding is not None:
            is_known = ops.cast(batch["series"] > 0, "float32")[:, None]
            series.append(ops.take(ops.convert_to_tensor(self.series_embedding), batch["series"], axis=0) * is_known)
        return _joined(series, ops.shape(batch["series"])[0])

    def _covariates(self, batch: Mapping[str, Tensor], kind: str) -> list[Tensor]:
        parts = []
        moments: Sequence[Sequence[float]] = self.inputs[kind]
        if moments:
            mean, deviation = np.asarray(moments, np.float64).T
            values = ops.cast(batch[kind], "float64")
            observed = observed_steps(values)
            standard = ops.cast(filled((values - mean) / deviation, observed), "float32")
            parts += [standard, ops.cast(observed, standard.dtype)]
        codes = batch[f"{kind}_codes"]
        return parts + [table(codes[..., n]) for n, table in enumerate(self.embeddings[kind])]


def _parts(lookback: int) -> tuple[slice, slice]:
    return slice(None, lookback), slice(lookback, None)


def _joined(parts: list[Tensor], rows: Any) -> Tensor:
    return ops.concatenate(parts, axis=-1) if parts else ops.zeros((rows, 0))
