"""The likeliest tag sequences of sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from seqtag.errors import ConfigError
from seqtag.tagging.data.encoding import EncodedCorpus
from seqtag.tagging.network.entity_rule import EntityRule
from seqtag.tagging.outputs import batch_outputs
from seqtag.tagging.tagged_sentence import Candidate

if TYPE_CHECKING:
    from seqtag.tagging.model import TaggingModel

# How many candidates a sentence may get, and how many scores of them are in memory at once.
MOST_CANDIDATES, MOST_SCORES = 1000, 1 << 22


def find_candidates(model: TaggingModel, corpus: EncodedCorpus, count: int) -> list[list[Candidate]]:
    """The likeliest tag sequences of each sentence in the usual spelling, whatever the thresholds.

    Raises:
        ConfigError: `count` is not from 1 to 1000.
    """
    if not 1 <= count <= MOST_CANDIDATES:
        raise ConfigError(f"expected from 1 to {MOST_CANDIDATES} candidates, found {count}", setting="n_best")
    candidates: list[list[Candidate]] = [[] for _ in corpus.lengths]
    labels = len(model.codec.labels)
    for numbers, output in batch_outputs(corpus, model.decode, model.codec.begins):
        # Each step of the search has a score for each pair of labels and each candidate.
        rows = max(1, MOST_SCORES // (labels * labels * count))
        for start in range(0, len(numbers), rows):
            part = slice(start, start + rows)
            lengths = corpus.lengths[numbers[part]]
            found = _search(model, output["emissions"][part], lengths, count)
            for n, of_sentence in zip(numbers[part], found, strict=True):
                candidates[n] = of_sentence
    return candidates


def _search(model: TaggingModel, emissions: np.ndarray, lengths: np.ndarray, count: int) -> list[list[Candidate]]:
    """The candidates of some sentences of a batch."""
    codec = model.codec
    distribution = model.tag_column.distribution(
        tf.constant(emissions), tf.constant(lengths, tf.int32), model.calibration.temperature
    )
    paths, of_paths = distribution.n_best(count)
    log_probabilities = of_paths.numpy().astype(float)
    rule = EntityRule(codec.continues, np.zeros(len(codec.labels)))
    merged: list[dict[tuple[str, ...], Candidate]] = [{} for _ in lengths]
    for rank in range(count):
        found = rule(paths[:, rank], *distribution.path_probabilities(paths[:, rank]))
        tags, entities = codec.decode(found.tags.numpy()), model.entities(found, lengths)
        for row in np.flatnonzero(np.isfinite(log_probabilities[:, rank])):
            names, probability = tags[row][: lengths[row]], math.exp(log_probabilities[row, rank])
            # What the model tells apart may be written alike: entities of one type that touch are one in IO.
            same = merged[row].get(tuple(names))
            if same is not None:
                merged[row][tuple(names)] = same._replace(score=same.score + probability)
            else:
                merged[row][tuple(names)] = Candidate(names, entities[row], probability)
    return [sorted(by_tags.values(), key=lambda candidate: -candidate.score) for by_tags in merged]
