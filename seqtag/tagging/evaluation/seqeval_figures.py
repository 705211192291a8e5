"""Precision, recall and F1 as seqeval computes them, for final reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqtag.tagging.data.schemes import Scheme, convert
from seqtag.tagging.evaluation.scores import Score
from seqtag.tagging.evaluation.spans import SpanReport

Tags = Sequence[Sequence[str]]


def with_seqeval_figures(report: SpanReport, gold: Tags, predicted: Tags, scheme: Scheme | str) -> SpanReport:
    """The report with precision, recall and F1 of conlleval's reading from seqeval's default mode.

    They are those that our own counting gives, to the last digits; the strict reading, accuracy and all counts stay
    ours.

    Args:
        report: what `evaluate_spans` says of the same tags.
        gold: the tags of each sentence.
        predicted: the same, in the same order.
        scheme: of both.
    """
    # Late, because seqeval imports scikit-learn: some seconds that tagging a file need not wait for.
    from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

    if not report.per_type:
        return report
    sentences = _read_by_seqeval(gold, scheme), _read_by_seqeval(predicted, scheme)
    overall = precision_recall_fscore_support(*sentences, average="micro", zero_division=0)
    # seqeval sorts the types, as our report does.
    by_type = zip(*precision_recall_fscore_support(*sentences, average=None, zero_division=0), strict=True)
    scores = {
        kind: _with_figures(score, figures)
        for (kind, score), figures in zip(report.per_type.items(), by_type, strict=True)
    }
    return replace(report, overall=_with_figures(report.overall, overall), per_type=scores)


def _with_figures(score: Score, figures: Sequence[float]) -> Score:
    precision, recall, f1 = map(float, figures[:3])
    return replace(score, precision=precision, recall=recall, f1=f1)


def _read_by_seqeval(sentences: Tags, scheme: Scheme | str) -> list[list[str]]:
    """Lists of tags in a scheme whose prefixes seqeval knows: it does not know L and U."""
    if Scheme(scheme) is Scheme.BILOU:
        return [convert(tags, scheme, Scheme.IOB2) for tags in sentences]
    return [list(tags) for tags in sentences]
