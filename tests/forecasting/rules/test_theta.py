"""Theta against loops over values, against a search over its parameters, and against statsforecast 2.1.1."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

from seqtag.forecasting.rules.observed import observed
from seqtag.forecasting.rules.theta import theta
from seqtag.forecasting.rules.theta_fit import fit

NAN = float("nan")
HORIZON = 6


def noise(number):
    steps = np.arange(60)
    return 1.6 * np.sin(steps * steps * (0.7 + 0.11 * number) + number)


def series():
    """Season length and values of each case, without random numbers: the same everywhere."""
    steps = np.arange(60)
    found = {
        "walk": (1, 50 + noise(0).cumsum()),
        "trend": (1, 20 + 0.4 * steps + 2 * noise(1)),
        "falling": (1, 90 - 0.5 * steps + 0.5 * noise(2).cumsum() + noise(3)),
        "quarters": (4, (40 + 0.3 * steps + noise(4).cumsum()) * (1 + 0.2 * np.cos(steps * np.pi / 2))),
        "months": (12, np.exp(3 + 0.01 * steps + 0.3 * np.sin(steps * np.pi / 6) + 0.05 * noise(5))),
        "below zero": (12, 8 * np.sin(steps * np.pi / 6) + noise(6).cumsum() - 3),
        "odd season": (7, 30 + 5 * np.sin(steps * np.pi / 3.5) + noise(7) + 0.5 * noise(8).cumsum()),
        "no season": (12, 50 + noise(9).cumsum()),
    }
    return {name: (season, np.round(values, 2)) for name, (season, values) in found.items()}


# statsforecast 2.1.1, auto_theta(values, season, model="DOTM"): the sum of squared one-step errors of the values less
# their season, and the forecasts.
STATSFORECAST = {
    "walk": (70.2895, [53.855, 53.855, 53.855, 53.855, 53.855, 53.855]),
    "trend": (381.851, [42.913, 43.1685, 43.4227, 43.6754, 43.9269, 44.1769]),
    "falling": (122.207, [56.5939, 56.1067, 55.6217, 55.1388, 54.6579, 54.1791]),
    "quarters": (70.5014, [82.0244, 69.4465, 55.6566, 69.5226, 83.3984, 70.6031]),
    "months": (166.023, [37.2544, 44.6808, 49.4442, 51.1163, 46.885, 46.0779]),
    "below zero": (58.4325, [-0.9237, 3.391, 7.1144, 7.6093, 7.2028, 3.6572]),
    "odd season": (132.69, [28.3737, 25.3861, 25.6235, 29.4971, 34.2892, 35.1667]),
    "no season": (74.9713, [45.3283, 45.3283, 45.3283, 45.3283, 45.3283, 45.3283]),
}


def fitted(values):
    """alpha, w and the sum of squares of the model of values without a season; l does not matter to a level."""
    size = np.nanmax(np.abs(values))
    found = fit(observed(tf.constant(values[None] / size)))
    return float(found.alpha[0, 0]), float(found.weight[0, 0]), float(found.squares[0, 0]) * size**2


def path(values, level, alpha, weight, horizon=0, error=0.0):
    """One-step errors from the fourth value on, and forecasts, by loops; `error` is that of the first step ahead."""
    first = int(np.flatnonzero(~np.isnan(values))[0])
    times, seen, errors, forecasts, smoothed_time = [], [], [], [], 0.0
    for time in range(1, len(values) - first + horizon + 1):
        count, forecast = len(seen), 0.0
        if count:
            slope, intercept = np.polyfit(times, seen, 1) if count > 1 else (0.0, seen[0])
            forecast = level + weight * (intercept * (1 - alpha) ** count + slope * (time - smoothed_time))
        step = first + time - 1
        value = values[step] if step < len(values) else forecast + error * (step == len(values))
        if step >= len(values):
            forecasts.append(value)
        elif count >= 3:
            errors.append(value - forecast)
        if np.isnan(value):
            continue
        times, seen = [*times, time], [*seen, value]
        level = alpha * value + (1 - alpha) * level
        smoothed_time = alpha * time + (1 - alpha) * smoothed_time
    return np.array(errors)[~np.isnan(errors)], np.array(forecasts)


def best_level(values, alpha, weight):
    """The level with the least squared errors: they are linear in it."""
    without, slope = path(values, 0.0, alpha, weight)[0], path(values, 1.0, alpha, weight)[0]
    slope = slope - without
    return -(slope @ without) / (slope @ slope)


def with_gaps():
    values = series()["falling"][1].copy()
    values[:4], values[[9, 20, 21, 22, 40, 59]] = NAN, NAN
    return values


@pytest.mark.parametrize("values", [series()["trend"][1], with_gaps()], ids=["whole", "gaps"])
def test_forecasts_are_those_of_loops_at_the_fitted_parameters(values):
    """Missing values too: they change no state, while time goes on."""
    alpha, weight, squares = fitted(values)
    level = best_level(values, alpha, weight)
    errors, wanted = path(values, level, alpha, weight, HORIZON)
    assert squares == pytest.approx(errors @ errors, rel=1e-9)
    found = theta(tf.constant(values[None]), HORIZON, 1)
    np.testing.assert_allclose(found.point[0], wanted, rtol=1e-6)
    response = path(values, level, alpha, weight, HORIZON, error=1.0)[1] - wanted
    spread = np.sqrt(squares / (len(errors) - 1) * np.cumsum(response**2))
    np.testing.assert_allclose(found.deviation[0], spread, rtol=1e-6)


@pytest.mark.parametrize("name", ["walk", "trend", "falling"])
def test_no_search_finds_smaller_errors(name):
    values = series()[name][1]

    def squares(parameters):
        level, alpha, weight = parameters
        errors = path(values, level, np.clip(alpha, 0.1, 0.99), np.clip(weight, 0, 1))[0]
        return errors @ errors

    starts = [(values[0] / 2, alpha, 0.5) for alpha in (0.15, 0.5, 0.95)]
    best = min(minimize(squares, start, method="Nelder-Mead", options={"maxfev": 250}).fun for start in starts)
    assert fitted(values)[2] <= best * (1 + 1e-6)


@pytest.mark.parametrize("name", ["walk", "trend", "falling"])
def test_errors_are_at_most_those_of_statsforecast(name):
    assert fitted(series()[name][1])[2] <= STATSFORECAST[name][0] * (1 + 1e-5)


@pytest.mark.parametrize("name", list(STATSFORECAST))
def test_forecasts_are_those_of_statsforecast(name):
    """To a fiftieth of how far the series moves, with and without a season; its search stops beside the optimum."""
    season, values = series()[name]
    found = theta(tf.constant(values[None]), HORIZON, season).point.numpy()[0]
    np.testing.assert_allclose(found, STATSFORECAST[name][1], atol=0.02 * values.std())


def test_a_line_goes_on_and_a_season_with_it():
    steps = np.arange(48.0)
    line = 3 + 0.5 * steps
    np.testing.assert_allclose(theta(line[None], 3, 1).point[0], [27, 27.5, 28], rtol=1e-9)
    gaps = np.where(steps % 5 == 3, NAN, line)
    np.testing.assert_allclose(theta(gaps[None], 3, 1).point[0], [27, 27.5, 28], rtol=1e-9)
    wave = np.tile([2.0, -1.0, -3.0, 2.0], 12)
    np.testing.assert_allclose(theta((line + wave)[None], 4, 4, False).point[0], [29, 26.5, 25, 30.5], rtol=1e-6)
    missing = np.where(steps == 22, NAN, line + wave)
    np.testing.assert_allclose(theta(missing[None], 4, 4, False).point[0], [29, 26.5, 25, 30.5], rtol=0.02)


def test_short_rows_repeat_the_last_value_or_hold_the_first_parameters():
    rows = np.full((4, 8), NAN)
    rows[0, -1:], rows[1, -2:], rows[2, -3:], rows[3, -5:] = 4.0, [4.0, 6.0], [4.0, 6.0, 5.0], [1.0, 3.0, 2.0, 5.0, 4.0]
    found = theta(rows, 2, 4)
    np.testing.assert_array_equal(found.point[:3], [[4, 4], [6, 6], [5, 5]])
    np.testing.assert_allclose(found.point[3], path(rows[3], 0.5, 0.5, 0.5, 2)[1], rtol=1e-12)
    np.testing.assert_allclose(found.deviation[:3], [[0, 0], [2, 8**0.5], [5**0.5, 10**0.5]], rtol=1e-12)
    assert theta(rows[:, -1:], 2, 4).point[0].numpy().tolist() == [4, 4]


def test_intervals_of_a_random_walk_cover_what_they_say():
    walks = np.random.default_rng(3).normal(size=(400, 106)).cumsum(axis=1)
    found = theta(walks[:, :100], 6, 1)
    inside = np.abs(walks[:, 100:] - found.point) <= 1.2816 * found.deviation
    assert 0.77 < np.mean(inside) < 0.83


def test_rows_in_parts_are_forecast_as_at_once(monkeypatch):
    rows = np.random.default_rng(4).normal(size=(7, 20)).cumsum(axis=1)
    whole = theta(rows, 3, 4).point
    monkeypatch.setattr("seqtag.forecasting.rules.theta.NUMBERS_AT_ONCE", 3 * 20 * 16)
    np.testing.assert_allclose(theta(rows, 3, 4).point, whole, rtol=1e-12)
