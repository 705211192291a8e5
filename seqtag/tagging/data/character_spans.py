"""Spans of characters, as tools for annotation write them, and the tags of the tokens that they hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from seqtag.errors import DataError, DataWarning, shown
from seqtag.tagging.data.schemes import to_tags
from seqtag.tagging.data.tags import Scheme, Span

_STARTS = ("start", "start_offset", "start_char", "begin")
_ENDS = ("end", "end_offset", "end_char")
_LABELS = ("label", "labels", "type", "entity", "entity_group", "tag", "class")


class CharacterSpan(NamedTuple):
    """The characters ``start`` to ``end`` (exclusive) of a text, with their label."""

    start: int
    end: int
    label: str


def span_keys(span: Any) -> tuple[str, ...]:
    """The keys of start, end and label in a span that is an object; none in one that is a list.

    >>> span_keys({"id": 3, "label": "PER", "start_offset": 0, "end_offset": 5}), span_keys([0, 5, "PER"])
    (('start_offset', 'end_offset', 'label'), ())
    """
    if not isinstance(span, Mapping):
        return ()
    return tuple(next((key for key in keys if key in span), keys[0]) for keys in (_STARTS, _ENDS, _LABELS))


def read_span(span: Any, length: int) -> CharacterSpan:
    """A span of a text of `length` characters, from ``[start, end, label]`` or an object; see `span_keys`.

    Raises:
        DataError: it is neither, or is empty, or reaches beyond the text.
    """
    values = [span.get(key) for key in span_keys(span)] if isinstance(span, Mapping) else span
    if isinstance(values, list) and len(values) >= 3:
        start, end, label = values[:3]
        label = label[0] if isinstance(label, list) and len(label) == 1 else label
        if type(start) is int and type(end) is int and isinstance(label, str) and label.strip():
            if 0 <= start < end <= length:
                return CharacterSpan(start, end, label.strip())
            raise DataError(f"expected a span within the {length} characters of the text, found {shown(span)}")
    raise DataError(f"expected spans such as [0, 5, 'PER'], found {shown(span)}")


class Alignment:
    """Tags tokens by spans of characters, and counts the spans that do not begin and end where tokens do.

    A span that cuts a token is widened to the whole token, unless another span holds it. One that holds no token, or no
    more of it than another span has already, is left out. `warn` says how many there were, and where the first was.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._moved: list[int] = []
        self._left_out: list[int] = []

    def tags(self, spans: Sequence[CharacterSpan], starts: Sequence[int], ends: Sequence[int], line: int) -> list[str]:
        """IOB2 tags of tokens with these places in the text.

        Raises:
            DataError: two spans overlap.
        """
        ordered = sorted(set(spans))
        for before, after in pairwise(ordered):
            if after.start < before.end:
                message = f"expected spans that do not overlap, found {shown(list(before))} and {shown(list(after))}"
                raise DataError(message, self.path, line)
        found: list[Span] = []
        token = 0
        for span in ordered:
            while token < len(ends) and ends[token] <= span.start:
                token += 1
            first = token
            while token < len(starts) and starts[token] < span.end:
                token += 1
            if first == token:
                self._left_out.append(line)
                continue
            shared = first > 0 and ends[first - 1] > span.start  # with a span that holds the token already
            if shared or starts[first] < span.start or ends[token - 1] > span.end:
                self._moved.append(line)
            found.append(Span(span.label, first, token))
        return to_tags(found, len(starts), Scheme.IOB2)

    def warn(self) -> None:
        """Says what was moved or left out; nothing where all spans fit."""
        said = {
            "spans moved to the ends of tokens that they cut": self._moved,
            "spans left out that hold no token of their own": self._left_out,
        }
        for what, lines in said.items():
            if lines:
                message = f"{what}: {len(lines)}, first in line {lines[0]}"
                warnings.warn(DataWarning(message, self.path), stacklevel=2)
