"""Token vectors from word rows, characters and hashed spelling features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
from keras import ops

from seqtag.data.text.vocabulary import UNKNOWN
from seqtag.data.text.word_features import NUM_HASHED
from seqtag.layers import CharEncoder
from seqtag.layers.compact_embedding import table_layer
from seqtag.models.language_network.word_states import WordStates
from seqtag.models.word_vectors import PretrainedVectors

CHAR_DIM = 30
CHAR_UNITS = 50
BUCKET_DIM = 24
# Share of the affixes whose whole vectors are dropped in training, so that the model relies on no single affix.
BUCKET_DROPOUT = 0.4
COLUMN_DIM = 20
SPELLING_UNITS = 128


@keras.saving.register_keras_serializable(package="seqtag")
class WordRepresentation(keras.layers.Layer):
    """Vectors of tokens: word embedding, pretrained vector, spelling vector and further columns, concatenated.

    The spelling vector is computed once for each distinct word of the batch,

        s = relu([chars; bucket_1; ...; bucket_n] W + b),

    from the character encoder's output (Ma and Hovy 2016) and embeddings of hashed affixes and shape; each token then
    takes the vector of its word. Training reads a share of all tokens, and a larger share of the words that occur once,
    as the unknown word (Lample et al. 2016, section 4.1), so that the row of unknown words is trained too. Pretrained
    vectors, and the spelling, stay as they are then, as those of unknown words do later.

    Args:
        num_words: number of rows of the word embedding; row 1 is the unknown word.
        singletons_from: the first row of the words that occur once in training.
        num_chars: size of the character vocabulary.
        num_buckets: number of rows that the hashed features share.
        column_sizes: the vocabulary size of each further column.
        word_dim: width of the word embedding.
        char_encoder: `"cnn"`, `"birnn"` or `"none"`.
        spelling: whether the hashed affixes and shape are read.
        word_dropout: share of tokens read as unknown in training.
        singleton_dropout: the same for words that occur once.
        num_vectors: rows of the table of pretrained vectors, its row 0 included; 0 for none.
        vector_dim: their width.
        tune_vectors: whether they are trained along.
        tune_vectors_later: whether that begins later; see `PretrainedVectors`.
        kept_rows: for each table that is to be a `CompactEmbedding`, by its name: how many of its rows are not zero.
        language_states: arguments of `WordStates`, whose vectors are a part too; None for none.

    Call arguments:
        batch: dict of `words (distinct,)`, `chars (distinct, characters)`, `buckets (distinct, features)`,
            `word_rows (batch, time)` with each token's row among the distinct words, `columns (batch, time,
            columns)` when there are further columns, `vectors (distinct, most)`, the rows of each word's pretrained
            vector, when there are any, and what `WordStates` reads, where there are states of a language model.

    Returns:
        `(batch, time, features)`.
    """

    def __init__(
        self,
        num_words: int,
        singletons_from: int,
        num_chars: int,
        num_buckets: int,
        column_sizes: Sequence[int] = (),
        word_dim: int = 100,
        char_encoder: Literal["cnn", "birnn", "none"] = "cnn",
        spelling: bool = True,
        word_dropout: float = 0.05,
        singleton_dropout: float = 0.5,
        num_vectors: int = 0,
        vector_dim: int = 0,
        tune_vectors: bool = False,
        tune_vectors_later: bool = False,
        kept_rows: Mapping[str, int] | None = None,
        language_states: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_words = num_words
        self.singletons_from = singletons_from
        self.num_chars = num_chars
        self.num_buckets = num_buckets
        self.column_sizes = tuple(column_sizes)
        self.word_dim = word_dim
        self.char_encoder = char_encoder
        self.spelling = spelling
        self.word_dropout = word_dropout
        self.singleton_dropout = singleton_dropout
        self.num_vectors = num_vectors
        self.vector_dim = vector_dim
        self.tune_vectors = tune_vectors
        self.tune_vectors_later = tune_vectors_later
        self.kept_rows = dict(kept_rows or {})
        self.seed_generator = keras.random.SeedGenerator()
        self.word_embedding = table_layer(num_words, word_dim, "word_embedding", self.kept_rows)
        self.vectors = None
        if num_vectors:
            self.vectors = PretrainedVectors(
                num_vectors, vector_dim, tune_vectors, tune_vectors_later, name="word_vectors"
            )
        self.language_states = None
        if language_states is not None:
            self.language_states = WordStates.from_config({**language_states, "name": "language_states"})
        self.chars = None
        if char_encoder != "none":
            self.chars = CharEncoder(
                num_chars, embedding_dim=CHAR_DIM, kind=char_encoder, units=CHAR_UNITS, name="chars"
            )
        self.bucket_embedding = None
        if spelling:
            # Zeros, so that an affix that training never saw has no influence.
            self.bucket_embedding = table_layer(num_buckets, BUCKET_DIM, "bucket_embedding", self.kept_rows, "zeros")
        self.spelling_projection: keras.layers.Layer | None = None
        if spelling or self.chars is not None:
            self.spelling_projection = keras.layers.Dense(SPELLING_UNITS, activation="relu", name="spelling_projection")
        self.column_embeddings = [
            table_layer(size, COLUMN_DIM, f"column_{n}", self.kept_rows) for n, size in enumerate(self.column_sizes)
        ]

    def build(self, batch_shape: dict | None = None) -> None:
        """Creates the weights, whose shapes are known from the arguments alone."""
        self.word_embedding.build((None,))
        if self.vectors is not None:
            self.vectors.build()
        if self.language_states is not None:
            self.language_states.build()
        width = 0
        if self.chars is not None:
            self.chars.build((None, None))
            width += CHAR_UNITS * (2 if self.char_encoder == "birnn" else 1)
        if self.bucket_embedding is not None:
            self.bucket_embedding.build((None, None))
            width += NUM_HASHED * BUCKET_DIM
        if self.spelling_projection is not None:
            self.spelling_projection.build((None, width))
        for embedding in self.column_embeddings:
            embedding.build((None, None))
        self.built = True

    @property
    def tables(self) -> list[keras.layers.Layer]:
        """The embeddings that grow with the vocabularies of the training data."""
        return [self.word_embedding, *filter(None, [self.bucket_embedding]), *self.column_embeddings]

    @property
    def input_shapes(self) -> dict[str, list[int | None]]:
        """The shapes of what it reads of a batch."""
        shapes: dict[str, list[int | None]] = {
            "words": [None],
            "chars": [None, None],
            "buckets": [None, NUM_HASHED],
            "word_rows": [None, None],
        }
        if self.vectors is not None:
            shapes["vectors"] = [None, None]
        if self.language_states is not None:
            shapes["symbols"] = [None, None]
        if self.column_sizes:
            shapes["columns"] = [None, None, len(self.column_sizes)]
        return shapes

    @property
    def output_units(self) -> int:
        """Width of the token vectors."""
        spelled = SPELLING_UNITS if self.spelling_projection is not None else 0
        states = self.language_states.width if self.language_states is not None else 0
        return self.word_dim + self.vector_dim + spelled + COLUMN_DIM * len(self.column_sizes) + states

    def call(self, batch: dict, training: bool = False) -> Any:
        """Vectors `(batch, time, features)` of the batch's tokens."""
        word_rows = batch["word_rows"]
        parts = [self._word_vectors(ops.take(batch["words"], word_rows, axis=0), training)]
        if self.vectors is not None:
            parts.append(ops.take(self.vectors(batch["vectors"]), word_rows, axis=0))
        if self.spelling_projection is not None:
            parts.append(ops.take(self._spelling_vectors(batch, training), word_rows, axis=0))
        for number, embedding in enumerate(self.column_embeddings):
            parts.append(embedding(batch["columns"][:, :, number]))
        if self.language_states is not None:
            parts.append(self.language_states(batch, training=training))
        return ops.concatenate(parts, axis=-1)

    def _word_vectors(self, rows: Any, training: bool) -> Any:
        if training and (self.word_dropout or self.singleton_dropout):
            rates = ops.where(rows >= self.singletons_from, self.singleton_dropout, self.word_dropout)
            noise = keras.random.uniform(ops.shape(rows), seed=self.seed_generator)
            rows = ops.where(noise < rates, UNKNOWN, rows)
        return self.word_embedding(rows)

    def _spelling_vectors(self, batch: dict, training: bool) -> Any:
        parts = []
        if self.chars is not None:
            parts.append(self.chars(batch["chars"], training=training))
        if self.bucket_embedding is not None:
            buckets = self.bucket_embedding(batch["buckets"])
            if training:
                shape = (ops.shape(buckets)[0], NUM_HASHED, 1)
                buckets = keras.random.dropout(buckets, BUCKET_DROPOUT, shape, seed=self.seed_generator)
            parts.append(ops.reshape(buckets, (-1, NUM_HASHED * BUCKET_DIM)))
        assert self.spelling_projection is not None
        return self.spelling_projection(ops.concatenate(parts, axis=-1))

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "num_words": self.num_words,
            "singletons_from": self.singletons_from,
            "num_chars": self.num_chars,
            "num_buckets": self.num_buckets,
            "column_sizes": self.column_sizes,
            "word_dim": self.word_dim,
            "char_encoder": self.char_encoder,
            "spelling": self.spelling,
            "word_dropout": self.word_dropout,
            "singleton_dropout": self.singleton_dropout,
            "num_vectors": self.num_vectors,
            "vector_dim": self.vector_dim,
            "tune_vectors": self.tune_vectors,
            "tune_vectors_later": self.tune_vectors_later,
            "kept_rows": self.kept_rows,
            "language_states": None if self.language_states is None else self.language_states.get_config(),
        }
