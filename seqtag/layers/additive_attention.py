"""Additive attention, with the place of earlier attention as an option."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from seqtag.layers.memory_attention import MemoryAttention
from seqtag.ops.arguments import whole_number
from seqtag.ops.attention import Tensor, additive_scores


@keras.saving.register_keras_serializable(package="seqtag")
class AdditiveAttention(MemoryAttention):
    """Attention by a small network (Bahdanau, Cho and Bengio 2015, appendix A.1.2).

        score(q_t, m_s) = v · tanh(q_t W_q + m_s W_m + b).

    With `location_filters` the score also reads where attention was before (Chorowski et al. 2015, section 2.1): the
    sum of the earlier weights, through a convolution F of these filters, adds `(F * Σ_{τ<t} a_τ)_s U` inside of tanh.
    Queries are then attended one after the other.

    `keras.layers.AdditiveAttention` has no W_q, W_m and b: it compares its inputs as they are, and is another layer.

    Weights: `query_kernel (query features, units)`, `memory_kernel (memory features, units)`, `bias (units,)`,
    `vector (units,)`; `location_kernel (location_width, 1, location_filters)` and `location_projection
    (location_filters, units)`. See `MemoryAttention` for what it is called on and returns, and for masks.

    Args:
        units: width of the comparison.
        location_filters: filters over the sum of earlier weights; 0 for none.
        location_width: the steps that a filter sees, an odd number.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Raises:
        ValueError: `units` or `location_width` is no whole number above zero, or the width is even.

    Example:
        >>> contexts, weights = AdditiveAttention(8)(keras.ops.ones((2, 3, 4)), keras.ops.ones((2, 5, 6)))
        >>> contexts.shape == (2, 3, 6) and weights.shape == (2, 3, 5)
        True
    """

    def __init__(self, units: int, location_filters: int = 0, location_width: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = whole_number("units", units)
        self.location_filters = location_filters and whole_number("location_filters", location_filters)
        self.location_width = whole_number("location_width", location_width)
        if self.location_width % 2 == 0:
            raise ValueError(f"expected location_width to be odd, found {location_width}")
        self.reads_history = bool(self.location_filters)

    def build(self, query_shape: tuple, memory_shape: tuple) -> None:
        """Creates the weights."""
        self.query_kernel = self.add_weight(name="query_kernel", shape=(query_shape[-1], self.units))
        self.memory_kernel = self.add_weight(name="memory_kernel", shape=(memory_shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.vector = self.add_weight(name="vector", shape=(self.units,), initializer=_vector_initializer(self.units))
        if self.location_filters:
            filters = (self.location_width, 1, self.location_filters)
            projection = (self.location_filters, self.units)
            self.location_kernel = self.add_weight(name="location_kernel", shape=filters)
            self.location_projection = self.add_weight(name="location_projection", shape=projection)
        self.built = True

    def keys(self, memory: Tensor) -> Tensor:
        """`m_s W_m + b`."""
        return ops.matmul(memory, self.memory_kernel) + self.bias

    def scores(self, query: Tensor, keys: Tensor, attended: Tensor | None = None) -> Tensor:
        """The scores; `attended` is the sum of earlier weights, zero unless given."""
        location = None if attended is None or not self.location_filters else self._location(attended)
        return additive_scores(ops.matmul(query, self.query_kernel), keys, self.vector, location)

    def _location(self, attended: Tensor) -> Tensor:
        batch, queries, steps = ops.shape(attended)
        rows = ops.cast(ops.reshape(attended, (-1, steps, 1)), self.compute_dtype)
        found = ops.matmul(ops.conv(rows, self.location_kernel, padding="same"), self.location_projection)
        return ops.reshape(found, (batch, queries, steps, self.units))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"location_filters": self.location_filters, "location_width": self.location_width}
        return {**super().get_config(), "units": self.units, **own}


def _vector_initializer(units: int) -> keras.initializers.Initializer:
    # That of a kernel (units, 1), which a vector has no shape for.
    limit = (6.0 / (units + 1)) ** 0.5
    return keras.initializers.RandomUniform(-limit, limit)
