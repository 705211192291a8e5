"""Sentences as JSON lines: tokens and tags, or texts and spans of characters, as tools and data sets have them.

The text of a line is split by the tokeniser of `seqtag predict --text`, unless the line says where its tokens are. A
line whose ``answer`` is ``reject`` or ``ignore`` (Prodigy), and one without any token, is kept but not tagged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

from seqtag.errors import DataError, shown
from seqtag.process.quiet_tensorflow import import_tensorflow
from seqtag.tagging.data.character_spans import Alignment, read_span, span_keys
from seqtag.tagging.data.columns import Reading
from seqtag.tagging.data.layouts import Layout
from seqtag.tagging.data.line_sentences import FurtherTags, LineSentence, Parsed, contents, group_lines
from seqtag.tagging.data.one_line import loaded_json as loaded
from seqtag.tagging.data.schemes import spans as spans_of
from seqtag.tagging.data.tags import Scheme, Span, is_span_tag

_TOKENS = ("tokens", "words")
_TEXTS = ("text", "sentence", "content")
_TAGS = ("tags", "ner_tags", "ner", "labels", "label", "pos_tags", "upos")
_SPANS = ("entities", "spans", "label", "labels", "annotations")
# How many characters of texts are tokenised together.
_CHUNK_CHARACTERS = 200_000


class _Record(NamedTuple):
    """A line with an object on it: its number, the line, what stands on it, and the values."""

    number: int
    line: str
    text: str
    values: dict[str, Any]


def read_json_lines(lines: Iterator[str], layout: Layout, reading: Reading) -> Iterator[LineSentence]:
    """The sentences of JSON lines.

    Raises:
        DataError: see `SentenceReader`; a line is no object, lacks tokens or tags, or has spans that overlap or reach
            beyond the text.
    """
    alignment = Alignment(reading.path)
    yield from group_lines(_parsed(lines, layout, reading, alignment), reading.path)
    alignment.warn()


def _parsed(
    lines: Iterator[str], layout: Layout, reading: Reading, alignment: Alignment
) -> Iterator[tuple[str, Parsed | None]]:
    waiting: list[tuple[str, _Record | None]] = []
    characters = 0
    known = None
    for number, line, text in contents(lines, reading):
        record = _Record(number, line, text, _values(text, reading.path, number)) if text else None
        if record is not None and record.values.get("answer") in ("reject", "ignore"):
            record = None
        if record is not None and known is None:
            known = layout = _known_keys(record, layout, reading)
        waiting.append((line, record))
        characters += len(line)
        if characters >= _CHUNK_CHARACTERS:
            layout = yield from _chunk(waiting, layout, reading, alignment)
            waiting, characters = [], 0
    yield from _chunk(waiting, layout, reading, alignment)


def _values(text: str, path: str, line: int) -> dict[str, Any]:
    """The object on a line; ``["text", {"entities": ...}]`` counts as an object with that text."""
    value = loaded(text)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return {"text": value[0], **value[1]}
    if not isinstance(value, dict):
        raise DataError(f"expected a JSON object on one line, found {shown(text[:40])}", path, line)
    return value


def _known_keys(record: _Record, layout: Layout, reading: Reading) -> Layout:
    """The layout with the keys that the first object has, or that are chosen."""
    values, names = record.values, list(record.values)

    def pick(chosen: str | int | None, own: str | None, usual: Sequence[str]) -> str | None:
        if chosen is not None:
            return str(chosen)
        return own if own in values else next((key for key in usual if key in values), None)

    own = (layout.token, layout.tag) if reading.of_earlier_file else (None, None)
    usual = (*_TOKENS, *_TEXTS) if _lists_words(values) else (*_TEXTS, *_TOKENS)
    token = pick(reading.token_column, own[0], usual)
    if token is None or token not in values:
        message = f"expected a key {shown(token or 'text')} or 'tokens', found {', '.join(names)}"
        raise DataError(message, reading.path, record.number, "data.token_column")
    tag = pick(reading.tag_column, own[1], _SPANS if isinstance(values[token], str) else _TAGS)
    return replace(layout, columns=tuple(names), token=token, tag=tag or layout.tag)


def _lists_words(values: Mapping[str, Any]) -> bool:
    """Whether an object has a list of words; tools that give a text as well list objects with places in it."""
    return any(isinstance(values.get(key), list) and isinstance((values[key] or [""])[0], str) for key in _TOKENS)


def _chunk(
    waiting: Sequence[tuple[str, _Record | None]], layout: Layout, reading: Reading, alignment: Alignment
) -> Generator[tuple[str, Parsed | None], None, Layout]:
    """The lines of a chunk, whose texts are tokenised together; returns the layout as it is known then."""
    texts = [_text(record, layout, reading) for _, record in waiting if record is not None]
    places = iter(_tokenized([text for text in texts if isinstance(text, str)]))
    for line, record in waiting:
        if record is None:
            yield line, None
            continue
        value = record.values[layout.token]
        if isinstance(value, list):
            parsed = _of_tokens(record, value, layout, reading)
        else:
            parsed = _of_text(record, next(places), layout, reading, alignment)
            layout = parsed.layout
        yield line, parsed if parsed.tokens else None
    return layout


def _text(record: _Record, layout: Layout, reading: Reading) -> Any:
    """What an object has under the key of tokens."""
    value = record.values.get(layout.token)
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError("expected text, found half of a surrogate pair", reading.path, record.number) from None
    if not isinstance(value, str | list):
        found = "none" if value is None else shown(value)
        message = f"expected a text or a list of tokens in {shown(layout.token)}, found {found}"
        raise DataError(message, reading.path, record.number)
    return value


def _tokenized(texts: list[str]) -> list[tuple[list[str], list[int], list[int]]]:
    """The tokens of texts, and where they start and end."""
    if not texts:
        return []
    # The tokeniser is a graph of TensorFlow, which only these files need before the data are read.
    import_tensorflow()
    from seqtag.data.text.paragraphs import tokenize_lines

    return [(line.tokens, line.starts, line.ends) for line in tokenize_lines(texts)]


def _of_tokens(record: _Record, tokens: list[Any], layout: Layout, reading: Reading) -> Parsed:
    """A sentence of an object with tokens, and tags if it has them."""
    for value in tokens:
        if not isinstance(value, str) or not value.strip():
            message = f"expected tokens as texts in {shown(layout.token)}, found {shown(value)}"
            raise DataError(message, reading.path, record.number)

    def read_tags() -> list[str]:
        tags = _listed(record, layout, reading)
        if len(tags) != len(tokens):
            message = f"expected as many tags as tokens, found {len(tags)} for {len(tokens)}"
            raise DataError(message, reading.path, record.number)
        for tag in tags:
            if not isinstance(tag, str) or not tag.strip():
                message = f"expected the names of tags in {shown(layout.tag)}, found {shown(tag)}"
                raise DataError(message, reading.path, record.number)
        return tags

    has_tags = reading.tags_required or layout.tag in record.values
    return Parsed(tokens, read_tags if has_tags else None, _rewriter(record, layout, list), layout, record.values)


def _listed(record: _Record, layout: Layout, reading: Reading) -> list[Any]:
    """The list of tags or spans of an object."""
    values = record.values.get(layout.tag or "")
    if not isinstance(values, list):
        message = f"expected a list in {shown(layout.tag or 'tags')}, found keys {', '.join(record.values)}"
        raise DataError(message, reading.path, record.number, "data.tag_column")
    return values


def _of_text(
    record: _Record,
    found: tuple[list[str], list[int], list[int]],
    layout: Layout,
    reading: Reading,
    alignment: Alignment,
) -> Parsed:
    """A sentence of an object with a text, and spans if it has them."""
    text = record.values[layout.token]
    tokens, starts, ends = _given_tokens(record, text, reading) or found
    values = record.values.get(layout.tag or "")
    if isinstance(values, list) and values:
        layout = replace(layout, span_keys=span_keys(values[0]))

    def read_tags() -> list[str]:
        try:
            spans = [read_span(span, len(text)) for span in _listed(record, layout, reading)]
        except DataError as error:
            raise error.at(reading.path, record.number) from None
        return alignment.tags(spans, starts, ends, record.number)

    def written(new: Sequence[str]) -> list[Any]:
        new = new if reading.notation is None else [reading.notation.read(tag) for tag in new]
        found = spans_of(new, Scheme.IOB2) if all(map(is_span_tag, new)) else map(Span, new, count(), count(1))
        spans = [(starts[s.start], ends[s.end - 1], s.type) for s in found]
        return [dict(zip(layout.span_keys, span, strict=True)) if layout.span_keys else list(span) for span in spans]

    has_tags = reading.tags_required or values is not None
    return Parsed(tokens, read_tags if has_tags else None, _rewriter(record, layout, written), layout, record.values)


def _given_tokens(record: _Record, text: str, reading: Reading) -> tuple[list[str], list[int], list[int]] | None:
    """The tokens that an object lists with their places in its text; None where it lists none."""
    listed = record.values.get("tokens")
    if not isinstance(listed, list) or not all(isinstance(token, dict) for token in listed) or not listed:
        return None
    starts, ends = ([token.get(key) for token in listed] for key in ("start", "end"))
    places = [place for pair in zip(starts, ends, strict=True) for place in pair]
    if not all(type(place) is int for place in places) or places != sorted(places) or places[-1] > len(text):
        raise DataError("expected tokens with start and end, in the order of the text", reading.path, record.number)
    kept = [(s, e) for s, e in zip(starts, ends, strict=True) if text[s:e].strip()]
    return [text[s:e] for s, e in kept], [s for s, _ in kept], [e for _, e in kept]


def _rewriter(
    record: _Record, layout: Layout, written: Callable[[Sequence[str]], list[Any]]
) -> Callable[[Sequence[str], FurtherTags], str]:
    """A function that gives the line with other tags, in the style in which it was written."""

    def rewrite(tags: Sequence[str], further: FurtherTags) -> str:
        values = record.values | {layout.tag or "tags": written(tags)}
        values |= {name: list(of_column) for name, of_column in further.items()}
        # What `seqtag predict --format jsonl` wrote says more about the old tags.
        if "scores" in values and "entities" in values and layout.token in _TOKENS:
            values = {key: value for key, value in values.items() if key not in ("scores", "entities")}
        value: Any = values
        if record.text.lstrip().startswith("["):
            value = [values.pop("text"), values]
        separators = (", ", ": ") if '": ' in record.text else (",", ":")
        return json.dumps(value, ensure_ascii="\\u" in record.text and record.text.isascii(), separators=separators)

    return rewrite
