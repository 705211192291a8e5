"""The benchmarks are run by hand: every name of ours that they import is there, and figures follow from forecasts."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from benchmarks.exported_answers import Compared, compare
from benchmarks.forecast_ablation import best_rule, drawn, noise, repeats, systems
from benchmarks.forecast_defaults import LEVELS, by_series, cut, of_all, report_of
from benchmarks.forecast_promise import Origin, Side, long_enough, row
from seqtag.forecasting.defaults.choices import ANCHORED, SEASONAL, SMOOTHED
from seqtag.tagging.tagged_sentence import TaggedSentence

FILES = sorted((Path(__file__).parents[1] / "benchmarks").rglob("*.py"))


def is_there(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_of_ours_is_there(path):
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    ours = [(node.module, alias.name) for node in nodes if node.module for alias in node.names]
    wanted = [pair for pair in ours if pair[0].split(".")[0] == "seqtag"]
    assert not [pair for pair in wanted if not is_there(*pair)]


def frame(lengths=(8, 5, 11)):
    """Series `s0`, `s1`, ... that count up from 0."""
    parts = [pd.DataFrame({"unique_id": f"s{n}", "ds": range(end), "y": range(end)}) for n, end in enumerate(lengths)]
    return pd.concat(parts, ignore_index=True)


def test_an_origin_has_the_steps_before_it_and_a_horizon_after_it():
    history, test = cut(frame(), 2, 1)
    assert history.groupby("unique_id")["y"].max().tolist() == [3, 0, 6]
    assert by_series(test, ["y"], 2)[..., 0].tolist() == [[4, 5], [1, 2], [7, 8]]


def test_a_report_is_of_the_test_steps():
    history, test = cut(frame(), 2, 0)
    target = by_series(test, ["y"], 2)
    quantiles = target + np.linspace(-1, 1, len(LEVELS))
    report = report_of(quantiles, history, test, 1)
    assert report.overall.observed == 6 and report.overall.mase == 0 and report.overall.named_coverage() == 1
    # Counting on is the line through the ends.
    assert best_rule(report) == "drift"


def test_each_part_of_the_default_is_left_out_once():
    lines = systems([ANCHORED, SEASONAL, SMOOTHED])
    assert lines["default without anchor"] == {"members": [SEASONAL, SMOOTHED]}
    assert lines["default without smoothing"] == {"members": [ANCHORED, SEASONAL]}
    assert {name for name, settings in lines.items() if settings.get("guard") == "none"} == {
        *("plain", "season", "season + anchor", "smoothing", "default without guard"),
    }


def test_a_part_that_the_default_does_not_have_is_not_left_out():
    assert not [name for name in systems([ANCHORED, SEASONAL]) if "smoothing" in name]
    assert not [name for name in systems([]) if name.startswith("default without") and "guard" not in name]


def test_made_up_series_repeat_or_do_not():
    for made, repeats_itself in ((repeats(1), True), (noise(1), False)):
        values = made["y"].to_numpy().reshape(20, -1)
        seasonal = np.abs(values[:, 24:] - values[:, :-24]).mean() / np.abs(np.diff(values)).mean()
        assert (seasonal < 0.1) == repeats_itself
    assert drawn(made, 3)["unique_id"].nunique() == 3 and len(drawn(made, 99)) == len(made)
    pd.testing.assert_frame_equal(drawn(made, 3), drawn(made, 3))


def test_long_enough_series_are_kept_whole():
    assert long_enough(frame(), 8)["unique_id"].value_counts().to_dict() == {"s2": 11, "s0": 8}


def origin(held_out, test, coverage=(0.8, 0.7)):
    """By the ratios to naive and to drift."""
    ratios = [dict(zip(("naive", "drift"), side, strict=True)) for side in (held_out, test)]
    return Origin(*map(Side, ratios, coverage))


def test_a_promise_is_kept_against_the_rule_that_was_the_best():
    # Drift was the best rule on held-out steps, whatever the best one on test is.
    assert origin((0.5, 1.0), (2.0, 1.05)).kept
    assert not origin((0.5, 1.0), (0.1, 1.06)).kept


def test_a_line_of_promises_counts_and_averages():
    origins = [origin((0.9, 0.5), (1.01, 0.6)), origin((1.02, 0.5), (1.1, 0.6), (0.9, 0.8))]
    assert row("a set", origins) == [
        *("a set", "2", "2 of 2", "0.960 (0.900 to 1.020)", "1 of 2", "1.055 (1.010 to 1.100)"),
        *("0 of 2", "85%", "75%"),
    ]


def test_the_figures_of_all_are_means_over_the_series():
    def run(mase, series, seconds=1.0):
        return {"a": {"mase": mase, "wql": 0.1, "coverage": 0.8, "seconds": seconds, "series": series}}

    (found,) = of_all({"yearly": [run(2.0, 1)], "monthly": [run(1.0, 3, 2.0)]})
    assert (found["a"]["mase"], found["a"]["coverage"], found["a"]["seconds"], found["a"]["series"]) == (
        1.25,
        0.8,
        3,
        4,
    )


def test_a_tag_and_a_probability_of_the_exported_model_that_differ_are_found():
    """The tags of the model are the tokens, of the second column their lengths; one of each differs in a sentence."""

    def serving(tokens):
        scores = np.where(tokens == "bb", 0.75, 0.5).astype(np.float32)
        lengths = np.vectorize(lambda token: b"%d" % len(token), otypes=[object])(tokens.numpy())
        outputs = {"tags": tokens, "scores": scores, "tags_length": lengths, "scores_length": np.full_like(scores, 0.5)}
        return {name: tf.constant(value) for name, value in outputs.items()}

    def sentence(tokens, lengths):
        further = {"length": TaggedSentence(tokens, lengths, [0.5] * len(tokens), [])}
        return TaggedSentence(tokens, tokens, [0.5] * len(tokens), [], further=further)

    same = [sentence(["aaa", "c"], ["3", "1"])] * 70
    assert compare(serving, [*same, sentence([], [])]) == Compared(280, 0, 0.0)
    assert compare(serving, [*same, sentence(["a", "bb", "c"], ["1", "3", "1"]), *same]) == Compared(566, 1, 0.25)
