"""The page of a tagger: text in; tags or entities in colour, their probabilities, and the likeliest readings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seqtag.data.text.paragraphs import TextLine, read_text
from seqtag.demo.page import Answer, Block, Demo, Field, Number, Piece, Sentence, TypedFile
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.data.inputs import read_raw
from seqtag.tagging.formats import to_columns, to_json
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.tagged_sentence import Entity, TaggedSentence

MOST_CHARACTERS, MOST_CANDIDATES, MOST_NAMES = 20_000, 20, 12
EXAMPLE = "Ann Lee of Acme Corp. flew from New York to Paris on 3 May."


def tagger_demo(model: TaggingModel) -> Demo:
    """The page of a tagger that reads tokens alone."""
    codec = model.codec
    kind = "Labels" if codec.scheme is None else "Types of entities"
    more = len(codec.symbols) - MOST_NAMES
    names = ", ".join(codec.symbols[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    about = f"Each line of the text is tagged by itself. {kind}: {names}."

    def answer(texts: Mapping[str, str], numbers: Mapping[str, int]) -> Answer:
        return _answer(model, texts["text"], numbers["n_best"])

    return Demo(
        "Tagger",
        about,
        [Field("text", "Text", MOST_CHARACTERS, EXAMPLE)],
        [Number("n_best", "Likeliest readings", 1, 1, MOST_CANDIDATES)],
        [symbol for of_column in model.columns for symbol in of_column.codec.symbols],
        answer,
    )


def _answer(model: TaggingModel, text: str, n_best: int) -> Answer:
    lines = list(read_text(read_raw(TypedFile(text)).items))
    tagged = list(model.tag_stream((TaggerInput(line.tokens) for line in lines), n_best if n_best > 1 else 0))
    blocks = [block for line, sentence in zip(lines, tagged, strict=True) for block in _blocks(model, line, sentence)]
    files = {
        "tagged.jsonl": "".join(map(to_json, tagged, lines)),
        "tagged.tsv": "".join(map(to_columns, tagged)),
    }
    return Answer(blocks, files)


def _blocks(model: TaggingModel, line: TextLine, tagged: TaggedSentence, name: str = "") -> Iterator[Block]:
    """A line as it is tagged, its candidates, then the same of further columns of tags."""
    is_spans = model.codec.scheme is not None
    yield Sentence(_pieces(line, _marks(tagged.tags, tagged.scores, tagged.entities, is_spans)), name)
    for rank, candidate in enumerate(tagged.candidates, start=1):
        marks = _marks(candidate.tags, [None] * len(candidate.tags), candidate.entities, is_spans)
        yield Sentence(_pieces(line, marks), f"{name} {rank}: probability {candidate.score:.3g}".strip())
    for column, of_column in tagged.further.items():
        yield from _blocks(model.further[column], line, of_column, column)


def _marks(tags: list[str], scores: list[Any], entities: list[Entity], is_spans: bool) -> list[tuple]:
    """What is coloured: entities, or every token; type, start, end and probability of each."""
    if is_spans:
        return list(entities)
    return [(tag, n, n + 1, score) for n, (tag, score) in enumerate(zip(tags, scores, strict=True))]


def _pieces(line: TextLine, marks: list[tuple]) -> list[Piece]:
    """The whole line, with its marks; its tokens may stand apart by anything."""
    pieces, place = [], 0
    for label, start, end, score in marks:
        first, last = line.starts[start], line.ends[end - 1]
        pieces += [Piece(line.text[place:first]), Piece(line.text[first:last], label, score)]
        place = last
    return [piece for piece in [*pieces, Piece(line.text[place:])] if piece.text]
