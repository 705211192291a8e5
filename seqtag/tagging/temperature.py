"""The temperature of a fitted tagger: one number that makes its probabilities say how often it is right.

Networks that were trained by likelihood are mostly too sure of what they did not see (Guo et al. 2017). The scores of
all tag sequences are divided by a temperature `T`, which changes no decoded tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar

from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.encoding import EncodedCorpus
from seqtag.tagging.data.schemes import spans
from seqtag.tagging.data.windows import LONGEST
from seqtag.tagging.evaluation.known_tags import is_certain
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.outputs import batch_outputs

# The search goes no further.
LOWEST, HIGHEST = 0.1, 10.0
# More tokens than these tell no more of a single number; their emissions are in memory at once.
MOST_TOKENS = 100_000
# Stands for the probability 0, whose logarithm there is none of.
TINY = 1e-7


class _Part(NamedTuple):
    """What does not depend on the temperature, of a batch of dev sentences."""

    emissions: tf.Tensor  # (batch, time, labels)
    lengths: tf.Tensor  # (batch,)
    tags: tf.Tensor  # (batch, time), decoded
    gold: np.ndarray  # (batch, time), -1 where unknown and at padding
    starts: np.ndarray  # (batch, time), where a decoded entity begins
    right: np.ndarray  # (batch, time), where one begins that is also in gold


def fit_temperature(model: TaggingModel, dev: TaggedCorpus, encoded: EncodedCorpus) -> float:
    """The temperature that gives the sentences of `dev` the best score.

    The score is proper for all that a tagger reports: it is lowest in expectation where the probabilities are true. It
    is the mean over tokens of `-log p(gold tag)`, of the marginals, and for tags of a scheme also the mean over decoded
    entities of `-log p` where the entity is right and `-log (1 - p)` where it is wrong, `p` being the probability of
    just this entity. Each mean counts the same: entities are few, and most tokens are of none.

    The logarithm of the temperature has a standard normal prior, worth as much as one entity (a token of plain
    labels): where all of a small `dev` is right, any lower temperature would make it more probable.

    Args:
        model: a fitted model.
        dev: its dev sentences.
        encoded: the same.
    """
    parts = list(_parts(model, dev, encoded))
    if not parts:
        return 1.0
    found = minimize_scalar(
        lambda log_temperature: _loss(model, parts, float(np.exp(log_temperature))),
        bounds=np.log([LOWEST, HIGHEST]),
        method="bounded",
        options={"xatol": 0.01},
    )
    return float(np.exp(found.x))


def _parts(model: TaggingModel, dev: TaggedCorpus, encoded: EncodedCorpus) -> Iterator[_Part]:
    tokens = 0
    for numbers, output in batch_outputs(encoded, model.decode, model.codec.begins):
        lengths = encoded.lengths[numbers]
        tokens += lengths.sum()
        if tokens > MOST_TOKENS or lengths.max(initial=0) > LONGEST:
            break
        gold = np.full(output["tags"].shape, -1)
        starts, right = np.zeros((2, *gold.shape), bool)
        for row, n in enumerate(numbers):
            true_tags = dev.tags[n]
            gold[row, : lengths[row]] = model.codec.encode(true_tags)
            if model.codec.scheme is not None:
                true = set(spans(true_tags, model.codec.scheme))
                tags = model.codec.decode(output["tags"][row, : lengths[row]])
                for span in spans(tags, model.codec.scheme):
                    starts[row, span.start] = is_certain(true_tags, span.start, span.end)
                    right[row, span.start] = span in true
        # Where gold may be several labels, the entities alone tell.
        gold[gold >= len(model.codec.labels)] = -1
        emissions, tags = tf.constant(output["emissions"]), tf.constant(output["tags"])
        yield _Part(emissions, tf.constant(lengths, tf.int32), tags, gold, starts, right)


def _loss(model: TaggingModel, parts: list[_Part], temperature: float) -> float:
    """What `fit_temperature` minimises."""
    of_tags, of_entities = [], []
    for part in parts:
        distribution = model.tag_column.distribution(part.emissions, part.lengths, temperature)
        known = part.gold >= 0
        of_gold, _ = distribution.path_probabilities(tf.constant(np.maximum(part.gold, 0), tf.int32))
        of_tags.append(_surprise(of_gold.numpy()[known]))
        found = model.entity_rule(part.tags, *distribution.path_probabilities(part.tags))
        probabilities, right = found.probabilities.numpy()[part.starts], part.right[part.starts]
        of_entities.append(_surprise(np.where(right, probabilities, 1 - probabilities)))
    tags, entities = np.concatenate(of_tags), np.concatenate(of_entities)
    prior = np.log(temperature) ** 2 / 2 / max(1, len(entities) or len(tags))
    return _mean(tags) + _mean(entities) + float(prior)


def _surprise(probabilities: np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(probabilities, TINY))


def _mean(values: np.ndarray) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else 0.0
