from __future__ import annotations

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from seqtag import Forecaster, Tagger
from seqtag.data.series.slicing import up_to_last_value
from seqtag.errors import ConfigError, DataError, DataWarning, RunError
from seqtag.forecasting.data.held_out import split
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.data.series_order import in_order

COVARIATES = {"known": ("promotion", "holiday"), "static": ("region",)}
TRAINING = {"epochs": 2, "windows_per_epoch": 256, "tensorboard": False}


def tiny(**arguments) -> Forecaster:
    quick = {"horizon": 7, "lookback": 21, "units": 8, "members": [], "training": TRAINING}
    return Forecaster(**quick | arguments)


@pytest.fixture(scope="module")
def frames():
    return sample_series(series=4, steps=150, horizon=14, seed=3)


@pytest.fixture(scope="module")
def fitted(frames):
    """With all kinds of covariates, and the guard."""
    return tiny(data=COVARIATES, members=None, calendar=True, series_width=2).fit(frames[0])


def test_the_constructor_stores_arguments_as_they_are_and_parameters_can_be_set():
    training = {"epochs": 2}
    forecaster = Forecaster(units=9, training=training, quantiles=[0.1, 0.5])
    assert forecaster.training is training
    assert forecaster.get_params()["units"] == 9
    assert forecaster.set_params(units=3, cell="lstm") is forecaster
    copy = clone(forecaster)
    assert copy.get_params() == forecaster.get_params()
    assert not hasattr(copy, "model_")


def test_seasons_are_found_once_in_a_fit(frames, monkeypatch):
    """Also where the audit of known covariates needs one."""
    tables = []
    monkeypatch.setattr("seqtag.forecasting.defaults.choices.find_seasons", lambda table: tables.append(table) or (7,))
    with pytest.raises(DataError, match="expected a series with values in at least"):
        tiny(data=COVARIATES, training={"validation_steps": 999}).fit(frames[0])
    assert len(tables) == 1


def test_before_fit_nothing_is_answered(tmp_path, frames):
    forecaster = Forecaster()
    for ask in (
        forecaster.predict,
        forecaster.plot,
        forecaster.sample_paths,
        lambda: forecaster.score(frames[0]),
        lambda: forecaster.save(tmp_path / "nothing"),
        lambda: forecaster.export(tmp_path / "nothing"),
    ):
        with pytest.raises(NotFittedError):
            ask()
    assert not list(tmp_path.iterdir())


def test_forecasts_have_a_row_a_series_and_step(fitted, frames):
    _, future = frames
    found = fitted.predict(future=future)
    assert list(found.columns) == ["unique_id", "ds", "forecast", "q0.1", "q0.5", "q0.9"]
    assert (found["q0.1"] <= found["q0.5"]).all() and (found["q0.5"] <= found["q0.9"]).all()
    ends = frames[0].dropna(subset="y").groupby("unique_id", sort=False)["ds"].max()
    expected = [(name, end + pd.Timedelta(days=day)) for name, end in ends.items() for day in range(1, 8)]
    assert list(found[["unique_id", "ds"]].itertuples(index=False, name=None)) == expected
    longer = fitted.predict(horizon=13, future=future)
    assert_frame_equal(longer.groupby("unique_id").head(7).reset_index(drop=True), found)


def test_totals_of_a_hierarchy_stand_behind_their_parts(fitted, frames):
    plain = fitted.predict(future=frames[1])
    shops = {"unique_id": [f"shop_{number}" for number in range(4)], "all": "all"}
    found = fitted.predict(future=frames[1], hierarchy=shops)
    assert_frame_equal(found[: len(plain)], plain)
    every = plain.groupby("ds")["forecast"]
    total = every.sum()[every.size() == 4]
    np.testing.assert_allclose(found.loc[found["unique_id"] == "all", "forecast"], total, rtol=1e-9)
    with pytest.raises(DataError, match="series 'shop_3': expected a place in the hierarchy, found none"):
        fitted.predict(future=frames[1], hierarchy={"unique_id": shops["unique_id"][:3], "all": "all"})


