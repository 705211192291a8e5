"""Texts that a model writes, and the words that it offers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from seqtag.errors import ConfigError, DataWarning
from seqtag.language_model.generation import Generation, left_padded
from seqtag.language_model.network.cache import Cache


@pytest.fixture(scope="module")
def model(random_model):
    return random_model()


def next_shares(model, text: str) -> np.ndarray:
    rows = np.concatenate([[0], model.coder.rows(text)])[None].astype(np.int32)
    return np.exp(model.networks(rows).numpy()[0, -1])


def test_greedy_takes_the_likeliest_symbol_each_time(model):
    text = "the d"
    for _ in range(6):
        shares = next_shares(model, text)
        shares[:2] = 0
        text += model.coder.names([int(shares.argmax())])[0]
    assert model.generate("the d", Generation(length=6, greedy=True)) == text
    assert model.generate("the d", Generation(length=6, top_k=1, seed=9)) == text
    assert model.generate("the d", Generation(length=6, top_p=1e-9, seed=9)) == text


def test_a_seed_gives_the_same_text_and_another_seed_another(model):
    first, again, other = (model.generate("a", Generation(length=30, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 31


def test_draws_follow_the_distribution(model):
    prompts = tf.fill([4000], "the c")
    limits = (tf.constant(1), tf.constant(1.0), tf.constant(0), tf.constant(1.0), tf.constant(5, tf.int64))
    drawn = [text.decode()[5:] for text in model.generator.texts(prompts, *limits).numpy()]
    shares = next_shares(model, "the c")
    shares[:2] = 0
    shares /= shares.sum()
    for row, symbol in enumerate(model.coder.vocabulary.symbols, 2):
        assert abs(drawn.count(symbol) / 4000 - shares[row]) < 4 * math.sqrt(shares[row] / 4000) + 1e-3


@pytest.mark.parametrize("cache", [Cache(), Cache(5, 0.4, 0.3)])
def test_prompts_of_different_lengths_go_on_as_each_alone(random_model, cache):
    model = random_model(cache=cache)
    prompts = ["the cat sat", "", "a"]
    limits = (tf.constant(7), tf.constant(0.0), tf.constant(0), tf.constant(1.0), tf.constant(1, tf.int64))
    together = [text.decode() for text in model.generator.texts(tf.constant(prompts), *limits).numpy()]
    assert together == [model.generate(prompt, Generation(length=7, greedy=True)) for prompt in prompts]


def test_a_text_ends_before_the_stop_and_at_the_end_of_a_line(model, random_model):
    whole = model.generate("a", Generation(length=40))
    stop = whole[8:10]
    assert model.generate("a", Generation(length=40, stop=stop)) == "a" + whole[1:].partition(stop)[0]
    lines = random_model(documents="lines")
    texts = [lines.generate("", Generation(length=300, seed=seed)) for seed in range(4)]
    assert min(map(len, texts)) < 300


def test_nothing_unknown_is_written_and_a_prompt_may_hold_it(model):
    with pytest.warns(DataWarning, match="prompt: found 1 symbols that training had not, such as '7'"):
        text = model.generate("7", Generation(length=50))
    assert text[0] == "7"
    assert set(text[1:]) <= set(model.coder.vocabulary.symbols)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"temperature": 0}, "expected a temperature above 0, found 0; greedy takes the likeliest symbols"),
        ({"temperature": -1.5}, r"expected a temperature above 0, found -1\.5"),
        ({"temperature": float("nan")}, "expected a temperature above 0, found nan"),
        ({"length": 0}, "expected a length of 1 at least, found 0"),
        ({"top_k": 0}, "expected 1 at least, found 0"),
        ({"top_p": 0.0}, "expected a share above 0, at most 1, found 0"),
        ({"top_p": 1.5}, r"expected a share above 0, at most 1, found 1\.5"),
        ({"stop": ""}, "expected a text to stop at, found an empty one"),
    ],
)
def test_settings_that_cannot_be_are_told(model, how, message):
    with pytest.raises(ConfigError, match=message):
        model.generate("a", Generation(**how))


def test_padding_stands_at_the_left():
    rows = tf.ragged.constant([[], [5, 6, 7]], dtype=tf.int32)
    assert left_padded(rows).numpy().tolist() == [[-1, -1, -1, -1, 0], [-1, 0, 5, 6, 7]]


def test_words_are_spelled_with_the_probability_of_their_characters(model):
    found = dict(model.complete("the ca", 32))
    in_words = model._completer._in_words
    for word in itertools.islice(found, 5):
        text, expected = "the ca", 1.0
        for character in word.removeprefix("ca"):
            expected *= next_shares(model, text)[model.coder.rows(character)[0]]
            text += character
        expected *= next_shares(model, text)[~in_words].sum()
        assert word.startswith("ca")
        assert math.isclose(found[word], expected, rel_tol=1e-3)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_words_are_offered_from_the_vocabulary(random_model):
    model = random_model(symbols="words")
    names = model.coder.vocabulary.symbols
    shares = next_shares(model, "the cat")
    offered = model.complete("the cat ", 50)
    expected = {name: shares[row] for row, name in enumerate(names, 2) if not name.startswith(("￭", "\n"))}
    assert [word for word, _ in offered] == sorted(expected, key=lambda name: -expected[name])
    assert all(math.isclose(p, expected[word], rel_tol=1e-4) for word, p in offered)
    begun = model.complete("the ca", 5)
    assert [word for word, _ in begun] == ["cat"]
    assert math.isclose(sum(p for _, p in begun), 1.0, rel_tol=1e-5)
    assert model.complete("the q", 5) == []
    with pytest.raises(ValueError, match="expected n to be 1 at least, found 0"):
        model.complete("the", 0)
