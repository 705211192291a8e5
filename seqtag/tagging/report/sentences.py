"""The sentences of a page: which of a file's are shown, and what the page is told of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Span, spans
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.answers import JudgedTags
from seqtag.tagging.evaluation.entities import regions
from seqtag.tagging.evaluation.errors import KINDS, EntityError, errors_of
from seqtag.tagging.evaluation.known_tags import corpus_at_known
from seqtag.tagging.report.markup import script_data, shortened
from seqtag.tagging.tagged_sentence import Entity

# What a page holds at most: sentences, tokens of each, and characters of them all as JSON.
MOST_SENTENCES, MOST_TOKENS, MOST_SIZE = 1000, 300, 3_000_000
# The kind of a wrong label, and of a sentence without errors.
WRONG, NONE = "wrong", "none"
DIGITS = 4


@dataclass(frozen=True)
class ShownSentences:
    """Sentences of a page.

    Attributes:
        rows: what the page's script is told of each, in the order of the file.
        types: the entity types or labels in them, which rows name by their numbers.
        kinds: the kinds of errors that there may be.
        total: how many sentences the file has.
    """

    rows: list[dict[str, Any]]
    types: list[str]
    kinds: tuple[str, ...]
    total: int

    def to_data(self) -> dict[str, Any]:
        """All of it for the script."""
        return {"rows": self.rows, "types": list(map(shortened, self.types)), "kinds": self.kinds}


def shown_sentences(corpus: TaggedCorpus, judged: JudgedTags, scheme: str | None, share: float = 1.0) -> ShownSentences:
    """The sentences of a file, or the most telling ones of a large one; see `most_telling`.

    Args:
        corpus: the sentences with their gold tags.
        judged: the model's answers.
        scheme: of the tags; None for plain labels.
        share: how much of the room on the page there is for them.
    """
    types = _Numbers()
    sides = corpus_at_known(corpus.tags, judged.predicted, scheme)
    sentences = list(map(_Sentence, corpus.tokens, *sides, judged.scores, judged.given))
    doubts = [float(sentence.scores.min()) if len(sentence.scores) else 1.0 for sentence in sentences]
    rows: dict[int, dict[str, Any]] = {}
    size = 0
    for n in most_telling([_kinds(sentence, scheme) for sentence in sentences], doubts)[:MOST_SENTENCES]:
        at = f"line {corpus.lines[n][0]}" if corpus.lines else f"sentence {n + 1}"
        told = _labels_row(sentences[n], types) if scheme is None else _spans_row(sentences[n], types, scheme)
        row = {"at": at, "p": round(doubts[n], DIGITS), **told}
        size += len(script_data(row))
        if rows and size > share * MOST_SIZE:
            break
        rows[n] = row
    kinds = (WRONG,) if scheme is None else KINDS
    return ShownSentences([rows[n] for n in sorted(rows)], types.names, kinds, len(corpus))


def most_telling(kinds: Sequence[Iterable[str]], doubts: Sequence[float]) -> list[int]:
    """Sentences, those first that tell most.

    Each kind of error, and the sentences without one, take turns with the least probable sentence and the most probable
    one that are left: what a tagger is sure of and gets wrong tells as much as what it doubts.

    Args:
        kinds: of the errors in each sentence.
        doubts: how probable each sentence is.

    >>> most_telling([["missed"], [], ["missed"], ["missed"], []], [0.5, 0.9, 0.7, 0.8, 0.4])
    [0, 4, 3, 1, 2]
    """
    groups: dict[str, list[int]] = {}
    for n, of_sentence in enumerate(kinds):
        for kind in set(of_sentence) or {NONE}:
            groups.setdefault(kind, []).append(n)
    turns = zip_longest(*(_from_both_ends(groups[kind], doubts) for kind in sorted(groups)))
    return list(dict.fromkeys(n for turn in turns for n in turn if n is not None))


def _from_both_ends(numbers: list[int], doubts: Sequence[float]) -> Iterator[int]:
    order = sorted(numbers, key=lambda n: doubts[n])
    for first, last in zip(order, reversed(order), strict=True):
        yield first
        yield last


class _Sentence(NamedTuple):
    """A sentence with its gold and predicted tags, as far as gold is known, and what the model says of them."""

    tokens: Sequence[str]
    gold: Sequence[str]
    predicted: Sequence[str]
    scores: np.ndarray
    given: Sequence[Entity]

    def wrong(self) -> list[int]:
        """The places of wrong tags."""
        pairs = enumerate(zip(self.gold, self.predicted, strict=True))
        return [place for place, (gold, found) in pairs if gold != found and gold != UNKNOWN_TAG]


def _kinds(sentence: _Sentence, scheme: str | None) -> list[str]:
    """The kinds of the errors of a sentence."""
    if scheme is None or not sentence.wrong():
        return [WRONG] if sentence.wrong() else []
    return [error.kind for error in errors_of(*(spans(tags, scheme) for tags in (sentence.gold, sentence.predicted)))]


class _Numbers:
    """Names with numbers in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def names(self) -> list[str]:
        return list(self._numbers)


