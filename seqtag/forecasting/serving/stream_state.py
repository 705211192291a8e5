"""The state of a stream as one tensor: the history that the next forecast reads, and the inputs of the series."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from seqtag.forecasting.data.batches import Batch

# The arrays of steps with their padding before a series begins, as in `WindowReader`; and the arrays of a series.
STEP_PADDING = {
    "history": float("nan"),
    "past": float("nan"),
    "known": float("nan"),
    "calendar": 0,
    "past_codes": 0,
    "known_codes": 0,
}
OF_SERIES = ("series", "static", "static_codes")


class StreamState:
    """Packs histories and their series into `state (batch, width)`, float64, and back.

    A step is one slot of the state, the oldest first, and an update moves all of them by one: its cost depends on the
    lookback and not on the length of the stream. Rows of embeddings are stored as floats, exact up to 2^53.

    Args:
        lookback: steps of a history.
        widths: how many numbers a step, or a series, has in each array; `history` and `series` have one.
    """

    def __init__(self, lookback: int, widths: Mapping[str, int]) -> None:
        widths = {"history": 1, "series": 1, **widths}
        self.lookback = lookback
        self._steps = {name: widths[name] for name in STEP_PADDING}
        self._series = SeriesPart(widths)
        self._slot = sum(self._steps.values())
        self.width = lookback * self._slot + self._series.width

    def pack(self, window: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The state: `history (batch, lookback)`, the other arrays of steps `(batch, lookback, width)`."""
        slots = tf.reshape(_joined(window, self._steps, "history"), [-1, self.lookback * self._slot])
        return tf.concat([slots, self._series.pack(window)], axis=1)

    def advance(self, state: tf.Tensor, step: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The state after one more step: `history (batch,)`, the others `(batch, width)`; the oldest step goes."""
        newest = _joined(step, self._steps, "history")
        end = self.lookback * self._slot
        return tf.concat([state[:, self._slot : end], newest, state[:, end:]], axis=1)

    def unpack(self, state: tf.Tensor) -> Batch:
        """The arrays that were packed."""
        end = self.lookback * self._slot
        slots = tf.reshape(state[:, :end], [-1, self.lookback, self._slot])
        return _apart(slots, self._steps, "history") | self._series.unpack(state[:, end:])


class SeriesPart:
    """Packs the arrays of series into `(batch, width)`, float64, and back.

    Args:
        widths: how many numbers a series has in each of `static` and `static_codes`.
    """

    def __init__(self, widths: Mapping[str, int]) -> None:
        self._widths = {name: {"series": 1, **widths}[name] for name in OF_SERIES}
        self.width = sum(self._widths.values())

    def pack(self, arrays: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The arrays side by side."""
        return _joined(arrays, self._widths, "series")

    def unpack(self, packed: tf.Tensor) -> Batch:
        """The arrays that were packed."""
        return _apart(packed, self._widths, "series")


def _joined(arrays: Mapping[str, tf.Tensor], widths: Mapping[str, int], single: str) -> tf.Tensor:
    parts = [arrays[name][..., None] if name == single else arrays[name] for name, width in widths.items() if width]
    return tf.concat([tf.cast(part, tf.float64) for part in parts], axis=-1)


def _apart(joined: tf.Tensor, widths: Mapping[str, int], single: str) -> Batch:
    parts = dict(zip(widths, tf.split(joined, list(widths.values()), axis=-1), strict=True))
    parts[single] = parts[single][..., 0]
    return {name: tf.cast(part, _dtype(name)) for name, part in parts.items()}


def _dtype(name: str) -> tf.DType:
    """The type of an array of a network's batch."""
    if name == "calendar":
        return tf.float32
    return tf.int32 if name == "series" or name.endswith("_codes") else tf.float64
