"""The calibration error against hand-made bins, and what chance makes of it against draws."""

from __future__ import annotations

import numpy as np
import pytest

from seqtag.measures.reliability import Answers, Reliability, calibration_error, error_by_chance


def test_the_error_is_the_mean_distance_in_bins_of_the_same_width():
    probabilities = np.array([0.95, 1.0, 0.92, 0.35, 0.3, 0.0])
    right = np.array([True, True, False, False, True, False])
    # Three answers from .9 on: 2 are right, 2.87 expected; two from .3 on: 1 and .65; one of probability 0.
    assert calibration_error(probabilities, right) == pytest.approx((0.87 + 0.35 + 0) / 6)
    # In one bin what is too sure and what is too unsure cancel.
    assert calibration_error(np.array([0.91, 0.99]), np.array([True, True])) == pytest.approx(0.05)


def test_true_probabilities_have_the_error_of_chance():
    source = np.random.default_rng(3)
    probabilities = source.beta(4, 1, 700)
    drawn = [calibration_error(probabilities, source.random(700) < probabilities) for _ in range(300)]
    assert error_by_chance(probabilities) == pytest.approx(np.mean(drawn), rel=0.06)


def test_no_answers_have_no_error():
    nothing = np.zeros(0)
    assert Reliability.of(Answers(nothing > 0, nothing, nothing)) == Reliability(0.0, 0.0, 0.0, 0)
