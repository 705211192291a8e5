"""The estimator on what users give it; `tests/contract/tasks` has what every estimator keeps to."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from seqtag import Seq2Seq
from seqtag.errors import ConfigError, DataError
from seqtag.seq2seq.config import ModelConfig

TRAINING = {"epochs": 1, "tensorboard": False}
PAIRS = [("ab", "ba"), ("b", "b"), ("aab", "baa"), ("ba", "ab")]


@pytest.fixture(scope="module")
def model(reversal_run):
    return Seq2Seq.load(reversal_run)


@pytest.fixture(scope="module")
def of_frames(unfitted):
    """An estimator of frames, of random weights."""
    return around(unfitted, [np.ones((3, 2)), np.eye(2)], ["a", "b"], source="frames")


def around(unfitted, sources, targets, features=None, data=None, **settings):
    """An estimator whose model has random weights."""
    from seqtag.seq2seq.config import DataConfig
    from seqtag.seq2seq.data.pairs import Pairs

    settings = {"cell": "gru", "units": 6, "embedding_dim": 5, "dropout": 0.0, "max_length": 3} | settings
    estimator = Seq2Seq(**settings, data=data)
    estimator.model_ = unfitted(Pairs(sources, targets, features or []), **settings)
    estimator.model_.data = DataConfig(**(data or {}))
    estimator.config_ = estimator._config()
    return estimator


def test_the_defaults_are_those_of_the_configuration():
    estimator = Seq2Seq()
    defaults = ModelConfig().model_dump()
    assert {key: getattr(estimator, key) for key in defaults} == defaults


def test_two_lists_are_fitted_and_pairs_and_a_frame_are_scored():
    sources, targets = map(list, zip(*PAIRS, strict=True))
    made = Seq2Seq(units=4, embedding_dim=3, cell="simple_rnn", attention=None, training=TRAINING, verbose=0)
    assert made.fit(sources, targets, validation_data=(sources, targets)) is made
    scores = {made.score(sources, targets), made.score(PAIRS)}
    scores.add(made.score(pd.DataFrame({"target": targets, "source": sources})))
    assert scores == {made.metrics_["dev"]["exact_match"]}
    assert len(made.history_) == 1


def test_predictions_and_candidates(model):
    best = model.predict(["ab", "", "c"])
    assert all(isinstance(target, str) for target in best) and best[1] == ""
    candidates = model.predict(["ab", "", "c"], n_best=2)
    assert [row[0] for row in candidates] == best
    assert [len(row) for row in candidates] == [2, 1, 2]
    assert model.predict(["ab"], n_best=1) == [best[:1]]
    answers = model.answer(["ab", "c"], beam=1)
    assert [answer.target for answer in answers] == model.predict(pd.DataFrame({"source": ["ab", "c"]}), beam=1)


def test_the_search_is_that_of_the_fit(model):
    loaded = model.evaluation
    assert model.model_.search.beam == loaded["beam"] == 3
    model.set_params(evaluation={"beam": 4})
    with pytest.raises(ConfigError, match="evaluation: beam: expected 3 as in the fit, found 4; fit again"):
        model.predict(["ab"])
    model.set_params(evaluation={**loaded, "show_examples": 9})
    assert isinstance(model.predict(["ab"])[0], str)
    model.set_params(evaluation=loaded)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"beam": 0}, "expected a beam of one hypothesis at least, found 0"),
        ({"beam": -1}, "expected a beam of one hypothesis at least, found -1"),
        ({"n_best": 0}, "n_best: expected from 1 to the beam's 3, found 0"),
        ({"n_best": 4}, "n_best: expected from 1 to the beam's 3, found 4"),
        ({"n_best": 2, "beam": 1}, "n_best: expected from 1 to the beam's 1, found 2"),
    ],
)
def test_searches_that_cannot_be(model, asked, line):
    with pytest.raises(ConfigError, match=re.escape(line)):
        model.predict(["ab"], **asked)


@pytest.mark.parametrize(
    ("sources", "line"),
    [
        ("ab", "expected a list of sources, found 'ab'"),
        (["ab", 3], "source 1: expected a source as a string or as numbers (time, features), found 3"),
        (["ab", None], "source 1: expected a source as a string"),
        ([], "expected sources, found none"),
        ([np.ones((3, 2))], "source 0: expected a text, found frames of 2 numbers"),
        ([("ab", "N")], "source 0: expected a source as a string"),
        (["\ud800"], "source 0: expected a source in Unicode"),
    ],
)
def test_sources_that_are_none(model, sources, line):
    with pytest.raises(DataError, match=re.escape(line)):
        model.predict(sources)


def test_frames_that_do_not_fit(of_frames):
    assert len(of_frames.predict([np.zeros((4, 2))])) == 1
    for sources, line in (
        (["ab"], "source 0: expected frames of 2 numbers, found a text"),
        ([np.ones((3, 4))], "source 0: expected frames of 2 numbers, found frames of 4 numbers"),
        ([np.ones((0, 2))], "source 0: expected a source of at least one frame, found none"),
        ([np.full((1, 2), np.nan)], "source 0: expected finite numbers, found nan in frame 0"),
    ):
        with pytest.raises(DataError, match=re.escape(line)):
            of_frames.predict(sources)


def test_sources_with_columns(unfitted):
    found = around(unfitted, ["saw", "a"], ["x", "y"], [("V",), ("N",)], {"features": ("upos",)})
    assert len(found.predict([("saw", "V"), ("", "N")])) == 2
    assert len(found.predict(pd.DataFrame({"source": ["saw"], "upos": ["V"]}))) == 1
    with pytest.raises(DataError, match="source 0: expected a source with its 1 further column in a tuple"):
        found.predict(["saw"])


@pytest.mark.parametrize(
    ("X", "y", "line"),
    [
        ([("ab", "ba"), ("b",)], None, "pair 1: expected a pair (source, target), found ('b',)"),
        ([("ab", ""), ("b", "b")], None, "pair 0: expected a target, found an empty string"),
        ([("", "a"), ("b", "b")], None, "pair 0: expected a source, found an empty string"),
        (["ab", "b"], ["ba"], "expected as many targets as sources, found 1 for 2"),
        ([], None, "expected pairs, found none"),
        ([(np.ones((3, 2)), "a"), (np.ones((2, 2)), "b")], None, "expected sources of characters, found frames"),
        (pd.DataFrame({"source": ["a"]}), None, "expected a DataFrame with a column 'target', found 'source'"),
    ],
)
def test_pairs_that_are_none(X, y, line):
    with pytest.raises(DataError, match=re.escape(line)):
        Seq2Seq(training=TRAINING).fit(X, y)


def test_arguments_that_cannot_be():
    for settings, line in (
        ({"attention": "hard"}, "attention: input should be"),
        ({"copies": True, "attention": None}, "model.copies: expected false for a model with no attention, found true"),
        ({"units": 0}, "units: input should be greater than or equal to 1, found 0"),
        ({"units": 7, "attention": "dot"}, "model.units: expected an even number for attention 'dot', found 7"),
        ({"source": "letters"}, "source: input should be"),
    ):
        with pytest.raises(ConfigError, match=re.escape(line)):
            Seq2Seq(**settings, training=TRAINING).fit(PAIRS)


def test_attention_is_drawn(model, unfitted):
    figure = model.plot_attention("abc")
    assert figure.axes
    figure = model.plot_attention("abc", target="cba")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:3] == ["c", "b", "a"]
    plain = around(unfitted, ["ab"], ["ba"], attention=None)
    with pytest.raises(ValueError, match="expected a model with attention, found one without"):
        plain.plot_attention("ab")


def test_the_score_of_words_is_bleu(unfitted):
    words = around(unfitted, ["a b", "c"], ["x y", "z"], source="words", target="words")
    assert 0 <= words.score([("a b", "x y"), ("c", "z")]) <= 1
