"""The page itself: one file that loads nothing, in which no text of data is read as markup or as a script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from seqtag.measures.reliability import Answers, Reliability, reliability_bins
from seqtag.runs import bundle
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.evaluation.answers import JudgedTags, judge_columns
from seqtag.tagging.evaluation.columns import ColumnsReport, first_report
from seqtag.tagging.evaluation.details import Details
from seqtag.tagging.evaluation.evaluate import Report, reports_on
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.report.charts import Line, line_chart, reliability_chart
from seqtag.tagging.report.markup import Markup, element, joined, script_data, shortened
from seqtag.tagging.report.sentences import ShownSentences, shown_sentences
from seqtag.tagging.report.tables import confusion_table, errors_table, headline, types_table, words_table

NORM, LAYER_NORM = "grad_norm", "grad_norm/"


@dataclass(frozen=True)
class Findings:
    """What a page tells.

    Attributes:
        run: the name of the run.
        data: the name of the file whose sentences are shown.
        corpus: these sentences.
        judged: the answers of the model to them, in each column of tags.
        schemes: of the tags of each column; None for plain labels.
        reports: the report on each scored split; the first is on these sentences. Of several columns of tags the page
            shows the scores and the sentences of all, and the tables and figures of the first.
        history: of the training, a dict for each epoch; empty where it is not known.
    """

    run: str
    data: str
    corpus: TaggedCorpus
    judged: Sequence[JudgedTags]
    schemes: Sequence[str | None]
    reports: Mapping[str, Report | ColumnsReport]
    history: Sequence[Mapping[str, float]] = ()

    @classmethod
    def of_run(cls, run: Path, data: str, model: TaggingModel, corpus: TaggedCorpus, n_best: int = 0) -> Findings:
        """What is found of a finished run on a file.

        Args:
            run: its directory.
            data: the name of the file.
            model: the model of the run.
            corpus: what stands in the file.
            n_best: how many candidates of each sentence are scored too.

        Raises:
            RunError: see `read_history`.
            ConfigError: more than 1000 candidates.
        """
        history = run / bundle.HISTORY
        epochs = bundle.read_history(history) if history.exists() else []
        judged = judge_columns(model, corpus)
        reports = {Path(data).name: reports_on(model, corpus, judged, n_best)}
        return cls(str(run), data, corpus, judged, [codec.scheme for codec in model.codecs], reports, epochs)

    @property
    def report(self) -> Report | ColumnsReport:
        """The report on the sentences that are shown."""
        return next(iter(self.reports.values()))


def render_page(findings: Findings) -> str:
    """The page, as HTML."""
    report, first = first_report(findings.report), _names(findings)[0]
    of_first = f", {first}" if first else ""
    sections = [("scores", "Scores", _scores(findings.reports)), ("types", f"Types{of_first}", types_table(report))]
    sections.append(("confusion", f"Confusion{of_first}", _confusion(report)))
    if report.details is not None:
        sections.append(("calibration", f"Calibration{of_first}", _calibration(findings.judged[0], report.details)))
    if findings.history:
        sections.append(("training", "Training", _training(findings.history)))
    name = shortened(Path(findings.data).name)
    style, script = _own("page.css"), _own("page.js")
    links = [*((name, title) for name, title, _ in sections), ("sentences", "Sentences")]
    return Template(_own("page.html")).substitute(
        policy=_policy(style, script),
        title=joined(f"{name} - seqtag"),
        style=style,
        heading=joined(name),
        about=joined(f"{findings.data}, tagged by {findings.run}"),
        links=joined(*(element("a", title, href=f"#{name}") for name, title in links)),
        sections="\n".join(_section(*section) for section in sections),
        data=script_data(_sentences(findings)),
        script=script,
    )


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """What a browser may do with the page: apply its own style, run its own script, and load nothing."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    rules = ["default-src 'none'", f"style-src 'sha256-{style}'", f"script-src 'sha256-{script}'", "base-uri 'none'"]
    return "; ".join([*rules, "form-action 'none'"])


def _section(name: str, title: str, content: Markup) -> Markup:
    heading = element("h2", title, id=f"{name}-title")
    return element("section", heading, content, id=name, aria_labelledby=f"{name}-title")


