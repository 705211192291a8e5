"""The scale of frames: against NumPy's own moments, at any level, with gaps; NumPy and the graph give the same bits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqtag.data.frames.scale import FARTHEST, FrameScale

SOURCES = [np.array([[1e6, 7.0], [1e6 + 2, 7.0]], np.float32), np.array([[1e6 + 4, 7.0]], np.float32)]
GAPS = [np.array([[1.0, np.nan, 3.0], [2.0, 5.0, np.nan]]), np.array([[4.0, 9.0, np.nan]])]


def restored(scale):
    return FrameScale.from_dict(json.loads(json.dumps(scale.to_dict(), allow_nan=False)))


def test_training_frames_have_mean_zero_and_deviation_one():
    scale = FrameScale.fit(SOURCES)
    values = scale.ragged(SOURCES).flat_values.numpy()
    np.testing.assert_allclose(values[:, 0], [-1.2247449, 0, 1.2247449], rtol=1e-5)
    assert not values[:, 1].any(), "a number that never changes"
    assert (scale.width, scale.columns) == (2, 2)


@pytest.mark.parametrize("level", [0.0, 1e6, 1e12])
def test_the_level_is_taken_off_in_float64(level):
    noise = np.random.default_rng(3).normal(size=(500, 2))
    found = FrameScale.fit([noise + level]).scaled(noise + level)
    np.testing.assert_allclose(found, (noise - noise.mean(0)) / noise.std(0), atol=2e-3 if level > 1e9 else 1e-5)


@pytest.mark.parametrize("constant", [0.1, 1e12 + 0.1, 0.0])
def test_what_never_changes_in_training_says_nothing_later(constant):
    scale = restored(FrameScale.fit([np.full((7, 1), constant)]))
    assert scale.scaled(np.array([[constant], [-3e30], [1.0], [np.nan]])).tolist() == [[0], [0], [0], [0]]


def test_gaps_are_the_mean_and_have_columns():
    scale = restored(FrameScale.fit(GAPS))
    flat = np.concatenate(GAPS)
    np.testing.assert_allclose(scale.mean, np.nanmean(flat, axis=0))
    np.testing.assert_allclose(scale.deviation, np.nanstd(flat, axis=0))
    assert (scale.indicated, scale.columns) == ([1, 2], 5)
    found = scale.scaled(np.array([[np.nan, np.nan, 3.0]]))
    assert found.tolist() == [[0, 0, 0, 1, 0]], "the first had no gap in training, and gets no column"


def test_the_graph_says_the_same():
    scale = restored(FrameScale.fit(GAPS))
    frames = np.array([[[1.25, np.nan, -7.5], [3e38, np.nan, np.nan]]], np.float32)
    found = scale.in_graph(frames).numpy()
    np.testing.assert_array_equal(found[0], scale.scaled(frames[0].astype(np.float64)))
    assert found[0, 1, 0] == FARTHEST
    np.testing.assert_array_equal(scale.ragged([frames[0]]).to_tensor(), found)
    assert scale.ragged([]).to_list() == []


def test_a_scale_of_before_there_were_gaps_is_read():
    scale = FrameScale.from_dict({"mean": [1.0, 2.0], "deviation": [2.0, 1.0]})
    assert scale.scaled(np.array([[5.0, 2.5]])).tolist() == [[2.0, 0.5]]
