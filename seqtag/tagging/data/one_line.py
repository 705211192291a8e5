"""Single lines: what stands on one, and whether it is a sentence: JSON, words with slashes, or tokens beside tags."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from seqtag.tagging.data.layouts import LAYOUTS, Layout

BOM = "\ufeff"
PIECE = re.compile(r"[^ \t]+")


def content_of(line: str) -> str:
    """A line without byte order mark and line end."""
    return line.removeprefix(BOM).rstrip("\r\n")


def layout_of_sentence_lines(rows: Sequence[str]) -> Layout | None:
    r"""The layout of a file whose lines are sentences; None where its first lines are visibly no such lines.

    >>> layout_of_sentence_lines(["John/NNP sleeps/VBZ"]).name, layout_of_sentence_lines(["John sleeps\tB-PER O"]).name
    ('slashes', 'parallel')
    """
    if _is_json(rows):
        return LAYOUTS["jsonl"]
    pieces = [[PIECE.findall(side) for side in row.split("\t")] for row in rows]
    if all(len(sides) == 2 and len(sides[0]) == len(sides[1]) for sides in pieces):
        return LAYOUTS["parallel"] if any(len(sides[0]) > 1 for sides in pieces) else None
    if all(len(sides) == 1 and all(map(is_slashed, sides[0])) for sides in pieces):
        return LAYOUTS["slashes"] if any(len(sides[0]) > 1 for sides in pieces) else None
    return None


def _is_json(rows: Sequence[str]) -> bool:
    """Whether lines begin with a JSON object, or with a list that may hold objects."""
    first = rows[0].strip()
    if first in ("[", "{"):
        return len(rows) > 1 and rows[1].strip()[:1] in ("{", '"', "[")
    return first.startswith(("{", "[")) and loaded_json(first) is not None


def loaded_json(text: str) -> Any:
    """The object or list in a text; None where there is none, or an empty one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value else None


def last_slash(piece: str) -> int:
    """The place of the last slash that no backslash stands before; -1 where there is none."""
    end = piece.rfind("/")
    while end > 0 and piece[end - 1] == "\\":
        end = piece.rfind("/", 0, end)
    return end


def is_slashed(piece: str) -> bool:
    """Whether a piece of a line is a word, a slash and a tag."""
    return 0 < last_slash(piece) < len(piece) - 1
