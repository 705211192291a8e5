"""Reports on a tagger: a final one, with seqeval's figures, and the quick one of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqtag.errors import ConfigError
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.evaluation.labels import LabelReport, evaluate_labels
from seqtag.tagging.evaluation.seqeval_figures import with_seqeval_figures
from seqtag.tagging.evaluation.spans import SpanReport, evaluate_spans

if TYPE_CHECKING:
    from seqtag.tagging.model import TaggingModel

Report = SpanReport | LabelReport

# seqeval takes some 10 seconds for so many tokens; the figures of larger files are counted by us.
MOST_SEQEVAL_TOKENS = 1_000_000


def evaluate_model(model: TaggingModel, corpus: TaggedCorpus) -> Report:
    """The final report of a model on a corpus.

    Raises:
        DataError: a tag that the training data did not have.
    """
    model.codec.check(corpus)
    return final_report(corpus.tags, model.decode_tags(model.encode(corpus.inputs)), model.codec.scheme)


def final_report(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: str | None) -> Report:
    """The report on predicted tags, whose figures in conlleval's reading are seqeval's unless there are very many tags.

    Args:
        gold: the tags of each sentence.
        predicted: the same, in the same order.
        scheme: of both; None for plain labels.
    """
    report = quick_report(gold, predicted, scheme)
    if scheme is None or isinstance(report, LabelReport) or report.tokens > MOST_SEQEVAL_TOKENS:
        return report
    return with_seqeval_figures(report, gold, predicted, scheme)


def quick_report(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: str | None) -> Report:
    """The same report, counted by us alone."""
    return evaluate_labels(gold, predicted) if scheme is None else evaluate_spans(gold, predicted, scheme)


def resolve_measure(measure: str, scheme: str | None) -> str:
    """The measure that `auto` stands for: `f1` for spans, `accuracy` for plain labels.

    Args:
        measure: `"auto"`, or the measure itself.
        scheme: of the tags; None for plain labels.

    Raises:
        ConfigError: plain labels have no spans to be measured.

    >>> resolve_measure("auto", "IOB2"), resolve_measure("auto", None)
    ('f1', 'accuracy')
    """
    if scheme is None and measure not in ("auto", "accuracy"):
        raise ConfigError(f"evaluation.measure: expected accuracy for plain labels, found {measure!r}")
    if measure != "auto":
        return measure
    return "accuracy" if scheme is None else "f1"
