from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops

from seqtag.ops.proximal import group_soft_threshold, soft_threshold

# TensorFlow takes subnormal numbers for zero.
numbers = st.floats(-4, 4, width=32, allow_subnormal=False)
thresholds = st.floats(0, 3, width=32, allow_subnormal=False)
# Few shapes, for JAX compiles each.
vectors = arrays(np.float32, st.sampled_from([(1,), (5,), (2, 3), (3, 1, 2)]), elements=numbers)
tables = arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=numbers)


def each_and_rows():
    return pytest.mark.parametrize("operator", [soft_threshold, group_soft_threshold])


def apply(operator, weights, threshold):
    return ops.convert_to_numpy(operator(ops.convert_to_tensor(weights), threshold))


def objective(points, weight, threshold):
    """What the operator of a single group minimises, at points `(…, width)`."""
    return threshold * np.linalg.norm(points, axis=-1) + ((points - weight) ** 2).sum(-1) / 2


@given(numbers, thresholds)
def test_a_number_goes_where_brute_force_finds_the_least(weight, threshold):
    grid = np.linspace(-4, 4, 4001)
    best = grid[np.argmin(objective(grid[:, None], weight, threshold))]
    assert apply(soft_threshold, np.float32([weight]), threshold)[0] == pytest.approx(best, abs=2e-3)


@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.3, 5.0])
def test_a_row_goes_where_brute_force_finds_the_least(threshold):
    weight = np.float32([[1.5, -2.0]])
    axis = np.linspace(-2.5, 2.5, 501)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    best = grid[np.argmin(objective(grid, weight, threshold))]
    np.testing.assert_allclose(apply(group_soft_threshold, weight, threshold)[0], best, atol=1e-2)


@given(tables, thresholds)
def test_rows_meet_the_condition_of_the_least(table, threshold):
    """w - x is a subgradient of t |x|: t x / |x| where x is not zero, no longer than t where it is."""
    found = apply(group_soft_threshold, table, threshold)
    for weight, x in zip(table.astype(float), found.astype(float), strict=True):
        length = np.linalg.norm(x)
        if length > 1e-4:
            np.testing.assert_allclose(weight - x, threshold * x / length, atol=2e-3)
        else:
            assert np.linalg.norm(weight - x) <= threshold + 1e-4


@each_and_rows()
@given(data=st.data(), threshold=thresholds)
def test_no_two_points_come_apart(operator, data, threshold):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    a, b = (data.draw(arrays(np.float32, shape, elements=numbers)) for _ in range(2))
    after = np.linalg.norm(apply(operator, a, threshold) - apply(operator, b, threshold))
    assert after <= np.linalg.norm(a - b) + 1e-4


@each_and_rows()
@given(table=tables, threshold=thresholds)
def test_small_is_zero_without_a_sign(operator, table, threshold):
    sizes = np.abs(table) if operator is soft_threshold else np.linalg.norm(table, axis=-1, keepdims=True)
    small = np.broadcast_to(sizes < threshold * (1 - 1e-6), table.shape)
    found = apply(operator, table, threshold)[small]
    assert not found.any()
    assert not np.signbit(found).any()


@each_and_rows()
@given(table=tables)
def test_no_threshold_changes_nothing(operator, table):
    np.testing.assert_array_equal(apply(operator, table, 0.0), table)


@each_and_rows()
@given(table=tables, thresholds=st.tuples(thresholds, thresholds))
def test_two_thresholds_one_after_the_other_are_their_sum(operator, table, thresholds):
    """What lets a table wait for several steps' thresholds at once."""
    one, two = thresholds
    found = apply(operator, apply(operator, table, one), two)
    np.testing.assert_allclose(found, apply(operator, table, one + two), atol=1e-5)


@given(vectors)
def test_numbers_are_rows_of_width_one(weights):
    found = apply(group_soft_threshold, weights[..., None], 0.7)[..., 0]
    np.testing.assert_allclose(found, apply(soft_threshold, weights, 0.7), atol=1e-6)


def test_every_row_may_have_a_threshold_of_its_own():
    table = np.float32([[3, 4], [3, 4], [3, 4]])
    found = apply(group_soft_threshold, table, np.float32([0, 2.5, 6]))
    np.testing.assert_allclose(found, [[3, 4], [1.5, 2], [0, 0]], rtol=1e-6)


@each_and_rows()
def test_what_is_not_a_number_is_not_hidden(operator):
    assert np.isnan(apply(operator, np.float32([[np.nan, 1.0]]), 9.0)[0, 0])
