"""From the states of all steps to one vector of a sequence."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from seqtag.ops.attention import additive_scores, attention_weights, contexts

Kind = Literal["last", "mean", "max", "mean_max", "attention"]
# Below every state: the maximum never takes a masked step, where there is a real one.
LOWEST = -1e9


@keras.saving.register_keras_serializable(package="seqtag")
class SequencePooling(keras.layers.Layer):
    """Makes one vector of the states `h_t` of both directions of a recurrent layer, `(batch, time, 2 units)`.

    * `"last"`: where each direction ends: forwards the state at the last step, backwards that at the first.
    * `"mean"`, `"max"`: over the real steps; `"mean_max"`: both, side by side.
    * `"attention"` (Yang et al. 2016, section 2.2): u_t = tanh(h_t W + b), a = softmax_t(u_t · v), Σ_t a_t h_t.

    A sequence without a real step has the vector of zeros.

    Args:
        kind: one of these.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        states: `(batch, time, features)`; the first half is of the direction that runs forwards.
        mask: bool `(batch, time)`, True where a step is real; real steps come first.

    Returns:
        The vectors `(batch, features)`, of `"mean_max"` twice as wide; and how much each step weighs `(batch, time)` in
        float32: of `"attention"` its weights, of others as much as any other real step.

    Raises:
        ValueError: no such kind.

    Example:

        >>> states = ops.array([[[1.0, 4.0], [3.0, 0.0], [9.0, 9.0]]])
        >>> vector, _ = SequencePooling("mean")(states, ops.array([[True, True, False]]))
        >>> ops.convert_to_numpy(vector).tolist()
        [[2.0, 2.0]]
    """

    def __init__(self, kind: Kind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kind not in ("last", "mean", "max", "mean_max", "attention"):
            raise ValueError(f"expected last, mean, max, mean_max or attention, found {kind!r}")
        self.kind = kind
        # The mask ends here.
        self.supports_masking = True

    def build(self, states_shape: tuple) -> None:
        """Creates the weights of attention, which compares as many numbers as a state has."""
        if self.kind == "attention":
            width = states_shape[-1]
            self.kernel = self.add_weight(name="kernel", shape=(width, width))
            self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
            # Zeros: attention begins as the mean.
            self.vector = self.add_weight(name="vector", shape=(width,), initializer="zeros")
        self.built = True

    def call(self, states: Any, mask: Any) -> tuple[Any, Any]:
        """The vectors and the weights of the steps."""
        weights = self._weights(states, mask)
        return self._pooled(states, mask, weights), weights

    def _weights(self, states: Any, mask: Any) -> Any:
        if self.kind != "attention":
            real = ops.cast(mask, "float32")
            return real / ops.maximum(ops.sum(real, axis=1, keepdims=True), 1.0)
        keys = ops.matmul(states, self.kernel) + self.bias
        scores = additive_scores(ops.zeros_like(keys[:, :1]), keys, self.vector)
        return attention_weights(scores, mask)[:, 0]

    def _pooled(self, states: Any, mask: Any, weights: Any) -> Any:
        match self.kind:
            case "last":
                return self._ends(states, mask)
            case "max":
                return self._maximum(states, mask)
            case "mean_max":
                return ops.concatenate([_weighted(states, weights), self._maximum(states, mask)], axis=-1)
            case _:
                return _weighted(states, weights)

    def _ends(self, states: Any, mask: Any) -> Any:
        half = states.shape[-1] // 2
        last = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)
        forward = ops.take_along_axis(states[..., :half], last[:, None, None], axis=1)[:, 0]
        found = ops.concatenate([forward, states[:, 0, half:]], axis=-1)
        return ops.where(ops.any(mask, axis=1)[:, None], found, 0.0)

    def _maximum(self, states: Any, mask: Any) -> Any:
        found = ops.max(ops.where(mask[..., None], states, ops.cast(LOWEST, states.dtype)), axis=1)
        return ops.where(ops.any(mask, axis=1)[:, None], found, ops.zeros_like(found))

    def compute_output_shape(self, states_shape: tuple, mask_shape: Any = None) -> tuple:
        """The shapes of the vectors and of the weights."""
        batch, time, width = states_shape
        return (batch, 2 * width if self.kind == "mean_max" else width), (batch, time)

    def compute_mask(self, states: Any, mask: Any = None) -> None:
        """None: a vector has no steps."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "kind": self.kind}


def _weighted(states: Any, weights: Any) -> Any:
    """The weighted sum over the steps."""
    return contexts(weights[:, None], states)[:, 0]