def test_a_saved_forecaster_goes_on_from_the_same_steps(fitted, frames, tmp_path):
    fitted.save(tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"config.yaml", "model.keras", "encoders.json", "history.csv", "metrics.json", "series.csv"}
    loaded = Forecaster.load(tmp_path / "run")
    given = fitted.get_params().items()
    parameters = {name: value for name, value in given if name not in ("training", "quantiles") and value is not None}
    assert parameters.items() <= loaded.get_params().items()
    assert loaded.history_ == fitted.history_ and loaded.metrics_ == fitted.metrics_
    assert (up_to_last_value(loaded.table_).lengths == 21).all()
    for horizon in (7, 10):
        assert_frame_equal(loaded.predict(horizon, future=frames[1]), fitted.predict(horizon, future=frames[1]))
    assert_frame_equal(loaded.predict(X=frames[0], future=frames[1]), fitted.predict(future=frames[1]))
    with pytest.raises(RunError, match="expected a new directory, found one"):
        fitted.save(tmp_path / "run")
    (tmp_path / "run" / "series.csv").unlink()
    with pytest.raises(DataError, match=r"expected series to go on from, as X; found none, nor series\.csv in the run"):
        Forecaster.load(tmp_path / "run").predict(future=frames[1])


def test_a_fit_warns_of_known_covariates_that_hold_the_target(fitted, frames):
    assert fitted.leakage_.leaking == ()
    leaky = frames[0].assign(budget=frames[0]["y"] * 2)
    with pytest.warns(UserWarning, match="known covariates that hold the target: 'budget'; see leakage_"):
        forecaster = tiny(data={"known": ("budget",)}, training={**TRAINING, "epochs": 1}).fit(leaky)
    assert "budget" in forecaster.leakage_.to_text()


def test_bounds_are_kept_with_the_model_and_reported_on(frames, tmp_path):
    history = frames[0].assign(y=frames[0]["y"].clip(lower=75, upper=100))
    forecaster = tiny(lower=75, upper=100, data={"standardise": True}, training={**TRAINING, "epochs": 1}).fit(history)
    model, table = forecaster.model_, in_order(up_to_last_value(forecaster.table_))
    training = forecaster.chosen_
    held_out = training["training.validation_steps"], training["training.min_history"]
    windows = split(table, 21, 7, *held_out).held_out_windows
    errors = model.forecast(table, windows).point - windows.future(table.values)
    deviation = model.units.of(table.ids[windows.series].tolist())[:, 1:]
    assert forecaster.report_.overall.mae == pytest.approx(np.nanmean(np.abs(errors / deviation)))
    forecaster.save(tmp_path / "run")
    for one in (forecaster, Forecaster.load(tmp_path / "run")):
        found = one.predict(horizon=12, levels=[0.001, 0.5, 0.999]).iloc[:, 2:]
        assert found.min(axis=None) == 75 and found.max(axis=None) == 100
        assert one.sample_paths(9).min() >= 75
        with pytest.raises(ValueError, match=r"expected rising quantile levels, found 0\.1 after 0\.5"):
            one.predict(levels=[0.5, 0.1])


@pytest.fixture(scope="module")
def numbered(frames):
    """Of series with integer ids, business months and a known covariate, with five rows to forecast at their ends."""
    history, later = (frame.drop(columns=["holiday", "region"]) for frame in frames)
    rows = pd.concat([history, later.assign(y=np.nan).groupby("unique_id").head(6)])
    rows["unique_id"] = rows["unique_id"].str.removeprefix("shop_").astype("int64") + 7
    last = rows.dropna(subset="y").groupby("unique_id")["ds"].max()
    rows = rows[rows["ds"] <= rows["unique_id"].map(last) + pd.Timedelta("5D")]
    month = (rows["ds"] - rows["ds"].min()).dt.days
    rows = rows.assign(ds=pd.date_range("2000-01-01", periods=200, freq="BME")[month])
    return rows, tiny(data={"known": ("promotion",)}, training={**TRAINING, "epochs": 1}).fit(rows)


