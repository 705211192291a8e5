"""Thresholds that give entity types a wanted precision: an entity that is less probable is not given."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqtag.errors import ConfigError, DataWarning, did_you_mean, shown
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.tag_codec import TagCodec

if TYPE_CHECKING:
    from seqtag.tagging.data.encoding import EncodedCorpus
    from seqtag.tagging.model import TaggingModel

SETTING = "evaluation.precision"


def check_precision(wanted: Mapping[str, float], codecs: Sequence[TagCodec]) -> None:
    """Checks that all types of `evaluation.precision` are the tagger's, in any of its columns of tags.

    Raises:
        ConfigError: an unknown type, or any where tags are plain labels.
    """
    types = [name for codec in codecs if codec.scheme is not None for name in codec.symbols]
    if wanted and not types:
        raise ConfigError(f"{SETTING}: expected none for plain labels, found {shown(next(iter(wanted)))}")
    for name in wanted:
        if name not in types:
            hint = did_you_mean(name, types, "types")
            raise ConfigError(f"{SETTING}: expected types of the training file, found {shown(name)}{hint}")


def fit_thresholds(
    model: TaggingModel, dev: TaggedCorpus, encoded: EncodedCorpus, wanted: Mapping[str, float]
) -> list[dict[str, float]]:
    """For each column of tags, and each type, the lowest threshold that gives entities the wanted precision on `dev`.

    A type that no threshold brings there keeps all its entities, and a `DataWarning` says so.

    Args:
        model: a fitted model, with its temperature and without thresholds.
        dev: its dev sentences.
        encoded: the same.
        wanted: the precision of some types.
    """
    pairs = zip(model.columns, dev.columns_of_tags, strict=True)
    return [_of_column(of_column, gold, encoded, wanted) for of_column, gold in pairs]


def _of_column(
    model: TaggingModel, dev: TaggedCorpus, encoded: EncodedCorpus, wanted: Mapping[str, float]
) -> dict[str, float]:
    wanted = {name: precision for name, precision in wanted.items() if name in model.codec.symbols}
    if not wanted or model.codec.scheme is None:
        return {}
    from seqtag.tagging.evaluation.answers import judge

    judged = judge(model, dev, encoded)
    thresholds = {}
    for name, precision in wanted.items():
        of_type = judged.types == name
        probabilities, right = judged.entities.after[of_type], judged.entities.right[of_type]
        threshold = lowest_threshold(probabilities, right, precision)
        if threshold is None:
            message = f"{SETTING}: no threshold gives {shown(name)} a precision of {precision:g} on dev; all are given"
            warnings.warn(DataWarning(message, dev.path), stacklevel=2)
        else:
            thresholds[name] = threshold
    return thresholds


def lowest_threshold(probabilities: np.ndarray, right: np.ndarray, precision: float) -> float | None:
    """The lowest threshold above which answers have a precision; None where there is none.

    It lies between the last answer that is given and the next one, and is 0 where all are given.

    >>> lowest_threshold(np.array([0.9, 0.5, 0.7, 0.1]), np.array([True, False, True, True]), 0.8)
    0.6
    >>> lowest_threshold(np.array([0.9, 0.5]), np.array([False, True]), 0.8)
    """
    order = np.argsort(-probabilities, kind="stable")
    falling, following = probabilities[order], np.append(probabilities[order][1:], -1.0)
    precisions = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Answers of the same probability are given together.
    enough = np.flatnonzero((precisions >= precision) & (following < falling))
    if not len(enough):
        return None
    last = enough[-1]
    return float(max(0.0, (falling[last] + following[last]) / 2)) if last < len(order) - 1 else 0.0
