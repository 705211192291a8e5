"""The output formats of tagged sentences: JSON lines, columns, marked-up text, and colours for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from seqtag.data.text.paragraphs import TextLine
from seqtag.errors import escaped
from seqtag.tagging.tagged_sentence import Entity, TaggedSentence

COLOURS = ("bright_blue", "bright_magenta", "bright_green", "bright_yellow", "bright_cyan", "bright_red")
SCORE_DIGITS = 6


def to_json(tagged: TaggedSentence, line: TextLine | None = None) -> str:
    """One JSON line; if the line of raw text is given, entities also have their `char_start` and `char_end` in it.

    A sentence with candidates has them too, each with its tags, its entities and its score. Further columns of tags
    stand under `columns`, by their names.
    """
    record = {"tokens": tagged.tokens, **_answers(tagged, line)}
    if tagged.further:
        record["columns"] = {name: _answers(of_column, line) for name, of_column in tagged.further.items()}
    return json.dumps(record, ensure_ascii=False) + "\n"


def _answers(tagged: TaggedSentence, line: TextLine | None) -> dict[str, Any]:
    """What a model says of the tokens, in one column of tags."""
    record: dict[str, Any] = {
        "tags": tagged.tags,
        "scores": [round(score, SCORE_DIGITS) for score in tagged.scores],
        "entities": [_entity(tagged, entity, line) for entity in tagged.entities],
    }
    if tagged.candidates:
        record["candidates"] = [
            {
                "tags": candidate.tags,
                "entities": [_entity(tagged, entity, line) for entity in candidate.entities],
                "score": round(candidate.score, SCORE_DIGITS),
            }
            for candidate in tagged.candidates
        ]
    return record


def entity_record(entity: Entity) -> dict[str, Any]:
    """An entity without its words: its type, its first step, the one after its last, and its probability."""
    score = round(entity.score, SCORE_DIGITS)
    return {"type": entity.type, "start": entity.start, "end": entity.end, "score": score}


def _entity(tagged: TaggedSentence, entity: Entity, line: TextLine | None) -> dict[str, Any]:
    text = " ".join(tagged.tokens[entity.start : entity.end])
    record = {"type": entity.type, "start": entity.start, "end": entity.end, "text": text}
    if line is not None:
        start, end = line.starts[entity.start], line.ends[entity.end - 1]
        record |= {"text": line.text[start:end], "char_start": start, "char_end": end}
    return record | {"score": round(entity.score, SCORE_DIGITS)}


def to_columns(tagged: TaggedSentence) -> str:
    """One line per token with its tag, and those of further columns, then a blank line."""
    columns = [tagged.tokens, tagged.tags, *(of_column.tags for of_column in tagged.further.values())]
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)) + "\n"


def to_text(tagged: TaggedSentence) -> str:
    """One line: entities as `[New York LOC]`, plain labels as `word/TAG`.

    >>> to_text(TaggedSentence(["Ann", "sleeps"], ["B-PER", "O"], [0.9, 0.9], [Entity("PER", 0, 1, 0.9)]))
    '[Ann PER] sleeps\\n'
    """
    # Plain strings: rich's `Text` drops carriage returns, form feeds and backspaces.
    return " ".join(plain + marked for plain, marked, _ in _marked(tagged)) + "\n"


def to_rich(tagged: TaggedSentence, types: list[str]) -> Text:
    """The same for a terminal: in colour, one colour per type, and what a terminal would obey escaped."""
    colours = {name: COLOURS[n % len(COLOURS)] for n, name in enumerate(types)}
    pieces = []
    for plain, marked, name in _marked(tagged):
        style = f"bold {colours.get(name, '')}".strip() if not plain else colours.get(name, "dim")
        pieces.append(Text.assemble(escaped(plain), (escaped(marked), style)))
    return Text(" ").join(pieces)


def _marked(tagged: TaggedSentence) -> Iterator[tuple[str, str, str]]:
    """The words of a sentence: what is plain, what is marked, and the type or label that marks it."""
    starts = {entity.start: entity for entity in tagged.entities}
    has_spans = not tagged.tags or bool(tagged.entities) or set(tagged.tags) in ({"O"}, {"o"})
    position = 0
    while position < len(tagged.tokens):
        entity, token = starts.get(position), tagged.tokens[position]
        if entity is not None:
            words = " ".join(tagged.tokens[position : entity.end])
            yield "", f"[{words} {entity.type}]", entity.type
            position = entity.end
            continue
        tag = tagged.tags[position]
        yield token, "" if has_spans else f"/{tag}", tag
        position += 1
