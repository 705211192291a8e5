"""Tag scores straight from the words around a token and from its spelling, as in a linear-chain CRF of old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from seqtag.layers.compact_embedding import table_layer

# Share of the features that are left out while training, whole.
FEATURE_DROPOUT = 0.5


@keras.saving.register_keras_serializable(package="seqtag")
class WindowFeatures(keras.layers.Layer):
    """Adds up one weight a tag for each feature that a token has,

        score[t] = sum_(o = -w .. w) A_o[word_(t+o)] + sum_f B[bucket_f(word_t)],

    with the words of a window and the hashed affixes and shape of the word itself: the features that make linear CRFs
    strong on small corpora (Huang, Xu and Yu 2015, section 3.5 connect them to the output in the same way). All weights
    start from zero. Padding counts nothing.

    Args:
        num_words: rows of the word vocabulary.
        num_buckets: rows that the hashed features share.
        num_tags: how many tags there are.
        window: how many words to each side count.
        kept_rows: how many rows of a table, by its name, are not zero; such a table is a `CompactEmbedding`.

    Call arguments:
        batch: see `WordRepresentation`.
        mask: `(batch, time)` bool, True where a token is.

    Returns:
        Scores `(batch, time, num_tags)`.
    """

    def __init__(
        self,
        num_words: int,
        num_buckets: int,
        num_tags: int,
        window: int = 2,
        kept_rows: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # The mask is read, and the scores that it leaves are added to others: Keras need not warn that it ends here.
        self.supports_masking = True
        self.num_words = num_words
        self.num_buckets = num_buckets
        self.num_tags = num_tags
        self.window = window
        self.kept_rows = dict(kept_rows or {})
        self.seed_generator = keras.random.SeedGenerator()
        width = (2 * window + 1) * num_tags
        self.word_scores = table_layer(num_words, width, "word_scores", self.kept_rows, "zeros")
        self.bucket_scores = table_layer(num_buckets, num_tags, "bucket_scores", self.kept_rows, "zeros")

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.word_scores.build((None,))
        self.bucket_scores.build((None, None))
        self.built = True

    @property
    def tables(self) -> list[keras.layers.Layer]:
        """The embeddings, one grown with the vocabulary and one with the buckets."""
        return [self.word_scores, self.bucket_scores]

    def call(self, batch: dict, mask: Any, training: bool = False) -> Any:
        """Scores `(batch, time, num_tags)`."""
        spelling = self.bucket_scores(batch["buckets"])
        if training:
            spelling = keras.random.dropout(
                spelling, FEATURE_DROPOUT, (*ops.shape(batch["buckets"]), 1), seed=self.seed_generator
            )
        own = ops.take(ops.sum(spelling, axis=1), batch["tokens"], axis=0)
        return own + self._around(ops.take(batch["words"], batch["tokens"], axis=0), mask, training)

    def _around(self, rows: Any, mask: Any, training: bool) -> Any:
        """What the words of the window add to each token's scores."""
        batch, time = ops.shape(rows)[0], ops.shape(rows)[1]
        scores = ops.where(mask[..., None], self.word_scores(rows), 0.0)
        if training:
            scores = keras.random.dropout(scores, FEATURE_DROPOUT, (batch, time, 1), seed=self.seed_generator)
        scores = ops.pad(scores, ((0, 0), (self.window, self.window), (0, 0)))
        parts = ops.split(scores, 2 * self.window + 1, axis=-1)
        return sum(part[:, offset : offset + time] for offset, part in enumerate(parts))

    def compute_mask(self, batch: dict, previous_mask: Any = None) -> None:
        """None: the mask goes no further."""

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_words": self.num_words,
            "num_buckets": self.num_buckets,
            "num_tags": self.num_tags,
            "window": self.window,
            "kept_rows": self.kept_rows,
        }
