"""Scores of predicted spans: precision, recall and F1, in conlleval's reading and in the strict one.

conlleval's reading (Tjong Kim Sang and Buchholz 2000; seqeval's default) finds spans in illegal sequences too. The
strict reading (seqeval's ``mode="strict"``) counts well-formed spans only. A predicted span is right when its type and
both its ends are right.

Our own functions find the spans for the score of every epoch, for the strict reading and in very large files. In final
reports seqeval finds those of conlleval's reading; see `seqtag.tagging.evaluation.evaluate`.

>>> report = evaluate_spans([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]], "IOB2")
>>> report.precision, report.recall
(0.5, 1.0)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.errors import escaped
from seqtag.measures.scores import Score, confusion_table, confusion_text, name_width
from seqtag.tagging.data.schemes import Scheme, Span, split_tag, violations, well_formed
from seqtag.tagging.data.tags import UNKNOWN_TAG
from seqtag.tagging.evaluation.aligned import aligned
from seqtag.tagging.evaluation.details import Details
from seqtag.tagging.evaluation.entities import Entities, read_entities


@dataclass(frozen=True)
class SpanReport:
    """How well predicted spans match the gold ones.

    Attributes:
        accuracy: the share of tokens whose whole tag is right.
        overall: the score of all spans, conlleval's reading (micro average).
        strict: the score of all spans, strict reading.
        per_type: the score of each type in gold or prediction, conlleval's reading, sorted by type.
        repaired_sequences: how many predicted sentences are illegal in the scheme, and were read as conlleval does.
        illegal_gold_sequences: the same of gold.
        tokens: how many tokens were scored.
        sentences: how many sentences were scored.
        confusion: tokens by gold type (or ``O``), then by predicted type (or ``O``), whatever their prefixes. Tokens
            are counted rather than spans, so that spans that overlap in part need no rule, and the table sums to
            `tokens`.
        details: what is known of the model that gave the tags, if one did.
    """

    accuracy: float
    overall: Score
    strict: Score
    per_type: Mapping[str, Score]
    repaired_sequences: int
    illegal_gold_sequences: int
    tokens: int
    sentences: int
    confusion: Mapping[str, Mapping[str, int]]
    details: Details | None = None

    @property
    def precision(self) -> float:
        """The share of predicted spans that are right, conlleval's reading."""
        return self.overall.precision

    @property
    def recall(self) -> float:
        """The share of gold spans that are found, conlleval's reading."""
        return self.overall.recall

    @property
    def f1(self) -> float:
        """The harmonic mean of `precision` and `recall`."""
        return self.overall.f1

    @property
    def f1_strict(self) -> float:
        """F1 of the strict reading."""
        return self.strict.f1

    def to_metrics(self) -> dict[str, Any]:
        """The report as a split's entry of ``metrics.json``; scores are fractions."""
        return {
            "accuracy": self.accuracy,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "f1_strict": self.f1_strict,
            "per_type": {kind: score.to_dict() for kind, score in self.per_type.items()},
            "repaired_sequences": self.repaired_sequences,
            "illegal_gold_sequences": self.illegal_gold_sequences,
            "tokens": self.tokens,
            "sentences": self.sentences,
            **({} if self.details is None else self.details.to_metrics()),
        }

    def to_text(self) -> str:
        """The report as a table in the manner of conlleval, in percent, with the confusion table below."""
        scores = [(escaped(kind), score) for kind, score in self.per_type.items()]
        width = name_width(self.per_type)
        lines = [
            f"{self.sentences} sentences, {self.tokens} tokens with {self.overall.support} spans; "
            f"found: {self.overall.predicted} spans; correct: {self.overall.correct}.",
            f"accuracy: {self.accuracy:7.2%}; {self.overall.to_text()}; strict F1: {self.f1_strict:7.2%}; "
            f"illegal sequences: {self.repaired_sequences} predicted, {self.illegal_gold_sequences} in gold",
        ]
        lines += [f"{kind:>{width}}: {score.to_text()}  {score.predicted}" for kind, score in scores]
        lines += [] if self.details is None else self.details.to_lines()
        return "\n".join([*lines, "", confusion_text(self.confusion)])


def evaluate_spans(
    gold: Iterable[Sequence[str]],
    predicted: Iterable[Sequence[str]],
    scheme: Scheme | str,
    entities: Entities | None = None,
) -> SpanReport:
    """Scores predicted tags against gold ones.

    Args:
        gold: the tags of each sentence; `corpus_at_known` makes those that can be scored where some are not known.
        predicted: the same, in the same order.
        scheme: of both. Tags of another scheme, which gold may hold, mark spans too, but none that is well-formed.
        entities: of the same sentences, where they are read already.

    Raises:
        ValueError: different numbers of sentences or tags, or a tag that is none of a span scheme.
    """
    rule, pairs = Scheme(scheme), list(aligned(gold, predicted))
    gold, predicted = [tags for tags, _ in pairs], [tags for _, tags in pairs]
    entities = read_entities(gold, predicted, rule) if entities is None else entities
    lenient, strict = _Matches(), _Matches()
    repaired = illegal_gold = 0
    of_tokens: Counter[tuple[str, str]] = Counter()
    for gold_tags, tags, true, found in zip(gold, predicted, *entities, strict=True):
        of_tokens.update(zip(gold_tags, tags, strict=True))
        lenient.add(true, found)
        strict.add(well_formed(gold_tags, true, rule), well_formed(tags, found, rule))
        repaired += bool(violations(tags, rule))
        illegal_gold += bool(violations(gold_tags, rule))
    known = {pair: count for pair, count in of_tokens.items() if pair[0] != UNKNOWN_TAG}
    tokens = sum(known.values())
    right = sum(count for (true_tag, tag), count in known.items() if true_tag == tag)
    confusion: Counter[tuple[str, str]] = Counter()
    for (true_tag, tag), count in known.items():
        confusion[_type(true_tag), _type(tag)] += count
    return SpanReport(
        accuracy=right / tokens if tokens else 0.0,
        overall=lenient.overall(),
        strict=strict.overall(),
        per_type=lenient.per_type(),
        repaired_sequences=repaired,
        illegal_gold_sequences=illegal_gold,
        tokens=tokens,
        sentences=len(pairs),
        confusion=confusion_table(confusion),
    )


class _Matches:
    """Counts of correct, predicted and gold spans by type."""

    def __init__(self) -> None:
        self._correct: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._support: Counter[str] = Counter()

    def add(self, gold: Sequence[Span], predicted: Sequence[Span]) -> None:
        self._support.update(span.type for span in gold)
        self._predicted.update(span.type for span in predicted)
        self._correct.update(span.type for span in set(gold) & set(predicted))

    def overall(self) -> Score:
        return Score(self._correct.total(), self._predicted.total(), self._support.total())

    def per_type(self) -> dict[str, Score]:
        kinds = sorted(self._support.keys() | self._predicted.keys())
        return {kind: Score(self._correct[kind], self._predicted[kind], self._support[kind]) for kind in kinds}


def _type(tag: str) -> str:
    return split_tag(tag)[1] or "O"
