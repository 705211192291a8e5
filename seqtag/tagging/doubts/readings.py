"""Where a model reads a sentence in another way than its gold tags, and how probable it thinks both readings.

Spans are judged as wholes: entities of gold and of the model that overlap are one place, with two readings of it. Plain
labels are judged token by token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Span, spans
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.entities import regions
from seqtag.tagging.evaluation.known_tags import is_certain
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.outputs import batch_outputs

OUTSIDE = "O"


class Reading(NamedTuple):
    """One way to tag a place.

    Attributes:
        spans: the entities, or the one label, of the place.
        probability: that the sentence is tagged so in this place, whatever its other tags.
    """

    spans: tuple[Span, ...]
    probability: float

    @classmethod
    def from_list(cls, data: Sequence[Any]) -> Reading:
        """The reading that JSON has as a list."""
        spans, probability = data
        return cls(tuple(Span(*span) for span in spans), probability)

    @property
    def type(self) -> str:
        """That of the first entity; `O` without any."""
        return self.spans[0].type if self.spans else OUTSIDE


class Place(NamedTuple):
    """Tokens that gold and the model read in two ways; `end` is exclusive."""

    sentence: int
    start: int
    end: int
    gold: Reading
    model: Reading


class Judgement(NamedTuple):
    """What a model says of the gold tags of a corpus.

    Attributes:
        places: where it reads something else.
        trust: for each type of gold, and `O` in spans, the probabilities of its readings of this type.
        unjudged: how many entities or labels have a type that the model does not know.
    """

    places: list[Place]
    trust: dict[str, list[float]]
    unjudged: int

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back, also after a round trip through JSON."""
        return self._asdict()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Judgement:
        """The judgement that `to_dict` described."""
        places = [
            Place(sentence, start, end, Reading.from_list(gold), Reading.from_list(model))
            for sentence, start, end, gold, model in data["places"]
        ]
        return cls(places, data["trust"], data["unjudged"])

    @classmethod
    def of(cls, parts: Iterable[Judgement]) -> Judgement:
        """All judgements of the parts of a corpus as one."""
        whole = cls([], {}, 0)
        for places, trust, unjudged in parts:
            whole.places.extend(places)
            for type_, values in trust.items():
                whole.trust.setdefault(type_, []).extend(values)
            whole = whole._replace(unjudged=whole.unjudged + unjudged)
        return whole


class _Path(NamedTuple):
    """Tags of a sentence with the probability of each, alone and given the tag before."""

    spans: list[Span]
    alone: np.ndarray
    given: np.ndarray

    def reading(self, start: int, end: int) -> Reading:
        """This path at a place: a linear-chain CRF is a Markov chain."""
        probability = float(self.alone[start] * np.prod(self.given[start + 1 : end]))
        return Reading(tuple(span for span in self.spans if start <= span.start < end), probability)


def judge_gold(model: TaggingModel, corpus: TaggedCorpus, sentences: Sequence[int]) -> Judgement:
    """Asks a model for the probabilities of the gold tags of some sentences of a corpus, and of its own tags.

    Where gold is not known, nothing is judged.

    Args:
        model: which was not trained on these sentences.
        corpus: sentences with gold tags.
        sentences: their numbers.
    """
    part, codec = corpus.subset(sentences), model.codec
    return Judgement.of(
        _judge(codec, part.tags[n], sentences[n], gold, own) for n, gold, own in _paths(model, part, codec)
    )


def _paths(model: TaggingModel, corpus: TaggedCorpus, codec: TagCodec) -> Iterator[tuple[int, _Path, _Path]]:
    """The path of gold and the model's own, of each sentence."""
    encoded = model.encode(corpus.inputs)
    for numbers, output in batch_outputs(encoded, model.decode, codec.begins):
        lengths = encoded.lengths[numbers]
        distribution = model.tag_column.distribution(
            tf.constant(output["emissions"]), tf.constant(lengths, tf.int32), model.calibration.temperature
        )
        gold, own = _labels(codec, corpus, numbers, output["tags"].shape[1]), output["tags"]
        of_gold, of_own = (
            [table.numpy() for table in distribution.path_probabilities(tf.constant(tags))] for tags in (gold, own)
        )
        decoded = codec.decode(own)
        for row, n in enumerate(numbers):
            real = row, slice(lengths[row])
            tags = decoded[row][: lengths[row]]
            yield (
                int(n),
                _Path(_spans(corpus.tags[n], codec.scheme), *(table[real] for table in of_gold)),
                _Path(_spans(tags, codec.scheme), *(table[real] for table in of_own)),
            )


def _labels(codec: TagCodec, corpus: TaggedCorpus, numbers: np.ndarray, width: int) -> np.ndarray:
    """The labels of gold, `(batch, time)`; some label where gold has none of the model's, which nobody asks for."""
    labels = np.zeros((len(numbers), width), np.int32)
    for row, n in enumerate(numbers):
        found = np.array(codec.encode(corpus.tags[n]), np.int32)
        labels[row, : len(found)] = np.where(found < len(codec.labels), np.maximum(found, 0), 0)
    return labels


def _spans(tags: Sequence[str], scheme: str | None) -> list[Span]:
    """The entities of a sentence; of plain labels each is a span of one token."""
    if scheme is not None:
        return spans(tags, scheme)
    return [Span(tag, n, n + 1) for n, tag in enumerate(tags)]


def _judge(codec: TagCodec, tags: Sequence[str], sentence: int, gold: _Path, own: _Path) -> Judgement:
    known = set(codec.symbols)
    judged = Judgement([], {}, 0)
    for span in gold.spans:
        if span.type in known and _is_judged(codec, tags, span.start, span.end):
            judged.trust.setdefault(span.type, []).append(gold.reading(span.start, span.end).probability)
    if codec.scheme is not None:
        judged.trust[OUTSIDE] = [float(gold.alone[n]) for n, tag in enumerate(tags) if tag == OUTSIDE]
    for start, end, true, found in regions(gold.spans, own.spans):
        if true == found:
            continue
        place = Place(sentence, start, end, gold.reading(start, end), own.reading(start, end))
        if _is_judged(codec, tags, start, end) and known.issuperset(span.type for span in place.gold.spans):
            judged.places.append(place)
    unjudged = sum(span.type not in known for span in gold.spans if span.type != UNKNOWN_TAG)
    return judged._replace(unjudged=unjudged)


def _is_judged(codec: TagCodec, tags: Sequence[str], start: int, end: int) -> bool:
    """Whether gold says how to read a place."""
    return tags[start] != UNKNOWN_TAG if codec.scheme is None else is_certain(tags, start, end)
