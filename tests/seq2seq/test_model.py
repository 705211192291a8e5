"""Models with random weights over two letters, whose best answers brute force can find."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
import tensorflow as tf

from seqtag.errors import DataWarning
from seqtag.seq2seq.data.batches import gathered
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.model import Answer, Candidate
from seqtag.seq2seq.network.ensemble import Search

TRAIN = Pairs(["ab", "b", "aab", "ba"], ["ba", "b", "baa", "ab"])
SOURCES = ["ab", "bbab", "", "a", "abababababab", "xay"]
BOUND = 3
ALL = ["".join(word) for length in range(BOUND + 1) for word in product("ab", repeat=length)]


@pytest.fixture(scope="module")
def model(unfitted):
    """An ensemble, which shows what the mean of the members' probabilities finds."""
    return unfitted(TRAIN, members=2, max_length=BOUND)


@pytest.fixture(scope="module")
def answers(model):
    return answered(model, SOURCES, Search(beam=4, length_penalty=0.6), n_best=4)


def answered(model, sources, search=None, n_best=1, features=None):
    """Answers without the warning of those that are cut."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        pairs = Pairs(list(sources), features=features or [])
        return model.answer(pairs, search, n_best)


def log_probabilities(model, source, targets=ALL):
    return model.log_probabilities(model.symbols(Pairs([source] * len(targets), targets))).astype(float)


def test_a_wide_beam_finds_the_best_of_all_targets(model):
    """As wide as there are targets, it finds all of them in the order of brute force over the model's probabilities."""
    alpha, sources = 0.6, [source for source in SOURCES if source]
    width = len(ALL) + 2 * 2**BOUND
    found = answered(model, sources, Search(beam=width, length_penalty=alpha), n_best=width)
    for source, answer in zip(sources, found, strict=True):
        logs = dict(zip(ALL, log_probabilities(model, source), strict=True))
        ranked = sorted(logs, key=lambda target: -logs[target] / ((6 + len(target)) / 6) ** alpha)
        # The others are those that the bound has cut, which go on after their last letter.
        ended = [c for c in answer.candidates if c.score == pytest.approx(np.exp(logs[c.target]), rel=1e-4)]
        assert [candidate.target for candidate in ended] == ranked
        assert len(answer.candidates) == width
        assert answer.ended == (answer.candidates[0] in ended)


def test_greedy_answers_take_the_best_symbol_of_each_step(model):
    sources = SOURCES[:2]
    for source, answer in zip(sources, answered(model, sources, Search()), strict=True):
        target, best = "", "?"
        while best and len(target) <= BOUND:
            best = next_symbol(model, source, target)
            target += best
        assert (answer.target, answer.ended) == (target[:BOUND], not best)


def next_symbol(model, source, target):
    """The likeliest symbol after a target, but for the unknown one."""
    symbols = model.symbols(Pairs([source], [target]))
    batch = gathered(symbols, tf.constant([0]), model.coders)
    total = 0
    for member in model.network.members:
        encoded, memory, state = member.begin(batch)
        for row in [0, *batch["target"][0].numpy()[:-1]]:
            found, state = member.step(tf.constant([row], tf.int32), state, encoded, memory, None)
        total = total + np.exp(found[0])
    total[1] = 0
    return ["", "", *model.coders.target.vocabulary.symbols][int(np.argmax(total))]


def test_the_probability_of_an_ensemble_is_the_mean_at_each_symbol(model):
    symbols = model.symbols(Pairs(["ab"] * 3, ["ba", "", "bab"]))
    batch = gathered(symbols, tf.range(3), model.coders)
    each = [member(batch) for member in model.network.members]
    mean = np.log(np.mean([np.exp(one.log_probabilities) for one in each], axis=0))
    both = model.network(batch)
    np.testing.assert_allclose(both.log_probabilities, mean, rtol=1e-4)
    np.testing.assert_allclose(both.weights, (each[0].weights + each[1].weights) / 2, rtol=1e-5)
    total = [mean[row, : length + 1].sum() for row, length in enumerate((2, 0, 3))]
    np.testing.assert_allclose(model.log_probabilities(symbols), total, rtol=1e-4)


def test_answers_do_not_depend_on_the_others_nor_on_the_order(model, answers):
    how = Search(beam=4, length_penalty=0.6)
    order = [3, 5, 0, 2, 4, 1]
    mixed = answered(model, [SOURCES[n] for n in order] + ["b" * 300] * 5, how, n_best=4)
    for found, number in zip(mixed, order, strict=False):
        assert_near(found, answers[number])
    for number in (1, 2, 5):
        [alone] = answered(model, [SOURCES[number]], how, n_best=4)
        assert_near(alone, answers[number])


