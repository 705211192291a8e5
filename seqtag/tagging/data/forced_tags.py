"""Tags that the answer to a sentence must have, as the user gives them: read and checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from seqtag.errors import DataError, shown
from seqtag.tagging.data.corpus import LONGEST
from seqtag.tagging.data.legality import legal_transitions
from seqtag.tagging.data.notation import BLANKS, Notation
from seqtag.tagging.data.python_sentences import place
from seqtag.tagging.data.schemes import tagset
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.data.tags import UNKNOWN_TAG

# What stands for a free token unless the run has a sign for tags that are not known.
FREE = "?"


class ForcedTagError(DataError):
    """A forced tag that no answer can have, and its position in the sentence."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class ForcedTags:
    """Reads the tags that a user forces on sentences.

    Args:
        codec: of the tagger.
        notation: how its training file spells tags.
        free: what stands for a token that may have any tag.

    >>> forced = ForcedTags(TagCodec("IOB2", ["PER"]))
    >>> forced(["?", "I-PER", "?"])
    ['', 'I-PER', '']
    >>> forced(["O", "I-PER"])
    Traceback (most recent call last):
    seqtag.tagging.data.forced_tags.ForcedTagError: expected forced tags in IOB2, found 'I-PER' after 'O'
    """

    def __init__(self, codec: TagCodec, notation: Notation | None = None, free: str | None = FREE) -> None:
        self._scheme = codec.scheme
        self._tags = codec.labels if codec.scheme is None else tagset(codec.symbols, codec.scheme)
        self._rows = {tag: n for n, tag in enumerate(self._tags)}
        self._legal = legal_transitions(self._tags, codec.scheme)
        self._notation = notation
        self._free = free

    def __call__(self, tags: Sequence[str | None]) -> list[str]:
        """The tags of a sentence in the usual spelling, `UNKNOWN_TAG` for a free token.

        Raises:
            ForcedTagError: a tag that the tagger does not have, one that the scheme does not allow among the others, or
                any in a sentence that is too long to be tagged as a whole.
        """
        read = [UNKNOWN_TAG if tag in (None, self._free) else self._read(str(tag)) for tag in tags]
        known = [position for position, tag in enumerate(read) if tag != UNKNOWN_TAG]
        if known and len(read) > LONGEST:
            raise ForcedTagError(f"expected {LONGEST} tokens at most with forced tags, found {len(read)}", known[0])
        for position in known:
            if read[position] not in self._rows:
                raise ForcedTagError(f"expected a tag of the tagger, found {shown(tags[position])}", position)
        self._check(read, known)
        return read

    def _read(self, tag: str) -> str:
        tag = tag.strip(BLANKS)
        return tag if self._notation is None else self._notation.read(tag)

    def _check(self, tags: Sequence[str], known: Sequence[int]) -> None:
        """Raises an error where no legal sequence has the tags."""
        start, following, end = self._legal
        reached = start
        for position, tag in enumerate(tags):
            if position:
                reached = following[reached].any(axis=0)
            if tag != UNKNOWN_TAG:
                allowed = reached[self._rows[tag]]
                reached = np.zeros_like(reached)
                reached[self._rows[tag]] = allowed
            if not reached.any():
                before = f"after {shown(tags[position - 1] or FREE)}" if position else "at the start of a sentence"
                raise ForcedTagError(f"expected forced tags in {self._scheme}, found {shown(tag)} {before}", position)
        if len(tags) and not (reached & end).any():
            found = f"found {shown(tags[known[-1]])} before the end of a sentence"
            raise ForcedTagError(f"expected forced tags in {self._scheme}, {found}", known[-1])


def forced_of_lists(
    forced: Iterable[Sequence[str | None] | None], lengths: Sequence[int], read: ForcedTags
) -> list[list[str]]:
    """What Python lists force on sentences of these lengths; an empty list where that is nothing.

    Args:
        forced: for each sentence a tag or None a token; None where all are free.
        lengths: of the sentences.
        read: reads a sentence's.

    Raises:
        DataError: lists that do not fit the sentences; see also `ForcedTags`. It names sentence and position.
    """
    given = list(forced)
    if len(given) != len(lengths):
        raise DataError(f"expected forced tags for {len(lengths)} sentences, found them for {len(given)}")
    found = []
    for number, (tags, length) in enumerate(zip(given, lengths, strict=True)):
        if tags is not None and (isinstance(tags, str) or len(tags) != length):
            raise DataError(f"expected {length} forced tags, found {shown(tags)}", place(number))
        try:
            found.append([] if tags is None else read(tags))
        except ForcedTagError as error:
            raise error.at(place(number, error.position)) from None
    return found
