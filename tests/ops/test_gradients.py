"""Properties of the clipping rules: the bound holds, directions stay, a second time changes nothing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from seqtag.ops import gradients as rules

shapes = st.sampled_from([[(3,)], [(2, 3), (4,)], [(1,), (3, 2), (2, 2, 2)], [(5, 1), ()]])
thresholds = st.floats(1e-4, 1e3)
seeds = st.integers(0, 10_000)
scales = st.sampled_from([1e-6, 0.1, 1.0, 1e4])


def make(shapes, seed, scale):
    random = np.random.default_rng(seed)
    return [np.asarray(random.normal(size=shape) * scale, "float32") for shape in shapes]


def arrays(tensors):
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def total_norm(values):
    return float(np.sqrt(sum((value.astype("float64") ** 2).sum() for value in values)))


def unit_norm(value):
    axes = tuple(range(max(1, value.ndim - 1))) if value.ndim else ()
    return np.sqrt((value.astype("float64") ** 2).sum(axis=axes, keepdims=True))


def parallel(before, after):
    """Whether `after` is `before` times a factor in [0, 1]."""
    factor = total_norm([after]) / max(total_norm([before]), 1e-30)
    np.testing.assert_allclose(after, before * factor, rtol=1e-4, atol=1e-30)
    assert factor <= 1 + 1e-6


@given(shapes, seeds, scales)
def test_norms_equal_numpy(shapes, seed, scale):
    values = make(shapes, seed, scale)
    np.testing.assert_allclose(float(rules.global_norm(values)), total_norm(values), rtol=1e-5)
    np.testing.assert_allclose(float(rules.norm(values[0])), total_norm(values[:1]), rtol=1e-5)


@given(shapes, seeds, scales, thresholds)
def test_global_norm(shapes, seed, scale, threshold):
    values = make(shapes, seed, scale)
    clipped = arrays(rules.clip_by_global_norm(values, threshold))
    assert total_norm(clipped) <= threshold * (1 + 1e-5)
    parallel(np.concatenate([v.ravel() for v in values]), np.concatenate([c.ravel() for c in clipped]))
    again = arrays(rules.clip_by_global_norm(clipped, threshold))
    assert all((a == c).all() for a, c in zip(again, clipped, strict=True))
    if total_norm(values) < threshold:
        assert all((c == v).all() for c, v in zip(clipped, values, strict=True))


@given(shapes, seeds, scales, thresholds)
def test_norm_of_each(shapes, seed, scale, threshold):
    values = make(shapes, seed, scale)
    clipped = arrays(rules.clip_by_norm(values, threshold))
    for before, after in zip(values, clipped, strict=True):
        assert total_norm([after]) <= threshold * (1 + 1e-5)
        parallel(before, after)
    again = arrays(rules.clip_by_norm(clipped, threshold))
    assert all((a == c).all() for a, c in zip(again, clipped, strict=True))


@given(shapes, seeds, scales, thresholds)
def test_value(shapes, seed, scale, threshold):
    values = make(shapes, seed, scale)
    clipped = arrays(rules.clip_by_value(values, threshold))
    bound = np.float32(threshold)
    for before, after in zip(values, clipped, strict=True):
        assert (after == np.clip(before, -bound, bound)).all()


@given(shapes, seeds, scales, st.floats(1e-3, 10))
def test_adaptive(shapes, seed, scale, threshold):
    values, weights = make(shapes, seed, scale), make(shapes, seed + 1, 0.1)
    clipped = arrays(rules.clip_adaptive(values, weights, threshold))
    for before, after, weight in zip(values, clipped, weights, strict=True):
        allowed = threshold * np.maximum(unit_norm(weight), 1e-3)
        assert (unit_norm(after) <= allowed * (1 + 1e-5)).all()
        columns = [b.reshape(-1, b.shape[-1]).T if b.ndim > 1 else b.reshape(1, -1) for b in (before, after)]
        for column_before, column_after in zip(*columns, strict=True):
            parallel(column_before, column_after)
    again = arrays(rules.clip_adaptive(clipped, weights, threshold))
    assert all((a == c).all() for a, c in zip(again, clipped, strict=True))


def test_zero_gradients_stay_zero():
    zeros = [np.zeros((2, 3), "float32")]
    for clipped in (
        rules.clip_by_global_norm(zeros, 1.0),
        rules.clip_by_norm(zeros, 1.0),
        rules.clip_by_value(zeros, 1.0),
        rules.clip_adaptive(zeros, zeros, 0.01),
    ):
        assert (ops.convert_to_numpy(clipped[0]) == 0).all()


@pytest.mark.parametrize("fault", [np.nan, np.inf])
def test_what_is_not_finite_is_not_hidden(fault):
    values = [np.array([1.0, fault], "float32")]
    assert not np.isfinite(ops.convert_to_numpy(rules.clip_by_global_norm(values, 1.0)[0])).all()


def test_half_precision_squares_do_not_overflow():
    values = ops.cast(ops.full((4,), 1000.0), "float16")
    assert float(rules.norm(values)) == 2000.0
    clipped = rules.clip_by_norm([values], 1.0)[0]
    assert keras.backend.standardize_dtype(clipped.dtype) == "float16"
    np.testing.assert_allclose(ops.convert_to_numpy(clipped), 0.5, rtol=1e-2)


@given(st.lists(st.floats(0, 100, width=32), min_size=1, max_size=12), st.floats(0, 100), st.integers(0, 5))
def test_percentile_equals_numpy(values, share, unset):
    padded = np.array([*values, *[7.0] * unset], "float32")
    found = float(rules.percentile(padded, len(values), share))
    np.testing.assert_allclose(found, np.percentile(np.array(values, "float32"), share), rtol=1e-4, atol=1e-4)
