"""The scores of a page as tables: headline figures, types, words, and which types are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqtag.measures.scores import Score
from seqtag.tagging.evaluation.evaluate import Report
from seqtag.tagging.evaluation.labels import LabelReport
from seqtag.tagging.evaluation.words import WordScores
from seqtag.tagging.report.markup import Markup, element, joined, shortened

# Of the confusion table; and the rows of the table of types.
MOST_TYPES, MOST_ROWS = 60, 500
# Of more types, the confusion table is set in smaller letters.
FEW_TYPES = 12
# How many shades a cell may have.
SHADES = 8
OTHERS = "others"


def headline(split: str, report: Report) -> Markup:
    """The scores of a split, the one that counts in large."""
    if isinstance(report, LabelReport):
        name, value, others = "accuracy", report.accuracy, {"macro F1": report.f1_macro}
    else:
        name, value = "F1", report.f1
        others = {"precision": report.precision, "recall": report.recall, "strict F1": report.f1_strict}
        others["accuracy"] = report.accuracy
    figures = [element("div", element("dt", key), element("dd", _percent(score))) for key, score in others.items()]
    return element(
        "article",
        element("h3", split),
        element("p", element("strong", _percent(value)), f" {name}", class_="big"),
        element("dl", *figures),
        element("p", f"{report.sentences:,} sentences, {report.tokens:,} tokens", class_="quiet"),
        class_="card",
    )


def types_table(report: Report) -> Markup:
    """Precision, recall and F1 of each type or label, and how many there are."""
    scores = report.per_tag if isinstance(report, LabelReport) else report.per_type
    shown = sorted(scores.items(), key=lambda item: -item[1].support)[:MOST_ROWS]
    rows = [_type_row(name, score) for name, score in sorted(shown)]
    head = _head("type", "F1", "", "precision", "recall", "gold", "predicted", "right")
    left = len(scores) - len(shown)
    note = [element("p", f"{left:,} rarer ones are left out", class_="quiet")] if left else []
    return joined(
        element("div", element("table", head, element("tbody", *rows)), class_="scroll low", tabindex=0), *note
    )


def _type_row(name: str, score: Score) -> Markup:
    meter = element("td", _meter(score.f1), class_="meter")
    figures = [_number(_percent(value)) for value in (score.precision, score.recall)]
    counts = [_number(f"{count:,}") for count in (score.support, score.predicted, score.correct)]
    return element("tr", _name(name), _number(_percent(score.f1)), meter, *figures, *counts)


def _meter(share: float) -> Markup:
    """A bar of this share of the width."""
    bar = element("rect", class_="bar", width=round(100 * share, 1), height=8, rx=2)
    track = element("rect", class_="track", width=100, height=8, rx=2)
    return element("svg", track, bar, viewBox="0 0 100 8", aria_hidden="true")


def words_table(words: Mapping[str, WordScores]) -> Markup:
    """The scores of words that training had and of others."""
    has_entities = any(scores.entities is not None for scores in words.values())
    names = ["words", "tokens", "accuracy", *(["F1 of entities", "entities"] if has_entities else [])]
    rows = []
    for kind, scores in words.items():
        cells = [_number(f"{scores.tokens:,}"), _number(_percent(scores.accuracy))]
        if scores.entities is not None:
            cells += [_number(_percent(scores.entities.f1)), _number(f"{scores.entities.support:,}")]
        rows.append(element("tr", _name(kind.replace("_", " ")), *cells))
    table = element("table", _head(*names), element("tbody", *rows))
    return element("div", table, class_="scroll", tabindex=0)


def errors_table(counts: Mapping[str, int]) -> Markup:
    """How many errors there are of each kind; a press on one shows its sentences."""
    most = max(1, *counts.values())
    rows = [
        element(
            "tr",
            element("th", element("button", kind, type="button", data_kind=kind, class_="link"), scope="row"),
            _number(f"{count:,}"),
            element("td", _meter(count / most), class_="meter"),
        )
        for kind, count in counts.items()
    ]
    return element("div", element("table", _head("error", "count", ""), element("tbody", *rows)), class_="scroll")


def confusion_table(confusion: Mapping[str, Mapping[str, int]]) -> Markup:
    """Which gold types, down, are predicted as which, across; the darker a cell, the more of its row it has.

    Of very many types those with the most errors are shown, and the others are one.
    """
    names, counts = _pooled(confusion)
    columns = [
        element("th", element("span", shortened(name, 24)), scope="col", title=shortened(name)) for name in names
    ]
    head = element("thead", element("tr", element("td", "gold \\ predicted", class_="corner"), *columns))
    rows = [
        element("tr", _name(name), *(_cell(names, row, column, counts) for column in range(len(names))))
        for row, name in enumerate(names)
    ]
    dense = " dense" if len(names) > FEW_TYPES else ""
    table = element("table", head, element("tbody", *rows), class_=f"confusion{dense}", id="confusion-table")
    return element("div", element("div", table, class_="scroll", tabindex=0), class_="wide" if dense else None)


def _cell(names: Sequence[str], row: int, column: int, counts: Sequence[Sequence[int]]) -> Markup:
    count, total = counts[row][column], sum(counts[row])
    written = _brief(count) if len(names) > FEW_TYPES else f"{count:,}"
    if not count:
        return element("td")
    share = count / total
    title = f"{shortened(names[row])} as {shortened(names[column])}: {count:,} of {total:,} tokens ({_percent(share)})"
    if row == column:
        shade = f"right s{min(SHADES, int(share * SHADES) + 1)}"
        return element("td", written, class_=shade, title=title)
    # Errors are shaded by the root of their share, so that rare ones are seen too.
    shade = f"wrong s{min(SHADES, int(share**0.5 * SHADES) + 1)}"
    pair = {"data_gold": shortened(names[row]), "data_found": shortened(names[column])}
    button = element("button", written, type="button", tabindex=-1, **pair)
    return element("td", button, class_=shade, title=title)


def _brief(count: int) -> str:
    """A count in few characters; what is rounded stands in full in the title of its cell."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k" if count < 99_950 else f"{count / 1e6:.1f}M"


def _pooled(confusion: Mapping[str, Mapping[str, int]]) -> tuple[list[str], list[list[int]]]:
    """The names and the counts of a table of at most so many types."""
    wrong = {
        name: sum(row.values()) + sum(other[name] for other in confusion.values()) - 2 * row[name]
        for name, row in confusion.items()
    }
    kept = sorted(sorted(confusion, key=lambda name: -wrong[name])[:MOST_TYPES])
    others = [name for name in confusion if name not in set(kept)]
    groups = [[name] for name in kept] + ([others] if others else [])
    counts = [[sum(confusion[a][b] for a in gold for b in found) for found in groups] for gold in groups]
    return [*kept, *([f"{len(others)} {OTHERS}"] if others else [])], counts


def _head(*names: str) -> Markup:
    return element("thead", element("tr", *(element("th", name, scope="col") for name in names)))


def _name(name: str) -> Markup:
    return element("th", shortened(name), scope="row")


def _number(text: str) -> Markup:
    return element("td", text, class_="number")


def _percent(share: float) -> str:
    return f"{share:.2%}"
