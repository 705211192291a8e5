"""A recurrent layer run in both directions."""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from seqtag.ops.recurrence import Tensor

MergeMode = Literal["concat", "sum", "mul", "ave", "learned"] | None

_MERGES: dict[str, Any] = {
    "concat": lambda forward, backward: ops.concatenate([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
}


@keras.saving.register_keras_serializable(package="seqtag")
class Bidirectional(keras.layers.Layer):
    """Runs a recurrent layer forwards and a copy backwards, and merges both (Schuster and Paliwal 1997).

    The copy starts at each row's own last real step: padding and other masked steps do not change its state. Outputs of
    both directions are at the step that they belong to.

    Inputs are `(batch, time, features)`. Outputs are `(batch, time, width)` if the layer has `return_sequences`, else
    `(batch, width)`: forwards the output at the end of the sequence, backwards that at its start. `width` is `2·units`
    for `"concat"`, else `units`. With `return_state` the states follow, the forward ones first.

    Args:
        layer: a recurrent layer of seqtag or Keras that runs forwards. It is used itself, not a copy.
        merge_mode: `"concat"`, `"sum"`, `"mul"`, `"ave"`, `"learned"`, or None, which returns both.
            `"learned"` projects both back to `units` with weights `merge_kernel (2·units, units)` and
            `merge_bias (units,)`.
        backward_layer: the layer for the other direction, with `go_backwards=True`; by default made from the first
            layer's configuration, with weights of its own.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: the states of the forward layer, then those of the backward one.
        mask: bool `(batch, time)`, True where a step is real; by default the one that Keras propagates.
        training: passed to both layers.

    Raises:
        ValueError: for an unknown merge mode, or layers that run in the wrong direction or return different things.

    Example:
        >>> from seqtag.layers import PeepholeLSTM
        >>> layer = Bidirectional(PeepholeLSTM(4, return_sequences=True))
        >>> layer(keras.ops.ones((2, 5, 3))).shape == (2, 5, 8)
        True
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        merge_mode: MergeMode = "concat",
        backward_layer: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if merge_mode not in (*_MERGES, "learned", None):
            raise ValueError(f"expected merge_mode to be {', '.join(_MERGES)}, learned or None, found {merge_mode!r}")
        self.merge_mode = merge_mode
        self.forward_layer = layer
        self.backward_layer = _reversed_copy(layer) if backward_layer is None else backward_layer
        self._check_layers()
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards or not backward.go_backwards:
            raise ValueError(
                "expected a layer with go_backwards=False and a backward layer with go_backwards=True, "
                f"found {forward.go_backwards} and {backward.go_backwards}"
            )
        for name in ("return_sequences", "return_state", "stateful"):
            found = getattr(forward, name), getattr(backward, name)
            if found[0] != found[1]:
                raise ValueError(f"expected both layers to have the same {name}, found {found[0]} and {found[1]}")

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        """Builds both layers, and creates the projection of `"learned"`."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self.merge_mode == "learned":
            widths = [shape[-1] for shape in self._output_shapes(sequences_shape)]
            self.merge_kernel = self.add_weight(name="merge_kernel", shape=(sum(widths), widths[0]))
            self.merge_bias = self.add_weight(name="merge_bias", shape=(widths[0],), initializer="zeros")
        self.built = True

    def call(
        self,
        sequences: Tensor,
        initial_state: list[Tensor] | None = None,
        mask: Tensor | None = None,
        sequences_mask: Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Runs both layers; with an `initial_state`, Keras passes its mask as `sequences_mask`."""
        mask = sequences_mask if mask is None else mask
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            states = [initial_state[:half], initial_state[half:]]
        forward = self.forward_layer(sequences, initial_state=states[0], mask=mask, training=training)
        backward = self.backward_layer(sequences, initial_state=states[1], mask=mask, training=training)
        last_states: list[Tensor] = []
        if self.return_state:
            last_states = [*forward[1:], *backward[1:]]
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        output = self._merge(forward, backward)
        if not self.return_state:
            return output
        return (*output, *last_states) if self.merge_mode is None else (output, *last_states)

    def _merge(self, forward: Tensor, backward: Tensor) -> Any:
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode == "learned":
            return ops.matmul(_MERGES["concat"](forward, backward), self.merge_kernel) + self.merge_bias
        return _MERGES[self.merge_mode](forward, backward)

    def reset_state(self) -> None:
        """Sets the kept states of both layers to zero; for stateful layers."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the sequences; None if only the last step is returned."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        masks = [mask, mask] if self.merge_mode is None else [mask]
        if self.return_state:
            states = self.forward_layer.compute_mask(sequences, None)[1:]
            return [*masks, *states, *states]
        return masks if self.merge_mode is None else mask

    def compute_output_shape(self, sequences_shape: tuple, initial_state_shape: Any = None) -> Any:
        """The shape of the merged output, or of both outputs, and those of the states if they are returned."""
        outputs = self._output_shapes(sequences_shape)
        if self.merge_mode == "concat":
            merged = (*outputs[0][:-1], outputs[0][-1] + outputs[1][-1])
        else:
            merged = outputs[0]
        shapes = outputs if self.merge_mode is None else [merged]
        if self.return_state:
            layers = (self.forward_layer, self.backward_layer)
            shapes = [
                *shapes,
                *[s for layer in layers for s in layer.compute_output_shape(sequences_shape)[1:]],
            ]
        return tuple(shapes) if len(shapes) > 1 else merged

    def _output_shapes(self, sequences_shape: tuple) -> list[tuple]:
        layers = (self.forward_layer, self.backward_layer)
        shapes = [layer.compute_output_shape(sequences_shape) for layer in layers]
        return [tuple(shape[0]) if self.return_state else tuple(shape) for shape in shapes]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
            "merge_mode": self.merge_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        """A layer from a configuration."""
        config = dict(config)
        for name in ("layer", "backward_layer"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)


def _reversed_copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer of the same configuration that runs backwards, with weights and dropout masks of its own."""
    config = layer.get_config()
    config["name"] = f"{layer.name}_backward"
    config["go_backwards"] = not layer.go_backwards
    if config.get("seed") is not None:
        config["seed"] += 1
    return layer.__class__.from_config(config)
