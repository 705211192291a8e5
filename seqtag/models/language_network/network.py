"""The network of a language model: vectors of symbols, layers that read them, and the softmax of the next symbol."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from seqtag.layers.embedding import Embedding
from seqtag.models.language_network.readers import RecurrentReader, State, WindowReader
from seqtag.models.language_network.softmax import AdaptiveSoftmax, SymbolSoftmax


class Read(NamedTuple):
    """What a network has read: hidden states `(rows, steps, width)`, and its state after the last symbol."""

    hidden: Any
    state: State


@keras.saving.register_keras_serializable(package="seqtag")
class LanguageNetwork(keras.Model):
    """Predicts each symbol from those before,

        p(s_{t+1} | s_1 ... s_t) = softmax(W h_t + b),    h_t, state_t = reader(E[s_t], state_{t-1}).

    Args:
        num_symbols: how many symbols there are.
        reader: the layers between the vectors of symbols and the softmax.
        embedding_dim: width of the vectors.
        embedding_dropout: of the vectors, the same for all steps of a call.
        tied: whether the softmax has the vectors as its weights; a projection comes before it where widths differ.
        cutoffs: of an adaptive softmax; empty for the full one.

    Call arguments:
        symbols: int32 `(rows, steps)`.

    Returns:
        Log-probabilities of the symbol after each, float32 `(rows, steps, num_symbols)`, from a state of zeros.
    """

    def __init__(
        self,
        num_symbols: int,
        reader: RecurrentReader | WindowReader,
        embedding_dim: int,
        embedding_dropout: float = 0.0,
        tied: bool = False,
        cutoffs: tuple[int, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_symbols = num_symbols
        self.reader = reader
        self.embedding_dim = embedding_dim
        self.embedding_dropout = embedding_dropout
        self.tied = tied
        self.cutoffs = tuple(cutoffs)
        self.vectors = Embedding(num_symbols, embedding_dim, name="vectors", dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(embedding_dropout, noise_shape=(None, 1, None), dtype=self.dtype_policy)
        needs_projection = tied and reader.width != embedding_dim
        self.projection = (
            keras.layers.Dense(embedding_dim, name="projection", dtype=self.dtype_policy) if needs_projection else None
        )
        self.softmax: SymbolSoftmax | AdaptiveSoftmax = (
            AdaptiveSoftmax(num_symbols, self.cutoffs, name="softmax", dtype=self.dtype_policy)
            if self.cutoffs
            else SymbolSoftmax(num_symbols, tied, name="softmax", dtype=self.dtype_policy)
        )

    def build(self, batch_shape: Any = None) -> None:
        """Builds the layers that a file has not built yet."""
        width = self.reader.width if self.projection is None else self.embedding_dim
        widths = [
            (self.vectors, None),
            (self.reader, self.embedding_dim),
            (self.projection, self.reader.width),
            (self.softmax, width),
        ]
        for layer, features in widths:
            if layer is not None and not layer.built:
                layer.build((None, None, features))
        self.built = True

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds all layers, as a file is read: what it holds of shapes is not needed."""
        self.build()

    def call(self, symbols: Any, training: bool = False) -> Any:
        """Reads documents from their beginning."""
        read = self.read(symbols, self.reader.zero_state(tf.shape(symbols)[0]), training)
        return self.distribution(read.hidden)

    def read(self, symbols: Any, state: State, training: bool = False, mask: Any = None) -> Read:
        """Reads symbols `(rows, steps)` from a state on; steps that are False in `mask` are as if they were not there.

        Such steps stand before the others in their row.
        """
        vectors = self.drop(self.vectors(symbols), training=training)
        return Read(*self.reader(vectors, state, training=training, mask=mask))

    def distribution(self, hidden: Any) -> Any:
        """Log-probabilities of all symbols, float32 `(..., num_symbols)`."""
        return self.softmax(self._narrowed(hidden), self._tied_vectors())

    def of_targets(self, hidden: Any, targets: Any) -> Any:
        """Log-probabilities of one symbol each, float32 `(rows, steps)`."""
        return self.softmax.of_targets(self._narrowed(hidden), targets, self._tied_vectors())

    def _narrowed(self, hidden: Any) -> Any:
        return hidden if self.projection is None else self.projection(hidden)

    def _tied_vectors(self) -> Any:
        return ops.cast(ops.convert_to_tensor(self.vectors.embeddings), self.compute_dtype) if self.tied else None

    def step(self, symbols: Any, state: State) -> tuple[Any, State]:
        """A step function of `seqtag.ops.step_functions`: symbols `(rows,)` -> `(rows, num_symbols)`."""
        read = self.read(symbols[:, None], state)
        return self.distribution(read.hidden[:, 0]), read.state

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("num_symbols", "embedding_dim", "embedding_dropout", "tied")
        own: dict[str, Any] = {name: getattr(self, name) for name in names}
        reader = keras.saving.serialize_keras_object(self.reader)
        return {**super().get_config(), **own, "cutoffs": list(self.cutoffs), "reader": reader}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LanguageNetwork:
        """The network that `get_config` described."""
        return cls(reader=keras.saving.deserialize_keras_object(config.pop("reader")), **config)
