"""Dev data held out of the training data, from each label as large a share."""

from __future__ import annotations

from collections import defaultdict

from seqtag.classification.data.examples import Examples, Source
from seqtag.data.held_out import position_of
from seqtag.errors import DataError


def hold_out(examples: Examples, share: float) -> tuple[Examples, Examples]:
    """The examples that are left for training, and those that are held out.

    Of each set of labels, those whose content `seqtag.data.held_out` gives the lowest numbers are held out: the same
    ones in any order of the file. Equal contents of a set of labels stay together. One of each set stays in training,
    so that no label is held out alone.

    Raises:
        DataError: nothing would be held out.

    >>> train, dev = hold_out(Examples([str(n) for n in range(10)], [("even",), ("odd",)] * 5), 0.2)
    >>> len(train), sorted(dev.labels)
    (8, [('even',), ('odd',)])
    """
    groups: dict[tuple, list[int]] = defaultdict(list)
    for number, labels in enumerate(examples.labels):
        groups[labels].append(number)
    held: list[int] = []
    for numbers in groups.values():
        positions = {number: position_of(content(examples.sources[number])) for number in numbers}
        count = min(round(share * len(numbers)), len(numbers) - 1)
        last = sorted(positions.values())[count - 1] if count > 0 else -1.0
        chosen = [number for number in numbers if positions[number] <= last]
        held += chosen if len(chosen) < len(numbers) else []
    if not held:
        found = f"{len(examples)} of which a share of {share:g} of each label is none"
        raise DataError(f"expected {examples.what}s for dev, found {found}: bring dev data of your own", examples.path)
    out = set(held)
    return examples.subset(n for n in range(len(examples)) if n not in out), examples.subset(sorted(held))


def content(source: Source) -> str | bytes:
    """A source as a value that can be hashed: a text as it is, the shape and the bytes of frames."""
    return source if isinstance(source, str) else b"%d:" % source.shape[-1] + source.tobytes()
