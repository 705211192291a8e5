"""Fits of tiny models on CPU seconds; `tests/contract/tasks` resumes one."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.errors import ConfigError
from seqtag.seq2seq.config import Seq2SeqConfig
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.fit import build_network, coders_of, fit_seq2seq_model
from seqtag.seq2seq.network.ensemble import GREEDY
from seqtag.training.recording import Recording

WORDS = ["ab", "ba", "abc", "cab", "bca", "acb", "aab", "c", "cc", "bacab"]
TRAIN = Pairs(WORDS * 2, [word[::-1] for word in WORDS] * 2)


def configured(evaluation=(), training=(), **model):
    settings = {"cell": "gru", "units": 8, "embedding_dim": 6, "dropout": 0.2, "max_length": 6, **model}
    fitting = {"epochs": 2, "batch_symbols": 60, "tensorboard": False, "learning_rate": 0.02, **dict(training)}
    return Seq2SeqConfig(
        task="seq2seq", seed=3, model=settings, training=fitting, evaluation={"beam": 2, **dict(evaluation)}
    )


def fitted(config, train=TRAIN, dev=None):
    return fit_seq2seq_model(train, dev or train, config, Recording(verbose=False))


OWN = {"training": {"sampling": "linear", "sampling_share": 0.5}, "recurrent_dropout": 0.1}


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    """Dropout and symbols of its own draw random numbers at every step; a member's seed is its own."""
    model, result = fitted(configured(**OWN))
    both, results = fitted(configured(ensemble_size=2, **OWN))
    [member] = model.network.members
    same, other = both.network.members
    for one, two in zip(member.variables, same.variables, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(member.scores.kernel, other.scores.kernel)
    for one, two in zip(result.history, results.history, strict=False):
        assert one["loss"] == two["loss"]
    assert len(results.history) == 4
    assert not any(one.reads_own_symbols or float(one.own_share) for one in (member, same, other))


def test_a_tiny_problem_is_learned():
    model, result = fitted(configured(training={"epochs": 40}, dropout=0.0, units=16))
    assert model.greedy_targets(Pairs(WORDS)) == [word[::-1] for word in WORDS]
    assert max(epoch["dev"] for epoch in result.history) == 1


def test_frames_are_fitted_with_a_measure_of_words():
    random = np.random.default_rng(0)
    frames = [random.normal(size=(time, 2)).astype("float32") for time in (3, 1, 5, 2)]
    train = Pairs(frames, ["it is up", "down", "it is flat", "up"])
    model, result = fitted(configured(source="frames", target="words", attention=None, training={"epochs": 1}), train)
    assert 0 <= result.history[0]["dev"] <= 1
    assert model.scale.width == 2 and model.coders.source is None
    assert model.search != GREEDY


def test_a_measure_of_words_is_for_words():
    with pytest.raises(ConfigError, match="expected a measure of"):
        fitted(configured(evaluation={"measure": "bleu"}))


def test_vocabularies_are_of_training_alone():
    train = Pairs(["a b", "a c"], ["x", "y"], [("N", "1"), ("V", "1")])
    coders = coders_of(train, configured(source="symbols", target="characters", min_count=2, copies=True))
    assert coders.source.vocabulary.symbols == ["a"]
    assert coders.target.vocabulary.symbols == []
    assert [coder.vocabulary.symbols for coder in coders.features] == [["N", "V"], ["1"]]
    assert (coders.copies, coders.source_kind) == (True, "symbols")


@pytest.mark.parametrize("attention", ["additive", "general", "scaled", "location", None])
def test_networks_of_odd_units(attention):
    config = configured(attention=attention, units=7)
    network = build_network(coders_of(TRAIN, config), None, config)
    assert (network.decoder.units, network.encoder.stack[0].forward_layer.units) == (7, 4)
