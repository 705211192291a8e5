"""Figures of attention and of a training: they draw the weights and rows that they are given."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from seqtag.figures import new_figure
from seqtag.seq2seq.plots import Alignment, plot_alignments, plot_attention, plot_learning_curve
from seqtag.seq2seq.plots.attention import MAX_LABELS


def labels(ticks):
    return [label.get_text() for label in ticks]


def weights_of(target, source):
    weights = np.random.default_rng(target).uniform(size=(target, source))
    return weights / weights.sum(axis=1, keepdims=True)


def drawn(figure):
    """The panels and their images; the figure is drawn, and no warning given."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.draw_without_rendering()
    panels = [axis for axis in figure.axes if axis.get_xlabel() == "source"]
    return panels, [axis.images[0].get_array() for axis in panels]


def test_a_heat_map_holds_the_weights_with_the_source_across_and_the_first_target_on_top():
    weights = weights_of(2, 3)
    [axis], [image] = drawn(plot_attention(["A", "B", "C"], ["AH", "B"], weights))
    np.testing.assert_array_equal(image, weights)
    assert labels(axis.get_xticklabels()) == ["A", "B", "C"]
    assert labels(axis.get_yticklabels()) == ["AH", "B"]
    assert axis.get_xticks().tolist() == [0, 1, 2]
    low, high = axis.get_ylim()
    assert low > high  # downwards
    assert axis.images[0].get_clim() == (0.0, weights.max())


def test_symbols_that_cannot_be_seen_are_shown_and_a_dollar_begins_no_formula():
    source = [" ", "\t", "\u0301", "\x1b", "$x^$", "\u202e", "é", ""]
    [axis], _ = drawn(plot_attention(source, ["a"], weights_of(1, len(source))))
    assert labels(axis.get_xticklabels()) == ["␣", r"\t", r"\u0301", r"\x1b", "$x^$", r"\u202e", "é", "''"]
    assert {label.get_rotation() for label in axis.get_xticklabels()} == {90.0}
    assert not any(label.get_parse_math() for label in axis.get_xticklabels())


def test_long_sequences_have_some_labels_at_their_own_steps_and_all_weights():
    source = [f"s{n}" for n in range(1000)]
    weights = weights_of(90, 1000)
    figure = plot_attention(source, ["x" * 500, *"abc" * 29, "y", "z"], weights)
    [axis], [image] = drawn(figure)
    assert image.shape == (90, 1000)
    assert len(axis.get_xticks()) <= MAX_LABELS
    assert labels(axis.get_xticklabels()) == [source[int(tick)] for tick in axis.get_xticks()]
    assert set(np.diff(axis.get_yticks())) == {3}
    assert len(labels(axis.get_yticklabels())[0]) < 30
    assert max(figure.get_size_inches()) <= 12


def test_frames_are_numbered():
    [axis], _ = drawn(plot_attention(None, ["one"], weights_of(1, 5)))
    assert labels(axis.get_xticklabels()) == ["0", "1", "2", "3", "4"]


def test_a_heat_map_is_drawn_where_it_is_asked_for():
    figure = new_figure(6, 3)
    left, right = figure.subplots(1, 2)
    assert plot_attention(["a"], ["b"], np.ones((1, 1)), ax=right) is figure
    assert right.images and not left.images


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_several_answers_have_a_panel_each_and_one_scale_of_colours(count):
    alignments = [Alignment(list("abcd"[: n + 1]), ["x"] * (n + 1), weights_of(n + 1, n % 4 + 1)) for n in range(4)] * 3
    figure = plot_alignments(alignments[:count])
    axes, images = drawn(figure)
    for image, alignment in zip(images, alignments[:count], strict=True):
        np.testing.assert_array_equal(image, alignment.weights)
    assert len({axis.images[0].get_clim() for axis in axes}) == 1
    assert len(drawn(plot_alignments(alignments, max_panels=3))[0]) == 3


def test_an_empty_answer_and_weights_that_are_no_numbers():
    [axis], _ = drawn(plot_attention(["a"], [], np.zeros((0, 1))))
    assert labels(axis.texts) == ["no symbols"]
    [axis], [image] = drawn(plot_attention(["a", "b"], ["c"], np.array([[np.nan, 0.25]])))
    assert image.mask.tolist() == [[True, False]]
    assert axis.images[0].get_clim() == (0.0, 0.25)
    drawn(plot_attention(["a"], ["c"], np.zeros((1, 1))))


def test_weights_of_other_symbols_are_told():
    with pytest.raises(ValueError, match=r"expected weights of 1 target and 2 source steps, found \(2, 1\)"):
        plot_attention(["a", "b"], ["c"], np.ones((2, 1)))
    with pytest.raises(
        ValueError, match=r"expected weights of 1 target and any number of source steps, found \(2, 1\)"
    ):
        plot_attention(None, ["c"], np.ones((2, 1)))
    with pytest.raises(ValueError, match="expected at least one answer to show, found none"):
        plot_alignments([])


ROWS = [
    {"epoch": 1, "loss": 2.0, "dev": 0.1, "best": 0.1},
    {"epoch": 2, "loss": 1.5, "dev": 0.3, "best": 0.3},
    {"epoch": 3, "loss": 1.0, "dev": 0.2, "best": 0.3},
]


def test_a_learning_curve_shows_loss_dev_measure_and_the_chosen_epoch():
    figure = plot_learning_curve(ROWS, measure="exact match")
    figure.draw_without_rendering()
    left, right = figure.axes
    assert left.lines[0].get_xydata().tolist() == [[1, 2.0], [2, 1.5], [3, 1.0]]
    assert right.lines[0].get_ydata().tolist() == [0.1, 0.3, 0.2]
    assert right.lines[1].get_xydata().tolist() == [[2, 0.3]]
    assert right.get_title(loc="left") == "exact match"


def test_a_learning_curve_of_an_ensemble_has_a_line_for_each_member():
    rows = [{"member": member, **row, "loss": row["loss"] * member} for member in (1, 2) for row in ROWS]
    left, right = plot_learning_curve(pd.DataFrame(rows)).axes
    assert [line.get_ydata().tolist() for line in left.lines] == [[2.0, 1.5, 1.0], [4.0, 3.0, 2.0]]
    assert len(right.lines) == 4


def test_histories_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="expected the history of at least one epoch, found none"):
        plot_learning_curve([])
    with pytest.raises(ValueError, match="expected columns epoch, loss, dev, best in history, found no 'dev'"):
        plot_learning_curve([{"epoch": 1, "loss": 2.0}])
