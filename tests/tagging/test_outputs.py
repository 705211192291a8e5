"""Sentences of any length through a network that sees few tokens at once."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.tagging import outputs
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.schemes import spans, violations
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.outputs import BATCH_TOKENS, batch_outputs


@pytest.fixture(scope="module")
def model(run_folder):
    return TaggingModel.load(run_folder)


@pytest.fixture(scope="module")
def sentence(sentences):
    """One long sentence of many."""
    return TaggerInput([token for tokens, _ in sentences * 6 for token in tokens])


def test_the_network_never_sees_more_than_a_batch(model):
    """400,000 tokens on one line need no more memory at once than 4,000."""
    corpus = model.encode([TaggerInput(["Ann"] * 30_000), TaggerInput(["Ann"] * 10)])
    seen = []

    def spy(batch):
        seen.append(batch["word_rows"].shape)
        return {"tags": batch["word_rows"]}

    found = {n: output["tags"].shape for [n], output in batch_outputs(corpus, spy, model.codec.begins)}
    assert found == {0: (1, 30_000), 1: (1, 10)}
    assert max(rows * steps for rows, steps in seen) <= BATCH_TOKENS


def test_a_long_sentence_gets_the_tags_that_it_gets_as_a_whole(model, sentence, monkeypatch):
    """All but a few of them: a network that was hardly trained remembers what stood a hundred tokens before."""
    [whole] = model.tag([sentence])
    [marginals] = model.probabilities([sentence])
    monkeypatch.setattr(outputs, "LONGEST", 1_000)
    short = TaggerInput(["Bo", "met", "Ann"])
    first, tagged, last = model.tag([short, sentence, short])
    assert first == last and first.tokens == short.tokens
    assert tagged.tokens == whole.tokens
    assert np.mean(np.array(tagged.tags) != whole.tags) < 0.01
    assert not violations(tagged.tags, "IOB2")
    assert [span[:3] for span in spans(tagged.tags, "IOB2")] == [entity[:3] for entity in tagged.entities]
    assert np.median(np.abs(np.array(tagged.scores) - whole.scores)) < 1e-2
    [found] = model.probabilities([sentence])
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-4)
    assert np.median(np.abs(found - marginals)) < 1e-2
    assert model.decode_tags(model.encode([sentence, short])) == [[tagged.tags, first.tags]]
