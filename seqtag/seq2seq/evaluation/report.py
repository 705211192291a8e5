"""The report on answers: the measures, greedy beside beam, parts of the sources, perplexity, and the errors.

>>> report = evaluate_answers(["K AE", "B"], [["K AE T"], ["B", "B IY"]], ["cat", "b"], str.split, kind="symbols")
>>> report.exact_match, report.token_error_rate
(0.5, 0.25)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqtag.errors import escaped
from seqtag.measures.figures import decimal, json_value, percent
from seqtag.seq2seq.config import Symbols
from seqtag.seq2seq.evaluation.errors import ErrorTable, error_table
from seqtag.seq2seq.evaluation.measures import Nearest, TextScore, bleu, chrf, error_rate, nearest_references, ratio


@dataclass(frozen=True)
class AnswerScores:
    """The measures of some answers; NaN where there is nothing to count.

    Attributes:
        sources: how many sources were answered.
        right: how many answers equal one of their references.
        exact_match: the share of these.
        token_error_rate: edit distances to the nearest references over the lengths of these; see
            `seqtag.seq2seq.evaluation.measures.token_error_rate`.
        bleu: sacrebleu's BLEU, 0 to 100; None unless targets are words.
        chrf: sacrebleu's chrF2, 0 to 100; None unless targets are words.
    """

    sources: int
    right: int
    exact_match: float
    token_error_rate: float
    bleu: TextScore | None = None
    chrf: TextScore | None = None

    def to_metrics(self) -> dict[str, Any]:
        """The scores as an entry of ``metrics.json``: fractions, but for ``bleu`` and ``chrf``; None for NaN."""
        texts = {name: score.score for name, score in self.text_scores().items()}
        figures = {"exact_match": self.exact_match, "token_error_rate": self.token_error_rate, **texts}
        return {**{name: json_value(value) for name, value in figures.items()}, "sources": self.sources}

    def text_scores(self) -> dict[str, TextScore]:
        """BLEU and chrF by the names of ``metrics.json``; empty unless targets are words."""
        return {name: score for name, score in (("bleu", self.bleu), ("chrf", self.chrf)) if score is not None}

    def to_text(self) -> str:
        """The scores on one line, in percent."""
        line = f"exact match: {percent(self.exact_match):>7}; token error rate: {percent(self.token_error_rate):>7}"
        names = {"bleu": "BLEU", "chrf": "chrF"}
        texts = (f"; {names[name]}: {decimal(found.score):>6}" for name, found in self.text_scores().items())
        return line + "".join(texts)


@dataclass(frozen=True)
class Seq2SeqReport:
    """How good answers are.

    Attributes:
        scores: the measures of the answers.
        pairs: the number of references of all sources.
        errors: the errors of the answers.
        perplexity: of the references under the model, per symbol; None where it was not computed.
        greedy: the measures of the answers of greedy search to the same sources; None where there are none.
        parts: the measures of the sources of each label, such as those that a dictionary answered and those that the
            network answered; sorted by label.
    """

    scores: AnswerScores
    pairs: int
    errors: ErrorTable
    perplexity: float | None
    greedy: AnswerScores | None
    parts: Mapping[str, AnswerScores]

    @property
    def exact_match(self) -> float:
        """The share of sources whose answer equals one of their references."""
        return self.scores.exact_match

    @property
    def token_error_rate(self) -> float:
        """Edit distances to the nearest references over the lengths of these."""
        return self.scores.token_error_rate

    def to_metrics(self) -> dict[str, Any]:
        """The report as a split's entry of ``metrics.json``.

        Scores are fractions, but ``bleu`` and ``chrf`` go from 0 to 100. ``greedy`` and each entry of ``parts`` hold
        the same names again. What was not computed is left out; None stands for what has no value.
        """
        perplexity = {} if self.perplexity is None else {"perplexity": json_value(self.perplexity)}
        signatures = self._signatures()
        return {
            **self.scores.to_metrics(),
            **perplexity,
            "pairs": self.pairs,
            **({"signatures": signatures} if signatures else {}),
            **({} if self.greedy is None else {"greedy": self.greedy.to_metrics()}),
            **({"parts": {name: part.to_metrics() for name, part in self.parts.items()}} if self.parts else {}),
            "errors": self.errors.to_metrics(),
        }

    def to_text(self) -> str:
        """The report for people, in percent: the scores, greedy search, the parts, and the table of errors."""
        perplexity = "" if self.perplexity is None else f"; perplexity: {decimal(self.perplexity, 4)}"
        found = self.scores
        lines = [
            f"{found.sources:,} sources with {self.pairs:,} targets; right answers: {found.right:,}.",
            f"{found.to_text()}{perplexity}",
        ]
        lines += [f"signature of {name}: {signature}" for name, signature in self._signatures().items()]
        lines += [] if self.greedy is None else [f"greedy search: {self.greedy.to_text()}"]
        width = max((len(escaped(name)) for name in self.parts), default=0)
        lines += [
            f"{escaped(name):>{width}}: {part.to_text()}  {part.sources:,} sources" for name, part in self.parts.items()
        ]
        return "\n".join([*lines, "", self.errors.to_text()])

    def _signatures(self) -> dict[str, str]:
        return {name: score.signature for name, score in self.scores.text_scores().items() if score.signature}


def evaluate_answers(
    answers: Sequence[str],
    references: Sequence[Sequence[str]],
    sources: Sequence[Any],
    symbols_of: Callable[[str], Sequence[str]],
    kind: Symbols,
    *,
    length_of: Callable[[Any], int] = len,
    greedy: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    perplexity: float | None = None,
) -> Seq2SeqReport:
    """Scores answers against references.

    Args:
        answers: the answer to each source. An answer may be empty.
        references: the right targets of each source, one or more. A target may be empty.
        sources: the sources, texts or arrays.
        symbols_of: gives the symbols of an answer or a target. Answers are compared symbol by symbol.
        kind: what the symbols of the targets are; BLEU and chrF are computed for `words` alone.
        length_of: gives the length of a source for the table of errors.
        greedy: the answers of greedy search, to be scored beside those of a beam.
        labels: a label for each source; the sources of each are scored by themselves too.
        perplexity: of the targets under the model, if it is to be reported.

    Raises:
        ValueError: as many answers, references, sources, greedy answers and labels as each other were expected, or a
            source has no reference.
    """
    _check_numbers(len(answers), references=references, sources=sources, greedy=greedy, labels=labels)
    judge = _Judge(references, symbols_of, kind)
    symbols = [symbols_of(answer) for answer in answers]
    found = nearest_references(symbols, judge.symbols)
    rows = range(len(answers))
    return Seq2SeqReport(
        scores=judge.scores(answers, found, rows),
        pairs=sum(map(len, references)),
        errors=error_table(symbols, found, [length_of(source) for source in sources]),
        perplexity=perplexity,
        greedy=None if greedy is None else judge.scores(greedy, judge.nearest(greedy), rows),
        parts={label: judge.scores(answers, found, chosen) for label, chosen in _rows_of(labels).items()},
    )


class _Judge:
    """Scores answers to the same sources, whose references are turned into symbols once."""

    def __init__(
        self, references: Sequence[Sequence[str]], symbols_of: Callable[[str], Sequence[str]], kind: Symbols
    ) -> None:
        self._references = references
        self._symbols_of = symbols_of
        self._of_words = kind == "words"
        self.symbols = [[symbols_of(target) for target in targets] for targets in references]

    def nearest(self, answers: Sequence[str]) -> list[Nearest]:
        return nearest_references([self._symbols_of(answer) for answer in answers], self.symbols)

    def scores(self, answers: Sequence[str], found: Sequence[Nearest], rows: Sequence[int]) -> AnswerScores:
        chosen = [found[row] for row in rows]
        right = sum(not each.distance for each in chosen)
        texts = [answers[row] for row in rows], [self._references[row] for row in rows]
        return AnswerScores(
            sources=len(chosen),
            right=right,
            exact_match=ratio(right, len(chosen)),
            token_error_rate=error_rate(chosen),
            bleu=bleu(*texts) if self._of_words else None,
            chrf=chrf(*texts) if self._of_words else None,
        )


def _rows_of(labels: Sequence[str] | None) -> dict[str, list[int]]:
    """The rows of each label, sorted by label."""
    found: dict[str, list[int]] = {}
    for row, label in enumerate(labels or ()):
        found.setdefault(label, []).append(row)
    return dict(sorted(found.items()))


def _check_numbers(count: int, **others: Sequence[Any] | None) -> None:
    for name, values in others.items():
        if values is not None and len(values) != count:
            raise ValueError(f"expected {name} for {count} answers, found {len(values)}")
