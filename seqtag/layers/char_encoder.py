"""Word vectors from characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from seqtag.layers.bidirectional import Bidirectional
from seqtag.layers.peephole_lstm import PeepholeLSTM

Tensor = Any


@keras.saving.register_keras_serializable(package="seqtag")
class CharEncoder(keras.layers.Layer):
    """Turns the characters of a word into one vector, by convolution or by a recurrent network.

    Input: integer ids `(..., chars)`, 0 after the end of a word. Output: `(..., width)`. Padding never changes a
    vector, and a word without characters has the zero vector. Let `x_c` be the embedding of character `c`.

    * `kind="cnn"` (Ma and Hovy 2016): for each width `w`, `h_c = sum_i x_(c+i) F_i` over the `w` characters around `c`
      (if `w` is even, one more on the right), with zeros beyond the ends of the word. The vector is
      `activation(max_c h_c + b)`, and `width` is `units * len(widths)`. The maximum comes first because that is
      cheaper; for a monotone activation, such as tanh or relu, the order makes no difference.
    * `kind="birnn"` (Lample et al. 2016): the last states of two LSTMs over the characters, one forwards and one
      backwards. `width` is `2 * units`.

    Args:
        num_chars: number of character ids, with the 0 of padding.
        embedding_dim: width of a character's embedding.
        kind: `"cnn"` or `"birnn"`.
        units: number of filters of each width, or units of each direction.
        widths: numbers of characters that a filter of the CNN spans.
        dropout: share of the embeddings' elements to drop in training: one mask for the whole batch, the same wherever
            a character occurs (Gal and Ghahramani 2016).
        activation: of the CNN.
        embeddings_initializer: of the character embeddings; by default uniform over `±sqrt(3 / embedding_dim)`, as in
            both papers.

    Example:
        >>> import numpy as np
        >>> layer = CharEncoder(num_chars=50, units=8, widths=(2, 3))
        >>> short, padded = layer(np.array([[7, 9]])), layer(np.array([[7, 9, 0, 0]]))
        >>> tuple(short.shape), bool(np.allclose(short, padded))
        ((1, 16), True)
    """

    def __init__(
        self,
        num_chars: int,
        embedding_dim: int = 30,
        kind: Literal["cnn", "birnn"] = "cnn",
        units: int = 30,
        widths: Sequence[int] = (3,),
        dropout: float = 0.0,
        activation: Any = "tanh",
        embeddings_initializer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if kind not in ("cnn", "birnn"):
            raise ValueError(f"expected kind to be 'cnn' or 'birnn', found {kind!r}")
        if num_chars < 2:
            raise ValueError(f"expected num_chars to count padding and a character, found {num_chars}")
        if not widths or min(widths) < 1:
            raise ValueError(f"expected widths of at least 1, found {tuple(widths)}")
        self.num_chars = num_chars
        self.embedding_dim = embedding_dim
        self.kind = kind
        self.units = units
        self.widths = tuple(widths)
        self.dropout = dropout
        self.activation = keras.activations.get(activation)
        bound = (3 / embedding_dim) ** 0.5
        self.embeddings_initializer = (
            keras.initializers.RandomUniform(-bound, bound, seed=seed)
            if embeddings_initializer is None
            else keras.initializers.get(embeddings_initializer)
        )
        self.seed = seed
        self.drop = keras.layers.Dropout(dropout, seed=seed)
        self.recurrent = None
        if kind == "birnn":
            # Not `LSTM`, which would take other numbers of the global seed than earlier versions did.
            lstm = PeepholeLSTM(units, peephole=False, seed=seed, name="lstm")
            self.recurrent = Bidirectional(lstm, name="recurrent")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights."""
        self.embeddings = self.add_weight(
            shape=(self.num_chars, self.embedding_dim),
            name="embeddings",
            initializer=self.embeddings_initializer,
        )
        if self.recurrent is not None:
            self.recurrent.build((None, None, self.embedding_dim))
            return
        self.filters = [
            self.add_weight(
                shape=(width, self.embedding_dim, self.units),
                name=f"filters_{width}",
                initializer=keras.initializers.GlorotUniform(seed=self.seed),
            )
            for width in self.widths
        ]
        self.bias = self.add_weight(shape=(self._width,), name="bias", initializer="zeros")

    @property
    def _width(self) -> int:
        return self.units * (2 if self.kind == "birnn" else len(self.widths))

    def call(self, ids: Tensor, training: bool = False) -> Tensor:
        """Vectors of the words: `(..., chars)` ids to `(..., width)`."""
        shape = ops.shape(ids)
        ids = ops.reshape(ops.cast(ids, "int32"), (-1, shape[-1]))
        real = ids > 0
        embeddings = self.drop(ops.convert_to_tensor(self.embeddings), training=training)
        if self.recurrent is None:
            matches = [_best_matches(embeddings, filters, ids) for filters in self.filters]
            vectors = self.activation(ops.concatenate(matches, axis=-1) + self.bias)
        else:
            vectors = self.recurrent(ops.take(embeddings, ids, axis=0), mask=real, training=training)
        vectors = ops.where(ops.any(real, axis=-1, keepdims=True), vectors, 0.0)
        return ops.reshape(vectors, (*shape[:-1], self._width))

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> None:
        """None: a word's vector has no steps to mask."""
        return None

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """`(..., width)`."""
        return (*input_shape[:-1], self._width)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_chars": self.num_chars,
            "embedding_dim": self.embedding_dim,
            "kind": self.kind,
            "units": self.units,
            "widths": self.widths,
            "dropout": self.dropout,
            "activation": keras.activations.serialize(self.activation),
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "seed": self.seed,
        }


def _best_matches(embeddings: Tensor, filters: Tensor, ids: Tensor) -> Tensor:
    """Largest response of each filter `(width, dim, units)` within each word `(words, chars)`: `(words, units)`.

    What each character adds to each filter at each of its places is computed once, in a table of `num_chars` rows, and
    looked up wherever the character occurs. The positions of the maxima are found without gradient, and only their
    responses are added up again with it, so that the backward pass reads nothing else. On a CPU this takes half the
    time of a convolution whose shapes change with each batch.
    """
    width, _, units = filters.shape
    known = ops.arange(embeddings.shape[0], dtype="int32")[:, None] > 0
    table = ops.matmul(ops.where(known, embeddings, 0.0), filters)  # (width, num_chars, units)
    chars = ops.shape(ids)[1]
    before = (width - 1) // 2
    padded = ops.pad(ids, ((0, 0), (before, width - 1 - before)))
    fixed = ops.stop_gradient(table)
    responses = sum(ops.take(fixed[i], padded[:, i : i + chars], axis=0) for i in range(width))
    best = ops.argmax(ops.where(ids[..., None] > 0, responses, -float("inf")), axis=1)
    best = ops.cast(best, "int32")
    units_range = ops.arange(units, dtype="int32")

    def added(place: int) -> Tensor:
        char = ops.take_along_axis(padded, best + place, axis=1)
        return ops.take(ops.reshape(table[place], (-1,)), char * units + units_range)

    return sum(added(place) for place in range(width))
