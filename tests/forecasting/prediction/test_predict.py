"""Forecasts as frames: of every series, at the right times, any number of steps."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import read_series
from seqtag.errors import DataError
from seqtag.forecasting.calibration.bounds import Bounds
from seqtag.forecasting.calibration.quantile_function import values_at
from seqtag.forecasting.config import SeriesDataConfig
from seqtag.forecasting.data.future import append_future
from seqtag.forecasting.data.sources import next_steps, read_table
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.prediction.paths import draw_paths, sample_paths
from seqtag.forecasting.prediction.predict import predict

NUMBERS = ["forecast", "q0.1", "q0.5", "q0.9"]


def numbers(frame):
    return frame[NUMBERS].to_numpy().reshape(frame["unique_id"].nunique(), -1, len(NUMBERS))


def test_rows_are_the_next_steps_of_every_series(fitted, table, future):
    frame = predict(fitted, table, future=future)
    assert list(frame.columns) == ["unique_id", "ds", *NUMBERS]
    expected = future.groupby("unique_id", sort=False).head(4)
    np.testing.assert_array_equal(frame["unique_id"], expected["unique_id"])
    np.testing.assert_array_equal(frame["ds"], expected["ds"])
    found = numbers(frame)
    assert np.isfinite(found).all() and (np.diff(found[..., 1:], axis=-1) >= 0).all()


def test_what_the_price_does_is_forecast(fitted, table, future):
    price = future.groupby("unique_id", sort=False).head(4)["price"].to_numpy().reshape(3, 4)
    expected = 50 + 10 * np.arange(3)[:, None] + 5 * price
    assert np.abs(numbers(predict(fitted, table, future=future))[..., 0] - expected).mean() < 2


@pytest.mark.parametrize("horizon", [1, 3, 11])
def test_other_horizons_begin_with_the_same_steps(fitted, table, future, horizon):
    own = numbers(predict(fitted, table, future=future))
    found = numbers(predict(fitted, table, horizon, future))
    assert found.shape == (3, horizon, 4)
    common = min(horizon, 4)
    np.testing.assert_allclose(found[:, :common], own[:, :common], rtol=1e-5)
    assert np.isfinite(found).all() and (np.diff(found[..., 1:], axis=-1) >= 0).all()


@pytest.mark.parametrize("output", ["parallel", "recursive"])
def test_a_shorter_horizon_knows_the_calendar_of_whole_segments(unfitted, history, output):
    table = read_series(history[["unique_id", "ds", "y"]])
    model = unfitted(table, calendar=True, segment=3, output=output)
    np.testing.assert_allclose(numbers(predict(model, table, 2)), numbers(predict(model, table))[:, :2], rtol=1e-5)


def test_steps_beyond_the_horizon_are_forecast_from_paths(fitted, table, future):
    found = numbers(predict(fitted, table, 16, future))
    price = future.groupby("unique_id", sort=False).head(16)["price"].to_numpy().reshape(3, 16)
    expected = 50 + 10 * np.arange(3)[:, None] + 5 * price
    assert np.abs(found[:, 4:, 0] - expected[:, 4:]).mean() < 3
    np.testing.assert_array_equal(found[:, 4:, 0], found[:, 4:, 2])


def test_the_order_of_series_means_nothing(fitted, history, future, table):
    turned = pd.concat([history[history["unique_id"] == name] for name in ("east", "north", "south")])
    frame = predict(fitted, read_series(turned, fitted.columns), future=future)
    assert frame["unique_id"].unique().tolist() == ["east", "north", "south"]
    expected = predict(fitted, table, future=future)
    pd.testing.assert_frame_equal(
        frame.sort_values(["unique_id", "ds"], ignore_index=True),
        expected.sort_values(["unique_id", "ds"], ignore_index=True),
    )


def test_series_that_training_did_not_have_and_single_values_are_forecast(fitted, history, future):
    new = history[history["unique_id"] == "east"].tail(1).assign(unique_id="new")
    table = read_series(pd.concat([history[history["unique_id"] == "north"], new]), fitted.columns)
    ahead = pd.concat([future, future[future["unique_id"] == "east"].assign(unique_id="new")])
    ahead = ahead[ahead["unique_id"].isin(["north", "new"])]
    frame = predict(fitted, table, 6, ahead)
    assert np.isfinite(frame[NUMBERS]).all(axis=None) and frame["unique_id"].tolist() == ["north"] * 6 + ["new"] * 6


def test_the_same_seed_gives_the_same_bits(fitted, table, future):
    one, other, third = (predict(fitted, table, 9, future, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert not one.equals(third)


def test_a_series_whose_newest_values_are_missing_is_named(unfitted, history):
    frame = history[["unique_id", "ds", "y"]].copy()
    frame.loc[frame["unique_id"].eq("south") & (frame.groupby("unique_id").cumcount() > 80), "y"] = np.nan
    table = read_series(frame)
    with pytest.raises(DataError, match=r"series 'south' at 2024-03-31 .*: expected a value among the 8 steps before"):
        predict(unfitted(table), table)


def test_a_horizon_is_at_least_one(unfitted, history):
    table = read_series(history[["unique_id", "ds", "y"]])
    with pytest.raises(ValueError, match="expected horizon to be at least 1, found 0"):
        predict(unfitted(table), table, 0)


def test_any_level_is_that_of_the_quantile_function_and_beyond_the_horizon_of_the_paths(fitted, table, future):
    levels = (0.02, 0.1, 0.3, 0.5, 0.99)
    plain, found = (predict(fitted, table, 7, future, 2, asked) for asked in (None, levels))
    assert list(found.columns) == ["unique_id", "ds", "forecast", "q0.02", "q0.1", "q0.3", "q0.5", "q0.99"]
    pd.testing.assert_frame_equal(found[["forecast", "q0.1", "q0.5"]], plain[["forecast", "q0.1", "q0.5"]])
    quantiles = plain[["q0.1", "q0.5", "q0.9"]].to_numpy().reshape(3, 7, 1, 3)
    by_step = found.iloc[:, 3:].to_numpy().reshape(3, 7, 5)
    np.testing.assert_allclose(by_step[:, :4], values_at(np.array(levels), quantiles, (0.1, 0.5, 0.9))[:, :4])
    paths = sample_paths(fitted, table, 7, 100, future, seed=2)
    np.testing.assert_allclose(by_step[:, 4:], np.moveaxis(np.quantile(paths, levels, axis=1), 0, -1)[:, 4:])


def test_nothing_lies_beyond_a_bound(fitted, table, future):
    """Quantiles, points and paths, within the horizon and beyond, are those without bounds moved onto them."""
    bounded = ForecastingModel(
        fitted.ensemble, fitted.encoder, fitted.columns, fitted.season_length, fitted.corrections
    )
    bounded.bounds = Bounds(48.0, 53.0)
    levels = (0.01, 0.1, 0.5, 0.9, 0.99)
    free, found = (predict(model, table, 4, future, levels=levels) for model in (fitted, bounded))
    np.testing.assert_array_equal(found.iloc[:, 2:], np.clip(free.iloc[:, 2:], 48, 53))
    assert (free.iloc[:, 2:] < 48).any(axis=None) and (free.iloc[:, 2:] > 53).any(axis=None)
    paths, moved = (sample_paths(model, table, 10, 20, future) for model in (fitted, bounded))
    np.testing.assert_array_equal(moved[..., :4], np.clip(paths[..., :4], 48, 53))
    longer = predict(bounded, table, 10, future)
    for values in (moved, longer.iloc[:, 2:].to_numpy()):
        assert values.min() == 48 and values.max() == 53


def test_new_series_are_forecast_whatever_others_there_are(fitted, history, future):
    """One without a row, one of rows to forecast, one of one value: paths and the steps beyond the horizon too."""
    first = future[future["unique_id"] == "north"]
    begun = history[history["unique_id"] == "south"][-1:].assign(unique_id="begun")
    ahead = pd.concat([future, *(first.assign(unique_id=name) for name in ("unseen", "empty", "begun"))])
    empty = first[:2].assign(unique_id="empty", y=np.nan, echo=np.nan, region="r1")
    config = SeriesDataConfig(past=("echo",), known=("price", "noise"), static=("region",))
    frame = pd.concat([history, begun, empty])

    def forecast(frame, ahead, horizon):
        table = read_table(config, frame)
        return next_steps(config, table, 4, horizon, ahead, fitted.encoder.ids)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows of the future that are not needed
        table, steps = forecast(frame, ahead, 6)
        few, few_steps = forecast(frame[::-1].iloc[:3], ahead[ahead["unique_id"].isin(["empty", "begun"])], 6)
    assert table.ids.tolist() == ["north", "south", "east", "begun", "empty", "unseen"]
    found = predict(fitted, table, None, steps, seed=2)
    assert np.isfinite(found.iloc[:, 2:]).all(axis=None)
    assert (found["q0.1"] <= found["forecast"]).all() and (found["forecast"] <= found["q0.9"]).all()
    alone = predict(fitted, few, None, few_steps, seed=2)
    kept = found[found["unique_id"].isin(["empty", "begun"])]
    np.testing.assert_allclose(
        alone.sort_values(["unique_id", "ds"]).iloc[:, 2:], kept.sort_values(["unique_id", "ds"]).iloc[:, 2:], rtol=1e-4
    )
    unseen = found[found["unique_id"] == "unseen"].iloc[:4]
    np.testing.assert_allclose(unseen[["q0.1", "q0.5", "q0.9"]], np.tile(fitted.pool.values[-1], (4, 1)))
    paths = draw_paths(fitted, append_future(table, steps), 6, 400, seed=2)
    drawn = np.quantile(paths[-1, :, :4], [0.1, 0.5, 0.9], axis=0).T
    np.testing.assert_allclose(drawn, unseen[["q0.1", "q0.5", "q0.9"]], rtol=0.1)
