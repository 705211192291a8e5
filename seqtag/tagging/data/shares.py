"""Parts of a corpus: a share to train on, and what is held out."""

from __future__ import annotations

import numpy as np

from seqtag.errors import DataError
from seqtag.tagging.data.corpus import TaggedCorpus


def share_of(corpus: TaggedCorpus, fraction: float, seed: int, whole_documents: bool = False) -> TaggedCorpus:
    """A share of the sentences, drawn by the seed, in the order of the file; one sentence at least.

    What a smaller share has, a larger one of the same seed has too. Of whole documents, the last one that is drawn may
    make the share larger.

    >>> from seqtag.tagging.data.corpus import load_corpus
    >>> corpus = load_corpus([([word], ["O"]) for word in "abcdefghi"])
    >>> [[tokens[0] for tokens in share_of(corpus, fraction, seed=1).tokens] for fraction in (0.2, 0.4)]
    [['a', 'h'], ['a', 'b', 'e', 'h']]
    """
    count = max(1, round(fraction * len(corpus)))
    if count == len(corpus):
        return corpus
    numbers = corpus.document_keys if whole_documents else range(len(corpus))
    sizes = np.bincount(numbers)
    order = np.random.default_rng(seed).permutation(len(sizes))
    drawn = order[: np.searchsorted(np.cumsum(sizes[order]), count) + 1]
    return corpus.subset(np.flatnonzero(np.isin(numbers, drawn)).tolist())


def split_off_dev(corpus: TaggedCorpus, every: int = 10) -> tuple[TaggedCorpus, TaggedCorpus]:
    """Splits off every tenth sentence as dev data, for a user who brings none.

    Where there are ten documents or more, it is every tenth document: none is in both parts.

    Raises:
        DataError: there are too few sentences for that.
    """
    if len(corpus) < every:
        raise DataError(f"expected validation_data or at least {every} sentences, found {len(corpus)} sentences")
    numbers = np.array(corpus.document_keys)
    if None in corpus.documents or numbers.max() + 1 < every:
        numbers = np.arange(len(corpus))
    is_dev = numbers % every == every - 1
    return corpus.subset(np.flatnonzero(~is_dev).tolist()), corpus.subset(np.flatnonzero(is_dev).tolist())
