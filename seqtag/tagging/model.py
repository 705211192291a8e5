"""A complete tagger: strings in, tags with probabilities out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqtag.data.frames.scale import FrameScale
from seqtag.data.text.vocabulary import Vocabulary
from seqtag.data.text.word_features import WordEncoder
from seqtag.process.forks import check_can_run
from seqtag.runs.bundle import load_bundle, save_bundle
from seqtag.tagging.calibration import Calibration
from seqtag.tagging.candidates import find_candidates
from seqtag.tagging.config import TASK
from seqtag.tagging.data.batches import Batch, allowed_labels
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, TaggerInput
from seqtag.tagging.data.documents import in_parts
from seqtag.tagging.data.encoding import EncodedCorpus, encode_corpus, encode_frames, ragged
from seqtag.tagging.data.gazetteers import Gazetteers
from seqtag.tagging.data.phrase_matcher import PhraseMatcher
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.network.compaction import compacted
from seqtag.tagging.network.ensemble import TaggerEnsemble, as_one
from seqtag.tagging.network.entity_rule import EntityRule, FoundEntities
from seqtag.tagging.network.network import TaggerNetwork
from seqtag.tagging.network.tag_column import Decoded, ScoredColumn
from seqtag.tagging.outputs import batch_outputs
from seqtag.tagging.stored_encoder import encoder_from_dict, encoder_to_dict
from seqtag.tagging.stored_sizes import stored_sizes
from seqtag.tagging.tagged_sentence import Candidate, Entity, TaggedSentence

# How many tokens are in memory at once, whatever the file's size.
CHUNK_TOKENS = 40_000
OUTPUTS = ("tags", "scores", "continuations")


class TaggingModel:
    """The network, the vocabularies that turn strings into its input, and the codec that turns its output into tags.

    Args:
        network: the fitted network, or several as one.
        codec: between indices and tags, of the first column of tags.
        encoder: encodes distinct words, or scales frames of numbers.
        column_vocabularies: one for each further column that it reads.
        options: how the files that it reads are laid out.
        calibration: the temperature of its probabilities, and which entities it gives.
        further: the codec and the calibration of each further column of tags, in the order of `options.further`.
        number: which column of tags of the network the codec is of.
        gazetteers: phrases whose places the network reads.

    Attributes:
        further: a model for each further column of tags, by the column's name. It tags this column alone.
        columns: this model and those.
    """

    def __init__(
        self,
        network: TaggerNetwork | TaggerEnsemble,
        codec: TagCodec,
        encoder: WordEncoder | FrameScale,
        column_vocabularies: Sequence[Vocabulary] = (),
        options: ReadingOptions = ReadingOptions(),
        calibration: Calibration = Calibration(),
        further: Sequence[tuple[TagCodec, Calibration]] = (),
        number: int = 0,
        gazetteers: Gazetteers | None = None,
    ) -> None:
        self.network = network
        self.codec = codec
        self.encoder = encoder
        self.column_vocabularies = list(column_vocabularies)
        self.options = options
        self.calibration = calibration
        self.entity_rule = EntityRule(codec.continues, calibration.of_labels(codec))
        self.number = number
        self.gazetteers = gazetteers or Gazetteers({})
        self.matcher = PhraseMatcher(gazetteers) if gazetteers and gazetteers.types else None
        self.further = {
            of_column.tag_name: TaggingModel(
                network,
                *(codec, encoder, column_vocabularies, of_column, calibration),
                number=number,
                gazetteers=gazetteers,
            )
            for number, (of_column, (codec, calibration)) in enumerate(zip(options.further, further, strict=True), 1)
        }
        self.columns = [self, *self.further.values()]

    @property
    def codecs(self) -> list[TagCodec]:
        """The codec of each of `columns`."""
        return [model.codec for model in self.columns]

    def encode(self, sentences: Sequence[TaggerInput]) -> EncodedCorpus:
        """The sentences as integers, with the tags that are forced on them."""
        check_can_run()
        encoded = self._encoded(sentences)
        if not any(sentence.forced for sentence in sentences):
            return encoded
        forced = [self.codec.encode(s.forced or [UNKNOWN_TAG] * len(s.tokens)) for s in sentences]
        return replace(encoded, forced=ragged(np.concatenate(forced).astype(np.int32), encoded.lengths))

    def encode_corpus(self, corpus: TaggedCorpus) -> EncodedCorpus:
        """Sentences and the indices of their tags, of all columns."""
        check_can_run()
        pairs = zip(self.columns, corpus.columns_of_tags, strict=True)
        tags = [(model.codec.encode_corpus(of_column), model.codec.label_sets) for model, of_column in pairs]
        return self._encoded(corpus.inputs, tags)

    def _encoded(
        self, sentences: Sequence[TaggerInput], tags: Sequence[tuple[list[list[int]], np.ndarray]] = ()
    ) -> EncodedCorpus:
        if isinstance(self.encoder, FrameScale):
            return encode_frames(sentences, self.encoder, tags)
        return encode_corpus(
            sentences, self.encoder, self.column_vocabularies, tags, self.matcher, self.reads_documents
        )

    @property
    def reads_frames(self) -> bool:
        """Whether it tags frames of numbers, and not tokens."""
        return isinstance(self.encoder, FrameScale)

    @property
    def reads_documents(self) -> bool:
        """Whether what it says of a sentence depends on the other sentences of its document."""
        return self.network.reads_documents

    def decode(self, batch: Batch) -> Decoded:
        """The best legal tags of a batch and its emissions; see `DecodesTags.decode`."""
        return self._decoded(batch, [self.number])[0]

    def _decoded(self, batch: Batch, numbers: Sequence[int]) -> list[Decoded]:
        """What the network decodes in some columns, of the first one among the sequences with forced tags."""
        decoded = self.network.decode(batch, numbers)
        if "forced" not in batch or 0 not in numbers:
            return decoded
        allowed = allowed_labels(batch["forced"], self.codec.label_sets)
        return [self.tag_column.within(decoded[0], allowed, batch["lengths"]), *decoded[1:]]

    @property
    def tag_column(self) -> ScoredColumn:
        """What the network has for the tags of this model."""
        return self.network.columns[self.number]

    @property
    def _numbers(self) -> list[int]:
        """Which columns of tags of the network `columns` are."""
        return [model.number for model in self.columns]

    def decode_tags(self, corpus: EncodedCorpus) -> list[list[list[str]]]:
        """The best tags alone, of each of `columns`, with all entities, whatever the thresholds."""
        tags: list[list[list[str]]] = [[[] for _ in corpus.lengths] for _ in self.columns]
        for numbers, output in batch_outputs(corpus, self._decode_columns, self.codec.begins):
            for model, of_column in zip(self.columns, tags, strict=True):
                decoded = model.codec.decode(output[_key("tags", model.number)])
                for n, row in zip(numbers, decoded, strict=True):
                    of_column[n] = row[: corpus.lengths[n]]
        return tags

    def _decode_columns(self, batch: Batch) -> dict[str, tf.Tensor]:
        decoded = self._decoded(batch, self._numbers)
        return {_key("tags", n): of_column["tags"] for n, of_column in zip(self._numbers, decoded, strict=True)}

    def tag(self, sentences: Sequence[TaggerInput], n_best: int = 0) -> list[TaggedSentence]:
        """Tags sentences, all of them in memory; a sentence without tokens has no tags.

        Args:
            sentences: any number of them.
            n_best: how many candidates each gets; where it has fewer tag sequences, as many as there are.

        Raises:
            ConfigError: see `candidates`.
        """
        if not sentences:
            return []
        corpus = self.encode(sentences)
        nothing: list[list[Candidate]] = [[]] * len(sentences)
        candidates = [model._spelt_candidates(corpus, n_best) if n_best else nothing for model in self.columns]
        tagged = [[TaggedSentence([], [], [], [])] * len(sentences) for _ in self.columns]
        for numbers, output in batch_outputs(corpus, self._tag_batch, self.codec.begins):
            lengths = corpus.lengths[numbers]
            for model, of_column, of_candidates in zip(self.columns, tagged, candidates, strict=True):
                for n, (tags, scores, entities) in zip(numbers, model._answers(output, lengths), strict=True):
                    of_column[n] = TaggedSentence(list(sentences[n].tokens), tags, scores, entities, of_candidates[n])
        first, *further = tagged
        if not further:
            return first
        names = list(self.further)
        return [replace(one, further=dict(zip(names, rest, strict=True))) for one, *rest in zip(*tagged, strict=True)]

    def tag_batch(self, batch: Batch) -> list[Decoded]:
        """What the network says of a batch for each of `columns`; see `TagColumn.tagged`."""
        decoded = self._decoded(batch, self._numbers)
        return [
            model.tag_column.tagged(of_column, batch["lengths"], model.calibration.temperature)
            for model, of_column in zip(self.columns, decoded, strict=True)
        ]

    def _tag_batch(self, batch: Batch) -> dict[str, tf.Tensor]:
        found = {
            _key(name, number): tensor
            for number, of_column in zip(self._numbers, self.tag_batch(batch), strict=True)
            for name, tensor in of_column.items()
        }
        return found if "forced" not in batch else found | {"kept": batch["forced"] >= 0}

    def _answers(
        self, output: Mapping[str, np.ndarray], lengths: np.ndarray
    ) -> Iterator[tuple[list[str], list[float], list[Entity]]]:
        """The tags of this model's column, their scores and the entities of each sentence of a batch."""
        labels, scores, continuations = (output[_key(name, self.number)] for name in OUTPUTS)
        found = self.entity_rule(labels, scores, continuations, output.get(_key("kept", self.number)))
        tags, entities = self.codec.decode(found.tags.numpy()), self.entities(found, lengths)
        for row, length in enumerate(lengths):
            yield self._written(tags[row][:length]), scores[row, :length].tolist(), entities[row]

    def _written(self, tags: list[str]) -> list[str]:
        """Tags as the training file spells them."""
        notation = self.options.notation
        return tags if notation is None else [notation.write(tag) for tag in tags]

    def n_best(self, sentences: Sequence[TaggerInput], count: int) -> list[list[Candidate]]:
        """The likeliest tag sequences of each sentence, spelt as the training file spells tags; see `candidates`."""
        return self._spelt_candidates(self.encode(sentences), count)

    def _spelt_candidates(self, corpus: EncodedCorpus, count: int) -> list[list[Candidate]]:
        return [
            [one._replace(tags=self._written(one.tags)) for one in of_sentence]
            for of_sentence in self.candidates(corpus, count)
        ]

    def candidates(self, corpus: EncodedCorpus, count: int) -> list[list[Candidate]]:
        """The likeliest tag sequences of each sentence in the usual spelling; see `find_candidates`."""
        return find_candidates(self, corpus, count)

    def tag_stream(self, sentences: Iterable[TaggerInput], n_best: int = 0) -> Iterator[TaggedSentence]:
        """Tags sentences as they come, in order, in memory that does not grow with their number; see `tag`."""
        whole = self.reads_documents
        for chunk in _chunks(in_parts(sentences) if whole else sentences, whole):
            yield from self.tag(chunk, n_best)

    def probabilities(self, sentences: Sequence[TaggerInput]) -> list[np.ndarray]:
        """The probability of each of `codec.labels` at every token, one array (time, labels) per sentence."""
        corpus = self.encode(sentences)
        result: list[np.ndarray] = [np.zeros((0, len(self.codec.labels)), np.float32)] * len(sentences)

        def marginals(batch: Batch) -> dict[str, tf.Tensor]:
            emissions = self.decode(batch)["emissions"]
            found = self.tag_column.distribution(emissions, batch["lengths"], self.calibration.temperature).marginals()
            return {"marginals": found, "tags": tf.argmax(found, axis=-1)}

        for numbers, output in batch_outputs(corpus, marginals, self.codec.begins):
            for row, n in zip(output["marginals"], numbers, strict=True):
                result[n] = row[: corpus.lengths[n]]
        return result

    def entities(self, found: FoundEntities, lengths: np.ndarray) -> list[list[Entity]]:
        """The entities of the sentences of a batch, from left to right."""
        types, goes_on = self.codec.types[found.tags.numpy()], found.goes_on.numpy()
        entities: list[list[Entity]] = [[] for _ in lengths]
        # Most sentences have no entity, which is quick to find out.
        for row in np.flatnonzero(types.any(axis=1)):
            borders = [*np.flatnonzero(~goes_on[row, : lengths[row]]).tolist(), int(lengths[row])]
            for start, end in pairwise(borders):
                if types[row, start]:
                    name = self.codec.symbols[types[row, start] - 1]
                    entities[row].append(Entity(name, start, end, float(found.probabilities[row, start])))
        return entities

    def compacted(self) -> TaggingModel:
        """The same model around a network as a file holds it; see `seqtag.tagging.network.compaction`."""
        return self._with(compacted(self.network), [model.calibration for model in self.columns])

    def calibrated(self, calibrations: Sequence[Calibration]) -> TaggingModel:
        """The same model with other calibrations, one for each of `columns`."""
        return self._with(self.network, calibrations)

    def with_members(self, networks: Sequence[TaggerNetwork]) -> TaggingModel:
        """The same model with several networks, whose scores are averaged."""
        return self._with(as_one(networks), [model.calibration for model in self.columns])

    def _with(self, network: TaggerNetwork | TaggerEnsemble, calibrations: Sequence[Calibration]) -> TaggingModel:
        first, *others = calibrations
        further = [(model.codec, other) for model, other in zip(self.further.values(), others, strict=True)]
        encoders = self.encoder, self.column_vocabularies, self.options
        return TaggingModel(network, self.codec, *encoders, first, further, self.number, self.gazetteers)

    def save(self, folder: Path) -> None:
        """Writes the bundle, without the rows of the tables that are zero; the answers stay the same bit for bit."""
        save_bundle(folder, TASK, self.compacted().network, self.to_dict())

    @classmethod
    def load(cls, run: str | os.PathLike[str]) -> TaggingModel:
        """Reads the model of a finished run.

        Raises:
            RunError: see `load_bundle`.
        """
        return load_bundle(run, TASK, cls.from_dict, stored_sizes)

    def to_dict(self) -> dict[str, Any]:
        """All but the network, as JSON can hold it."""
        return {
            "codec": self.codec.to_dict(),
            **encoder_to_dict(self.encoder),
            "columns": [vocabulary.to_dict() for vocabulary in self.column_vocabularies],
            "options": self.options.to_dict(),
            "calibration": self.calibration.to_dict(),
            "gazetteers": self.gazetteers.to_dict(),
            "further": [
                {"codec": model.codec.to_dict(), "calibration": model.calibration.to_dict()}
                for model in self.further.values()
            ],
        }

    @classmethod
    def from_dict(cls, network: TaggerNetwork | TaggerEnsemble, data: dict[str, Any]) -> TaggingModel:
        """The model that `to_dict` described, around a network."""
        return cls(
            network,
            TagCodec.from_dict(data["codec"]),
            encoder_from_dict(data),
            [Vocabulary.from_dict(column) for column in data["columns"]],
            ReadingOptions.from_dict(data["options"]),
            Calibration.from_dict(data.get("calibration")),
            [
                (TagCodec.from_dict(column["codec"]), Calibration.from_dict(column["calibration"]))
                for column in data.get("further", [])
            ],
            gazetteers=Gazetteers.from_dict(data.get("gazetteers")),
        )


def _chunks(sentences: Iterable[TaggerInput], whole_documents: bool) -> Iterator[list[TaggerInput]]:
    """Sentences that are in memory at once; those of whole documents, if they are to stay together."""
    chunk: list[TaggerInput] = []
    tokens = 0
    for sentence in sentences:
        if tokens >= CHUNK_TOKENS and not (whole_documents and sentence.document == chunk[-1].document):
            yield chunk
            chunk, tokens = [], 0
        chunk.append(sentence)
        tokens += max(1, len(sentence.tokens))
    yield chunk


def _key(name: str, number: int) -> str:
    """What an array of a column of tags is called beside those of other columns; the first one's have plain names."""
    return f"{name} of column {number}" if number else name
