"""Forecasts over the past are those that were given then."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.future import append_future, unknown_future
from seqtag.forecasting.prediction.history import predict_history
from seqtag.forecasting.prediction.paths import last_windows
from seqtag.forecasting.prediction.predict import predict

PLAIN = ["unique_id", "ds", "y"]
LEVELS = (0.2, 0.5)


def then(model, history, cutoff, levels):
    """What `predict` says of the steps after a time, from the rows up to it."""
    early = history["ds"] <= cutoff
    known = history[~early].drop(columns=["y", "echo", "region"])
    return predict(model, read_series(history[early], model.columns), future=known, levels=levels)


def test_each_origin_has_the_forecast_that_was_given_there(fitted, history, table):
    found = predict_history(fitted, table, origins=2, stride=3, levels=LEVELS)
    assert list(found.columns) == ["unique_id", "cutoff", "ds", "forecast", "q0.2", "q0.5", "y"]
    cutoffs = found["cutoff"].unique()
    last = history["ds"].max()
    assert cutoffs.tolist() == [last - pd.Timedelta("7D"), last - pd.Timedelta("4D")]
    for cutoff in cutoffs:
        rows = found[found["cutoff"] == cutoff].drop(columns="cutoff").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows.drop(columns="y"), then(fitted, history, cutoff, LEVELS), rtol=1e-5)
    values = found.merge(history, on=["unique_id", "ds"])
    assert len(values) == len(found) == 3 * 2 * 4 and (values["y_x"] == values["y_y"]).all()


def test_nothing_after_an_origin_is_read_but_what_is_known(fitted, history, table):
    cutoff = pd.Timestamp("2024-02-20")
    changed = history.copy()
    changed.loc[changed["ds"] > cutoff, ["y", "echo"]] = 1e6
    one, other = (predict_history(fitted, read_series(frame, fitted.columns), [cutoff]) for frame in (history, changed))
    pd.testing.assert_frame_equal(one.drop(columns="y"), other.drop(columns="y"))


def test_origins_are_times_or_all_and_end_with_their_series(unfitted, history):
    """Series that begin and end on their own days, one with a gap, one with two steps, at levels far apart."""
    cut = history[PLAIN].groupby("unique_id").head(30)
    short = cut[cut["unique_id"] == "east"].head(2).assign(unique_id="short", y=[1e12, 1e12])
    gap = (cut["unique_id"] == "north") & cut["ds"].between("2024-01-10", "2024-01-12")
    late = (cut["unique_id"] == "south") & (cut["ds"] < "2024-01-20")
    table = read_series(pd.concat([cut[~gap & ~late], short]))
    model = unfitted(table)
    every = predict_history(model, table)
    assert every.groupby("unique_id", sort=False)["cutoff"].nunique().to_dict() == {"north": 7, "south": 2, "east": 7}
    assert every.loc[every["unique_id"] == "north", "y"].isna().sum() == 3
    found = predict_history(model, table, ["2024-01-28", pd.Timestamp("2024-01-01 15:00")])
    of_series = found.groupby("unique_id", sort=False)
    assert of_series.size().to_dict() == {"north": 6, "south": 2, "east": 6, "short": 1}
    assert found.loc[found["unique_id"] == "short", ["cutoff", "ds"]].to_numpy().astype("datetime64[D]").tolist() == [
        [pd.Timestamp("2024-01-01").date(), pd.Timestamp("2024-01-02").date()]
    ]
    assert np.isfinite(found["forecast"]).all()
    pd.testing.assert_frame_equal(
        predict_history(model, table, "2024-01-28"), found[found["cutoff"] >= "2024-01-28"].reset_index(drop=True)
    )


def test_integers_are_times_in_a_list_and_else_a_number(unfitted):
    table = read_series(pd.DataFrame({"unique_id": "a", "ds": range(0, 40, 2), "y": np.arange(20.0)}))
    model = unfitted(table)
    assert predict_history(model, table, [11])["cutoff"].unique().tolist() == [10]
    assert predict_history(model, table, np.int64(2), 1)["cutoff"].unique().tolist() == [28, 30]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origins": 0}, "expected at least one origin, found 0"),
        ({"origins": []}, "expected at least one origin, found none"),
        ({"stride": 0}, "expected stride to be at least 1, found 0"),
        (
            {"origins": ["2024-02-01"], "stride": 2},
            "expected a stride beside a number of origins, found 2",
        ),
        ({"origins": [5]}, "expected origins as the times of the series, timestamps in time zone none, found '5'"),
        ({"origins": ["soon"]}, "series 'origins' at soon: expected a timestamp such as 2024-01-31"),
        (
            {"origins": ["2024-02-01", "2024-03-30"]},
            "expected an origin with steps before and after it, from 2024-01-01",
        ),
    ],
)
def test_origins_that_cannot_be_are_told(fitted, table, options, message):
    with pytest.raises((ValueError, DataError)) as found:
        predict_history(fitted, table, **options)
    assert str(found.value).startswith(message)


def test_series_without_a_horizon_to_forecast_are_told(unfitted, history):
    table = read_series(history[PLAIN].groupby("unique_id").head(4))
    with pytest.raises(DataError, match="more steps than the horizon of 4, found at most 4, in 'north'"):
        predict_history(unfitted(table), table, 1)


def test_a_state_is_that_of_the_time_of_the_origin(unfitted, history):
    """A stateful model reads all steps before an origin, also where the newest lookback holds no value."""
    frame = history[PLAIN].assign(y=history["y"].mask(history["ds"].between("2024-02-01", "2024-02-12")))
    table = read_series(frame)
    model = unfitted(table, stateful=True, scaling="standard", output="direct")
    cutoff = pd.Timestamp("2024-02-12")
    found = predict_history(model, table, [cutoff])
    whole = read_series(frame[frame["ds"] <= cutoff])
    ahead = append_future(whole, unknown_future(whole, 4))
    expected = model.forecast(ahead, last_windows(model, ahead, 4))
    np.testing.assert_allclose(found["forecast"], expected.point.ravel(), rtol=1e-5)
