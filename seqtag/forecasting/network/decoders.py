"""The decoders of a forecaster: three ways from the context to the raw numbers of every horizon step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from seqtag.models.recurrent import recurrent_layer
from seqtag.ops.recurrence import Tensor


class DecoderInputs(NamedTuple):
    """What a decoder reads.

    Attributes:
        context: `(batch, units)`, from the encoder.
        future: `(batch, horizon, features)`, what is known of the future.
        static: `(batch, features)` of the series.
        newest: `(batch, segment)`, the last scaled values of the history, 0 where missing; for recursion.
        target: `(batch, horizon)` in training, the scaled true values, 0 where missing; for teacher forcing.
        observed: which of them are not missing.
    """

    context: Tensor
    future: Tensor
    static: Tensor
    newest: Tensor
    target: Tensor | None = None
    observed: Tensor | None = None


class DirectDecoder(keras.layers.Layer):
    """All steps at once: `W context + b`, or with known features of the steps a small network of both (MQ-RNN).

    With features f_k of step k: `raw_k = V relu(C_k [context; static] + b_k + F f_k) + d`. C_k and b_k belong to step
    k, the other weights are shared by all steps (Wen et al. 2017, section 3.2). The numbers are float32 under any dtype
    policy.

    Args:
        horizon: steps.
        size: raw numbers a step.
        units: width of the small network.
        dropout: share of the context to drop.
        **kwargs: `name`, `dtype` and `trainable`, as in every layer.
    """

    def __init__(self, horizon: int, size: int, units: int, dropout: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon = horizon
        self.size = size
        self.local_units = max(8, units // 4)
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.of_context: Any = None
        self.of_features: Any = None
        self.output_layer: Any = None

    def build(self, context: tuple, future: tuple, static: tuple) -> None:
        """Makes the weights for these shapes."""
        if not future[-1]:
            self.of_context = keras.layers.Dense(self.horizon * self.size, dtype="float32", name="of_context")
        else:
            policy = self.dtype_policy
            self.of_context = keras.layers.Dense(self.horizon * self.local_units, dtype=policy, name="of_context")
            self.of_features = keras.layers.Dense(self.local_units, use_bias=False, dtype=policy, name="of_features")
            self.of_features.build(future)
            self.output_layer = keras.layers.Dense(self.size, dtype="float32", name="output")
            self.output_layer.build((None, None, self.local_units))
        self.of_context.build((None, context[-1] + static[-1]))
        self.built = True

    def call(self, inputs: DecoderInputs, training: bool = False) -> Tensor:
        """Raw numbers `(batch, horizon, size)`."""
        context = self.dropout(ops.concatenate([inputs.context, inputs.static], axis=-1), training=training)
        steps = ops.reshape(self.of_context(context), (-1, self.horizon, self.of_context.units // self.horizon))
        if self.of_features is None:
            return steps
        return self.output_layer(ops.relu(steps + self.of_features(inputs.future)))


class _SegmentDecoder(keras.layers.Layer):
    """The shared part of the two decoders with a recurrent cell: segments, the cell, its output's way to the steps."""

    def __init__(
        self, horizon: int, size: int, cell: str, units: int, segment: int, dropout: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.horizon = horizon
        self.size = size
        self.segment = segment
        self.count = -(-horizon // segment)
        self.cell = recurrent_layer(cell, units, dtype=self.dtype_policy, name="cell").cell
        # A cell's outputs, and the raw numbers, are float32 whatever the dtype policy.
        self.dropout = keras.layers.Dropout(dropout, dtype="float32")
        self.steps = keras.layers.Dense(segment * size, dtype="float32", name="steps")
        # The initial memory cell of an LSTM is a projection of the context.
        memories = range(len(self.cell.state_type._fields) - 1)
        self.memory = [keras.layers.Dense(units, dtype=self.dtype_policy, name=f"memory_{n}") for n in memories]

    def _build(self, input_width: int) -> None:
        units = self.cell.units
        self.cell.build((None, input_width))
        self.steps.build((None, None, units))
        for memory in self.memory:
            memory.build((None, units))
        self.built = True

    def _state(self, context: Tensor) -> Any:
        fields = [context, *[memory(context) for memory in self.memory]]
        return self.cell.state_type(*[ops.cast(field, self.cell.state_dtype) for field in fields])

    def _future(self, future: Tensor) -> Tensor:
        """Known features by segment, `(batch, segments, segment x features)`."""
        missing = self.count * self.segment - self.horizon
        padded = ops.pad(future, [[0, 0], [0, missing], [0, 0]])
        # The batch size is given: without features the shape cannot be inferred.
        return ops.reshape(padded, (ops.shape(future)[0], self.count, self.segment * future.shape[-1]))

    def _raw(self, outputs: Tensor, training: bool) -> Tensor:
        """Outputs of segments `(batch, segments, units)` to raw numbers of the horizon's steps."""
        raw = self.steps(self.dropout(outputs, training=training))
        return ops.reshape(raw, (-1, raw.shape[1] * self.segment, self.size))


class ParallelDecoder(_SegmentDecoder):
    """All segments at once: each is one step of a cell from the same state, on a learned vector of its position.

    The parallel multi-step forecasting of SegRNN (Lin et al. 2023, section 3.3): `h_j = cell([p_j; f_j; static],
    context)` with p_j of the segment's position and f_j its known features. The recurrent product depends on the
    context alone, and is computed once for all segments.
    """

    def build(self, context: tuple, future: tuple, static: tuple) -> None:
        """Makes the weights for these shapes."""
        width = max(1, self.cell.units // 2)
        # As PyTorch initialises an embedding: smaller values make all segments alike for the first epochs.
        spread = keras.initializers.RandomNormal(stddev=1.0)
        self.positions = self.add_weight(name="positions", shape=(self.count, width), initializer=spread)
        self._build(width + self.segment * future[-1] + static[-1])

    def call(self, inputs: DecoderInputs, training: bool = False) -> Tensor:
        """Raw numbers `(batch, horizon, size)`."""
        # The projection of [p; f; static], part by part: the positions' part is the same for all windows.
        kernel = ops.convert_to_tensor(self.cell.kernel)
        place, known = self.positions.shape[1], self.segment * inputs.future.shape[-1]
        alone = ops.pad(ops.convert_to_tensor(self.positions), [[0, 0], [0, kernel.shape[0] - place]])
        projected = self.cell.project(alone)[None]
        of_static = ops.matmul(inputs.static, kernel[place + known :])[:, None]
        projected = projected + ops.cast(of_static, projected.dtype)
        if known:
            of_future = ops.matmul(self._future(inputs.future), kernel[place : place + known])
            projected = projected + ops.cast(of_future, projected.dtype)
        state = tf.nest.map_structure(lambda value: value[:, None], self._state(inputs.context))
        outputs, _ = self.cell.step(projected, state, self.cell.weights_of_step())
        return self._raw(outputs, training)[:, : self.horizon]


class RecursiveDecoder(_SegmentDecoder):
    """One segment after the other, each reading the point forecast of the one before it.

    In training the true values replace the forecast with probability `teacher_share`, drawn for each window and
    segment: scheduled sampling (Bengio et al. 2015) where the share falls over the epochs. In place of a missing true
    value the forecast is read.

    Args:
        point: from raw numbers `(..., size)` to the point forecast `(...)`.
        **kwargs: as of `ParallelDecoder`.

    Attributes:
        teacher_share: a variable between 0 and 1.
    """

    def __init__(self, *, point: Callable[[Tensor], Tensor], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.point = point
        self.draws = keras.random.SeedGenerator()

    def build(self, context: tuple, future: tuple, static: tuple) -> None:
        """Makes the weights for these shapes."""
        self.teacher_share = self.add_weight(
            name="teacher_share", shape=(), initializer="ones", trainable=False, autocast=False
        )
        self._build(self.segment + self.segment * future[-1] + static[-1])

    def call(self, inputs: DecoderInputs, training: bool = False) -> Tensor:
        """Raw numbers `(batch, horizon, size)`."""
        known = self._future(inputs.future)
        weights = self.cell.weights_of_step()
        true, taught = self._teaching(inputs) if training and inputs.target is not None else (None, None)

        def step(j: Tensor, before: Tensor, state: Any, found: tf.TensorArray) -> tuple:
            read = ops.concatenate([before, known[:, j], inputs.static], axis=-1)
            output, state = self.cell.step(self.cell.project(read), state, weights)
            raw = self._raw(output[:, None], training)
            after = ops.cast(self.point(raw), before.dtype)
            if true is not None and taught is not None:
                after = ops.where(taught[:, j], true[:, j], after)
            return j + 1, after, state, found.write(j, raw)

        first = (0, inputs.newest, self._state(inputs.context), tf.TensorArray("float32", self.count))
        found = tf.while_loop(lambda j, *_: j < self.count, step, first, maximum_iterations=self.count)[-1].stack()
        raw = ops.reshape(ops.transpose(found, (1, 0, 2, 3)), (-1, self.count * self.segment, self.size))
        return raw[:, : self.horizon]

    def _teaching(self, inputs: DecoderInputs) -> tuple[Tensor, Tensor]:
        """True values and where they replace the forecast, both `(batch, segments, segment)`."""
        missing = self.count * self.segment - self.horizon
        shape = (-1, self.count, self.segment)
        true = ops.reshape(ops.pad(inputs.target, [[0, 0], [0, missing]]), shape)
        observed = ops.reshape(ops.pad(inputs.observed, [[0, 0], [0, missing]], constant_values=False), shape)
        rows = ops.shape(inputs.context)[0]
        drawn = keras.random.uniform((rows, self.count, 1), seed=self.draws) < self.teacher_share
        return true, ops.logical_and(drawn, observed)
