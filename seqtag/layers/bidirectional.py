"""A recurrent layer run in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any, Literal
from weakref import WeakSet

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

# The layers that are in a `Bidirectional` already.
_WRAPPED: WeakSet[keras.layers.Layer] = WeakSet()


@keras.saving.register_keras_serializable(package="seqtag")
class Bidirectional(keras.layers.Bidirectional):
    """Runs a recurrent layer forwards and a copy backwards, and merges both (Schuster and Paliwal 1997).

    The copy starts at each row's own last real step: padding and other masked steps do not change its state. Outputs of
    both directions are at the step that they belong to. As in `keras.layers.Bidirectional`, outputs at masked steps are
    zeros, whatever the layers' `zero_output_for_mask` is.

    Inputs are `(batch, time, features)`, or what the layer takes. Outputs are `(batch, time, width)` if the layer has
    `return_sequences`, else `(batch, width)`: forwards the output at the end of the sequence, backwards that at its
    start. `width` is `2·units` for `"concat"`, else `units`. With `return_state` the states follow, the forward ones
    first. All are in this layer's compute dtype.

    Args:
        layer: a recurrent layer of seqtag or Keras, which runs forwards. It is used itself; if it has weights or is in
            another `Bidirectional`, a new one is made from its configuration.
        merge_mode: `"concat"`, `"sum"`, `"mul"`, `"ave"`, `"learned"`, or None, which returns both.
            `"learned"` projects both back to `units` with weights `merge_kernel (2·units, units)` and
            `merge_bias (units,)`.
        weights: arrays to start from, those of the forward layer first.
        backward_layer: the layer for the other direction, with the other `go_backwards`; by default made from the first
            layer's configuration, with weights of its own.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: the states of the forward layer, then those of the backward one.
        mask: bool `(batch, time)`, True where a step is real; by default the one that Keras propagates.
        training: passed to both layers.

    Raises:
        ValueError: for an unknown merge mode, layers that run in the same direction or return different things, or
            `weights` that are not those of the layers.

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
        weights: Sequence[Any] | None = None,
        backward_layer: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        # Not the constructor of Keras's own, which makes a copy of `layer` and refuses "learned".
        keras.layers.Layer.__init__(self, **kwargs)
        if merge_mode not in (*_MERGES, "learned", None):
            raise ValueError(f"expected merge_mode to be {', '.join(_MERGES)}, learned or None, found {merge_mode!r}")
        for given in (layer, layer if backward_layer is None else backward_layer):
            if not isinstance(given, keras.layers.Layer):
                raise ValueError(f"expected a layer of Keras, found {given!r}")
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer) if layer.built or layer in _WRAPPED else layer
        self.backward_layer = _reversed_copy(layer) if backward_layer is None else backward_layer
        _WRAPPED.update((self.forward_layer, self.backward_layer))
        self._check_layers()
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.input_spec = layer.input_spec
        self.supports_masking = True
        self.initial_weights = weights
        for inner in (self.forward_layer, self.backward_layer):
            if getattr(inner, "zero_output_for_mask", None) is not None:
                inner.zero_output_for_mask = self.return_sequences

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                f"expected layers that run in different directions, found go_backwards={forward.go_backwards} in both"
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
        self._start_from_given_weights()
        if self.merge_mode == "learned":
            widths = [shape[-1] for shape in self._output_shapes(sequences_shape)]
            self.merge_kernel = self.add_weight(name="merge_kernel", shape=(sum(widths), widths[0]))
            self.merge_bias = self.add_weight(name="merge_bias", shape=(widths[0],), initializer="zeros")
        self.built = True

    def _start_from_given_weights(self) -> None:
        if self.initial_weights is None:
            return
        forward, backward = self.forward_layer, self.backward_layer
        half, count = len(forward.weights), len(forward.weights) + len(backward.weights)
        if len(self.initial_weights) != count:
            raise ValueError(f"expected weights to be the {count} of both layers, found {len(self.initial_weights)}")
        forward.set_weights(self.initial_weights[:half])
        backward.set_weights(self.initial_weights[half:])
        self.initial_weights = None

    def call(
        self,
        sequences: Tensor,
        initial_state: list[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool | None = None,
        sequences_mask: Tensor | None = None,
    ) -> Any:
        """Runs both layers; with an `initial_state`, Keras passes its mask as `sequences_mask`."""
        mask = sequences_mask if mask is None else mask
        mask = None if mask is None else ops.cast(mask, "bool")
        states: list[Any] = [None, None]
        if initial_state is not None:
            half = len(initial_state) // 2
            states = [initial_state[:half], initial_state[half:]]
        options = {"mask": mask, "training": training}
        layers = (self.forward_layer, self.backward_layer)
        forward, backward = (
            layer(sequences, **_taken_by(layer, {"initial_state": state, **options}))
            for layer, state in zip(layers, states, strict=True)
        )
        last_states: list[Tensor] = []
        if self.return_state:
            last_states = [ops.cast(state, self.compute_dtype) for state in (*forward[1:], *backward[1:])]
            forward, backward = forward[0], backward[0]
        forward, backward = (ops.cast(output, self.compute_dtype) for output in (forward, backward))
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        output = self._merge(forward, backward)
        if self.merge_mode == "learned" and self.return_sequences and mask is not None:
            output = self._zero_masked(output, mask)
        if not self.return_state:
            return output
        return (*output, *last_states) if self.merge_mode is None else (output, *last_states)

    def _zero_masked(self, output: Tensor, mask: Tensor) -> Tensor:
        """Takes the bias of the projection away from masked steps."""
        real = ops.flip(mask, axis=1) if self.forward_layer.go_backwards else mask
        real = ops.reshape(real, (*ops.shape(real), *[1] * (len(output.shape) - 2)))
        return ops.where(real, output, ops.zeros_like(output))

    def _merge(self, forward: Tensor, backward: Tensor) -> Any:
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode == "learned":
            return ops.matmul(_MERGES["concat"](forward, backward), self.merge_kernel) + self.merge_bias
        return _MERGES[self.merge_mode](forward, backward)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the sequences, in the order of the outputs; None if only the last step is returned."""
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        if mask is not None and self.forward_layer.go_backwards:
            mask = ops.flip(mask, axis=1)
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


def _taken_by(layer: keras.layers.Layer, options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that the layer's `call` takes."""
    taken = signature(layer.call).parameters
    return {name: value for name, value in options.items() if name in taken}


def _copy(layer: keras.layers.Layer, **changed: Any) -> keras.layers.Layer:
    """A layer of the same configuration but for what is changed, with weights and dropout masks of its own."""
    copy = layer.__class__.from_config({**layer.get_config(), **changed})
    if hasattr(layer, "use_cudnn"):
        # In Keras's configurations it is missing.
        copy.use_cudnn = layer.use_cudnn
    return copy


def _reversed_copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    changed = {"name": f"{layer.name}_backward", "go_backwards": True}
    seed = layer.get_config().get("seed")
    return _copy(layer, **changed, **({} if seed is None else {"seed": seed + 1}))
