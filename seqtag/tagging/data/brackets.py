"""Columns of bracketed spans, as CoNLL-2012 and OntoNotes have them: ``(PER*``, ``*``, ``*)``, ``(LOC)``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seqtag.tagging.data.schemes import spans, to_tags
from seqtag.tagging.data.tags import Scheme, Span

_CELL = re.compile(r"(?:\(([^()*\s]+))?\*?(\))?|-|_")


class BracketError(ValueError):
    """Cells that mark no spans, one after the other; `position` says which cell is wrong."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def is_bracketed(cell: str) -> bool:
    """Whether a cell opens or closes at most one span.

    >>> [is_bracketed(cell) for cell in ("(PER*", "*)", "(LOC)", "*", "-", "B-PER", "(S(NP*")]
    [True, True, True, True, True, False, False]
    """
    return _CELL.fullmatch(cell) is not None


def tags_of_brackets(cells: Sequence[str]) -> list[str]:
    """The spans of a sentence's cells as IOB2 tags.

    Raises:
        BracketError: a cell that is none, or brackets that do not close, or spans within spans.

    >>> tags_of_brackets(["(PER*", "*)", "*", "(LOC)"])
    ['B-PER', 'I-PER', 'O', 'B-LOC']
    """
    found: list[Span] = []
    kind, start = None, 0
    for position, cell in enumerate(cells):
        match = _CELL.fullmatch(cell)
        if match is None or (match[1] and kind is not None) or (match[2] and not match[1] and kind is None):
            raise BracketError("expected spans in brackets such as (PER*, one after the other", position)
        if match[1]:
            kind, start = match[1], position
        if match[2]:
            found.append(Span(str(kind), start, position + 1))
            kind = None
    if kind is not None:
        raise BracketError("expected a bracket that closes in the sentence", start)
    return to_tags(found, len(cells), Scheme.IOB2)


def brackets_of_tags(tags: Sequence[str]) -> list[str]:
    """The cells that mark the spans of tags.

    >>> brackets_of_tags(["B-PER", "I-PER", "O", "B-LOC"])
    ['(PER*', '*)', '*', '(LOC)']
    """
    cells = ["*"] * len(tags)
    for kind, start, end in spans(tags, Scheme.IOB2):
        cells[start] = f"({kind}*" if end - start > 1 else f"({kind})"
        if end - start > 1:
            cells[end - 1] = "*)"
    return cells