def _scores(reports: Mapping[str, Report | ColumnsReport]) -> Markup:
    cards = [headline(*card) for split, report in reports.items() for card in _of_columns(split, report)]
    details = first_report(next(iter(reports.values()))).details
    if details is None:
        return element("div", *cards, class_="beside")
    errors = [] if details.errors is None else [errors_table(details.errors.counts)]
    oracle = [] if details.oracle is None else [element("p", details.oracle.to_text(), class_="quiet")]
    return joined(element("div", *cards, *errors, words_table(details.words), class_="beside"), *oracle)


def _of_columns(split: str, report: Report | ColumnsReport) -> list[tuple[str, Report]]:
    """The report on each column of tags, with its name."""
    if isinstance(report, ColumnsReport):
        return [(f"{split}, {column}", of_column) for column, of_column in report.columns.items()]
    return [(split, report)]


def _confusion(report: Report) -> Markup:
    note = "Tokens: gold types down, predicted types across. A press on an error shows its sentences; arrows move."
    return joined(element("p", note, class_="quiet"), confusion_table(report.confusion))


def _calibration(judged: JudgedTags, details: Details) -> Markup:
    found = details.calibration
    kinds = [("tags", judged.tags, found.tags)]
    if found.entities is not None:
        kinds.append(("entities", judged.entities, found.entities))
    temperature = found.calibration.temperature
    charts = [_reliability(name, answers, told, temperature) for name, answers, told in kinds if told.answers]
    lines = [element("p", line, class_="quiet") for line in found.to_text().splitlines()]
    return joined(*lines, element("div", *charts, class_="charts"))


def _reliability(name: str, answers: Answers, told: Reliability, temperature: float) -> Markup:
    before = None if temperature == 1 else reliability_bins(answers.before, answers.right)
    title = f"{name.capitalize()}: calibration error {told.error:.4f}, {told.answers:,} answers"
    return reliability_chart(title, reliability_bins(answers.after, answers.right), before)


def _training(history: Sequence[Mapping[str, float]]) -> Markup:
    members = sorted({row["member"] for row in history if "member" in row})

    def lines(column: str, name: str) -> list[Line]:
        """One for each network of an ensemble."""
        rows = [row for row in history if column in row and "epoch" in row]
        if not members:
            return [Line(name, [(row["epoch"], row[column]) for row in rows])]
        return [
            Line(f"{name} {member:g}", [(row["epoch"], row[column]) for row in rows if row["member"] == member])
            for member in members
        ]

    dev = lines("dev", "score on dev")
    best = None if members else max(dev[0].points, key=lambda point: point[1], default=(None, 0.0))[0]
    told = "" if best is None else f", best after epoch {best:g}"
    layers = [name for name in history[0] if name.startswith(LAYER_NORM)]
    of_layers = [line for name in layers for line in lines(name, name.removeprefix(LAYER_NORM))]
    charts = [
        line_chart(f"Score on dev{told}", dev, best),
        line_chart("Loss in training", lines("loss", "loss"), best),
        line_chart("Gradient norm", [*lines(NORM, "mean"), *lines(f"{NORM}_max", "maximum")], log=True),
        line_chart("Gradient norm by layer", of_layers, log=True),
    ]
    return element("div", *charts, class_="charts")


def _sentences(findings: Findings) -> list[dict[str, Any]]:
    """What the script is told of the sentences, for each column of tags."""
    names = _names(findings)
    columns = zip(findings.corpus.columns_of_tags, findings.judged, findings.schemes, strict=True)
    shown = [shown_sentences(*column, share=1 / len(names)) for column in columns]
    return [
        {"name": name, "told": _told(of_column), **of_column.to_data()}
        for name, of_column in zip(names, shown, strict=True)
    ]


def _names(findings: Findings) -> list[str]:
    """The names of the columns of tags; one without a name, if there are no others."""
    report = findings.report
    return list(map(shortened, report.columns)) if isinstance(report, ColumnsReport) else [""]


def _told(shown: ShownSentences) -> str:
    """How many sentences there are, and which of them are shown."""
    if len(shown.rows) == shown.total:
        return f"All {shown.total:,} sentences of the file."
    return (
        f"{len(shown.rows):,} of {shown.total:,} sentences: of each kind of error, and of sentences without one, "
        "those that the tagger is least and most sure of."
    )