def assert_near(found, wanted):
    assert [c.target for c in found.candidates] == [c.target for c in wanted.candidates]
    assert (found.ended, found.by) == (wanted.ended, wanted.by)
    np.testing.assert_allclose([c.score for c in found.candidates], [c.score for c in wanted.candidates], rtol=1e-4)


def test_candidates_are_distinct_and_have_probabilities(answers):
    for source, answer in zip(SOURCES, answers, strict=True):
        texts = [candidate.target for candidate in answer.candidates]
        assert len(texts) == (4 if source else 1)
        assert all(0 <= candidate.score <= 1 for candidate in answer.candidates)
        assert sum(candidate.score for candidate in answer.candidates) <= 1 + 1e-5
        assert (answer.target, answer.score) == (answer.candidates[0].target, answer.candidates[0].score)


def test_an_empty_source_has_the_empty_target(model, answers):
    assert answers[2] == Answer([Candidate("", 1.0)])
    assert model.answer(Pairs([""])) == [Answer([Candidate("", 1.0)])]
    assert model.answer(Pairs([])) == []


def test_a_beam_wider_than_the_vocabulary_has_what_there_is(unfitted):
    model = unfitted(Pairs(["a"], ["a"]), max_length=1)
    [answer] = answered(model, ["a"], Search(beam=50), n_best=50)
    assert [*sorted(candidate.target for candidate in answer.candidates)] == ["", "a", "a"]
    assert sum(candidate.score for candidate in answer.candidates) < 1 + 1e-5


def test_symbols_that_training_did_not_have_are_all_the_same(model, answers):
    assert_near(answered(model, ["東a🙂"], Search(4, 0.6), 4)[0], answers[5])


def test_a_source_of_ten_thousand_symbols(model):
    [answer, short] = answered(model, ["ab" * 5000, "ab"])
    assert len(answer.target) <= BOUND and 0 < answer.score <= 1
    assert_near(short, answered(model, ["ab"])[0])


def test_answers_that_do_not_end_are_cut_and_counted(unfitted):
    model = unfitted(TRAIN, max_length=2)
    [member] = model.network.members
    member.scores.bias.assign([-50, 0, 9, 0])
    with pytest.warns(DataWarning) as warned:
        found = model.answer(Pairs(["ab", "", "b"], path="words.txt"))
    assert [str(one.message) for one in warned] == [
        "words.txt: cut 2 answers that were as long as their sources allow and had not ended: model.max_length"
    ]
    assert [answer.ended for answer in found] == [False, True, False]
    assert all(len(answer.target) <= 2 for answer in found)


def test_the_bound_follows_the_source_whatever_else_is_asked(unfitted):
    model = unfitted(Pairs(["a", "abb", "ba"], ["b", "aab", "a"]))
    [member] = model.network.members
    member.scores.bias.assign([-50, 0, 9, 0])
    sources = ["abba", "", "b", "ab" * 5000]
    with pytest.warns(DataWarning, match="cut 3 answers"):
        together = model.answer(Pairs(sources))
    # Sources and targets are mostly of one length, so that two symbols and five more are allowed for one.
    assert [len(answer.target) for answer in together] == [4 * 2 + 3, 0, 7, 11]
    with pytest.warns(DataWarning, match="cut 1 answers"):
        assert_near(model.answer(Pairs(["b"]))[0], together[2])


def test_targets_are_drawn_from_the_distribution_of_the_search(model):
    pairs = Pairs(["ab"] * 300 + [""])
    drawn = model.draw(pairs, seed=3)
    assert drawn == model.draw(pairs, seed=3) and drawn != model.draw(pairs, seed=4)
    assert drawn[-1] == Candidate("", 1.0)
    assert all(len(one.target) <= BOUND for one in drawn)
    batch = gathered(model.symbols(Pairs(["ab"] * 3, ["", "a", "b"])), tf.range(3), model.coders)
    first = np.exp(model.network(batch).log_probabilities[:, 0])
    # No unknown symbol is drawn: the others share its probability.
    share = np.mean([one.target == "" for one in drawn[:-1]])
    assert share == pytest.approx(first[0] / first.sum(), abs=0.12)


