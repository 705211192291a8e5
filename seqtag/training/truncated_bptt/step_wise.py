"""Finds layers that look across time steps, which chunks cut apart: convolutions, attention, pooling, positions.

Truncated backpropagation carries the states of recurrent layers from chunk to chunk. Whatever else a model computes
at a step must come from that step alone, or a chunk would give other numbers than the whole sequence. This is measured
instead of read from a list of layers, so that it holds for layers that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqtag.keras_internals import remove_untracked, set_untracked, sublayers
from seqtag.layers.introspection import WHOLE

# The resolution of a dtype; an output may differ by the square root of that, relative to its largest number.
RESOLUTION = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float64": 2.0**-52}


def check_step_wise(model: keras.Model, x: Any, recurrent: Iterable[keras.layers.Layer]) -> None:
    """Raises unless all that a model computes beside its recurrent layers is computed step by step.

    The model runs on `x`, and once more on its second half twice. The recurrent layers give random outputs, which are
    moved as the steps are. What they read, and the outputs of the model, must then be moved likewise. Weights that are
    constant, such as zeros that switch a layer off at first, have noise added for the time of the check.

    Args:
        model: a built model.
        x: inputs `(rows, time, ...)` of at least two steps, or a dict of them.
        recurrent: the layers whose states are carried.

    Raises:
        ValueError: a layer is not step-wise; the message names it.
    """
    x = keras.tree.map_structure(lambda values: tf.convert_to_tensor(_with_noise(values)), x)
    probe = _Probe(keras.tree.flatten(x)[0].shape[1])
    with _noise_in_constants(model), probe.inside(model, list(recurrent)):
        outputs = probe.run(model, x)
        probe.moves = True
        moved = probe.run(model, keras.tree.map_structure(probe.move, x))
    if not all(probe.has_steps(output) for output in outputs):
        return  # The step itself refuses these.
    plain, moved = [*probe.read[False], *outputs], [*probe.read[True], *moved]
    if all(probe.agree(*pair) for pair in zip(plain, moved, strict=True)):
        return
    raise ValueError(f"expected layers that compute each step alone beside the recurrent ones, found {probe.culprit()}")


class _Seen(NamedTuple):
    """One call of a layer."""

    name: str
    layer: keras.layers.Layer
    inputs: list[tf.Tensor]
    outputs: list[tf.Tensor]


class _Probe:
    """Two runs of a model, the second on moved steps.

    Attributes:
        moves: whether this is the second run.
        read: the inputs of the recurrent layers in both runs.
        seen: the calls of all layers in both runs; those of recurrent layers with their inputs as outputs.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.moves = False
        self.seen: dict[bool, list[_Seen]] = {False: [], True: []}
        self.read: dict[bool, list[tf.Tensor]] = {False: [], True: []}

    def run(self, model: keras.Model, x: Any) -> list[Any]:
        """The outputs of the model."""
        return keras.tree.flatten(model(x, training=False))

    def move(self, values: tf.Tensor) -> tf.Tensor:
        """The second half of the steps, twice; if their number is odd, the middle one is in between."""
        half = self.steps // 2
        return tf.concat([values[:, self.steps - half :], values[:, half:]], axis=1)

    @contextmanager
    def inside(self, model: keras.Model, recurrent: list[keras.layers.Layer]) -> Iterator[None]:
        """Within the block recurrent layers give random outputs, and those of the others are kept."""
        inner = list(_inner_layers(model, recurrent))
        try:
            for name, layer in inner:
                set_untracked(layer, "call", partial(self._keep, name, layer, layer.call))
            for layer in recurrent:
                set_untracked(layer, "call", partial(self._draw, layer))
            yield
        finally:
            for layer in (*(layer for _, layer in inner), *recurrent):
                remove_untracked(layer, "call")

    def _keep(
        self, name: str, layer: keras.layers.Layer, own_call: Callable[..., Any], *inputs: Any, **options: Any
    ) -> Any:
        outputs = own_call(*inputs, **options)
        self.seen[self.moves].append(_Seen(name, layer, _tensors(inputs), _tensors(outputs)))
        return outputs

    def _draw(self, layer: keras.layers.Layer, sequences: tf.Tensor, *_: Any, **__: Any) -> Any:
        """Replaces the call of a recurrent layer; what it says of a whole sequence is drawn anew in the second run."""
        self.read[self.moves].append(sequences)
        self.seen[self.moves].append(_Seen(layer.name, layer, [sequences], [sequences]))
        shapes = layer.compute_output_shape(tuple(sequences.shape))
        several = isinstance(shapes[0], tuple | list)
        outputs = []
        for number, shape in enumerate(shapes if several else [shapes]):
            by_step = number == 0 and layer.return_sequences
            drawn = tf.random.stateless_normal(
                shape, (len(self.read[self.moves]), 2 * number + (self.moves and not by_step))
            )
            drawn = self.move(drawn) if by_step and self.moves else drawn
            outputs.append(tf.cast(drawn, layer.compute_dtype))
        return outputs if several else outputs[0]

    def has_steps(self, output: Any) -> bool:
        """Whether an output is `(rows, time, ...)`."""
        return len(output.shape) > 1 and output.shape[1] == self.steps

    def agree(self, output: tf.Tensor, moved: tf.Tensor) -> bool:
        """Whether the second output is the first one with its steps moved."""
        if not (self.has_steps(output) and self.has_steps(moved)):
            return False
        wanted, found = (np.asarray(tf.cast(x, "float64")) for x in (self.move(output), moved))
        if not output.dtype.is_floating:
            return bool((wanted == found).all())
        allowed = np.sqrt(self._resolution()) * np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0)
        return bool(np.isclose(found, wanted, rtol=0, atol=allowed, equal_nan=True).all())

    def _resolution(self) -> float:
        """That of the coarsest dtype that a layer computes in."""
        dtypes = {seen.layer.compute_dtype for seen in self.seen[False]}
        return max((RESOLUTION.get(dtype, 2.0**-23) for dtype in dtypes), default=2.0**-23)

    def culprit(self) -> str:
        """The first layer that gave something else than its moved outputs."""
        for plain, moved in zip(self.seen[False], self.seen[True], strict=False):
            if not self._all_agree(plain.outputs, moved.outputs):
                if not self._all_agree(plain.inputs, moved.inputs):
                    return f"steps that depend on each other by what the model computes before {plain.name!r}"
                return f"{plain.name!r} ({type(plain.layer).__name__}), whose output at a step depends on other steps"
        return "steps that depend on each other by what the model computes between its layers"

    def _all_agree(self, plain: list[tf.Tensor], moved: list[tf.Tensor]) -> bool:
        return len(plain) == len(moved) and all(self.agree(*pair) for pair in zip(plain, moved, strict=True))


