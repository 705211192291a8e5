"""What a tagger answers to a corpus with tags, and how sure it is of what is right and of what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.data.text import vocabulary
from seqtag.measures.reliability import Answers, Reliability
from seqtag.tagging.data.batches import Batch
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.encoding import EncodedCorpus
from seqtag.tagging.data.schemes import Span, spans
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.calibration_report import CalibrationReport
from seqtag.tagging.evaluation.known_tags import is_certain
from seqtag.tagging.evaluation.words import KNOWN, UNKNOWN, VECTORS_ONLY
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.outputs import batch_outputs
from seqtag.tagging.tagged_sentence import Entity


class JudgedTags(NamedTuple):
    """What a tagger answers to a corpus, and what of it is right.

    Attributes:
        predicted: the tags that it gives.
        tags: every decoded tag whose gold is known.
        entities: the entities that it gives, of which gold says whether they are right.
        types: `(entities,)`, their types.
        words: of each sentence, how well the model knows its words; see `evaluate_words`.
        scores: of each sentence `(tokens,)`, the probabilities of its decoded tags.
        given: of each sentence, the entities that it gives, with their probabilities.
    """

    predicted: list[list[str]]
    tags: Answers
    entities: Answers
    types: np.ndarray
    words: list[list[int]]
    scores: list[np.ndarray]
    given: list[list[Entity]]

    def report(self, model: TaggingModel) -> CalibrationReport:
        """How well the probabilities of the model that answered are calibrated."""
        entities = None if model.codec.scheme is None else Reliability.of(self.entities)
        return CalibrationReport(model.calibration, Reliability.of(self.tags), entities)


def judge_columns(model: TaggingModel, corpus: TaggedCorpus) -> list[JudgedTags]:
    """What a tagger answers in each column of tags."""
    encoded = model.encode(corpus.inputs)
    columns = zip(model.columns, corpus.columns_of_tags, strict=True)
    return [judge(of_column, gold, encoded) for of_column, gold in columns]


def judge(model: TaggingModel, corpus: TaggedCorpus, encoded: EncodedCorpus) -> JudgedTags:
    """Tags a corpus in the model's own column of tags, and compares the answers with the tags that it has.

    Args:
        model: a fitted model.
        corpus: sentences with gold tags.
        encoded: the same.
    """
    scheme = model.codec.scheme
    predicted: list[list[str]] = [[] for _ in corpus.tokens]
    scores = [np.zeros(0)] * len(corpus)
    of_sentences: list[list[Entity]] = [[] for _ in corpus.tokens]
    tags, entities, types = [], [], []
    for numbers, output in batch_outputs(encoded, lambda batch: _at_both(model, batch), model.codec.begins):
        lengths = encoded.lengths[numbers]
        found = model.entity_rule(output["tags"], output["scores"], output["continuations"])
        before = model.entity_rule(output["tags"], output["scores_before"], output["continuations_before"])
        decoded, given = model.codec.decode(found.tags.numpy()), model.entities(found, lengths)
        for row, n in enumerate(numbers):
            real = row, slice(lengths[row])
            predicted[n], of_sentences[n] = decoded[row][: lengths[row]], given[row]
            scores[n], gold = output["scores"][real], corpus.tags[n]
            known = np.array([tag != UNKNOWN_TAG for tag in gold], bool)
            of_tags = (_are_right(model, gold, output["tags"][real]), output["scores_before"][real], scores[n])
            tags.append(Answers(*(values[known] for values in of_tags)))
            certain = [entity for entity in given[row] if is_certain(gold, entity.start, entity.end)]
            if scheme is not None and certain:
                starts = [entity.start for entity in certain]
                true = set(spans(gold, scheme))
                right = np.array([Span(*entity[:3]) in true for entity in certain])
                entities.append(Answers(right, *(part.probabilities.numpy()[row, starts] for part in (before, found))))
                types += [entity.type for entity in certain]
    answers, words = (_together(tags), _together(entities)), _knowledge(encoded)
    return JudgedTags(predicted, *answers, np.array(types, str), words, scores, of_sentences)


def _are_right(model: TaggingModel, gold: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Whether decoded labels are such as gold says, `(time,)` bool; no label is where gold has one of its own."""
    indices = np.array(model.codec.encode(gold), int)
    return model.codec.label_sets[indices, labels] & (indices >= 0)


def _knowledge(corpus: EncodedCorpus) -> list[list[int]]:
    """How well the words of each sentence are known; frames of numbers are no words."""
    if corpus.features is None or corpus.word_rows is None:
        return []
    is_known = corpus.features.words.numpy() != vocabulary.UNKNOWN
    has_vector = (corpus.features.vectors.numpy() > 0).any(axis=1)
    kinds = np.where(is_known, KNOWN, np.where(has_vector, VECTORS_ONLY, UNKNOWN))
    return corpus.word_rows.with_flat_values(kinds[corpus.word_rows.flat_values.numpy()]).to_list()


def _at_both(model: TaggingModel, batch: Batch) -> dict[str, tf.Tensor]:
    """What the network says at the temperature of the model, and at 1."""
    found = model.decode(batch)
    after, before = (
        model.tag_column.tagged(found, batch["lengths"], temperature)
        for temperature in (model.calibration.temperature, 1.0)
    )
    return after | {f"{name}_before": before[name] for name in ("scores", "continuations")}


def _together(parts: list[Answers]) -> Answers:
    nothing = Answers(np.zeros(0, bool), np.zeros(0), np.zeros(0))
    return Answers(*map(np.concatenate, zip(nothing, *parts, strict=True)))
