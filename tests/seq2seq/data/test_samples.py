"""The numbers in digits and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.errors import DataError
from seqtag.seq2seq.data.load import load_pairs
from seqtag.seq2seq.data.samples import HELD_OUT, SAMPLES, SPLITS, in_words, sample_pairs

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
VALUES = {name: value for value, name in enumerate(SMALL.split())}
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VALUES |= {name: 10 * tens for tens, name in enumerate(TENS, 2)}


def value_of(words):
    """A number from its words: `hundred` multiplies what stands before it, `thousand` all before it."""
    total = group = 0
    for word in words.split(" "):
        if word == "thousand":
            total, group = 1000 * group, 0
        elif word == "hundred":
            group *= 100
        else:
            group += VALUES[word]
    return total + group


@pytest.fixture(scope="module")
def samples():
    return {f"{name}/{split}": sample_pairs(f"sample:{name}/{split}") for name in SAMPLES for split in SPLITS}


def test_words_give_the_number_back_below_a_thousand_and_no_words_are_of_two_numbers():
    words = [in_words(number) for number in range(1000)]
    assert [value_of(text) for text in words] == list(range(1000))
    assert len(set(words)) == 1000


@given(st.integers(0, 999_999))
def test_words_give_the_number_back(number):
    assert value_of(in_words(number)) == number


def test_every_pair_of_every_sample_is_right(samples):
    for pairs in samples.values():
        for source, target in zip(pairs.sources, pairs.targets, strict=True):
            digits, words = (source, target) if source.isdecimal() else (target, source)
            assert value_of(words) == int(digits) < 1_000_000


def test_the_ways_are_as_the_names_say(samples):
    assert all(source.isdecimal() for source in samples["numbers_to_words/test"].sources)
    assert all(target.isdecimal() for target in samples["words_to_numbers/test"].targets)
    both, one = samples["numbers/train"], samples["numbers_to_words/train"]
    assert len(both) == 2 * len(one)
    assert set(both.sources) == set(one.sources + one.targets)


def test_ranges_of_numbers_are_held_out(samples):
    numbers = {split: set(map(int, samples[f"numbers_to_words/{split}"].sources)) for split in SPLITS}
    assert {split: len(found) for split, found in numbers.items()} == {"train": 3060, "dev": 290, "test": 290}
    for split, ranges in HELD_OUT.items():
        assert all(any(n in held for held in ranges) for n in numbers[split])
        assert not any(n in held for n in numbers["train"] for held in ranges)
        assert all(any(n in numbers[split] for n in held) for held in ranges)


def test_train_knows_every_word_that_the_others_need(samples):
    words = {split: set(" ".join(samples[f"numbers_to_words/{split}"].targets).split()) for split in SPLITS}
    assert words["dev"] | words["test"] <= words["train"]


@pytest.mark.parametrize("name", ["sample:numbers", "sample:letters/train", "sample:numbers/valid", "sample:"])
def test_unknown_names_are_told(name):
    with pytest.raises(DataError, match="expected sample:NAME/SPLIT, NAME of numbers, numbers_to_words"):
        load_pairs(name)
