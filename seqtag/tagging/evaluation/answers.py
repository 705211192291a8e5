"""What a tagger answers to a corpus with tags, and how sure it is of what is right and of what is wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqtag.tagging.data.batches import Batch
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Span, spans
from seqtag.tagging.evaluation.reliability import Answers, CalibrationReport, Reliability
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.outputs import batch_outputs


class JudgedTags(NamedTuple):
    """Predicted tags, and the calibration of their probabilities and of those of entities."""

    tags: list[list[str]]
    calibration: CalibrationReport


def judge(model: TaggingModel, corpus: TaggedCorpus) -> JudgedTags:
    """Tags a corpus, and compares the answers with the tags that it has."""
    encoded, scheme = model.encode(corpus.inputs), model.codec.scheme
    tags: list[list[str]] = [[] for _ in corpus.tokens]
    of_tags, of_entities = [], []
    for numbers, output in batch_outputs(encoded, lambda batch: _at_both(model, batch), model.codec.begins):
        lengths = encoded.lengths[numbers]
        found = model.entity_rule(output["tags"], output["scores"], output["continuations"])
        before = model.entity_rule(output["tags"], output["scores_before"], output["continuations_before"])
        decoded, entities = model.codec.decode(found.tags.numpy()), model.entities(found, lengths)
        for row, n in enumerate(numbers):
            real = row, slice(lengths[row])
            tags[n] = decoded[row][: lengths[row]]
            right = output["tags"][real] == model.codec.encode(corpus.tags[n])
            of_tags.append(Answers(right, output["scores_before"][real], output["scores"][real]))
            if entities[row]:
                starts = [entity.start for entity in entities[row]]
                true = set() if scheme is None else set(spans(corpus.tags[n], scheme))
                right = np.array([Span(*entity[:3]) in true for entity in entities[row]])
                probabilities = (part.probabilities.numpy()[row, starts] for part in (before, found))
                of_entities.append(Answers(right, *probabilities))
    kinds = _together(of_tags), None if scheme is None else _together(of_entities)
    return JudgedTags(tags, CalibrationReport(model.calibration.temperature, *kinds))


def _at_both(model: TaggingModel, batch: Batch) -> dict[str, tf.Tensor]:
    """What the network says at the temperature of the model, and at 1."""
    found = model.network.decode(batch)
    after, before = (
        model.network.path_probabilities(found, batch["lengths"], temperature)
        for temperature in (model.calibration.temperature, 1.0)
    )
    return {
        "tags": found["tags"],
        **dict(zip(("scores", "continuations"), after, strict=True)),
        **dict(zip(("scores_before", "continuations_before"), before, strict=True)),
    }


def _together(parts: list[Answers]) -> Reliability:
    if not parts:
        nothing = np.zeros(0)
        return Reliability.of(Answers(nothing > 0, nothing, nothing))
    return Reliability.of(Answers(*map(np.concatenate, zip(*parts, strict=True))))
