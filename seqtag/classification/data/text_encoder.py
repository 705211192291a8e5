"""From texts to what the network reads, and to the n-grams that score labels straight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.classification.config import ModelConfig
from seqtag.classification.data.ngrams import NgramHasher
from seqtag.data.text.tokenizer import tokenize
from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_batches import Batch, word_batch
from seqtag.data.text.word_features import WordEncoder, WordFeatures, count_characters, count_words

# How many characters are tokenised together.
CHUNK_CHARACTERS = 200_000
# About ten times as many as a corpus has affixes, so that few of them share a row.
NUM_BUCKETS = 1 << 16


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as integers.

    Attributes:
        features: `WordFeatures` of their distinct words.
        word_rows: int32 `(texts, None)` ragged, the row of each word in `features`, of the first words of a text.
        ngrams: int32 `(texts, None)` ragged, see `NgramHasher`; None where there are none.
        lengths: `(texts,)`, how many words the network reads.
    """

    features: WordFeatures
    word_rows: tf.RaggedTensor
    ngrams: tf.RaggedTensor | None
    lengths: np.ndarray

    def batch(self, numbers: tf.Tensor) -> Batch:
        """The batch of the texts with these numbers, without their n-grams; a pure graph function."""

        def features_of(words: tf.Tensor) -> WordFeatures:
            return WordFeatures(*(tf.gather(feature, words) for feature in self.features))

        return word_batch(tf.gather(self.word_rows, numbers), features_of)[0]

    def full_batch(self, numbers: tf.Tensor) -> Batch:
        """The same with `ngrams (batch, most)`, where there are any."""
        return _with_ngrams(self.batch(numbers), None if self.ngrams is None else tf.gather(self.ngrams, numbers))


class TextEncoder:
    """Turns texts into the rows of their words, and into those of their n-grams.

    Args:
        words: encodes distinct words.
        ngrams: finds n-grams; None for none.
        max_length: the network reads so many words of a text, its first ones.
    """

    unit = "words"

    def __init__(self, words: WordEncoder, ngrams: NgramHasher | None, max_length: int) -> None:
        self.words = words
        self.ngrams = ngrams
        self.max_length = max_length

    @classmethod
    def fit(cls, texts: Sequence[str], config: ModelConfig, vectors: VectorLookup | None = None) -> TextEncoder:
        """The encoder whose vocabularies come from these texts alone, but for pretrained vectors."""
        tokens = list(words_of(texts))
        words = WordEncoder(count_words(tokens, config.min_count), count_characters(tokens), NUM_BUCKETS, vectors)
        hasher = NgramHasher(config.word_ngrams, config.char_ngrams)
        return cls(words, hasher if hasher.groups else None, config.max_length)

    @property
    def trackable(self) -> list[Any]:
        """The lookup tables."""
        return self.words.trackable

    def encode(self, texts: Sequence[str]) -> EncodedTexts:
        """Texts as integers."""
        distinct: dict[bytes, int] = {}
        rows: list[np.ndarray] = []
        lengths: list[np.ndarray] = []
        ngrams: list[tf.RaggedTensor] = []
        for tokens in _tokenized(texts):
            if self.ngrams is not None:
                ngrams.append(self.ngrams(tokens))
            read = tokens[:, : self.max_length]
            words, places = tf.unique(read.flat_values)
            numbers = np.array([distinct.setdefault(word, len(distinct)) for word in words.numpy()], np.int32)
            rows.append(numbers[places.numpy()] if len(numbers) else numbers)
            lengths.append(read.row_lengths().numpy())
        features = self.words(tf.constant(list(distinct), tf.string, shape=(len(distinct),)))
        counts = np.concatenate([np.zeros(0, np.int64), *lengths])
        flat = np.concatenate([np.zeros(0, np.int32), *rows])
        word_rows = tf.RaggedTensor.from_row_lengths(flat, counts, validate=False)
        return EncodedTexts(features, word_rows, tf.concat(ngrams, axis=0) if ngrams else None, counts)

    def batch_of_texts(self, texts: tf.Tensor) -> Batch:
        """The batch of texts `(batch,)`, with their n-grams; a pure graph function."""
        tokens = tokenize(texts).tokens
        batch, _ = word_batch(tokens[:, : self.max_length], self.words)
        return _with_ngrams(batch, None if self.ngrams is None else self.ngrams(tokens))

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return {
            "words": self.words.words.to_dict(),
            "chars": self.words.chars.to_dict(),
            "num_buckets": self.words.num_buckets,
            "vectors": None if self.words.vectors is None else self.words.vectors.to_dict(),
            "ngrams": None if self.ngrams is None else self.ngrams.to_dict(),
            "max_length": self.max_length,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TextEncoder:
        """The encoder that `to_dict` described."""
        vectors = None if data["vectors"] is None else VectorLookup.from_dict(data["vectors"])
        words, chars = Vocabulary.from_dict(data["words"]), Vocabulary.from_dict(data["chars"])
        ngrams = None if data["ngrams"] is None else NgramHasher.from_dict(data["ngrams"])
        return cls(WordEncoder(words, chars, data["num_buckets"], vectors), ngrams, data["max_length"])


def words_of(texts: Sequence[str]) -> Iterator[str]:
    """The words of texts, one after the other."""
    for part in _tokenized(texts):
        for word in part.flat_values.numpy():
            yield word.decode()


def _with_ngrams(batch: Batch, ngrams: tf.RaggedTensor | None) -> Batch:
    return batch if ngrams is None else {**batch, "ngrams": ngrams.to_tensor(0)}


def _tokenized(texts: Sequence[str]) -> Iterator[tf.RaggedTensor]:
    """The tokens of texts, some texts at a time."""
    for part in _chunks(texts, len):
        yield tokenize(tf.constant(part, tf.string)).tokens


def _chunks(texts: Sequence[str], size: Callable[[str], int]) -> Iterator[list[str]]:
    part: list[str] = []
    total = 0
    for text in texts:
        part.append(text)
        total += size(text)
        if total >= CHUNK_CHARACTERS:
            yield part
            part, total = [], 0
    if part:
        yield part
