"""Sentences that stand on one line each: what is common to all such files, and the two simplest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from seqtag.errors import DataError, shown
from seqtag.tagging.data.columns import Reading
from seqtag.tagging.data.document_marks import document_column
from seqtag.tagging.data.layouts import Layout
from seqtag.tagging.data.one_line import PIECE, content_of, is_slashed, last_slash
from seqtag.tagging.data.weights import WEIGHT, read_weight

FurtherTags: TypeAlias = Mapping[str, Sequence[str]]


class Parsed(NamedTuple):
    """What a line says.

    Attributes:
        tokens: the tokens of its sentence.
        read_tags: gives the tag of each, or a `DataError`; None where it has none.
        rewrite: gives the line, without its end, with other tags, and with those of further columns by their names.
        layout: of the file, as far as it is known by now.
        further: other values by their names.
    """

    tokens: list[str]
    read_tags: Callable[[], list[str]] | None
    rewrite: Callable[[Sequence[str], FurtherTags], str]
    layout: Layout
    further: Mapping[str, Any] = {}


@dataclass(slots=True)
class LineSentence:
    """A sentence on one line; see `Sentence`.

    Attributes:
        tokens: its tokens.
        lines: its line and the lines around it that belong to no other sentence.
        layout: of the file.
        path: the file's name, for messages.
        parsed: what its line says.
        line_number: the 1-based number of its line.
        position: the index of its line in `lines`.
        known_tags: its tags, once they were asked for.
    """

    tokens: list[str]
    lines: list[str]
    layout: Layout
    path: str
    parsed: Parsed
    line_number: int
    position: int
    known_tags: list[str] | None = None

    @property
    def raw(self) -> str:
        """The sentence as it stands in the file."""
        return "".join(self.lines)

    @property
    def line_numbers(self) -> list[int]:
        """The 1-based number of its line, once a token."""
        return [self.line_number] * len(self.tokens)

    @property
    def has_tags(self) -> bool:
        """Whether the line has tags."""
        return self.parsed.read_tags is not None

    @property
    def lines_above(self) -> list[str]:
        """The lines before its own."""
        return self.lines[: self.position]

    @property
    def lines_below(self) -> list[str]:
        """The lines after its own."""
        return self.lines[self.position + 1 :]

    @property
    def document(self) -> str | None:
        """What the key of documents says; None where it is null or empty."""
        names = tuple(self.parsed.further)
        index = document_column(names)
        value = None if index is None else self.parsed.further[names[index]]
        return None if value is None else str(value).strip() or None

    @property
    def weight(self) -> float | None:
        """What the key `weight` says.

        Raises:
            DataError: it is no number from 0 on.
        """
        if WEIGHT not in self.parsed.further:
            return None
        try:
            return read_weight(self.parsed.further[WEIGHT])
        except DataError as error:
            raise error.at(self.path, self.line_number) from None

    @property
    def tags(self) -> list[str]:
        """The tag of each token.

        Raises:
            DataError: the line has no tags, or they are at fault. What only tags the sentence anew never asks for them.
        """
        if self.parsed.read_tags is None:
            raise DataError("expected tags, found none", self.path, self.line_number)
        if self.known_tags is None:
            self.known_tags = self.parsed.read_tags()
        return self.known_tags

    def column(self, column: str | int) -> list[str]:
        """A further value of each token.

        Raises:
            DataError: the line has none of this name.
        """
        values = self.parsed.further.get(str(column))
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise DataError(f"expected a list of texts called {shown(column)}, found none", self.path, self.line_number)
        if len(values) != len(self.tokens):
            message = f"expected {len(self.tokens)} values of {shown(column)}, found {len(values)}"
            raise DataError(message, self.path, self.line_number)
        return values

    def tags_in(self, column: str | int) -> list[str]:
        """The tag of each token in a further column of tags.

        Raises:
            DataError: the line has none of this name, or an empty one.
        """
        tags = self.column(column)
        if "" in tags:
            raise DataError(f"expected tags in {shown(column)}, found an empty one", self.path, self.line_number)
        return tags

    def with_tags(self, tags: Sequence[str], further: FurtherTags | None = None) -> str:
        """The raw text with these tags, and with those of further columns where the layout has room for them.

        Raises:
            ValueError: not one tag for each token.
            DataError: the layout has no room.
        """
        if len(tags) != len(self.tokens):
            raise ValueError(f"expected {len(self.tokens)} values, found {len(tags)}")
        line = self.lines[self.position]
        text = content_of(line)
        place = line.index(text)
        new = f"{line[:place]}{self.parsed.rewrite(tags, further or {})}{line[place + len(text) :]}"
        return "".join([*self.lines[: self.position], new, *self.lines[self.position + 1 :]])


def group_lines(parsed: Iterable[tuple[str, Parsed | None]], path: str) -> Iterator[LineSentence]:
    """Gives each sentence the lines without one that follow it, and to the first one those before it."""
    lines: list[str] = []
    current, position, above = None, 0, 0
    for line, found in parsed:
        if found is not None:
            if current is not None:
                yield LineSentence(current.tokens, lines, current.layout, path, current, above + position + 1, position)
                above += len(lines)
                lines = []
            current, position = found, len(lines)
        lines.append(line)
    if current is None:
        raise DataError(f"expected sentences, found {'none' if lines else 'an empty file'}", path)
    yield LineSentence(current.tokens, lines, current.layout, path, current, above + position + 1, position)


def contents(lines: Iterable[str], reading: Reading) -> Iterator[tuple[int, str, str]]:
    """The number of each line, the line, and what stands on it; "" for blank lines and comments."""
    for number, line in enumerate(lines, 1):
        text = content_of(line)
        is_comment = bool(reading.comments) and text.startswith(reading.comments)
        yield number, line, "" if is_comment or not text.strip(" \t") else text


def read_slashes(lines: Iterator[str], layout: Layout, reading: Reading) -> Iterator[LineSentence]:
    r"""Sentences such as ``John/NNP sleeps/VBZ``: the last slash separates, and ``\/`` is a slash of the token's own.

    If tags are not required, the first sentence says whether there are any.
    """

    def parsed() -> Iterator[tuple[str, Parsed | None]]:
        tagged = reading.tags_required
        first = True
        for number, line, text in contents(lines, reading):
            pieces = PIECE.findall(text)
            if pieces and first:
                first, tagged = False, tagged or all(map(is_slashed, pieces))
            yield line, _slashed(pieces, text, tagged, layout, reading.path, number) if pieces else None

    return group_lines(parsed(), reading.path)


def _slashed(pieces: list[str], text: str, tagged: bool, layout: Layout, path: str, line: int) -> Parsed:
    if tagged and (wrong := [piece for piece in pieces if not is_slashed(piece)]):
        raise DataError(f"expected word/TAG, found {shown(wrong[0])}", path, line)
    ends = [last_slash(piece) if tagged else len(piece) for piece in pieces]
    words = [piece[:end] for piece, end in zip(pieces, ends, strict=True)]
    tags = [_unescaped(piece[end + 1 :]) for piece, end in zip(pieces, ends, strict=True)] if tagged else None

    def rewrite(new: Sequence[str], further: FurtherTags) -> str:
        _check_room(layout, further)
        escaped = [tag.replace("/", "\\/") for tag in _without_blanks(new)]
        written = iter([f"{word}/{tag}" for word, tag in zip(words, escaped, strict=True)])
        return PIECE.sub(lambda _: next(written), text)

    return Parsed([_unescaped(word) for word in words], None if tags is None else lambda: tags, rewrite, layout)


def _without_blanks(tags: Sequence[str]) -> Sequence[str]:
    for tag in tags:
        if not PIECE.fullmatch(tag):
            raise ValueError(f"expected tags without spaces, found {shown(tag)}")
    return tags


def _unescaped(text: str) -> str:
    return text.replace("\\/", "/")


def read_parallel(lines: Iterator[str], layout: Layout, reading: Reading) -> Iterator[LineSentence]:
    """Sentences such as ``John sleeps<TAB>B-PER O``: the tokens, a TAB, and as many tags."""

    def parsed() -> Iterator[tuple[str, Parsed | None]]:
        for number, line, text in contents(lines, reading):
            yield line, _parallel(text, layout, reading, number) if text else None

    return group_lines(parsed(), reading.path)


def _parallel(text: str, layout: Layout, reading: Reading, line: int) -> Parsed:
    left, tab, right = text.partition("\t")
    tokens, tags = PIECE.findall(left), PIECE.findall(right)
    if not tokens or "\t" in right or (reading.tags_required and not tab):
        raise DataError("expected tokens, a TAB and tags", reading.path, line)
    if tab and len(tags) != len(tokens):
        raise DataError(f"expected as many tags as tokens, found {len(tags)} for {len(tokens)}", reading.path, line)

    def rewrite(new: Sequence[str], further: FurtherTags) -> str:
        _check_room(layout, further)
        return f"{left}\t{' '.join(_without_blanks(new))}"

    return Parsed(tokens, (lambda: tags) if tab else None, rewrite, layout)


def _check_room(layout: Layout, further: FurtherTags) -> None:
    """Refuses further columns of tags in lines that hold one."""
    if further:
        names = ", ".join(map(str, further))
        raise DataError(f"expected a layout with room for the columns {names}, found {layout.name}; see --format jsonl")
