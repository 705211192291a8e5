"""Forecasts of totals: they are the sums of those of their parts, and as wide as their parts move together."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.data.series.slicing import select_series
from seqtag.errors import DataError, DataWarning
from seqtag.forecasting.calibration.bounds import Bounds
from seqtag.forecasting.config import ForecastModelConfig
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.future import read_future
from seqtag.forecasting.hierarchy import Hierarchy
from seqtag.forecasting.hierarchy.past import error_covariance, past_forecasts
from seqtag.forecasting.hierarchy.reconciliation import reconciled
from seqtag.forecasting.hierarchy.totals import predict_totals
from seqtag.forecasting.members import build_network
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.prediction.paths import sample_paths
from seqtag.forecasting.prediction.predict import predict

GROUPS = {"unique_id": ["a", "b", "c"], "region": ["north", "north", "south"], "all": "all"}
MATRIX = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]])
QUANTILES = ["q0.1", "q0.5", "q0.9"]


def frame_of(shared=0.0, totals=(), level=0.0, steps=160):
    """Walks of three series with shocks in common, and totals of them."""
    source = np.random.default_rng(2)
    shocks = np.sqrt(1 - shared) * source.normal(size=(steps, 3)) + np.sqrt(shared) * source.normal(size=(steps, 1))
    wide = pd.DataFrame(level + np.cumsum(shocks, axis=0), columns=["a", "b", "c"])
    sums = pd.DataFrame(wide.to_numpy() @ MATRIX.T, columns=["north", "south", "all"])
    wide = wide.join(sums[list(totals)])
    wide["ds"] = pd.date_range("2024-01-01", periods=steps, freq="D")
    return wide.melt("ds", var_name="unique_id", value_name="y")


def naive(table, change):
    """A model without training whose weights are changed; with none, it repeats the last value."""
    keras.utils.set_random_seed(3)
    settings = {
        "horizon": 4,
        "lookback": 8,
        "units": 3,
        "cell": "gru",
        "segment": 1,
        "season_length": 7,
        "anchor": False,
    }
    config = ForecastModelConfig(**settings, scaling="last", output="direct")
    encoder = SeriesEncoder.fit(table)
    network = build_network(config, table, encoder, "float32")
    network.set_weights([change(weight) for weight in network.get_weights()])
    return ForecastingModel(ForecastEnsemble([network]), encoder, SeriesColumns(), season_length=7)


@pytest.fixture(scope="module")
def model():
    return naive(read_series(frame_of()), lambda weight: 0 * weight)


def totals_of(model, frame, hierarchy, horizon=4, **options):
    table = read_series(frame)
    return predict_totals(model, table, read_future(table, horizon), hierarchy, "unique_id", seed=5, **options)


def by_name(frame, column):
    return frame.pivot(index="ds", columns="unique_id", values=column)


@pytest.mark.parametrize("horizon", [4, 7])
@pytest.mark.parametrize("level", [0.0, 1e12])
def test_points_add_up_and_quantiles_are_those_of_summed_paths(model, level, horizon):
    frame = frame_of(level=level)
    found = totals_of(model, frame, Hierarchy(GROUPS, dependence="independent", num_paths=50), horizon)
    table = read_series(frame)
    plain = predict(model, table, horizon, seed=5)
    pd.testing.assert_frame_equal(found[: len(plain)], plain, check_exact=True)
    assert found["unique_id"].unique().tolist() == ["a", "b", "c", "north", "south", "all"]
    assert found["unique_id"].dtype == frame["unique_id"].dtype
    points = by_name(found, "forecast")
    np.testing.assert_allclose(points["north"], points["a"] + points["b"], rtol=1e-12)
    np.testing.assert_allclose(points["all"], points[["a", "b", "c"]].sum(axis=1), rtol=1e-12)
    sums = np.einsum("ts,sph->tph", MATRIX, sample_paths(model, table, horizon, 50, seed=5))
    expected = np.quantile(sums, (0.1, 0.5, 0.9), axis=1)
    for name, quantiles in zip(QUANTILES, expected, strict=True):
        np.testing.assert_allclose(found[name][len(plain) :], quantiles.ravel(), rtol=1e-12)
    levels = totals_of(model, frame, GROUPS, horizon, levels=(0.3, 0.6))
    assert list(levels.columns[2:]) == ["forecast", "q0.3", "q0.6"]


def test_the_order_of_rows_and_groups_changes_nothing(model):
    frame = frame_of(shared=0.5)
    rows = frame.sample(frac=1, random_state=1).sort_values("unique_id", kind="stable")
    groups = pd.DataFrame(GROUPS).iloc[[2, 0, 1]]
    pd.testing.assert_frame_equal(totals_of(model, rows, groups[["unique_id", "all", "region"]]), by_region_last(model))


def by_region_last(model):
    """The totals of all first."""
    found = totals_of(model, frame_of(shared=0.5), GROUPS)
    order = [*range(12), *range(20, 24), *range(16, 20), *range(12, 16)]
    return found.iloc[order].reset_index(drop=True)


def test_a_total_is_as_wide_as_its_parts_move_together(model):
    """As wide as that of independent series where they are, and as all its parts one beside the other."""

    def share(shared, **options):
        found = totals_of(model, frame_of(shared), Hierarchy(GROUPS, num_paths=3000, **options))
        width = by_name(found.assign(width=found["q0.9"] - found["q0.1"]), "width")
        return (width["all"] / width[["a", "b", "c"]].sum(axis=1)).to_numpy()

    independent = share(0.999, dependence="independent")
    assert (independent < 0.75).all()
    np.testing.assert_allclose(share(0.0), independent, atol=0.1)
    np.testing.assert_allclose(share(0.999), 1.0, atol=0.08)


def test_series_without_a_past_are_taken_as_independent_with_a_warning(model):
    frame = frame_of(shared=0.9, steps=9)
    with pytest.warns(DataWarning, match="totals are those of independent series, found too few steps to tell"):
        found = totals_of(model, frame, GROUPS)
    pd.testing.assert_frame_equal(found, totals_of(model, frame, Hierarchy(GROUPS, dependence="independent")))


@pytest.fixture(scope="module")
def crooked():
    """A model whose forecasts are no linear function of the series, so that they do not add up; and its series."""
    frame = frame_of(totals=["all", "north"])
    table = read_series(frame)
    return naive(table, lambda weight: 1.5 * weight + 0.1), frame, table


@pytest.mark.parametrize("method", ["ols", "mint"])
def test_forecasts_of_totals_are_combined_with_those_of_their_parts(crooked, method):
    model, frame, table = crooked
    plain = predict(model, table).pivot(index="unique_id", columns="ds", values="forecast")
    parts, totals = plain.loc[["a", "b", "c"]].to_numpy(), plain.loc[["north", "all"]].to_numpy()
    assert np.abs(MATRIX[[0, 2]] @ parts - totals).min() > 0.01
    order = select_series(table, np.array([0, 1, 2, 4, 3]))
    covariance = np.eye(5) if method == "ols" else error_covariance(model, past_forecasts(model, order))
    expected = reconciled(parts, totals, MATRIX[[0, 2]], covariance)
    found = totals_of(model, frame, Hierarchy(GROUPS, method))
    points = found.pivot(index="unique_id", columns="ds", values="forecast")
    np.testing.assert_allclose(points.loc[["a", "b", "c"]], expected, rtol=1e-6)
    np.testing.assert_allclose(points.loc[["north", "south", "all"]], MATRIX @ points.loc[["a", "b", "c"]], rtol=1e-12)
    # Distributions move with their points.
    below = totals_of(model, frame, GROUPS)
    for name in QUANTILES:
        widths = [(part[name] - part["forecast"])[: 3 * 4] for part in (found, below)]
        np.testing.assert_allclose(*widths, atol=1e-6)


def test_past_errors_are_those_of_forecasts_made_then(crooked):
    """The newest window is the forecast from a horizon before the end; missing values count as no error."""
    model, frame, table = crooked
    newest = frame["ds"].max() - pd.Timedelta("3D")
    point = predict(model, read_series(frame[frame["ds"] < newest]))["forecast"].to_numpy().reshape(5, 4).T
    values = table.values.reshape(5, -1)[:, -4:].T
    past = past_forecasts(model, table)
    assert past.errors.shape == (30, 4, 5)
    np.testing.assert_allclose(past.errors[0], values - point, rtol=1e-4, atol=1e-4)
    holes = frame.assign(y=frame["y"].mask((frame["unique_id"] == "b") & (frame["ds"] == newest)))
    found = past_forecasts(model, read_series(holes))
    assert found.errors[0, 0, 1] == found.scores[0, 0, 1] == 0
    np.testing.assert_array_equal(found.errors[0, :, [0, 2]], past.errors[0, :, [0, 2]])


def test_bounds_hold_for_parts_and_sums_stay_sums(crooked):
    model, frame, _ = crooked
    bounded = ForecastingModel(model.ensemble, model.encoder, model.columns, 7, bounds=Bounds(lower=-1.0))
    for method in ("bottom_up", "ols"):
        found = totals_of(bounded, frame, Hierarchy(GROUPS, method))
        points, parts = by_name(found, "forecast"), found["unique_id"].isin(["a", "b", "c"])
        assert found.loc[parts, ["forecast", *QUANTILES]].min(axis=None) >= -1
        np.testing.assert_allclose(points["all"], points[["a", "b", "c"]].sum(axis=1), rtol=1e-12)
        assert found["q0.1"].min() >= -3


def test_ids_that_are_numbers_stand_beside_names(model):
    numbers = frame_of().replace({"a": 1, "b": 2, "c": 3}).astype({"unique_id": int})
    groups = {"unique_id": [1, 2, 3], "all": 9}
    found = totals_of(model, numbers, Hierarchy(groups, num_paths=9))
    assert found["unique_id"].unique().tolist() == [1, 2, 3, "9"]
    nine = numbers.groupby("ds", as_index=False)["y"].sum().assign(unique_id=9)
    found = totals_of(model, pd.concat([numbers, nine]), Hierarchy(groups, "ols", num_paths=9))
    assert found["unique_id"].dtype == "int64" and found["unique_id"].unique().tolist() == [1, 2, 3, 9]


def test_a_method_that_combines_needs_totals_and_a_past(crooked):
    model, frame, _ = crooked
    with pytest.raises(DataError, match="expected series of totals for method 'ols', found those of parts alone"):
        totals_of(model, frame_of(), Hierarchy(GROUPS, "ols"))
    newest = frame[frame["ds"] > frame["ds"].max() - pd.Timedelta("9D")]
    with pytest.raises(DataError, match="two horizons of 4 after half a lookback for method 'mint', found at most 9"):
        totals_of(model, newest, Hierarchy(GROUPS, "mint"))
    wrong = frame.assign(y=frame["y"].where(frame["unique_id"] != "all", 5.0))
    with pytest.raises(DataError, match="series 'all' at 2024-01-01 00:00:00: expected the sum of its parts"):
        totals_of(model, wrong, GROUPS)


def test_totals_have_the_steps_that_all_parts_have(crooked):
    """A part ends two steps before the others: its forecast of these steps is its own, and the past meets in time."""
    model, frame, _ = crooked
    early = frame[(frame["unique_id"] != "b") | (frame["ds"] < frame["ds"].max() - pd.Timedelta("1D"))]
    plain = predict(model, read_series(early))
    found = totals_of(model, early, GROUPS)
    parts = plain[plain["unique_id"].isin(["a", "b", "c"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[:12], parts)
    by_day = parts.pivot(index="ds", columns="unique_id", values="forecast").dropna()
    total = found[found["unique_id"] == "all"].set_index("ds")["forecast"]
    pd.testing.assert_series_equal(total, by_day.sum(axis=1), check_names=False)
    combined = totals_of(model, early, Hierarchy(GROUPS, "ols"))
    before = combined["unique_id"].eq("b") & ~combined["ds"].isin(by_day.index)
    pd.testing.assert_frame_equal(combined[before], found[before])
    past = past_forecasts(model, read_series(early)), past_forecasts(model, read_series(cut_to(early)))
    np.testing.assert_allclose(past[0].errors, past[1].errors, rtol=1e-4, atol=1e-5)


def cut_to(frame):
    """The rows up to the last day that all series have."""
    return frame[frame["ds"] <= frame.groupby("unique_id")["ds"].max().min()]


@pytest.mark.parametrize("level", [0.0, 3.0, 1e12])
def test_constants_short_series_and_gaps_have_totals(model, level):
    """A series with one value, and one whose last values are missing, change no other total."""
    days = pd.date_range("2024-01-01", periods=60)
    wide = pd.DataFrame({"a": level, "b": level, "c": np.nan, "d": np.sin(np.arange(60.0))}, index=days.rename("ds"))
    wide.loc[days[-1], "c"] = level
    wide.loc[days[-6:-1], "d"] = np.nan
    frame = wide.melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index()
    frame = frame[(frame["unique_id"] != "c") | frame["y"].notna()]
    groups = {"unique_id": list("abcd"), "flat": ["flat", "flat", None, None], "all": "all"}
    found = totals_of(model, frame, groups)
    points = by_name(found, "forecast")
    np.testing.assert_allclose(points["flat"], 2 * level, rtol=1e-12)
    np.testing.assert_allclose(points["all"], points[list("abcd")].sum(axis=1), rtol=1e-12)
    assert np.isfinite(found[QUANTILES]).all(axis=None) and (np.diff(found[QUANTILES]) >= 0).all()
    alone = totals_of(model, frame[frame["unique_id"].isin(["a", "b"])], {"unique_id": ["a", "b"], "flat": "flat"})
    np.testing.assert_allclose(by_name(alone, "forecast")["flat"], points["flat"], rtol=1e-12)
