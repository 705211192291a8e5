"""The pairs that are made inside the package: whole numbers below a million in digits and in English words.

Three samples: `numbers_to_words` (304, three hundred four), `words_to_numbers`, and `numbers`, which has each number
both ways. Each has the splits `train`, `dev` and `test`, which are the same on every machine and version of Python. The
numbers of dev and test come from ranges that train has none of, such as 42,500 to 43,499: a model must put known words
together anew. Train has all other numbers below 1,000, and some of the larger ones.

>>> pairs = sample_pairs("sample:numbers_to_words/dev")
>>> len(pairs), pairs.sources[0], pairs.targets[0]
(290, '655381', 'six hundred fifty five thousand three hundred eighty one')
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial, reduce

from seqtag.errors import DataError, shown
from seqtag.seq2seq.data.pairs import Pairs

SAMPLE_PREFIX = "sample:"
SAMPLES = ("numbers", "numbers_to_words", "words_to_numbers")
HELD_OUT = {
    "dev": (range(340, 360), range(7_300, 7_800), range(42_500, 43_500), range(650_000, 660_000)),
    "test": (range(680, 700), range(3_100, 3_600), range(86_500, 87_500), range(230_000, 240_000)),
}
SPLITS = ("train", *HELD_OUT)
# How many numbers train has of four, five and six digits; dev and test of each range, where it holds so many.
LARGE, EACH = 700, 90

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SEED = 11
# The share of zeros among the digits of train's large numbers.
_ZEROS = 0.3


def is_sample(name: str) -> bool:
    """Whether a path is the name of a sample."""
    return name.startswith(SAMPLE_PREFIX)


def is_known_sample(name: str) -> bool:
    """Whether a path is the name of one of these samples; other tasks have others.

    >>> is_known_sample("sample:numbers/dev"), is_known_sample("sample:dev")
    (True, False)
    """
    return is_sample(name) and name.removeprefix(SAMPLE_PREFIX).partition("/")[0] in SAMPLES


def sample_pairs(name: str) -> Pairs:
    """The pairs of a sample and a split, such as `sample:numbers/train`.

    Raises:
        DataError: no such sample or split.
    """
    sample, _, split = name.removeprefix(SAMPLE_PREFIX).partition("/")
    if sample not in SAMPLES or split not in SPLITS:
        expected = f"sample:NAME/SPLIT, NAME of {', '.join(SAMPLES)} and SPLIT of {', '.join(SPLITS)}"
        raise DataError(f"expected {expected}, found {shown(name)}")
    pairs = []
    for number in _numbers(split):
        both = str(number), in_words(number)
        pairs += [both] if sample != "words_to_numbers" else []
        pairs += [both[::-1]] if sample != "numbers_to_words" else []
    sources, targets = map(list, zip(*pairs, strict=True))
    return Pairs(sources, targets, path=name, lines=range(1, len(pairs) + 1))


def in_words(number: int) -> str:
    """A number from 0 to 999,999 in English words.

    >>> in_words(304), in_words(18_002)
    ('three hundred four', 'eighteen thousand two')
    """
    thousands, rest = divmod(number, 1000)
    if thousands:
        return f"{in_words(thousands)} thousand{_further(rest)}"
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        return f"{_SMALL[hundreds]} hundred{_further(rest)}"
    if rest < len(_SMALL):
        return _SMALL[rest]
    return _TENS[rest // 10 - 2] + _further(rest % 10)


def _further(rest: int) -> str:
    return f" {in_words(rest)}" if rest else ""


def _numbers(split: str) -> list[int]:
    """The numbers of a split, in a fixed random order."""
    source = random.Random(f"{_SEED} {split}")
    if split == "train":
        held_out = [numbers for ranges in HELD_OUT.values() for numbers in ranges]
        found = [n for n in range(1000) if not any(n in numbers for numbers in held_out)]
        for digits in (4, 5, 6):
            found += _distinct(LARGE, partial(_of_digits, digits, source), held_out)
    else:
        ranges = HELD_OUT[split]
        found = [n for held in ranges for n in _distinct(min(EACH, len(held)), partial(_of_range, held, source))]
    return sorted(found, key=lambda _: source.random())


def _of_digits(digits: int, source: random.Random) -> int:
    """A number of so many digits, more of them 0 than by chance: where they are, words are left out."""
    further = [_of_range(range(1, 10), source) if source.random() > _ZEROS else 0 for _ in range(digits - 1)]
    return reduce(lambda number, digit: 10 * number + digit, further, _of_range(range(1, 10), source))


def _of_range(numbers: range, source: random.Random) -> int:
    return numbers[int(source.random() * len(numbers))]


def _distinct(count: int, draw: Callable[[], int], without: Sequence[range] = ()) -> list[int]:
    """Distinct numbers, none of them from some ranges."""
    found: dict[int, None] = {}
    while len(found) < count:
        number = draw()
        if not any(number in numbers for numbers in without):
            found[number] = None
    return list(found)
