"""Anomaly scores: an outlier has the highest score, and no score depends on later values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.forecasting.prediction.anomalies import score_anomalies
from seqtag.forecasting.prediction.predict import predict


def scored(model, history, change=None):
    frame = history.copy()
    if change is not None:
        change(frame)
    return score_anomalies(model, read_series(frame, model.columns))


def at(frame, name, step):
    """The row of a step of a series in the history."""
    return frame.index[frame["unique_id"] == name][step]


@pytest.fixture(scope="module")
def plain(fitted, history):
    return scored(fitted, history)


def test_every_value_after_the_first_has_a_row(plain, history):
    expected = history[history.groupby("unique_id").cumcount() > 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(plain[["unique_id", "ds"]], expected[["unique_id", "ds"]], check_dtype=False)
    np.testing.assert_allclose(plain["y"], expected["y"], rtol=1e-6)
    assert list(plain.columns[3:]) == ["forecast", "q0.1", "q0.5", "q0.9", "probability", "score"]
    assert np.isfinite(plain["score"]).all() and (plain["score"] >= 0).all()


def test_the_score_is_the_logarithm_of_both_tails(plain):
    u = plain["probability"]
    np.testing.assert_allclose(10 ** -plain["score"], np.maximum(2 * np.minimum(u, 1 - u), 1e-9), rtol=1e-9)
    inside = plain["y"].between(plain["q0.1"], plain["q0.9"])
    np.testing.assert_array_equal(inside, u.between(0.1, 0.9))


@pytest.mark.parametrize("size", [40.0, -40.0])
def test_a_planted_spike_has_the_highest_score(fitted, history, size):
    found = scored(fitted, history, lambda frame: frame.__setitem__("y", frame["y"] + size * (frame.index == 120)))
    highest = found.loc[found["score"].idxmax()]
    assert (highest["unique_id"], highest["ds"]) == tuple(history.loc[120, ["unique_id", "ds"]])


def test_later_values_change_nothing_before(fitted, history, plain):
    start = at(history, "south", 40)

    def change(frame):
        frame.loc[start : at(frame, "south", -1), ["y", "echo"]] += 30

    found = scored(fitted, history, change)
    moved = plain["unique_id"].eq("south") & (plain["ds"] >= history.loc[start, "ds"])
    columns = ["forecast", "q0.1", "q0.9", "probability", "score"]
    np.testing.assert_allclose(found.loc[~moved, columns], plain.loc[~moved, columns], rtol=1e-5, atol=1e-6)
    # The forecast of the step itself has not seen it; that of the next one has.
    first = np.flatnonzero(moved)[0]
    assert found.loc[first, "forecast"] == pytest.approx(plain.loc[first, "forecast"], rel=1e-5)
    assert found.loc[first + 1, "forecast"] != pytest.approx(plain.loc[first + 1, "forecast"], rel=1e-5)


def test_a_score_is_that_of_the_forecast_made_there(fitted, history, plain):
    known = history[history.groupby("unique_id").cumcount() < 50]
    later = history[history.groupby("unique_id").cumcount() >= 50].drop(columns=["y", "echo", "region"])
    expected = predict(fitted, read_series(known, fitted.columns), 1, later)
    found = plain[plain["ds"] == expected["ds"].iloc[0]].reset_index(drop=True)
    columns = ["forecast", "q0.1", "q0.5", "q0.9"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-5)


def test_a_missing_value_has_no_score_but_a_forecast(fitted, history):
    step = at(history, "north", 30)
    found = scored(fitted, history, lambda frame: frame.__setitem__("y", frame["y"].mask(frame.index == step)))
    row = found[found["y"].isna()].iloc[0]
    assert np.isnan(row["score"]) and np.isnan(row["probability"]) and np.isfinite(row["forecast"])
    assert found["score"].isna().sum() == 1


def test_after_a_long_gap_the_pool_answers(fitted, history, plain):
    start = at(history, "north", 30)
    gap = slice(start, start + fitted.lookback - 1)
    found = scored(fitted, history, lambda frame: frame.loc.__setitem__((gap, "y"), np.nan))
    assert len(found) == len(plain) and np.isfinite(found["forecast"]).all()
    after = found["ds"].eq(history.loc[start + fitted.lookback, "ds"]) & found["unique_id"].eq("north")
    middle = fitted.levels.index(0.5)
    assert found.loc[after, "forecast"].item() == fitted.pool.values[-1, middle]
