"""How the sentences of a corpus are dealt out, and what the models of the folds are trained with."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

from seqtag.errors import ConfigError
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.tag_codec import TagCodec

# Each of the models needs a tenth of its sentences to choose the epoch.
FEWEST_OUTSIDE = 10


def folds_of(corpus: TaggedCorpus, count: int, seed: int, whole_documents: bool = False) -> list[list[int]]:
    """Deals the sentences out to folds; those of the same words come into one, since they may share an error.

    Args:
        corpus: the sentences.
        count: how many folds there are.
        seed: decides which fold is which.
        whole_documents: whether it is documents that are dealt out, for models that read what else is in one.

    Raises:
        ConfigError: a fold would be empty, or a model would have fewer than ten sentences.

    >>> corpus = TaggedCorpus([[word] for word in "aaaaabcdefghijklmnopqrstuvwxyz"])
    >>> one, other = folds_of(corpus, 2, seed=1)
    >>> len(one), other[:6]
    (13, [0, 1, 2, 3, 4, 6])
    """
    of_sentences: Iterable[Hashable] = corpus.document_keys if whole_documents else corpus.identities
    numbers: dict[Hashable, int] = {}
    kinds = [numbers.setdefault(one, len(numbers)) for one in of_sentences]
    fold_of = np.random.default_rng(seed).permutation(len(numbers)) % count
    folds = [[n for n, kind in enumerate(kinds) if fold_of[kind] == fold] for fold in range(count)]
    largest, smallest = max(map(len, folds)), min(map(len, folds))
    if not smallest or len(corpus) - largest < FEWEST_OUTSIDE:
        message = f"expected {FEWEST_OUTSIDE} sentences outside of each fold, found {len(corpus)} in all"
        raise ConfigError(f"--folds: {message}")
    return folds


def fold_config(config: TaggingConfig, codec: TagCodec) -> TaggingConfig:
    """The configuration of a run as the models of the folds are trained with: one seed, and the scheme of the run."""
    data = config.data.model_copy(update={"scheme": codec.scheme or "none"})
    evaluation = config.evaluation.model_copy(update={"precision": {}})
    return config.model_copy(update={"data": data, "evaluation": evaluation})