def test_rows_without_a_value_at_the_end_are_forecast_and_ids_keep_their_type(numbered, tmp_path):
    rows, forecaster = numbered
    found = forecaster.predict()
    last = rows["unique_id"].map(rows.dropna(subset="y").groupby("unique_id")["ds"].max())
    asked = rows.loc[rows["ds"] > last, ["unique_id", "ds"]]
    expected = asked.sort_values(["unique_id", "ds"], ignore_index=True)
    assert found["unique_id"].dtype == "int64" and forecaster.model_.encoder.frequency.name == "BME"
    by_id = found.sort_values(["unique_id", "ds"], ignore_index=True)
    assert by_id[["unique_id", "ds"]].to_numpy().tolist() == expected.to_numpy().tolist()
    assert_frame_equal(forecaster.predict(rows), found)
    forecaster.save(tmp_path / "run")
    for other in (Forecaster.load(tmp_path / "run"), copy.deepcopy(forecaster)):
        assert_frame_equal(other.predict(), found)
        assert other.score_anomalies()["unique_id"].dtype == "int64"
    category = rows.assign(unique_id=rows["unique_id"].astype("category"))
    assert_frame_equal(forecaster.predict(category), found.assign(unique_id=found["unique_id"].astype("category")))
    text = rows.assign(unique_id=rows["unique_id"].astype("str"))
    assert_frame_equal(forecaster.predict(text), found.assign(unique_id=found["unique_id"].astype("str")))