def _labels_row(sentence: _Sentence, types: _Numbers) -> dict[str, Any]:
    """Plain labels: the numbers of the gold and of the predicted ones, and their probabilities; -1 where gold is not
    known.
    """
    wrong = sentence.wrong()
    part = _window(len(sentence.tokens), wrong, sentence.scores)
    shown = slice(part.start, part.stop)
    pairs = {(types[sentence.gold[place]], types[sentence.predicted[place]]) for place in wrong if place in part}
    return {
        **_tokens(sentence.tokens, part),
        "gold": [-1 if tag == UNKNOWN_TAG else types[tag] for tag in sentence.gold[shown]],
        "found": [types[tag] for tag in sentence.predicted[shown]],
        "scores": [round(score, DIGITS) for score in sentence.scores[shown].tolist()],
        "errors": [(WRONG, *pair) for pair in sorted(pairs)],
        "pairs": sorted(pairs),
    }


def _spans_row(sentence: _Sentence, types: _Numbers, scheme: str) -> dict[str, Any]:
    """Spans, by region: a stretch that spans which overlap each other cover, whether they agree, and which they are."""
    gold, found = spans(sentence.gold, scheme), spans(sentence.predicted, scheme)
    errors = errors_of(gold, found)
    part = _window(len(sentence.tokens), sorted(_place(error).start for error in errors), sentence.scores)
    probabilities = {tuple(entity[:3]): entity.score for entity in sentence.given}

    def clipped(start: int, end: int) -> tuple[int, int]:
        return max(start, part.start) - part.start, min(end, part.stop) - part.start

    def told(entities: Sequence[Span]) -> list[tuple[int, int, int, float | None]]:
        scores = [probabilities.get(tuple(entity)) for entity in entities]
        return [
            (types[entity.type], *clipped(*entity[1:]), None if score is None else round(score, DIGITS))
            for entity, score in zip(entities, scores, strict=True)
            if _is_in(entity, part)
        ]

    return {
        **_tokens(sentence.tokens, part),
        "regions": [
            (*clipped(start, end), gold_here == found_here, told(gold_here), told(found_here))
            for start, end, gold_here, found_here in regions(gold, found)
            if _is_in(Span("", start, end), part)
        ],
        "errors": sorted({_told(error, types) for error in errors if _is_in(_place(error), part)}),
        "pairs": sorted(_pairs(gold, found, part, types)),
    }


def _pairs(gold: Sequence[Span], found: Sequence[Span], part: range, types: _Numbers) -> set[tuple[int, int]]:
    """The pairs of gold and predicted types of wrong tokens; -1 stands for no type."""
    of_tokens = np.full((2, part.stop), -1)
    for row, entities in zip(of_tokens, (gold, found), strict=True):
        for span in entities:
            row[span.start : span.end] = types[span.type]
    return {(g, f) for g, f in of_tokens[:, part.start :].T.tolist() if g != f}


def _told(error: EntityError, types: _Numbers) -> tuple[str, int, int]:
    gold, found = (-1 if span is None else types[span.type] for span in (error.true, error.predicted))
    return error.kind, gold, found


def _place(error: EntityError) -> Span:
    span = error.predicted or error.true
    assert span is not None
    return span


def _is_in(span: Span, part: range) -> bool:
    return span.start < part.stop and span.end > part.start


def _window(length: int, wrong: Sequence[int], scores: np.ndarray) -> range:
    """The part of a sentence that is shown: around its first error, or around its least probable tag."""
    if length <= MOST_TOKENS:
        return range(length)
    centre = wrong[0] if wrong else int(scores.argmin())
    start = min(max(0, centre - MOST_TOKENS // 2), length - MOST_TOKENS)
    return range(start, start + MOST_TOKENS)


def _tokens(tokens: Sequence[str], part: range) -> dict[str, Any]:
    """The tokens of a part; where it is not the whole, also where it begins and how many tokens the sentence has."""
    cut = {} if len(part) == len(tokens) else {"first": part.start, "length": len(tokens)}
    return {"tokens": [shortened(token) for token in tokens[part.start : part.stop]], **cut}
