"""Entities in the graph against spans of the file's tags, in every scheme."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.tagging.calibration import Calibration
from seqtag.tagging.data.schemes import Scheme, legal_transitions, spans
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.network.entity_rule import EntityRule

LENGTHS = np.array([9, 1, 6, 0])


def drawn(codec: TagCodec, source: np.random.Generator) -> np.ndarray:
    """Random legal labels of a batch of sentences, 0 at padding."""
    start, moves, end = legal_transitions(codec.labels, "IOBES")
    rows = np.zeros((len(LENGTHS), LENGTHS.max()), np.int32)
    for row, length in zip(rows, LENGTHS, strict=True):
        for step in range(length):
            legal = moves[row[step - 1]] if step else start
            # From the last token but one on, what can still be closed in time.
            closed = end if step == length - 1 else moves[:, end].any(axis=1)
            row[step] = source.choice(np.flatnonzero(legal & closed))
    return rows


@pytest.mark.parametrize("scheme", list(Scheme))
def test_entities_are_the_spans_of_the_file(scheme):
    codec, source = TagCodec(scheme, ["A", "B-C"]), np.random.default_rng(7)
    rule = EntityRule(codec.continues, Calibration(1.0, {"B-C": 0.2}).of_labels(codec))
    seen = withheld = 0
    for _ in range(12):
        labels = drawn(codec, source)
        scores, continuations = source.uniform(0.3, 1, (2, *labels.shape)).astype("float32")
        found = rule(*map(tf.constant, (labels, scores, continuations)))
        goes_on, probabilities = found.goes_on.numpy(), found.probabilities.numpy()
        kept = labels.copy()
        for row, length in enumerate(LENGTHS):
            entities = spans(codec.decode(labels[row, :length]), scheme)
            assert not goes_on[row, length:].any()
            inside = {step for span in entities for step in range(span.start + 1, span.end)}
            assert set(np.flatnonzero(goes_on[row])) == inside
            for span in entities:
                wanted = scores[row, span.start] * np.prod(continuations[row, span.start + 1 : span.end])
                np.testing.assert_allclose(probabilities[row, span.start : span.end], wanted, rtol=1e-5)
                if span.type == "B-C" and wanted < 0.2:
                    kept[row, span.start : span.end] = 0
                    withheld += 1
                seen += 1
            rest = [span for span in entities if kept[row, span.start]]
            assert spans(codec.decode(kept[row, :length]), scheme) == rest
        np.testing.assert_array_equal(found.tags, kept)
    assert seen > 30 and withheld


def test_labels_without_a_scheme_are_no_entities():
    codec = TagCodec(None, ["NOUN", "VERB"])
    labels, scores = tf.constant([[1, 1, 0]]), tf.constant([[0.5, 0.25, 0.125]])
    found = EntityRule(codec.continues, Calibration().of_labels(codec))(labels, scores, scores)
    assert found.tags.numpy().tolist() == [[1, 1, 0]] and not found.goes_on.numpy().any()
    assert found.probabilities.numpy().tolist() == [[0.5, 0.25, 0.125]]