def test_predict_takes_series_and_horizon_as_people_write_them(numbered):
    rows, forecaster = numbered
    known = rows[["unique_id", "ds", "promotion"]]
    expected = forecaster.predict(horizon=3)
    assert len(expected) == 3 * 4
    values = rows[rows["ds"] <= rows["unique_id"].map(rows.dropna(subset="y").groupby("unique_id")["ds"].max())]
    calls = [(3,), (rows, 3), (3, rows), (np.int64(3),), (values, 3, known)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for arguments in calls:
            assert_frame_equal(forecaster.predict(*arguments), expected)
    assert forecaster.sample_paths(2, 3, rows).shape == (4, 2, 3)
    with pytest.raises(TypeError, match="expected series and one horizon, found DataFrame and DataFrame"):
        forecaster.predict(rows, rows)
    with pytest.raises(
        DataError, match=r"expected series with values in a column 'y', found none; is it the `future`\?"
    ):
        forecaster.predict(known)


def test_what_the_fit_fixed_is_not_changed_afterwards(fitted, frames, tmp_path):
    before = fitted.get_params()
    changes = [
        ({"horizon": 9}, "Forecaster: horizon: expected 7 as in the fit, found 9; fit again"),
        ({"lookback": 5}, "Forecaster: lookback: expected 21 as in the fit, found 5; fit again"),
        ({"quantiles": (0.5,)}, "Forecaster: quantiles: "),
        ({"season_length": 3}, "Forecaster: season_length: expected None as in the fit, found 3"),
        ({"cell": "lstm"}, "Forecaster: cell: expected None as in the fit, found 'lstm'"),
        ({"data": {**COVARIATES, "frequency": "D"}}, "Forecaster: data: frequency: expected None as in the fit"),
    ]
    try:
        for change, message in changes:
            fitted.set_params(**change)
            for ask in (fitted.predict, lambda: fitted.save(tmp_path / "run"), lambda: fitted.score(frames[0])):
                with pytest.raises(ConfigError, match=message):
                    ask()
            fitted.set_params(**before)
        fitted.set_params(
            training={"epochs": 9}, seed=3, data={**COVARIATES, "separator": ";"}, quantiles=[0.1, 0.5, 0.9]
        )
        assert len(fitted.predict(future=frames[1])) == 4 * 7
    finally:
        fitted.set_params(**before)
    assert not list(tmp_path.iterdir())


def test_a_run_of_another_task_is_refused(fitted, run_folder, tmp_path):
    with pytest.raises(RunError, match="expected a run of forecasting, found one of tagging"):
        Forecaster.load(run_folder)
    fitted.save(tmp_path / "run")
    with pytest.raises(RunError, match="expected a run of tagging, found one of forecasting"):
        Tagger.load(tmp_path / "run")


def test_a_loaded_forecaster_keeps_the_time_zone_and_its_clock_changes(tmp_path):
    times = pd.date_range("2024-03-29", periods=80, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": np.sin(np.arange(80.0)), "shift": ["007", "12"] * 40})
    forecaster = tiny(lookback=60, data={"past": ["shift"]}).fit(frame)
    forecaster.save(tmp_path / "run")
    loaded = Forecaster.load(tmp_path / "run")
    assert_frame_equal(loaded.predict(), forecaster.predict())
    assert loaded.predict()["ds"][0] == times[-1] + pd.Timedelta("1h")


def test_standardised_series_are_answered_in_their_own_units(frames, tmp_path):
    """Values a million times as large give forecasts a million times as large, without scaling in the networks."""
    history = frames[0]
    scaled = history.assign(y=history["y"] * 1e6)
    data = {"standardise": True}
    small, large = (tiny(scaling="none", data=data).fit(frame) for frame in (history, scaled))
    one, other = small.predict(), large.predict()
    np.testing.assert_allclose(other.iloc[:, 2:] / 1e6, one.iloc[:, 2:], rtol=1e-3)
    assert one["forecast"].between(history["y"].min() - 50, history["y"].max() + 50).all()
    assert small.report_.overall.mae == pytest.approx(large.report_.overall.mae, rel=1e-3), "in deviations"
    assert small.report_.overall.mae < 3
    small.save(tmp_path / "run")
    assert_frame_equal(Forecaster.load(tmp_path / "run").predict(), one)
    with pytest.raises(DataError, match="series 'new': expected a series of the training data, whose moments"):
        small.predict(X=history[history["unique_id"] == "shop_0"].assign(unique_id="new"))


def test_a_backtest_needs_no_fit_and_gives_a_table_with_the_baselines(frames):
    forecaster = tiny()
    table = forecaster.backtest(frames[0], folds=2)
    assert list(table.index) == ["forecast", "seasonal_naive", "naive", "drift", "mean", "theta"]
    assert {"mase", "smape", "rmsse", "mae", "rmse", "wql", "crps", "coverage"} <= set(table.columns)
    assert forecaster.backtest_.fitted == (1, 2)
    assert not hasattr(forecaster, "model_")


def test_a_fold_depends_on_nothing_after_its_cutoff(frames):
    """The first of two folds gives the same forecasts when all values after its cutoff are changed."""
    history = frames[0]
    observed = history["y"].notna()
    last = history["ds"].where(observed).groupby(history["unique_id"]).transform("max")
    changed = history.assign(y=history["y"].where((history["ds"] <= last - pd.Timedelta("14D")) | ~observed, 1e4))
    found = []
    for frame in (history, changed):
        forecaster = tiny(data={"standardise": True})
        forecaster.backtest(frame, folds=2, refit=False)
        forecasts = forecaster.backtest_.forecasts
        found.append(forecasts.loc[forecasts["fold"] == 1, ["unique_id", "ds", "forecast", "q0.1", "q0.9"]])
    assert_frame_equal(*found)


def test_plot_draws_a_fan_for_each_series(fitted, frames):
    figure = fitted.plot(future=frames[1])
    assert len([axis for axis in figure.axes if axis.axison]) == 4
    assert len(fitted.plot(series=["shop_1"], future=frames[1]).axes) == 1


def test_the_skill_that_score_gives_is_that_of_the_last_steps(fitted, frames):
    assert -5 < fitted.score(frames[0]) < 1
    assert {"seasonal_naive", "naive", "drift", "mean", "theta"} == set(fitted.report_.skill)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"horizon": 0}, ConfigError, "Forecaster: horizon: input should be greater than or equal to 1, found 0"),
        ({"quantiles": (0.1, 0.5, 1.0)}, ConfigError, "Forecaster: quantiles.2: input should be less than 1, found 1"),
        ({"quantiles": (0.1, 0.9)}, ConfigError, "expected rising quantiles with 0.5 among them"),
        ({"data": {"targt": "y"}}, ConfigError, "Forecaster: data: targt: unknown key, did you mean 'target'?"),
        ({"data": {"frequency": "fortnight"}}, ConfigError, "data.frequency: invalid frequency: fortnight"),
        ({"data": {"time_zone": "Mars"}}, ConfigError, "data.time_zone: expected the name of a time zone such as"),
        ({"data": {"known": ["x"], "past": ["x"]}}, ConfigError, "data: expected each covariate once, found 'x' twice"),
        ({"data": {"layout": "m3"}}, ConfigError, "expected a period for layout 'm3' alone, found 'm3' and None"),
        ({"lower": 2.0, "upper": 1.0}, ConfigError, "Forecaster: config: expected lower below upper, found 2 and 1"),
        (
            {"lower": 1e6},
            DataError,
            "series 'shop_0' at 2022-01-01 .*: expected a value of at least the lower",
        ),
        ({"horizon": 1000}, DataError, "expected a series with values in at least"),
    ],
)
def test_wrong_arguments_are_named(frames, arguments, error, message):
    with pytest.raises(error, match="(?i)" + message.replace("(", r"\(").replace("?", r"\?")) as found:
        tiny(**arguments).fit(frames[0])
    assert "\n" not in str(found.value)


