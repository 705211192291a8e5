"""Reports on a tagger: final ones, whose spans seqeval finds, and a quick one for each epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from seqtag.errors import ConfigError
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.evaluation.columns import ColumnsReport, share_all_right
from seqtag.tagging.evaluation.details import Details
from seqtag.tagging.evaluation.entities import Entities, read_entities
from seqtag.tagging.evaluation.errors import find_errors
from seqtag.tagging.evaluation.known_tags import at_known, corpus_at_known
from seqtag.tagging.evaluation.labels import LabelReport, evaluate_labels
from seqtag.tagging.evaluation.oracle import Oracle, best_candidates
from seqtag.tagging.evaluation.segments import score_segments
from seqtag.tagging.evaluation.seqeval_spans import seqeval_reader
from seqtag.tagging.evaluation.spans import SpanReport, evaluate_spans
from seqtag.tagging.evaluation.words import evaluate_words

if TYPE_CHECKING:
    from seqtag.tagging.data.encoding import EncodedCorpus
    from seqtag.tagging.evaluation.answers import JudgedTags
    from seqtag.tagging.model import TaggingModel

Report = SpanReport | LabelReport
Tags = Sequence[Sequence[str]]

# The spans of a million tokens take some 4 seconds with seqeval's reading and 2 with ours; larger files get ours.
MOST_SEQEVAL_TOKENS = 1_000_000


def evaluate_model(model: TaggingModel, corpus: TaggedCorpus, n_best: int = 0) -> Report | ColumnsReport:
    """The final report of a model on a corpus with tags such as `TagCodec.check` accepts.

    Args:
        model: a fitted model.
        corpus: what it is scored on.
        n_best: how many candidates of each sentence are scored too; none for 0.

    Raises:
        ConfigError: more than 1000 candidates.
    """
    # It needs TensorFlow, which a fault of the data comes before.
    from seqtag.tagging.evaluation.answers import judge_columns

    return reports_on(model, corpus, judge_columns(model, corpus), n_best)


def reports_on(
    model: TaggingModel, corpus: TaggedCorpus, judged: Sequence[JudgedTags], n_best: int = 0
) -> Report | ColumnsReport:
    """The same report from answers that are there already.

    Args:
        model: the model that gave them.
        corpus: what it was asked.
        judged: its answers in each column of tags, from `judge_columns`.
        n_best: as for `evaluate_model`.

    Raises:
        ConfigError: more than 1000 candidates.
    """
    # One encoding serves the candidates of all columns.
    encoded = model.encode(corpus.inputs) if n_best else None
    reports = []
    for of_column, tagged, answers in zip(model.columns, corpus.columns_of_tags, judged, strict=True):
        oracle = None if encoded is None else _oracle(of_column, tagged, encoded, n_best)
        reports.append(_report_on(of_column, tagged, answers, oracle))
    if len(reports) == 1:
        return reports[0]
    names = [of_column.options.tag_name for of_column in model.columns]
    gold, predicted = [one.tags for one in corpus.columns_of_tags], [one.predicted for one in judged]
    return ColumnsReport(dict(zip(names, reports, strict=True)), share_all_right(gold, predicted))


def _report_on(model: TaggingModel, corpus: TaggedCorpus, judged: JudgedTags, oracle: Oracle | None) -> Report:
    """The report on one column of tags."""
    scheme = model.codec.scheme
    gold, predicted = corpus_at_known(corpus.tags, judged.predicted, scheme)
    entities = None if scheme is None else _final_entities(gold, predicted, scheme)
    words = {} if model.reads_frames else evaluate_words(gold, predicted, judged.words, entities)
    errors = None if entities is None else find_errors(corpus.tokens, entities, _place(corpus))
    details = Details(judged.report(model), words, errors, oracle)
    report = replace(_report(gold, predicted, scheme, entities), details=details)
    if model.reads_frames and isinstance(report, LabelReport):
        return replace(report, segments=score_segments(gold, predicted))
    return report


def _oracle(model: TaggingModel, corpus: TaggedCorpus, encoded: EncodedCorpus, count: int) -> Oracle:
    found = model.candidates(encoded, count)
    candidates = [
        [at_known(gold, candidate.tags, model.codec.scheme)[1] for candidate in of_sentence]
        for gold, of_sentence in zip(corpus.tags, found, strict=True)
    ]
    return evaluate_oracle(corpus.tags, candidates, model.codec.scheme, count)


def evaluate_oracle(gold: Tags, candidates: Sequence[Tags], scheme: str | None, count: int) -> Oracle:
    """The scores of the best of at most `count` candidates of each sentence; see `best_candidates`."""
    chosen, found = best_candidates(gold, candidates, scheme)
    measure = resolve_measure("auto", scheme)
    return Oracle(count, measure, getattr(quick_report(gold, chosen, scheme), measure), found)


def _place(corpus: TaggedCorpus) -> Callable[[int], str]:
    """What an example calls a sentence: its first line in a file, its number in Python lists."""
    return lambda sentence: f"line {corpus.lines[sentence][0]}" if corpus.lines else f"sentence {sentence + 1}"


def final_report(gold: Tags, predicted: Tags, scheme: str | None) -> Report:
    """The report on predicted tags by seqeval's reading; in files of very many tokens by our own, which is the same.

    Args:
        gold: the tags of each sentence; tokens are scored whose tags are known.
        predicted: the same, in the same order.
        scheme: of both; None for plain labels.
    """
    gold, predicted = corpus_at_known(gold, predicted, scheme)
    return _report(gold, predicted, scheme, None if scheme is None else _final_entities(gold, predicted, scheme))


def _final_entities(gold: Tags, predicted: Tags, scheme: str) -> Entities:
    """The entities of a final report."""
    if sum(map(len, gold)) > MOST_SEQEVAL_TOKENS:
        return read_entities(gold, predicted, scheme)
    return read_entities(gold, predicted, scheme, seqeval_reader())


def quick_report(gold: Tags, predicted: Tags, scheme: str | None) -> Report:
    """The same report by our own reading alone."""
    gold, predicted = corpus_at_known(gold, predicted, scheme)
    return _report(gold, predicted, scheme)


def _report(gold: Tags, predicted: Tags, scheme: str | None, entities: Entities | None = None) -> Report:
    if scheme is None:
        return evaluate_labels(gold, predicted)
    return evaluate_spans(gold, predicted, scheme, entities)


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


def resolve_measures(measure: str, codecs: Sequence[TagCodec]) -> list[str]:
    """The measure of each column of tags; see `resolve_measure`.

    Raises:
        ConfigError: plain labels have no spans to be measured.
    """
    return [resolve_measure(measure, codec.scheme) for codec in codecs]


def measures_name(measures: Sequence[str]) -> str:
    """What the mean of the columns' measures is called: as each of them, if they are the same.

    >>> measures_name(["accuracy", "accuracy"]), measures_name(["f1", "accuracy"])
    ('accuracy', 'mean_score')
    """
    return measures[0] if len(set(measures)) == 1 else "mean_score"


def mean_score(reports: Iterable[Report], measures: Sequence[str]) -> float:
    """The mean of the measure of each column of tags."""
    return fmean(getattr(of_column, name) for of_column, name in zip(reports, measures, strict=True))