def test_the_unknown_symbol_is_no_answer(unfitted):
    model = unfitted(TRAIN, max_length=2)
    model.network.members[0].scores.bias.assign([0, 50, 0, 0])
    for answer in answered(model, ["ab", "b"], Search(4), n_best=4):
        assert all(set(candidate.target) <= set("ab") for candidate in answer.candidates)
        assert answer.score < 1e-10, "it has all but nothing of the probability"


def test_the_dictionary_answers_what_it_is_sure_of(unfitted):
    train = Pairs(["a", "a", "b", "ab"], ["x", "y", "z", "zz"], [("N",), ("N",), ("N",), ("V",)])
    model = unfitted(train, dictionary=True, max_length=2)
    features = [("N",), ("N",), ("V",), ("N",), ("N",)]
    found = answered(model, ["a", "b", "ab", "ab", ""], features=features)
    assert [answer.by for answer in found] == ["network", "dictionary", "dictionary", "network", "network"]
    assert [answer.target for answer in found[1:3]] == ["z", "zz"]
    assert found[1] == Answer([Candidate("z", 1.0)], "dictionary")
    assert model.greedy_targets(Pairs(["b", "ab"], features=[("N",), ("V",)])) == ["z", "zz"]


def test_features_change_answers(unfitted):
    train = Pairs(["ab", "ab"], ["a", "b"], [("N", "1"), ("V", "2")])
    model = unfitted(train, max_length=2)
    symbols = model.symbols(Pairs(["ab"] * 3, ["a"] * 3, [("N", "1"), ("V", "1"), ("unseen", "1")]))
    found = model.log_probabilities(symbols)
    assert len(set(found.round(4))) == 3


def test_a_word_that_no_vocabulary_has_is_copied(unfitted):
    train = Pairs(["my name is Ann"], ["hello Ann"])
    model = unfitted(train, source="words", target="words", copies=True, min_count=2, max_length=3)
    [member] = model.network.members
    # No word is known: whatever is generated is the end or unknown.
    assert len(model.coders.target.vocabulary) == 2
    member.gate.kernel.assign(tf.zeros_like(member.gate.kernel))
    member.gate.bias.assign([-3.0])
    found = answered(model, ["I am Zoë", "Bo"], Search(2))
    assert all(word in ["I", "am", "Zoë"] for word in found[0].target.split()) and found[0].target
    assert set(found[1].target.split()) == {"Bo"}
    # In the likelihood too: a target of the source's words is far likelier than one of other words.
    mine, other = model.log_probabilities(model.symbols(Pairs(["Bo"] * 2, ["Bo", "Ann"])))
    assert mine > other + 1


def test_frames_are_scaled_and_their_attention_is_numbered(unfitted):
    random = np.random.default_rng(0)
    sources = [(100 + 5 * random.normal(size=(time, 2))).astype("float32") for time in (5, 1, 9)]
    train = Pairs(sources, ["up", "down", "up"])
    model = unfitted(train, source="frames", max_length=4)
    higher = Pairs([source + 1000 for source in sources], train.targets)
    shifted = unfitted(higher, source="frames", max_length=4)
    found, wanted = shifted.symbols(higher).sources, model.symbols(train).sources
    np.testing.assert_allclose(found.flat_values, wanted.flat_values, atol=1e-3)
    names, symbols, weights = model.attention(sources[0], (), "up")
    assert (names, symbols) == (["0", "1", "2", "3", "4"], ["u", "p", "■"])
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_attention_of_a_target(model, unfitted):
    names, symbols, weights = model.attention("abx", (), "ba")
    assert (names, symbols) == (["a", "b", "x"], ["b", "a", "■"])
    assert weights.shape == (3, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match="expected a model with attention, found one without"):
        unfitted(TRAIN, attention=None).attention("ab", (), "ba")


def test_a_stored_model_answers_the_same(unfitted, tmp_path):
    train = Pairs(["ab", "b c"], ["ba", "c b"], [("N",), ("V",)])
    model = unfitted(train, copies=True, dictionary=True, attention="location", max_length=4)
    (tmp_path / "run").mkdir()
    model.save(tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_text("task: seq2seq\n")
    (tmp_path / "run" / "metrics.json").write_text("{}")
    loaded = type(model).load(tmp_path / "run")
    assert loaded.to_dict() == model.to_dict()
    sources, features = ["ab", "bcx", ""], [("N",), ("V",), ("N",)]
    assert answered(loaded, sources, n_best=2, features=features) == answered(
        model, sources, n_best=2, features=features
    )
