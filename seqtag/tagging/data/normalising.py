"""What is done to a corpus once it is read: a look at the lengths of its sentences, and one spelling of its tags."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from seqtag.errors import DataWarning
from seqtag.tagging.data.notation import Normaliser
from seqtag.tagging.data.tags import UNKNOWN_TAG

if TYPE_CHECKING:
    from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus

# From how many sentences of one token on, and from how many tokens in a single sentence, a corpus looks misread.
FEWEST_SENTENCES = 10
LONGEST_SENTENCE = 2_000


def check_lengths(corpus: TaggedCorpus) -> None:
    """Warns of what is no text in sentences: one token in each, or all tokens in one."""
    if corpus.frames:
        return
    if len(corpus) >= FEWEST_SENTENCES and all(len(tokens) == 1 for tokens in corpus.tokens):
        _warn(corpus, f"each of the {len(corpus)} sentences is one token: what separates sentences may be read wrongly")
    if len(corpus) == 1 and len(corpus.tokens[0]) > LONGEST_SENTENCE:
        _warn(corpus, f"one sentence holds all {len(corpus.tokens[0])} tokens: what separates sentences may be missing")


def normalise_tags(corpus: TaggedCorpus, options: ReadingOptions) -> None:
    """Brings the tags into the usual spelling, and says what was changed."""
    if options.unknown_tag is not None:
        corpus.tags = [options.with_unknown(tags) for tags in corpus.tags]
    distinct = {tag for tags in corpus.tags for tag in tags} - {UNKNOWN_TAG}
    normaliser = Normaliser(distinct, options.labels, options.notation)
    corpus.tags = [normaliser(tags) for tags in corpus.tags]
    corpus.notation = normaliser.notation
    for change in normaliser.changes():
        _warn(corpus, change)


def _warn(corpus: TaggedCorpus, message: str) -> None:
    warnings.warn(DataWarning(message, corpus.path), stacklevel=4)
