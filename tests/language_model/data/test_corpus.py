"""Documents as one row of symbols: spans, the other direction, chunks that go on, and batches."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from seqtag.data.text.vocabulary import BOUNDARY, UNKNOWN
from seqtag.language_model.data.batches import StreamBatches
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.data.corpus import Corpus, chunks
from seqtag.language_model.data.texts import Texts


def corpus_of(*documents: str, ends: bool) -> Corpus:
    return Corpus.of(Texts(list(documents), ends), TextCoder.count("characters", ["ddddcccbba" * 2]))


def test_each_document_has_its_span():
    whole = corpus_of("dc", "b", ends=False)
    assert whole.row.tolist() == [0, 2, 3, 0, 4]
    assert whole.starts.tolist() == [0, 3]
    assert whole.stops.tolist() == [2, 4]
    assert whole.targets == 3
    assert whole.inputs.tolist() == [0, 1, 3]
    lines = corpus_of("dc", "b", ends=True)
    assert lines.row.tolist() == [0, 2, 3, 0, 0, 4, 0]
    assert lines.targets == 5
    assert lines.inputs.tolist() == [0, 1, 2, 4, 5]


@pytest.mark.parametrize("ends", [True, False])
def test_backwards_is_each_document_from_its_end(ends):
    corpus = corpus_of("dcb", "b", "ad", ends=ends)
    turned = corpus.backwards()
    documents = [turned.row[a : b + 1].tolist() for a, b in zip(turned.starts, turned.stops, strict=True)]
    end = [0] if ends else []
    assert documents == [[0, 4, 3, 2, *end], [0, 4, *end], [0, 2, 5, *end]]
    np.testing.assert_array_equal(turned.backwards().row, corpus.row)


@pytest.mark.parametrize(("rows", "steps"), [(1, 7), (4, 3), (3, 100)])
def test_a_pass_reads_each_target_once_and_rows_go_on(rows, steps):
    corpus = corpus_of("dcba" * 30, "b", "ad" * 4, "dd", ends=True)
    seen = np.zeros(len(corpus.row), int)
    at = np.full(rows, -1)
    for chunk in chunks(corpus, rows, steps, seed=3):
        assert (chunk.real <= steps).all()
        assert (chunk.fresh | (chunk.start == at)).all()
        for start, real in zip(chunk.start, chunk.real, strict=True):
            seen[start + 1 : start + real + 1] += 1
        at = chunk.start + chunk.real
        if seen.sum() >= corpus.targets:
            break
    targets = np.concatenate([np.arange(a, b) + 1 for a, b in zip(corpus.starts, corpus.stops, strict=True)])
    # Rows that end early begin the next pass.
    assert seen[targets].max() <= 2
    assert (seen[targets] == 0).mean() < 0.5
    assert seen.sum() == seen[targets].sum()
    if rows == 1:
        assert (seen[targets] == 1).all()


def test_a_long_document_is_cut_elsewhere_in_each_pass():
    corpus = corpus_of("dcba" * 100, ends=False)
    starts = [tuple(chunk.start[chunk.fresh]) for chunk in islice(chunks(corpus, 4, 50, seed=1), 30)]
    assert len({start for start in starts if start}) > 2


def test_batches_go_on_from_any_step():
    coder = TextCoder.count("characters", ["ddddcccbba"])
    corpus = Corpus.of(Texts(["dcba" * 40, "dcb"]), coder)
    batches = StreamBatches(corpus, 3, 10, seed=5, singletons_from=coder.vocabulary.singletons_from)
    whole = [batch for (batch,) in islice(batches.batches(), 9)]
    later = [batch for (batch,) in islice(batches.batches(4), 5)]
    for one, other in zip(whole[4:], later, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    assert batches.items >= corpus.targets
    # What occurs once in training is sometimes unknown, the others never.
    symbols = np.concatenate([batch["symbols"].ravel() for batch in whole])
    assert coder.vocabulary.singletons_from == coder.vocabulary.index("a")
    assert {UNKNOWN, coder.vocabulary.index("a")} <= set(symbols.tolist())
    for batch in whole:
        assert (batch["targets"][:, :-1] == batch["symbols"][:, 1:]).all()
        padded = np.arange(batch["symbols"].shape[1]) > batch["lengths"][:, None]
        assert (batch["symbols"][padded] == BOUNDARY).all()


def test_an_epoch_may_be_a_part_of_the_text():
    corpus = corpus_of("dcba" * 100, ends=False)
    whole = StreamBatches(corpus, 4, 10, 1, 99)
    part = StreamBatches(corpus, 4, 10, 1, 99, epoch_symbols=100)
    assert (part.steps, part.items) == (3, 120)
    assert whole.steps >= 10