def test_helpers_lead_from_one_forecast_to_the_next(fitted, frames, tmp_path):
    """The frame to fill in, new observations, and forecasts of the past, on the way through a run directory."""
    history, future = frames
    known = history[["unique_id", "ds", "promotion", "holiday"]]
    cutoff = history["ds"].max() - pd.Timedelta("10D")
    early = history[history["ds"] <= cutoff]
    whole = fitted.table_
    try:
        fitted.table_ = fitted._whole(early)
        empty = fitted.make_future(7)
        assert empty["promotion"].isna().all() and empty.columns.tolist() == ["unique_id", "ds", "promotion", "holiday"]
        filled = empty[["unique_id", "ds"]].merge(pd.concat([known, future]), how="left")
        before = fitted.predict(7, future=filled)
        past = fitted.predict_history(history, [cutoff])
        shared = past.merge(before, on=["unique_id", "ds"], suffixes=("", "_then"))
        assert len(shared) >= 15
        np.testing.assert_allclose(shared["forecast"], shared["forecast_then"], rtol=1e-5)
        fitted.save(tmp_path / "run")
        later = history[history["ds"] > cutoff]
        new = later[later["unique_id"] == "shop_1"].assign(unique_id="new")
        for one in (fitted, Forecaster.load(tmp_path / "run")):
            assert one.update(pd.concat([later, new])) is one
            ahead = pd.concat([future, future[future["unique_id"] == "shop_1"].assign(unique_id="new")])
            found = one.predict(future=ahead)
            assert found["unique_id"].unique().tolist() == [*history["unique_id"].unique(), "new"]
            expected = fitted.predict(history, future=future)
            assert_frame_equal(found[found["unique_id"] != "new"], expected, rtol=1e-5)
            with pytest.raises(DataError, match=r"series 'shop_0' at .*: expected a time after .*, the last"):
                one.update(later)
    finally:
        fitted.table_ = whole
