"""The page in a real browser: filters, order, keys, colours, small windows; it loads nothing, and data stay text."""

from __future__ import annotations

import itertools
import json
import random
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from seqtag.measures.reliability import Answers, Reliability
from seqtag.tagging.calibration import Calibration
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.schemes import Span, spans, to_tags
from seqtag.tagging.evaluation.answers import JudgedTags
from seqtag.tagging.evaluation.calibration_report import CalibrationReport
from seqtag.tagging.evaluation.columns import ColumnsReport
from seqtag.tagging.evaluation.details import Details
from seqtag.tagging.evaluation.entities import Entities
from seqtag.tagging.evaluation.errors import errors_of, find_errors
from seqtag.tagging.evaluation.evaluate import quick_report
from seqtag.tagging.evaluation.words import evaluate_words
from seqtag.tagging.report.page import Findings, render_page
from seqtag.tagging.tagged_sentence import Entity

HOSTILE = [
    "<script>document.title='owned'</script>",
    "</script><b>bold</b>",
    "<img src=x onerror=\"document.title='owned'\">",
    "<!--",
    "&amp;",
    "\u202eab",
    "\x00",
    "\ud800",
    "${style}",
]
TYPES = ["PER", "<i>LOC</i>", 'O"RG']
SENTENCES = 130
# The name of a column of tags.
LABELS = "<pos>" + "long" * 40


def findings(
    gold: list[list[str]], predicted: list[list[str]], tokens: list[list[str]], scheme: str | None
) -> Findings:
    """What a page tells of these tags, with probabilities by chance."""
    source = np.random.default_rng(3)
    scores = [source.uniform(0.2, 1, len(tags)) for tags in gold]
    right = np.array([a == b for pair in zip(gold, predicted, strict=True) for a, b in zip(*pair, strict=True)])
    answers = Answers(right, *(np.concatenate(scores) ** power for power in (0.5, 1)))
    given = [[Entity(*span, 0.75) for span in spans(tags, scheme)] if scheme else [] for tags in predicted]
    words = [[0] * len(tags) for tags in gold]
    entities = Entities(*([spans(tags, scheme) for tags in side] for side in (gold, predicted))) if scheme else None
    reliability = Reliability.of(answers)
    calibration = CalibrationReport(Calibration(1.3), reliability, reliability if scheme else None)
    report = quick_report(gold, predicted, scheme)
    errors = find_errors(tokens, entities) if entities else None
    details = Details(calibration, evaluate_words(gold, predicted, words, entities), errors)
    lines = [[40 * n + place + 1 for place in range(len(row))] for n, row in enumerate(tokens)]
    history = [
        {"epoch": n, "loss": 1 / n, "dev": n / 20 - n * n / 400, "grad_norm": n / 9, "grad_norm_max": float("inf")}
        for n in range(1, 9)
    ]
    return Findings(
        "runs/<u>mine",
        "data/<u>dev.tsv",
        TaggedCorpus(tokens, gold, lines=lines),
        [JudgedTags(predicted, answers, answers, np.array([], str), words, scores, given)],
        [scheme],
        {"dev": type(report)(**{**vars(report), "details": details})},
        history,
    )


def random_spans(source: random.Random, length: int) -> list[str]:
    borders = sorted(source.sample(range(length + 1), 4))
    pairs = [(start, end) for start, end in itertools.pairwise(borders) if source.random() < 0.6]
    return to_tags([Span(source.choice(TYPES), start, end) for start, end in pairs], length, "IOB2")


@pytest.fixture(scope="module")
def with_spans() -> Findings:
    source = random.Random(7)
    tokens = [[source.choice([*HOSTILE, "Ærø", "saw", f"w{n}"]) for _ in range(9)] for n in range(SENTENCES)]
    gold = [random_spans(source, 9) for _ in tokens]
    predicted = [tags if source.random() < 0.4 else random_spans(source, 9) for tags in gold]
    return findings(gold, predicted, tokens, "IOB2")


@pytest.fixture(scope="module")
def with_labels() -> Findings:
    """Of 45 labels, one of which is long."""
    source = random.Random(8)
    labels = [f"L{n}" for n in range(44)] + ["<b>" + "long" * 40]
    gold = [[source.choice(labels) for _ in range(12)] for _ in range(60)]
    predicted = [[tag if source.random() < 0.8 else source.choice(labels) for tag in tags] for tags in gold]
    return findings(gold, predicted, [["word" * 30, *["w"] * 11] for _ in gold], None)


