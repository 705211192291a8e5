"""What a task gives for its page: the fields to fill in, and the blocks and files of an answer.

>>> answer = Answer([Sentence([Piece("Ann", "PER", 0.9), Piece(" slept")])], {"tagged.txt": "[Ann PER] slept"})
>>> answer.to_dict()["blocks"][0]["pieces"][0]
{'text': 'Ann', 'label': 'PER', 'score': 0.9}
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Piece(NamedTuple):
    """A part of a text, with a label and its probability, if it has one."""

    text: str
    label: str | None = None
    score: float | None = None


@dataclass(frozen=True)
class Sentence:
    """A text in pieces, of which some are coloured by their label."""

    pieces: Sequence[Piece]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of texts."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True)
class Lines:
    """Text as it stands in a file."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Fan:
    """A series and its forecast.

    Attributes:
        times: of the past, then of the forecast.
        past: the values up to now, None where one is missing.
        middle: the forecast.
        bands: from the widest on, the name of each, its lower and its upper values.
        title: the name of the series.
    """

    times: Sequence[str]
    past: Sequence[float | None]
    middle: Sequence[float]
    bands: Sequence[tuple[str, Sequence[float], Sequence[float]]]
    title: str = ""


Block = Sentence | Table | Lines | Fan
KINDS = {Sentence: "sentence", Table: "table", Lines: "lines", Fan: "fan"}


@dataclass(frozen=True)
class Answer:
    """What the page shows, and the files that it offers: their names and contents."""

    blocks: Sequence[Block]
    files: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The answer as the page reads it."""
        blocks = [{"kind": KINDS[type(block)], **asdict(block)} for block in self.blocks]
        for block in blocks:
            if block["kind"] == "sentence":
                block["pieces"] = [piece._asdict() for piece in block["pieces"]]
        return {"blocks": blocks, "files": dict(self.files)}


@dataclass(frozen=True)
class Field:
    """A text to type, to paste or to upload.

    Attributes:
        name: of the value that `Demo.answer` gets.
        label: above the field.
        most: how many characters it takes.
        example: what stands there at first.
        is_file: whether a file may be chosen too.
        is_optional: whether it may stay empty.
    """

    name: str
    label: str
    most: int
    example: str = ""
    is_file: bool = False
    is_optional: bool = False


@dataclass(frozen=True)
class Number:
    """A whole number to choose, from `least` to `most`."""

    name: str
    label: str
    value: int
    least: int
    most: int


@dataclass(frozen=True)
class Demo:
    """A page for a run.

    Attributes:
        title: of the page.
        about: a sentence about the model.
        fields: what is typed.
        numbers: what is chosen.
        labels: those that pieces may have, in the order of their colours.
        answer: called with the texts and the numbers by name; an error of seqtag becomes a line on the page.
    """

    title: str
    about: str
    fields: Sequence[Field]
    numbers: Sequence[Number]
    labels: Sequence[str]
    answer: Callable[[Mapping[str, str], Mapping[str, int]], Answer]

    def to_dict(self) -> dict[str, Any]:
        """All but the function, as the page reads it."""
        parts = {"fields": [asdict(f) for f in self.fields], "numbers": [asdict(n) for n in self.numbers]}
        return {"title": self.title, "about": self.about, "labels": list(self.labels), **parts}


class TypedFile(io.BytesIO):
    """A typed text as the readers of files take it; messages call it `input`."""

    name = "input"

    def __init__(self, text: str) -> None:
        super().__init__(text.encode())
