"""Pairs held out by a fixed rule on their sources, so that no source stands on both sides.

The rule: `seqtag.data.held_out` makes a number from 0 to 1 of the source. A source below `test_share` is of test, one
below `test_share + dev_share` of dev, any other of train. So a source stands on the same side whatever else is in the
file, in any order, on every machine; and the shares are those of distinct sources, on average.

Another text may decide in place of the source: `data.split_column`. Frames of numbers are hashed by their ids, or by
their bytes where they have none.
"""

from __future__ import annotations

from seqtag.data.held_out import position_of
from seqtag.errors import DataError
from seqtag.seq2seq.data.pairs import Pairs, content

SPLITS = ("train", "dev", "test")


def hold_out(pairs: Pairs, dev_share: float, test_share: float = 0.0) -> dict[str, Pairs]:
    """Divides pairs among `train`, `dev` and `test` by the rule above; a split whose share is 0 is left out.

    Raises:
        DataError: a split would be empty, as of very few sources.

    >>> pairs = Pairs([str(n) for n in range(1000)], ["odd", "even"] * 500)
    >>> {name: len(part) for name, part in hold_out(pairs, 0.1, 0.05).items()}
    {'train': 850, 'dev': 97, 'test': 53}
    """
    sides = [side_of(split_key(pairs, n), dev_share, test_share) for n in range(len(pairs))]
    shares = {"train": 1 - dev_share - test_share, "dev": dev_share, "test": test_share}
    parts = {
        name: pairs.subset(n for n, side in enumerate(sides) if side == name) for name in SPLITS if shares[name] > 0
    }
    for name, part in parts.items():
        if not len(part):
            found = f"{len(pairs)} pairs of which the rule that splits sources gives it none"
            raise DataError(f"expected pairs for {name}, found {found}: bring {name} data of your own", pairs.path)
    return parts


def hold_out_last(pairs: Pairs, count: int) -> dict[str, Pairs]:
    """The last pairs as `test`, the others as `train`, as some published splits are; sources may stand on both sides.

    Raises:
        DataError: no pair would be left for train.

    >>> {name: part.sources for name, part in hold_out_last(Pairs(["a", "b", "c"]), 1).items()}
    {'train': ['a', 'b'], 'test': ['c']}
    """
    rest = len(pairs) - count
    if rest < 1:
        message = f"expected more than the {count} pairs that are held out as test, found {len(pairs)}"
        raise DataError(message, pairs.path, setting="data.test_last")
    return {"train": pairs.subset(range(rest)), "test": pairs.subset(range(rest, len(pairs)))}


def split_key(pairs: Pairs, number: int) -> str | bytes:
    """What decides on which side a pair stands."""
    return content(pairs.sources[number]) if pairs.keys is None else pairs.keys[number]


def side_of(key: str | bytes, dev_share: float, test_share: float = 0.0) -> str:
    """The name of the split that a source is of.

    >>> [side_of(word, dev_share=0.5) for word in ("one", "two", "three", "four")]
    ['dev', 'train', 'dev', 'dev']
    """
    position = position_of(key)
    if position < test_share:
        return "test"
    return "dev" if position < test_share + dev_share else "train"