def _tensors(values: Any) -> list[tf.Tensor]:
    return [value for value in keras.tree.flatten(values) if tf.is_tensor(value)]


def _inner_layers(
    layer: keras.layers.Layer, recurrent: list[keras.layers.Layer], path: str = ""
) -> Iterator[tuple[str, keras.layers.Layer]]:
    """The layers inside a layer, by path: those that hold others after these, none inside of what counts as one."""
    for child in sublayers(layer):
        if any(child is other for other in recurrent):
            continue
        if not isinstance(child, WHOLE):
            yield from _inner_layers(child, recurrent, f"{path}{child.name}/")
        yield path + child.name, child


@contextmanager
def _noise_in_constants(model: keras.Model) -> Iterator[None]:
    """Within the block, weights whose numbers are all the same differ."""
    random = np.random.default_rng(0)
    kept = []
    try:
        for variable in model.trainable_variables:
            value = variable.numpy()
            if value.size and (value == value.flat[0]).all():
                kept.append((variable, value))
                variable.assign(value + 0.1 * random.normal(size=value.shape).astype(value.dtype))
        yield
    finally:
        for variable, value in kept:
            variable.assign(value)


def _with_noise(values: np.ndarray) -> np.ndarray:
    """Numbers with some noise, so that steps differ; other values as they are."""
    if not np.issubdtype(values.dtype, np.floating):
        return values
    values = values.astype(keras.config.floatx())
    size = np.nanstd(values) or 1.0
    return values + (0.1 * size * np.random.default_rng(0).normal(size=values.shape)).astype(values.dtype)
