"""What comes out of a language model's network: the probabilities of the next symbol."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

# How much narrower the hidden state of each further group of an adaptive softmax is.
NARROWER = 4


@keras.saving.register_keras_serializable(package="seqtag")
class SymbolSoftmax(keras.layers.Layer):
    """The softmax over all symbols, `p(s | h) ∝ exp(h w_s + b_s)`.

    Args:
        num_symbols: how many symbols there are.

    Call arguments:
        hidden: `(..., width)`.
        vectors: the weights w `(num_symbols, width)` where they are tied to the vectors of symbols (Press and Wolf
            2017); the layer has its own otherwise.

    Returns:
        Log-probabilities, float32 `(..., num_symbols)`.
    """

    def __init__(self, num_symbols: int, tied: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_symbols = num_symbols
        self.tied = tied

    def build(self, hidden_shape: tuple) -> None:
        """Creates the weights."""
        self.kernel = None
        if not self.tied:
            self.kernel = self.add_weight(
                name="kernel", shape=(hidden_shape[-1], self.num_symbols), initializer="glorot_uniform"
            )
        self.bias = self.add_weight(name="bias", shape=(self.num_symbols,), initializer="zeros")
        self.built = True

    def call(self, hidden: Any, vectors: Any = None) -> Any:
        """The log-probabilities of all symbols."""
        return ops.log_softmax(self._logits(hidden, vectors))

    def of_targets(self, hidden: Any, targets: Any, vectors: Any = None) -> Any:
        """The log-probabilities of one symbol each, float32 `(...)`, for `targets (...)`."""
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(targets, self._logits(hidden, vectors))

    def _logits(self, hidden: Any, vectors: Any) -> Any:
        logits = ops.matmul(hidden, ops.transpose(vectors) if self.tied else self.kernel) + self.bias
        return ops.cast(logits, "float32")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "num_symbols": self.num_symbols, "tied": self.tied}


@keras.saving.register_keras_serializable(package="seqtag")
class AdaptiveSoftmax(keras.layers.Layer):
    """The adaptive softmax (Grave et al. 2017), whose price in training is that of the frequent symbols.

    The symbols, in falling order of frequency, fall into a head and groups of rarer ones. The head has a softmax over
    its own symbols and the groups; a symbol of group g has the probability

        p(s | h) = p(g | h) p(s | g, h),    p(s | g, h) ∝ exp(h P_g w_s),

    where P_g makes the hidden state narrower, four times more for each further group. The probabilities are exact: they
    sum to one over all symbols. Only the targets of a group are computed in it while training.

    Args:
        num_symbols: how many symbols there are.
        cutoffs: how many symbols the head has, and up to which symbol each group goes but the last, rising.

    Example:

        >>> layer = AdaptiveSoftmax(6, (2, 4))
        >>> abs(float(ops.sum(ops.exp(layer(ops.ones((1, 8)))))) - 1.0) < 1e-6
        True
    """

    def __init__(self, num_symbols: int, cutoffs: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_symbols = num_symbols
        self.cutoffs = tuple(cutoffs)
        self.edges = [*self.cutoffs, num_symbols]

    def build(self, hidden_shape: tuple) -> None:
        """Creates the weights of the head and, for each group, the projection and the kernel."""
        width = hidden_shape[-1]
        groups = len(self.cutoffs)
        self.head = self.add_weight(name="head", shape=(width, self.edges[0] + groups), initializer="glorot_uniform")
        self.head_bias = self.add_weight(name="head_bias", shape=(self.edges[0] + groups,), initializer="zeros")
        self.projections, self.kernels = [], []
        for number, (first, last) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            narrow = max(1, width // NARROWER ** (number + 1))
            self.projections.append(self.add_weight(name=f"projection_{number}", shape=(width, narrow)))
            self.kernels.append(self.add_weight(name=f"kernel_{number}", shape=(narrow, last - first)))
        self.built = True

    def call(self, hidden: Any, vectors: Any = None) -> Any:
        """The log-probabilities of all symbols, float32 `(..., num_symbols)`."""
        head = self._head(hidden)
        parts = [head[..., : self.edges[0]]]
        for number in range(len(self.kernels)):
            parts.append(head[..., self.edges[0] + number, None] + self._group(hidden, number))
        return ops.concatenate(parts, axis=-1)

    def of_targets(self, hidden: Any, targets: Any, vectors: Any = None) -> Any:
        """The log-probabilities of one symbol each, float32 `(...)`, for `targets (...)`."""
        shape = tf.shape(targets)
        hidden, targets = ops.reshape(hidden, (-1, hidden.shape[-1])), ops.reshape(targets, (-1,))
        group = tf.reduce_sum(tf.cast(targets[:, None] >= list(self.cutoffs), tf.int32), axis=1)
        column = tf.where(group == 0, targets, self.edges[0] + group - 1)
        found = tf.gather(self._head(hidden), column, axis=1, batch_dims=1)
        for number in range(len(self.kernels)):
            places = tf.where(group == number + 1)
            within = tf.gather(targets, places[:, 0]) - self.edges[number]
            inside = tf.gather(self._group(tf.gather(hidden, places[:, 0]), number), within, axis=1, batch_dims=1)
            found = tf.tensor_scatter_nd_add(found, places, inside)
        return tf.reshape(found, shape)

    def _head(self, hidden: Any) -> Any:
        return ops.log_softmax(ops.cast(ops.matmul(hidden, self.head) + self.head_bias, "float32"))

    def _group(self, hidden: Any, number: int) -> Any:
        logits = ops.matmul(ops.matmul(hidden, self.projections[number]), self.kernels[number])
        return ops.log_softmax(ops.cast(logits, "float32"))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "num_symbols": self.num_symbols, "cutoffs": list(self.cutoffs)}
