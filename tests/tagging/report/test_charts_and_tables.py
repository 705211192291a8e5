"""Charts and tables of a page hold what they are to show."""

from __future__ import annotations

import math
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

from seqtag.measures.reliability import reliability_bins
from seqtag.measures.scores import confusion_table as counted
from seqtag.tagging.evaluation.labels import evaluate_labels
from seqtag.tagging.report.charts import Line, line_chart, reliability_chart
from seqtag.tagging.report.markup import script_data
from seqtag.tagging.report.tables import MOST_ROWS, MOST_TYPES, confusion_table, types_table


def parsed(markup):
    return ElementTree.fromstring(f"<page>{markup}</page>")


def texts(element, path):
    return ["".join(found.itertext()) for found in element.iterfind(path)]


@pytest.mark.parametrize("log", [False, True], ids=["linear", "logarithmic"])
@pytest.mark.parametrize(
    "values",
    [[0.3, 0.5, 0.9], [5.0], [1e-9, 1e6], [2.0, 2.0], [0.1, math.nan, math.inf, 0.3], [0.0, -1.0, 2.0]],
    ids=str,
)
def test_points_lie_inside_and_in_order(values, log):
    drawn = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    chart = parsed(line_chart("<score>", [Line("dev & test", list(enumerate(values, 1)))], log=log))
    places = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in chart.iter("circle")]
    assert len(places) == len(drawn)
    assert all(0 <= x <= 420 and 0 <= y <= 250 for x, y in places)
    across, down = zip(*places, strict=True)
    assert list(across) == sorted(across)
    assert np.argsort(drawn, kind="stable").tolist() == np.argsort([-y for y in down], kind="stable").tolist()
    assert texts(chart, ".//svg/title") == ["<score>"] and len(texts(chart, ".//text")) >= 3


def test_no_points_are_no_chart():
    assert line_chart("loss", [Line("loss", [(1, math.nan)])]) == ""


def test_the_diagram_shows_the_bins_of_both_temperatures():
    source = np.random.default_rng(1)
    p = source.uniform(size=500)
    right = source.uniform(size=500) < p
    bins = [reliability_bins(values, right) for values in (p, p**0.3)]
    assert sum(one.answers for one in bins[0]) == 500
    one, both = (parsed(reliability_chart("tags", bins[0], before)) for before in (None, bins[1]))
    assert (len(one.findall(".//circle")), len(both.findall(".//circle"))) == (
        len(bins[0]),
        len(bins[0]) + len(bins[1]),
    )
    dot = next(one.iter("circle"))
    assert f"{bins[0][0].answers} answers" in dot.find("title").text
    left, right_edge, floor, top = 48, 408, 212, 24
    assert float(dot.get("cx")) == pytest.approx(left + bins[0][0].probability * (right_edge - left), abs=0.1)
    assert float(dot.get("cy")) == pytest.approx(floor + bins[0][0].right * (top - floor), abs=0.1)


def test_the_confusion_table_of_very_many_types_counts_all_tokens():
    source = np.random.default_rng(2)
    types = [f"<T{n}>" for n in range(200)]
    pairs = Counter(zip(source.choice(types, 9000).tolist(), source.choice(types, 9000).tolist(), strict=True))
    table = parsed(confusion_table(counted(pairs))).find(".//table")
    rows = table.findall("tbody/tr")
    assert len(rows) == MOST_TYPES + 1 and texts(rows[-1], "th") == ["140 others"]
    assert len(table.findall("thead/tr/th")) == MOST_TYPES + 1
    shown = [cell.get("title") for cell in table.findall("tbody/tr/td[@title]")]
    assert sum(int(title.split(": ")[1].split(" of ")[0].replace(",", "")) for title in shown) == 9000


def test_a_confusion_table_of_few_types_has_its_counts():
    gold, predicted = ["A"] * 1500 + ["B"] * 3, ["A"] * 1499 + ["B", "B", "B", "A"]
    table = parsed(confusion_table(evaluate_labels([gold], [predicted]).confusion))
    assert [texts(row, "*") for row in table.iterfind(".//tbody/tr")] == [["A", "1,499", "1"], ["B", "1", "2"]]
    assert [(b.get("data-gold"), b.get("data-found")) for b in table.iter("button")] == [("A", "B"), ("B", "A")]


def test_the_table_of_types_leaves_the_rarest_out():
    tags = [f"T{n}" for n in range(MOST_ROWS + 20)] + [f"T{n}" for n in range(MOST_ROWS)]
    table = parsed(types_table(evaluate_labels([tags], [tags])))
    assert len(table.findall(".//tbody/tr")) == MOST_ROWS and texts(table, "p") == ["20 rarer ones are left out"]
    assert "T519" not in texts(table, ".//tbody/tr/th")


def test_data_in_a_script_cannot_end_it():
    data = {"<!--": ["</script>", "]]>", "&", "\u2028", "\ud800"]}
    text = script_data(data)
    assert not set("<>&\u2028") & set(text) and text.isascii()
    import json

    assert json.loads(text) == data
