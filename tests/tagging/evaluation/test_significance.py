"""Tests of differences: exact cases, agreement with plain loops, and how often they are wrong."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from seqtag.tagging.evaluation.significance import accuracy, compare_counts, f1


def labels(right, tokens=10):
    """One fit: of each sentence, the right ones of its tokens."""
    return np.array([[(count, tokens) for count in right]], float)


def spans(rng, fits, sentences, recall):
    gold = np.broadcast_to(rng.integers(0, 4, sentences), (fits, sentences))
    correct, wrong = rng.binomial(gold, recall), rng.binomial(1, 0.3, gold.shape)
    return np.stack([correct, correct + wrong, gold], axis=-1).astype(float)


def test_equal_answers_differ_by_nothing():
    counts = labels([3, 7, 10])
    assert compare_counts(counts, counts, accuracy, samples=100, seed=1) == (0.0, 0.0, 0.0, 1.0, 1.0)


def test_the_sum_of_spans_decides_and_not_the_mean_of_sentences():
    first, second = np.array([[[1, 1, 1], [0, 5, 5]]], float), np.array([[[0, 1, 1], [5, 5, 5]]], float)
    assert compare_counts(first, second, f1, 10, 1).value == pytest.approx(10 / 12 - 2 / 12)


def test_randomisation_is_that_over_all_swaps():
    """Seven sentences have 128 ways of swapping."""
    rng = np.random.default_rng(5)
    first, second = spans(rng, 1, 7, 0.4), spans(rng, 1, 7, 0.9)
    value = f1(second.sum((0, 1))) - f1(first.sum((0, 1)))
    as_great = []
    for swaps in product([False, True], repeat=7):
        mask = np.array(swaps)[:, None]
        swapped = [np.where(mask, b[0], a[0]).sum(0) for a, b in ((first, second), (second, first))]
        as_great.append(abs(f1(swapped[1]) - f1(swapped[0])) >= abs(value) - 1e-12)
    found = compare_counts(first, second, f1, samples=20_000, seed=1)
    assert found.randomisation == pytest.approx(np.mean(as_great), abs=0.015)
    back = compare_counts(second, first, f1, samples=20_000, seed=1)
    assert back.value == -found.value and back.randomisation == pytest.approx(found.randomisation, abs=0.015)


def test_the_bootstrap_is_that_of_a_plain_loop():
    rng = np.random.default_rng(2)
    first, second = spans(rng, 2, 40, 0.5), spans(rng, 3, 40, 0.6)
    differences = []
    for _ in range(4000):
        chosen = rng.integers(0, 40, 40)
        sums = [counts[rng.integers(0, len(counts), len(counts))][:, chosen].sum((0, 1)) for counts in (first, second)]
        differences.append(f1(sums[1]) - f1(sums[0]))
    found = compare_counts(first, second, f1, samples=4000, seed=3)
    np.testing.assert_allclose((found.low, found.high), np.percentile(differences, [2.5, 97.5]), atol=0.01)
    wanted = 2 * min(np.mean(np.array(differences) <= 0), np.mean(np.array(differences) >= 0))
    assert found.bootstrap == pytest.approx(wanted, abs=0.03)


def test_systems_that_are_the_same_are_rarely_called_different():
    rng = np.random.default_rng(4)
    found = [compare_counts(spans(rng, 1, 60, 0.7), spans(rng, 1, 60, 0.7), f1, 400, 1) for _ in range(200)]
    for p in (np.array([one.bootstrap for one in found]), np.array([one.randomisation for one in found])):
        # 5% are expected; as many as 11% come once in a thousand times.
        assert 0 < (p < 0.05).mean() < 0.11
        assert 0.35 < (p < 0.5).mean() < 0.65


def test_another_seed_of_a_fit_may_differ_more_than_another_system():
    """The second system lies between two fits of the first."""
    first, second = np.concatenate([labels([5] * 300), labels([6] * 300)]), labels([6] * 150 + [5] * 150)
    alone = compare_counts(labels([5] * 300), second, accuracy, 2000, 1)
    assert alone.bootstrap < 0.01 and alone.randomisation < 0.01
    assert compare_counts(first, second, accuracy, 2000, 1).bootstrap > 0.2


def test_other_sentences_are_refused():
    with pytest.raises(ValueError, match="expected the same sentences, found 3 and 2"):
        compare_counts(labels([1, 2, 3]), labels([1, 2]), accuracy, 10, 1)
