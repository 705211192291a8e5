"""Which label sequences tags stand for that are known in part, against all sequences there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from seqtag.tagging.data.partial_labels import partial_labels
from seqtag.tagging.data.schemes import convert, violations
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.data.tags import UNKNOWN_TAG

LENGTH = 4


def sequences(labels):
    """Every legal sequence of labels, as indices."""
    for indices in itertools.product(range(len(labels)), repeat=LENGTH):
        if not violations([labels[n] for n in indices], "IOBES"):
            yield indices


@pytest.mark.parametrize("scheme", ["IOB2", "IOBES", "BILOU", "IOB1", "IO"])
def test_the_legal_sequences_within_the_sets_are_those_with_the_known_tags(scheme):
    codec = TagCodec(scheme, ["A", "B"])
    every = {
        indices: convert([codec.labels[n] for n in indices], "IOBES", scheme) for indices in sequences(codec.labels)
    }
    rng, checked = np.random.default_rng(1), 0
    for tags in {tuple(tags) for tags in every.values()}:
        for known in rng.random((2, LENGTH)) < 0.5:
            partial = [tag if is_known else UNKNOWN_TAG for tag, is_known in zip(tags, known, strict=True)]
            possible = {
                indices
                for indices, written in every.items()
                if all(tag in (UNKNOWN_TAG, other) for tag, other in zip(partial, written, strict=True))
            }
            sets = [codec.label_sets[n] if n >= 0 else np.ones(len(codec.labels), bool) for n in codec.encode(partial)]
            within = {indices for indices in every if all(s[n] for s, n in zip(sets, indices, strict=True))}
            # In IOB1, whether entities touch shows in the tag of the second one; in IO nothing shows it.
            assert within >= possible if scheme == "IOB1" else within == possible or scheme == "IO"
            assert within
            checked += len(within) < len(every)
    assert checked > 100


def test_entities_that_touch_in_io_are_read_as_one():
    assert partial_labels(["I-A", "I-A", UNKNOWN_TAG], "IO") == ["B-A", "IE-A", UNKNOWN_TAG]
    assert partial_labels([UNKNOWN_TAG, "I-A", UNKNOWN_TAG], "IOB1") == [UNKNOWN_TAG, "BIES-A", UNKNOWN_TAG]


def test_where_all_is_known_it_is_the_conversion():
    tags = ["I-A", "B-A", "O", "I-B", "B-B"]
    assert partial_labels(tags, "IOB2") == convert(tags, "IOB2", "IOBES")
