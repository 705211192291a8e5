"""How tags are spelt: ``B-PER``, ``PER-B``, ``B_PER``, ``b-per``, BMES; the one place where they become one spelling.

Everything else in seqtag knows ``B-PER`` alone. Files are read into it, and answers are written as the training file
spells tags.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.errors import shown
from seqtag.tagging.data.tags import is_span_tag

# Letters of other spellings, and ours; the scheme of tags tells E from L and S from U.
_INSIDE, _SINGLE = ("I", "M"), ("S", "W")
_LETTERS = frozenset("BIESLUMW")
_SEPARATORS = ("-", "_", ":", ".", "|", "/")
# What is left out around tags. Control characters are no blanks: they belong to the tag.
BLANKS = " \t\u00a0\u3000"


@dataclass(frozen=True)
class Notation:
    """A spelling of tags.

    Args:
        suffix: whether the letter stands behind the type.
        separator: between the letter and the type.
        lower: whether letters are in lower case.
        inside: the letter inside spans, in upper case: ``I``, or ``M`` (BMES).
        single: the letter of spans of one token: ``S``, or ``W`` (BMEWO).
        outside: the tag of no span.

    >>> Notation(inside="M").read("M-PER"), Notation(suffix=True, separator="_", lower=True).write("B-PER")
    ('I-PER', 'PER_b')
    """

    suffix: bool = False
    separator: str = "-"
    lower: bool = False
    inside: str = "I"
    single: str = "S"
    outside: str = "O"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Notation | None:
        """The notation that `dataclasses.asdict` described; None for None."""
        return None if data is None else cls(**data)

    def read(self, tag: str) -> str:
        """A tag as seqtag spells it; one that is not of this notation stays as it is."""
        if tag == self.outside:
            return "O"
        found = _parts(tag, self.suffix, self.separator)
        if found is None or found[0] not in self._ours:
            return tag
        return f"{self._ours[found[0]]}-{found[1]}"

    def write(self, tag: str) -> str:
        """A tag of seqtag's in this notation; a label that is no tag of a span stays as it is."""
        if tag == "O":
            return self.outside
        if not is_span_tag(tag):
            return tag
        letter = {ours: theirs for theirs, ours in self._ours.items()}[tag[0]]
        return f"{tag[2:]}{self.separator}{letter}" if self.suffix else f"{letter}{self.separator}{tag[2:]}"

    @property
    def _ours(self) -> dict[str, str]:
        """Our letter for each letter of this notation."""
        letters = {"B": "B", self.inside: "I", "E": "E", self.single: "S", "L": "L", "U": "U"}
        return {theirs.lower() if self.lower else theirs: ours for theirs, ours in letters.items()}


def _parts(tag: str, suffix: bool, separator: str) -> tuple[str, str] | None:
    """The letter and the type of a tag; None where it does not have them in this order with this separator."""
    type_, between, letter = tag.rpartition(separator) if suffix else tag.partition(separator)[::-1]
    return (letter, type_) if between and len(letter) == 1 and type_ else None


def detect_notation(tags: Iterable[str], likely: Notation | None = None) -> Notation | None:
    """The notation in which all of these distinct tags are spelt; None for seqtag's own, and for plain labels.

    Args:
        tags: without blanks around them.
        likely: a notation that counts if all tags are of it, though they alone would show less.

    >>> detect_notation(["o", "b-per", "i-per"])
    Notation(suffix=False, separator='-', lower=True, inside='I', single='S', outside='o')
    >>> detect_notation(["O", "B-PER"]), detect_notation(["NOUN", "B"])
    (None, None)
    """
    distinct = set(tags)
    spans = distinct - {"O", "o"}
    if all(map(is_span_tag, spans)) and "o" not in distinct:
        return None
    if likely is not None and all(is_span_tag(likely.read(tag)) for tag in distinct):
        return likely
    for suffix in (False, True):
        for separator in _SEPARATORS:
            if found := _consistent([_parts(tag, suffix, separator) for tag in spans], len(spans) < len(distinct)):
                outside = "o" if "o" in distinct else "O"
                return Notation(suffix, separator, *found, outside)
    return None


def _consistent(parts: Sequence[tuple[str, str] | None], has_outside: bool) -> tuple[bool, str, str] | None:
    """Whether letters are in lower case, and those inside spans and of single tokens; None where they mark no spans."""
    letters = {part[0] for part in parts if part is not None}
    upper = {letter.upper() for letter in letters}
    lower = letters != upper
    if None in parts or not upper <= _LETTERS or (lower and letters & upper):
        return None
    if {"I", "M"} <= upper or {"S", "W"} <= upper:
        return None
    begins = "B" in upper and (has_outside or len(upper) > 1)
    if not begins and not (upper == {"I"} and has_outside):
        return None
    return lower, "M" if "M" in upper else "I", "W" if "W" in upper else "S"


class Normaliser:
    """Brings tags into one spelling, and counts what it changed.

    Args:
        tags: the tags of a file, or enough of them to show how it spells tags.
        labels: whether the tags are labels, which are spelt as they like; blanks around them go all the same.
        likely: see `detect_notation`.

    Attributes:
        notation: how the file spells tags; None for seqtag's own spelling and for labels.

    >>> normaliser = Normaliser(["O", "PER-B"])
    >>> normaliser(["PER-B", "PER-I ", "O"]), normaliser.changes()
    (['B-PER', 'I-PER', 'O'], ["tags spelt like 'PER-B' are read as 'B-PER': 2", 'blanks around tags are left out: 1'])
    """

    def __init__(self, tags: Iterable[str], labels: bool = False, likely: Notation | None = None) -> None:
        distinct = {tag.strip(BLANKS) for tag in tags}
        self.notation = None if labels else detect_notation(distinct, likely)
        self._known: dict[str, str] = {}
        self._changed: Counter[str] = Counter()

    def __call__(self, tags: Sequence[str]) -> list[str]:
        """The tags in seqtag's spelling."""
        known = self._known
        for tag in tags:
            if tag not in known:
                known[tag] = self._read(tag)
            if known[tag] is not tag:
                self._changed[tag] += 1
        return [known[tag] for tag in tags]

    def _read(self, tag: str) -> str:
        stripped = tag.strip(BLANKS)
        read = stripped if self.notation is None else self.notation.read(stripped)
        return tag if read == tag else read

    def changes(self) -> list[str]:
        """What was changed, in words with counts; nothing where nothing was."""
        spelt = {tag: n for tag, n in self._changed.items() if self._known[tag] != tag.strip(BLANKS)}
        blanks = sum(n for tag, n in self._changed.items() if tag != tag.strip(BLANKS))
        said = []
        if spelt:
            example = next((tag for tag in spelt if len(tag.strip(BLANKS)) > 1), next(iter(spelt)))
            read = f"tags spelt like {shown(example.strip(BLANKS))} are read as {shown(self._known[example])}"
            said.append(f"{read}: {sum(spelt.values())}")
        return said + ([f"blanks around tags are left out: {blanks}"] if blanks else [])
