"""Dev data held out of the training data, from each label as large a share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

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
        last = _last_held(sorted(positions.values()), share)
        held += [number for number in numbers if positions[number] <= last]
    if not held:
        found = f"{len(examples)} of which a share of {share:g} of each label is none"
        raise DataError(f"expected {examples.what}s for dev, found {found}: bring dev data of your own", examples.path)
    out = set(held)
    return examples.subset(n for n in range(len(examples)) if n not in out), examples.subset(sorted(held))


def _last_held(positions: Sequence[float], share: float) -> float:
    """The highest position, of rising ones, up to which the number that is held out is nearest to the share.

    >>> _last_held([0.1, 0.2, 0.2, 0.2, 0.9], 0.2), _last_held([0.1, 0.1], 0.2)
    (0.1, -1.0)
    """
    wanted = round(share * len(positions))
    # Equal ones go together, and the highest stay.
    ends = [0, *(n + 1 for n in range(len(positions) - 1) if positions[n] < positions[n + 1])]
    count = min(ends, key=lambda end: abs(end - wanted))
    return positions[count - 1] if count else -1.0


def content(source: Source) -> str | bytes:
    """A source as a value that can be hashed: a text as it is, the shape and the bytes of frames."""
    return source if isinstance(source, str) else b"%d:" % source.shape[-1] + source.tobytes()
