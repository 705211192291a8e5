"""Tag scores from the words around a token and from its spelling, without recurrent layers, as in a linear CRF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from seqtag.layers.compact_embedding import table_layer

# Probability that training leaves a feature out, all its scores together.
FEATURE_DROPOUT = 0.5


@keras.saving.register_keras_serializable(package="seqtag")
class ContextFeatures(keras.layers.Layer):
    """Adds up the weights of a token's features, of which each has one weight for each tag:

        score[t] = sum_(o = -w .. w) A_o[word_(t+o)] + sum_f B[bucket_f(word_t)]

    where `w` is `context_size`. The features are the word itself, the words around it, and its hashed affixes and
    shape. They make linear CRFs strong on small corpora; Huang, Xu and Yu (2015, section 3.5) connect them to the
    output in the same way. All weights start from zero. Padding adds nothing.

    With a `rank` the sums are `(batch, time, rank)`, and one matrix `(rank, num_tags)` makes scores of them: tables for
    hundreds of tags would hold most of a tagger's weights.

    Args:
        num_words: rows of the word vocabulary.
        num_buckets: rows that the hashed features share.
        num_tags: how many tags there are.
        context_size: how many words on each side of a token are features of it.
        kept_rows: for a table that is to be a `CompactEmbedding`, by its name: how many of its rows are not zero.
        table_suffix: of the names of its tables, where a network has several such layers.
        rank: the width of the sums; None where they are the scores.

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
        context_size: int = 2,
        kept_rows: Mapping[str, int] | None = None,
        table_suffix: str = "",
        rank: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # The mask ends here, which Keras need not warn of: the scores are added to others that have it too.
        self.supports_masking = True
        self.num_words = num_words
        self.num_buckets = num_buckets
        self.num_tags = num_tags
        self.context_size = context_size
        self.kept_rows = dict(kept_rows or {})
        self.table_suffix = table_suffix
        self.seed_generator = keras.random.SeedGenerator()
        self.rank = rank
        width = rank or num_tags
        names = f"word_scores{table_suffix}", f"bucket_scores{table_suffix}"
        self.word_scores = table_layer(num_words, (2 * context_size + 1) * width, names[0], self.kept_rows, "zeros")
        self.bucket_scores = table_layer(num_buckets, width, names[1], self.kept_rows, "zeros")
        self.projection = keras.layers.Dense(num_tags, use_bias=False, name="projection") if rank else None

    def build(self, batch_shape: Any = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.word_scores.build((None,))
        self.bucket_scores.build((None, None))
        if self.projection is not None:
            self.projection.build((None, None, self.rank))
        self.built = True

    @property
    def tables(self) -> list[keras.layers.Layer]:
        """The embeddings: one with a row for each word, one with a row for each bucket."""
        return [self.word_scores, self.bucket_scores]

    def call(self, batch: dict, mask: Any, training: bool = False) -> Any:
        """The scores."""
        spelling = self.bucket_scores(batch["buckets"])
        if training:
            spelling = keras.random.dropout(
                spelling, FEATURE_DROPOUT, (*ops.shape(batch["buckets"]), 1), seed=self.seed_generator
            )
        of_spelling = ops.take(ops.sum(spelling, axis=1), batch["word_rows"], axis=0)
        sums = of_spelling + self._of_context(ops.take(batch["words"], batch["word_rows"], axis=0), mask, training)
        return sums if self.projection is None else self.projection(sums)

    def _of_context(self, rows: Any, mask: Any, training: bool) -> Any:
        """The sum for a token over its word and the words around it."""
        batch, time = ops.shape(rows)[0], ops.shape(rows)[1]
        scores = ops.where(mask[..., None], self.word_scores(rows), 0.0)
        if training:
            scores = keras.random.dropout(scores, FEATURE_DROPOUT, (batch, time, 1), seed=self.seed_generator)
        scores = ops.pad(scores, ((0, 0), (self.context_size, self.context_size), (0, 0)))
        parts = ops.split(scores, 2 * self.context_size + 1, axis=-1)
        return sum(part[:, offset : offset + time] for offset, part in enumerate(parts))

    def compute_mask(self, batch: dict, previous_mask: Any = None) -> None:
        """None: the scores carry no mask."""

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_words": self.num_words,
            "num_buckets": self.num_buckets,
            "num_tags": self.num_tags,
            "context_size": self.context_size,
            "kept_rows": self.kept_rows,
            "table_suffix": self.table_suffix,
            "rank": self.rank,
        }