@pytest.fixture(scope="module")
def with_columns(with_spans, with_labels) -> Findings:
    """Of two columns of tags, those of the other two."""
    return replace(
        with_spans,
        corpus=replace(with_spans.corpus, further={LABELS: with_labels.corpus}),
        judged=[*with_spans.judged, *with_labels.judged],
        schemes=[*with_spans.schemes, *with_labels.schemes],
        reports={"dev": ColumnsReport({"ner": with_spans.report, LABELS: with_labels.report}, 0.5)},
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory, with_spans, with_labels, with_columns) -> SimpleNamespace:
    """The addresses of the pages."""
    folder = tmp_path_factory.mktemp("pages")
    addresses = {}
    for name, found in (("spans", with_spans), ("labels", with_labels), ("columns", with_columns)):
        path = folder / f"{name}.html"
        path.write_text(render_page(found), encoding="utf-8")
        addresses[name] = path.as_uri()
    return SimpleNamespace(**addresses)


@pytest.fixture
def page(browser, window, pages):
    """The page of spans, opened anew, with short ways to look at it and to use it."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    browser.get(pages.spans)

    def find(selector):
        return browser.find_element(By.CSS_SELECTOR, selector)

    def shown() -> list[int]:
        """The numbers of the sentences that are shown, all of them."""
        lines = browser.execute_script(ALL_LINES)
        return [(int(line.removeprefix("line ")) - 1) // 40 for line in lines]

    def press(*keys):
        browser.switch_to.active_element.send_keys(*keys)

    def choose(field, text):
        Select(find(field)).select_by_visible_text(text)

    def run(script, *arguments):
        return browser.execute_script(script, *arguments)

    return SimpleNamespace(find=find, shown=shown, press=press, choose=choose, run=run, keys=Keys)


# Shows all that can be shown, and gives the places of the sentences.
ALL_LINES = """
for (let presses = 0; document.getElementById("more").offsetParent && presses < 10; presses++) {
  document.getElementById("more").click();
}
return [...document.querySelectorAll(".about span:first-child")].map((place) => place.textContent);
"""


def errors(found: Findings) -> list[list]:
    return [
        errors_of(spans(gold, "IOB2"), spans(predicted, "IOB2"))
        for gold, predicted in zip(found.corpus.tags, found.judged[0].predicted, strict=True)
    ]


def test_it_loads_nothing_and_may_load_nothing(browser, page, pages):
    browser.get_log("performance"), browser.get_log("browser")
    browser.get(pages.spans)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert asked == [pages.spans]
    assert browser.get_log("browser") == []
    forbidden = page.run(
        "const image = new Image(); image.src = 'http://127.0.0.1:1/x.png'; document.body.append(image);"
        "const code = document.createElement('script'); code.textContent = 'document.title = 1';"
        "document.body.append(code);"
        "return document.title"
    )
    assert forbidden == "<u>dev.tsv - seqtag"
    told = " ".join(entry["message"] for entry in browser.get_log("browser"))
    assert "Content Security Policy" in told and "x.png" in told and "script" in told


def test_of_several_columns_the_scores_of_all_are_shown(with_spans, with_labels, with_columns):
    text = render_page(with_columns)
    assert f"<strong>{with_spans.report.f1:.2%}</strong> F1" in text and "<h3>dev, ner</h3>" in text
    assert f"<strong>{with_labels.report.accuracy:.2%}</strong> accuracy" in text
    assert "<h3>dev, &lt;pos&gt;" in text and '<h2 id="confusion-title">Confusion, ner</h2>' in text


def test_sentences_of_all_columns_together_make_no_large_page(monkeypatch, with_columns):
    monkeypatch.setattr("seqtag.tagging.report.sentences.MOST_SIZE", 20_000)
    [text] = re.findall('(?s)id="data">(.*?)</script>', render_page(with_columns))
    columns = json.loads(text)
    assert 10_000 < len(text) < 22_000 and all(1 < len(column["rows"]) < 60 for column in columns)
    assert [column["told"].split(":")[0] for column in columns] == [
        f"{len(column['rows'])} of {total} sentences" for column, total in zip(columns, (SENTENCES, 60), strict=True)
    ]


def test_the_column_whose_sentences_are_shown_is_chosen_by_keys(browser, page, pages, with_spans, with_labels):
    assert page.run("return document.getElementById('columns').hidden")  # there is one
    browser.get(pages.columns)
    of_spans = {n for n, found in enumerate(errors(with_spans)) if found}
    assert set(page.shown()) == of_spans
    page.choose("#type", "PER")
    page.find("#column").send_keys(page.keys.ARROW_DOWN)
    assert page.run("return document.activeElement.selectedOptions[0].text").startswith("<pos>long")
    [answers] = with_labels.judged
    pairs = zip(with_labels.corpus.tags, answers.predicted, strict=True)
    wrong = {n for n, (gold, predicted) in enumerate(pairs) if gold != predicted}
    assert set(page.shown()) == wrong and wrong != of_spans
    options = "return [...document.querySelectorAll(`#${arguments[0]} option`)].map((option) => option.text)"
    assert page.run(options, "kind") == ["all", "any error", "wrong", "none"]
    assert set(page.run(options, "type")) > {f"L{n}" for n in range(44)}
    assert page.find("#told").text == "All 60 sentences of the file."
    page.find("#text").send_keys("nowhere")
    page.find("#reset").click()
    assert set(page.shown()) == wrong and page.find("#column").get_property("value") == "1"
    # What is counted above is the first column's.
    page.run("document.querySelector('.confusion button').click()")
    assert page.find("#column").get_property("value") == "0" and not page.find("#pair").get_property("hidden")
    assert page.find("#told").text == f"All {SENTENCES} sentences of the file."
    assert set(page.shown()) < of_spans


def test_markup_in_data_stays_text(page):
    assert page.run("return document.title") == "<u>dev.tsv - seqtag"
    assert page.find("h1").text == "<u>dev.tsv"
    assert not page.run("return document.querySelectorAll('main b:not(.wrongly > b), u, img, i, main script').length")
    page.choose("#kind", "all")
    page.shown()
    text = page.run("return document.getElementById('list').innerText.toWellFormed()")
    assert all(token in text for token in HOSTILE[:5]) and "<i>LOC</i>" in text
    assert "<i>LOC</i>" in page.find("#confusion").text and 'O"RG' in page.find("#types").text


@pytest.mark.parametrize("kind", ["boundary", "type", "both", "missed", "spurious", "none", "any error", "all"])
def test_errors_are_filtered_by_kind(page, with_spans, kind):
    page.choose("#kind", kind)
    kinds = [{error.kind for error in of_sentence} for of_sentence in errors(with_spans)]
    wanted = {
        n
        for n, found in enumerate(kinds)
        if kind == "all" or (kind == "any error" and found) or (kind == "none" and not found) or kind in found
    }
    assert set(page.shown()) == wanted and wanted
    assert page.find("#count").text == f"{len(wanted)} of {SENTENCES} sentences"


def test_a_type_and_a_kind_are_of_one_error(page, with_spans):
    page.choose("#kind", "missed")
    page.choose("#type", "<i>LOC</i>")
    missed = [[error.true.type for error in found if error.kind == "missed"] for found in errors(with_spans)]
    wanted = {n for n, types in enumerate(missed) if TYPES[1] in types}
    assert set(page.shown()) == wanted and wanted
    page.choose("#kind", "all")
    sides = with_spans.corpus.tags, with_spans.judged[0].predicted
    wanted = {n for n, tags in enumerate(zip(*sides, strict=True)) if "B-<i>LOC</i>" in [*tags[0], *tags[1]]}
    assert set(page.shown()) == wanted


def test_text_is_found_whatever_its_case_and_reset_shows_all_errors(page, with_spans):
    page.choose("#kind", "all")
    page.find("#text").send_keys("ÆRØ SAW")
    wanted = {n for n, tokens in enumerate(with_spans.corpus.tokens) if "Ærø saw" in " ".join(tokens)}
    assert set(page.shown()) == wanted and wanted
    page.find("#reset").click()
    assert set(page.shown()) == {n for n, found in enumerate(errors(with_spans)) if found}
    assert page.find("#kind").get_property("value") == "any error" and not page.find("#text").get_property("value")


def test_the_order_is_that_of_doubt_or_of_the_file(page, with_spans):
    page.choose("#kind", "all")
    doubts = [round(float(scores.min()), 4) for scores in with_spans.judged[0].scores]
    assert page.shown() == sorted(range(SENTENCES), key=lambda n: doubts[n])
    page.choose("#order", "most probable first")
    assert page.shown() == sorted(range(SENTENCES), key=lambda n: -doubts[n])
    page.choose("#order", "as in the file")
    assert page.shown() == list(range(SENTENCES))


def test_a_cell_of_the_confusion_table_shows_its_sentences(page, with_spans):
    cell = page.find(".confusion button[data-gold='PER'][data-found='O']")
    page.run("arguments[0].click()", cell)

    def types(tags):
        return [tag.split("-")[-1] for tag in tags]

    pairs = zip(with_spans.corpus.tags, with_spans.judged[0].predicted, strict=True)
    tokens = [sum((g, f) == ("PER", "O") for g, f in zip(*map(types, pair), strict=True)) for pair in pairs]
    assert set(page.shown()) == {n for n, count in enumerate(tokens) if count}
    assert int(cell.text) == sum(tokens)
    page.find("#pair button").click()
    assert set(page.shown()) == {n for n, found in enumerate(errors(with_spans)) if found}


def test_it_is_used_by_keys(page):
    def focused():
        return page.run("return [...document.querySelectorAll('.sentence')].indexOf(document.activeElement)")

    page.press("/")
    assert page.run("return document.activeElement.id") == "text"
    page.press("w1/j")
    assert page.find("#text").get_property("value") == "w1/j" and not page.shown()
    page.press(page.keys.ESCAPE)
    assert page.run("return document.activeElement === document.body")
    page.find("#reset").click()
    page.press(page.keys.ESCAPE)
    page.press("jjj")
    assert focused() == 2
    page.press("k")
    assert focused() == 1
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("j" * 45)
    assert focused() == 46  # the first 40 are shown at once
    page.press(page.keys.ESCAPE)
    assert focused() == -1


def test_every_control_shows_that_it_has_the_focus(browser, page, pages):
    browser.get(pages.columns)
    page.run("document.body.tabIndex = -1; document.body.focus()")
    reached = []
    for _ in range(40):
        page.press(page.keys.TAB)
        name, style = page.run(
            "const e = document.activeElement;"
            "return [e.id || e.className || e.tagName, getComputedStyle(e).outlineStyle]"
        )
        assert style not in ("none", ""), name
        reached.append(name)
        if name == "reset":
            break
    assert {"theme", "skip", "column", "kind", "type", "order", "text", "reset"} <= set(reached)


def test_arrows_move_among_the_cells(page):
    cells = page.run("return [...document.querySelectorAll('.confusion button')].map(c => c.tabIndex)")
    assert cells.count(0) == 1
    page.run("document.querySelector('.confusion button[tabindex=\"0\"]').focus()")
    first = page.run("return document.activeElement.closest('tr').rowIndex")
    page.press(page.keys.ARROW_DOWN)
    assert page.run("return document.activeElement.closest('tr').rowIndex") > first


@pytest.mark.parametrize("name", ["columns", "labels"])
@pytest.mark.parametrize("width", [360, 1200])
def test_no_window_scrolls_sideways(browser, window, pages, name, width):
    window(width)
    browser.get(getattr(pages, name))
    # Also with sentences of every kind, and with the longest words.
    browser.execute_script(
        "const k = document.getElementById('kind'); k.value = 'all'; k.dispatchEvent(new Event('change'))"
    )
    root = "document.documentElement"
    wide, there = browser.execute_script(f"return [{root}.scrollWidth, {root}.clientWidth]")
    assert wide <= there and len(browser.execute_script(ALL_LINES)) in (60, SENTENCES)


def test_colours_follow_the_system_and_the_switch(browser, window, page):
    def brightness() -> float:
        colour = page.run("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) / 765

    assert brightness() > 0.9
    window(dark=True)
    assert brightness() < 0.2
    page.find("#theme").click()  # light
    assert brightness() > 0.9
    page.find("#theme").click()  # dark
    window(dark=False)
    assert brightness() < 0.2
    page.find("#theme").click()  # that of the system
    assert brightness() > 0.9


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_in_every_colour(browser, window, pages, dark):
    """A contrast of 4.5 at least (WCAG 2 AA) of all texts."""
    window(dark=dark)
    for address in (pages.columns, pages.labels):
        browser.get(address)
        assert browser.execute_script(LOW_CONTRAST) == []


# The texts of a page whose colour is too near to that behind them.
LOW_CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}
const channel = (c) => (c / 255 <= 0.03928 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
function behind(node) {
  for (let at = node; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
}
const found = new Set();
for (const node of document.querySelectorAll("body *:not(script)")) {
  if (![...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim()) || !node.getClientRects().length) continue;
  const style = getComputedStyle(node);
  const text = rgba(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const [a, b] = [luminance(text), luminance(behind(node))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) found.add(`${node.tagName}.${node.className} ${contrast.toFixed(2)}`);
}
return [...found];
"""
