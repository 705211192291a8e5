"""The temperature that tags were drawn with is found again."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.tagging.calibration import Calibration
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, load_corpus
from seqtag.tagging.evaluation.answers import judge
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.temperature import LOWEST, fit_temperature

WORDS = [f"word{n}" for n in range(30)]


@pytest.fixture(scope="module")
def model() -> TaggingModel:
    """An unfitted tagger of four labels that is sure of itself."""
    train = load_corpus([(WORDS, ["A", "B", "C", "D"] * 7 + ["A", "A"])])
    config = ModelConfig(cell="gru", head="softmax", units=4, char_encoder="none", word_dim=8)
    built = build_tagging_model(train, config, ReadingOptions(labels=True), "none")
    kernel = built.network.emission.kernel
    kernel.assign(200 * kernel)
    return built


@pytest.fixture(scope="module")
def drawn(model) -> TaggedCorpus:
    """Sentences whose tags are drawn from what the model says at the temperature 2."""
    source = np.random.default_rng(11)
    tokens = [source.choice(WORDS, 20).tolist() for _ in range(150)]
    corpus = TaggedCorpus(tokens, [[""] * 20 for _ in tokens])
    warm = model.calibrated([Calibration(2.0)]).probabilities(corpus.inputs)
    corpus.tags = [[source.choice(list("ABCD"), p=row / row.sum()) for row in table] for table in warm]
    return corpus


def test_the_temperature_is_that_which_the_tags_were_drawn_with(model, drawn):
    encoded = model.encode(drawn.inputs)
    found = fit_temperature(model, drawn, encoded)
    assert found == pytest.approx(2, rel=0.1)
    judged = judge(model.calibrated([Calibration(found)]), drawn, encoded)
    assert judged.predicted == judge(model, drawn, encoded).predicted
    report = judged.report(model)
    tags = report.tags
    assert tags.answers == 3000 and report.entities is None
    assert tags.error < 2 * tags.by_chance < tags.error_before


def test_where_all_is_right_the_temperature_falls_with_the_number_of_tokens(model, drawn):
    def found(sentences: int) -> float:
        inputs = drawn.inputs[:sentences]
        right = TaggedCorpus(drawn.tokens[:sentences], model.decode_tags(model.encode(inputs))[0])
        return fit_temperature(model, right, model.encode(inputs))

    assert LOWEST < found(100) < found(1) < 0.9


def test_without_known_tags_it_is_one(model):
    nothing = TaggedCorpus([["new"]], [["unknown"]])
    for corpus in (TaggedCorpus(), nothing):
        assert fit_temperature(model, corpus, model.encode(corpus.inputs)) == pytest.approx(1, abs=0.02)
