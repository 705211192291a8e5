"""A complete tagger: strings in, tags with probabilities out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder
from seqtag.runs.bundle import load_bundle, save_bundle
from seqtag.tagging.data.batching import EncodedCorpus, encode_corpus, plan_batches
from seqtag.tagging.data.corpus import ReadingOptions
from seqtag.tagging.data.schemes import spans
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.network.compaction import compacted
from seqtag.tagging.network.network import TaggerNetwork

# Padded tokens of a batch while predicting, and tokens that are held at once; neither depends on the file's size.
PREDICTION_BATCH_TOKENS = 4_000
CHUNK_TOKENS = 40_000
TASK = "tagging"
OUTPUTS = ("tags", "scores", "continuations")


class Entity(NamedTuple):
    """A span of tokens, `end` exclusive, with its type and the probability of just this span."""

    type: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence and what the model says of it.

    Attributes:
        tokens: the words.
        tags: in the scheme of the training files.
        scores: the probability of each tag.
        entities: the spans of a tag scheme; empty for plain labels.
    """

    tokens: list[str]
    tags: list[str]
    scores: list[float]
    entities: list[Entity]


class Item(NamedTuple):
    """A sentence to be tagged: its tokens, and the values of the further columns that the model reads."""

    tokens: Sequence[str]
    columns: Sequence[Sequence[str]] = ()


class TaggingModel:
    """The network with the vocabularies and the codec that turn strings into its input and its output into tags.

    Args:
        network: the fitted network.
        codec: between indices and tags.
        encoder: encodes distinct words.
        column_vocabularies: one for each further column.
        options: how the files that it reads are laid out.
    """

    def __init__(
        self,
        network: TaggerNetwork,
        codec: TagCodec,
        encoder: WordEncoder,
        column_vocabularies: Sequence[Vocabulary] = (),
        options: ReadingOptions = ReadingOptions(),
    ) -> None:
        self.network = network
        self.codec = codec
        self.encoder = encoder
        self.column_vocabularies = list(column_vocabularies)
        self.options = options

    def encode(self, items: Sequence[Item], tags: Iterable[Sequence[int]] | None = None) -> EncodedCorpus:
        """The sentences as integers."""
        columns = [[item.columns[n] for item in items] for n in range(len(self.column_vocabularies))]
        return encode_corpus([item.tokens for item in items], self.encoder, columns, self.column_vocabularies, tags)

    def decode_tags(self, corpus: EncodedCorpus) -> list[list[str]]:
        """The tags alone of an encoded corpus, which is what scoring needs."""
        tags: list[list[str]] = [[] for _ in corpus.lengths]
        for sentences in plan_batches(corpus.lengths, PREDICTION_BATCH_TOKENS):
            indices = self.network.decode(corpus.batch(sentences)).numpy()
            for row, sentence in enumerate(sentences):
                tags[sentence] = self.codec.decode(indices[row, : corpus.lengths[sentence]])
        return tags

    def tag(self, items: Sequence[Item]) -> list[TaggedSentence]:
        """Tags sentences, all of them in memory; a sentence without tokens has no tags."""
        if not items:
            return []
        corpus = self.encode(items)
        tagged: list[TaggedSentence] = [TaggedSentence([], [], [], [])] * len(items)
        for sentences in plan_batches(corpus.lengths, PREDICTION_BATCH_TOKENS):
            output = {name: value.numpy() for name, value in self.network.tag(corpus.batch(sentences)).items()}
            for row, sentence in enumerate(sentences):
                length = corpus.lengths[sentence]
                tagged[sentence] = self._tagged(items[sentence], *(output[name][row, :length] for name in OUTPUTS))
        return tagged

    def tag_stream(self, items: Iterable[Item]) -> Iterator[TaggedSentence]:
        """Tags sentences as they come, in order, in memory that does not grow with their number."""
        chunk: list[Item] = []
        tokens = 0
        for item in items:
            chunk.append(item)
            tokens += max(1, len(item.tokens))
            if tokens >= CHUNK_TOKENS:
                yield from self.tag(chunk)
                chunk, tokens = [], 0
        yield from self.tag(chunk)

    def probabilities(self, items: Sequence[Item]) -> list[np.ndarray]:
        """The probability of each of `codec.labels` at every token, one array (time, labels) a sentence."""
        corpus = self.encode(items)
        result: list[np.ndarray] = [np.zeros((0, len(self.codec.labels)), np.float32)] * len(items)
        for sentences in plan_batches(corpus.lengths, PREDICTION_BATCH_TOKENS):
            marginals = self.network.marginals(corpus.batch(sentences)).numpy()
            for row, sentence in enumerate(sentences):
                result[sentence] = marginals[row, : corpus.lengths[sentence]]
        return result

    def _tagged(self, item: Item, indices: np.ndarray, scores: np.ndarray, continuations: np.ndarray) -> TaggedSentence:
        tags = self.codec.decode(indices)
        entities = []
        # Sentences without entities are the most, and cheap to tell.
        if self.codec.scheme is not None and self.codec.types[indices].any():
            entities = [
                Entity(span.type, span.start, span.end, _span_score(scores, continuations, span.start, span.end))
                for span in spans(tags, self.codec.scheme)
            ]
        return TaggedSentence(list(item.tokens), tags, scores.tolist(), entities)

    def compacted(self) -> TaggingModel:
        """The same model around a network fit for a file; see `seqtag.tagging.network.compaction`."""
        return TaggingModel(compacted(self.network), self.codec, self.encoder, self.column_vocabularies, self.options)

    def save(self, folder: Path) -> None:
        """Writes the bundle, without the rows of the tables that are zero; the answers stay the same bit for bit."""
        save_bundle(folder, TASK, self.compacted().network, self.to_dict())

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> TaggingModel:
        """Reads the model of a finished run.

        Raises:
            RunError: see `load_bundle`.
        """
        return load_bundle(run, TASK, cls.from_dict)

    def to_dict(self) -> dict[str, Any]:
        """All but the network, as JSON can hold it."""
        return {
            "codec": self.codec.to_dict(),
            "words": self.encoder.words.to_dict(),
            "chars": self.encoder.chars.to_dict(),
            "num_buckets": self.encoder.num_buckets,
            "columns": [vocabulary.to_dict() for vocabulary in self.column_vocabularies],
            "options": self.options.to_dict(),
        }

    @classmethod
    def from_dict(cls, network: TaggerNetwork, data: dict[str, Any]) -> TaggingModel:
        """The model that `to_dict` described, around a network."""
        words, chars = Vocabulary.from_dict(data["words"]), Vocabulary.from_dict(data["chars"])
        return cls(
            network,
            TagCodec.from_dict(data["codec"]),
            WordEncoder(words, chars, data["num_buckets"]),
            [Vocabulary.from_dict(column) for column in data["columns"]],
            ReadingOptions.from_dict(data["options"]),
        )


def _span_score(scores: np.ndarray, continuations: np.ndarray, start: int, end: int) -> float:
    return float(scores[start] * np.prod(continuations[start + 1 : end]))
