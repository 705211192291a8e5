"""Truncated backpropagation through time."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from seqtag.layers.introspection import build_on, check_tensorflow
from seqtag.training.truncated_bptt.chunks import Sequences, UnrollShape
from seqtag.training.truncated_bptt.progress import StreamProgress
from seqtag.training.truncated_bptt.step import UnrollScore, UnrollUpdate


class TruncatedBPTT:
    """Fits a recurrent model on long sequences; each gradient goes back a bounded number of steps.

    The model runs `k1` steps. The gradient of their loss, taken back over the last `k2` steps, updates the weights. The
    state, but not its gradient, is carried on to the next `k1` steps (Williams and Peng 1990, there BPTT(h; h') with
    h = k2 and h' = k1; Sutskever 2013, section 2.8.6). In an update at step T, the loss at step t is differentiated as
    if the state at T - k2 were a constant:

        dL_t/dW ≈ sum over k from T - k2 + 1 to t of dL_t/dh_t · dh_t/dh_k · ∂h_k/∂W   for T - min(k1, k2) < t <= T

    Memory and time of an update grow with `k2`, not with the length of the sequence, which may be a `numpy.memmap`. The
    steps of one update, the last `k2` and those that complete a chunk of `k1`, are called an unroll.

    - `k1 = k2` cuts the sequence into pieces. If both are the length of the sequence, it is full backpropagation.
    - `k2 > k1` sends every error back at least `k2 - k1 + 1` steps. The last `k2` steps run again with the current
      weights, so that their gradient is exact; each target counts in one update. The more chunks an unroll has, the
      longer the tracing of its graph takes, above all with `jit_compile`.
    - `k2 < k1` counts the targets of the last `k2` of every `k1` steps; the others only carry the state.

    The model may be any Keras model with an output for every step whose recurrent layers run forwards in time: ours,
    stateful or not, or Keras's with `stateful=True` and the number of rows as their batch. The other layers must
    compute each step from that step alone, as `Dense`, `Embedding` and `TimeDistributed` do: convolutions, attention or
    pooling over time would take a chunk for the sequence. A trial run finds them, in layers of your own too, and they
    are refused. (If every sequence is one chunk of `k1` steps, nothing is cut, and all are taken.)

    Only the weights of the model change: the states of its `stateful` layers do not, and callbacks may use it
    meanwhile. Moving statistics (batch normalisation) advance, and dropout masks are drawn, with every call of the
    model: one to three calls in an unroll in which no sequence starts, else one call for every chunk.

    Args:
        k1: the number of steps from one update to the next.
        k2: the number of steps that a gradient goes back; `k1` by default.

    Raises:
        TypeError: `k1` or `k2` is not a whole number.
        ValueError: `k1` or `k2` is below 1.

    Example:
        >>> from seqtag.layers import GRU
        >>> keras.utils.set_random_seed(0)
        >>> x = np.random.default_rng(0).normal(size=(2, 1000, 1))
        >>> y = np.cumsum(x, axis=1) > 0
        >>> layers = [GRU(4, return_sequences=True), keras.layers.Dense(1, activation="sigmoid")]
        >>> model = keras.Sequential([keras.Input((None, 1)), *layers])
        >>> model.compile("adam", "binary_crossentropy")
        >>> history = TruncatedBPTT(k1=20, k2=40).fit(model, x, y, epochs=2)
        >>> history.history["loss"][1] < history.history["loss"][0]
        True
    """

    def __init__(self, k1: int, k2: int | None = None) -> None:
        self.k1 = _whole("k1", k1)
        self.k2 = self.k1 if k2 is None else _whole("k2", k2)

    def fit(
        self,
        model: keras.Model,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        lengths: Sequence[int] | None = None,
        validation_data: tuple | None = None,
        batch_size: int = 32,
        epochs: int = 1,
        shuffle: bool = True,
        seed: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        verbose: bool = True,
    ) -> keras.callbacks.History:
        """Fits a compiled model; loss, metrics, optimizer, loss scaling and regularisers are those of `compile`.

        Each row of a batch goes through one sequence, a chunk of `k1` steps at a time. After its end the row takes
        another, with the next chunk and a state of zeros. If a sequence ends within a chunk, the rest of the chunk
        repeats its last step and is masked as Keras masks outputs: the loss is the mean over the real targets.

        Args:
            model: a compiled model; if it has no weights yet, the data give it the first ones.
            x: the inputs: an array `(sequences, time, ...)`, a list of arrays `(time, ...)` of any lengths, or a dict
                of these for a model with several inputs. `parallel_streams` makes several rows of one long sequence.
            y: the same, with a target for every step.
            sample_weight: the same, a number for every step.
            lengths: the number of steps of each sequence of a padded `x`, `(sequences,)`; by default all steps.
            validation_data: `(x, y)` or `(x, y, sample_weight)`, scored after every epoch with `evaluate`; adds
                `val_loss` and so on to the logs.
            batch_size: the number of rows; at most the number of sequences is used.
            epochs: the number of passes over all sequences.
            shuffle: whether every epoch takes the sequences in another order.
            seed: the seed of that order.
            callbacks: as in Keras's `fit`; their batch is an update.
            verbose: whether to show updates a second, loss and time left, if standard error is a terminal.

        Returns:
            The `History`: `loss` (mean over the targets) and the metrics of each epoch.

        Raises:
            RuntimeError: Keras does not run on TensorFlow.
            TypeError: the model is no Keras model, or its optimizer no Keras optimizer.
            ValueError: the model is not compiled, has no trainable weights or recurrent layers, has a recurrent layer
                that cannot carry its state, another layer that looks across time steps, or an output without time
                steps; `x`, `y`, `sample_weight` and `lengths` do not fit one another; `k1` or `k2` is beyond the
                longest sequence.
            RunError: the loss is not finite in two updates in a row.
        """
        check_tensorflow("TruncatedBPTT")
        data = Sequences.of(x, y, sample_weight, lengths)
        self._check_lengths(data.lengths)
        held_out = None if validation_data is None else Sequences.of(*validation_data)
        rows = _rows(data, batch_size)
        build_on(model, data.beginnings(rows, self.k1))
        update = UnrollUpdate(model, UnrollShape(self.k1, self.k2), rows)
        update.check_step_wise(data)
        score = None if held_out is None else partial(self._score(model, held_out, batch_size).run_pass, held_out)
        progress = [StreamProgress()] if verbose else []
        callback_list = keras.callbacks.CallbackList(
            [*(callbacks or []), *progress],
            add_history=True,
            model=model,
            verbose=0,
            epochs=epochs,
            steps=update.count(data.lengths, _order(data, shuffle, seed, 0)),
        )
        model.stop_training = False
        # As Keras's own `fit` begins; this also removes the callbacks of an interrupted `fit`.
        model.make_train_function()
        # Callbacks may change the optimizer here; the update is traced later.
        callback_list.on_train_begin()
        logs: dict[str, float] = {}
        try:
            for epoch in range(epochs):
                callback_list.on_epoch_begin(epoch)
                logs = update.run_epoch(data, _order(data, shuffle, seed, epoch), callback_list)
                if score is not None:
                    logs |= {f"val_{name}": value for name, value in score().items()}
                callback_list.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
        finally:
            for callback in progress:
                callback.close()
        model.optimizer.finalize_variable_values(model.trainable_variables)
        callback_list.on_train_end(logs)
        return model.history

    def evaluate(
        self,
        model: keras.Model,
        x: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        lengths: Sequence[int] | None = None,
        batch_size: int = 32,
    ) -> dict[str, float]:
        """The loss and the metrics of a compiled model over whole sequences.

        The model runs `k1` steps at a time and carries its state, so that the memory is that of `k1` steps. Arguments
        and errors are those of `fit`.

        Example:
            >>> from seqtag.layers import GRU
            >>> model = keras.Sequential([keras.Input((None, 1)), GRU(1, return_sequences=True)])
            >>> model.compile("sgd", "mse")
            >>> x = np.ones((1, 1000, 1))
            >>> scores = TruncatedBPTT(k1=100).evaluate(model, x, x)
            >>> bool(np.isclose(scores["loss"], np.mean((model(x) - x) ** 2)))
            True
        """
        check_tensorflow("TruncatedBPTT")
        data = Sequences.of(x, y, sample_weight, lengths)
        return self._score(model, data, batch_size).run_pass(data)

    def _score(self, model: keras.Model, data: Sequences, batch_size: int) -> UnrollScore:
        rows = _rows(data, batch_size)
        build_on(model, data.beginnings(rows, self.k1))
        score = UnrollScore(model, UnrollShape(self.k1, self.k1), rows)
        score.check_step_wise(data)
        return score

    def _check_lengths(self, lengths: np.ndarray) -> None:
        for name, steps in (("k1", self.k1), ("k2", self.k2)):
            if steps > lengths.max():
                raise ValueError(
                    f"expected {name} to be at most the {lengths.max()} steps of the longest sequence, found {steps}"
                )


def _whole(name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"expected {name} to be a whole number, found {value!r}") from None
    if number < 1:
        raise ValueError(f"expected {name} to be at least 1, found {number}")
    return number


def _rows(data: Sequences, batch_size: int) -> int:
    return min(_whole("batch_size", batch_size), len(data.lengths))


def _order(data: Sequences, shuffle: bool, seed: int, epoch: int) -> np.ndarray:
    count = len(data.lengths)
    return np.random.default_rng([seed, epoch]).permutation(count) if shuffle else np.arange(count)
