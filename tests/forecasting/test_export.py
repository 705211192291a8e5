"""Exported forecasters against `predict`, in a process that imports TensorFlow alone and in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.data.series.slicing import histories
from seqtag.errors import RunError
from seqtag.forecasting.calibration.bounds import Bounds
from seqtag.forecasting.calibration.conformal import ConformalOffsets
from seqtag.forecasting.calibration.corrections import Corrections
from seqtag.forecasting.calibration.guard import Guard
from seqtag.forecasting.cold_start.fit import pool_of
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.moments import training_moments
from seqtag.forecasting.data.units import SeriesUnits
from seqtag.forecasting.export import ServingForecaster, export_saved_model
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble
from seqtag.forecasting.network.network import ForecastNetwork
from seqtag.forecasting.prediction.predict import predict, quantile_names

LOOKBACK, HORIZON, SEASON = 10, 4, 3
LEVELS = (0.1, 0.5, 0.9)
IDS = ("a", "b", "c")
PLAIN = SeriesColumns()
ALL_KINDS = SeriesColumns(
    covariates=CovariateNames(
        past=("wind", "mode"), known=("price", "holiday", "shop"), static=("size", "region"), categorical=("shop",)
    )
)
INPUTS = {
    "past": ["wind"],
    "past_categories": ["mode"],
    "known": ["price"],
    "known_categories": ["holiday", "shop"],
    "static": ["size"],
    "static_categories": ["region"],
}

# What a client does who has TensorFlow and nothing of ours. A stream's state goes from each call to the next.
CLIENT = """
import json, sys
sys.modules["seqtag"] = sys.modules["keras"] = None  # any import of them fails
import numpy, tensorflow as tf
answers, state, models = [], None, {}
for folder, name, inputs in json.load(sys.stdin):
    if folder not in models:
        models[folder] = tf.saved_model.load(folder)
    signature = models[folder].signatures[name]
    specs = signature.structured_input_signature[1]
    arguments = {key: tf.constant(value, specs[key].dtype, shape) for key, (value, shape) in inputs.items()}
    found = signature(**arguments, **({"state": state} if "state" in specs else {}))
    state = found.get("state", state)
    answers.append({key: numpy.asarray(value).tolist() for key, value in found.items() if key != "state"})
assert sys.modules["seqtag"] is None and sys.modules["keras"] is None
json.dump(answers, sys.stdout, default=bytes.decode)
"""


def ask(calls):
    """Answers in another process; a call is (folder, signature, {input: array})."""
    request = [
        (str(folder), name, {key: (np.ravel(value).tolist(), np.shape(value)) for key, value in inputs.items()})
        for folder, name, inputs in calls
    ]
    done = subprocess.run(
        [sys.executable, "-c", CLIENT], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sample(lengths=(30, 17, 6), time_zone="Europe/Berlin"):
    """A history and its future: hourly, over the night in which Berlin's clocks go forward."""
    random = np.random.default_rng(7)
    total = max(lengths) + HORIZON
    times = pd.date_range("2024-03-30 02:00", periods=total, freq="h", tz=time_zone)
    series = []
    for number, (name, length) in enumerate(zip(IDS, lengths, strict=True)):
        y = 20 + 10 * number + np.cumsum(random.normal(size=total))
        frame = pd.DataFrame({"unique_id": name, "ds": times, "y": np.where(random.random(total) < 0.2, np.nan, y)})
        frame["wind"] = np.where(random.random(total) < 0.2, np.nan, random.normal(5, 2, total))
        frame["mode"] = random.choice(np.array(["on", "off", None], object), total)
        frame["price"] = random.normal(100, 20, total)
        frame["holiday"] = random.choice(["none", "easter"], total)
        frame["shop"] = random.integers(1, 4, total)
        frame["size"], frame["region"] = 2.5 * number, ("north", "south", "north")[number]
        series.append(frame.iloc[-length - HORIZON :])
    history = pd.concat([frame[:-HORIZON] for frame in series], ignore_index=True)
    return history, pd.concat([frame[-HORIZON:] for frame in series], ignore_index=True)


def built(frame, columns=PLAIN, members=1, calendar=False, corrections=None, lookback=LOOKBACK, **settings):
    """A model with random weights."""
    table = read_series(frame, columns)
    encoder = SeriesEncoder.fit(table, calendar)
    if settings.get("scaling") in ("last", "standard"):
        settings["moments"] = training_moments(table.values, table.offsets).tolist()
    options = {"lookback": lookback, "horizon": HORIZON, "levels": LEVELS, "inputs": encoder.inputs(), "units": 6}
    ensemble = ForecastEnsemble([ForecastNetwork(**options, **settings) for _ in range(members)])
    ensemble.build()
    return ForecastingModel(ensemble, encoder, columns, SEASON, corrections)


def corrected():
    """Corrections of three series that are all different."""
    random = np.random.default_rng(3)
    offsets = random.normal(scale=0.3, size=(HORIZON, len(LEVELS)))
    offsets[:, 1] = 0
    weights = random.dirichlet(np.ones(6), size=(len(IDS) + 1, HORIZON))
    widths = np.sort(random.normal(size=(5, HORIZON, len(LEVELS))))
    blend = Guard(weights, np.arange(HORIZON), widths)
    return Corrections(blend=blend, offsets=ConformalOffsets(LEVELS, offsets))


def microseconds(times):
    return times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)


def numbers(part):
    return part.to_numpy(np.float64)


def strings(part):
    return part.astype(object).fillna("").astype(str).to_numpy(object)


def raw(frame, time):
    """A frame's series as a client hands them over: the last `time` steps, shorter ones padded on the left."""
    found = {}
    each = [rows for _, rows in frame.groupby("unique_id", sort=False)]

    def padded(values, padding):
        row = values[len(values) - time :] if time < len(values) else values
        before = np.full((time - len(row), *row.shape[1:]), padding, row.dtype)
        return np.concatenate([before, row])

    def stacked(columns, padding):
        return np.stack([padded(columns(part), padding) for part in each])

    found["history"] = stacked(lambda part: part["y"].to_numpy(np.float64), np.nan)
    found["times"] = stacked(lambda part: microseconds(part["ds"]), 0)
    found["series"] = np.array([part["unique_id"].iloc[0] for part in each], object)
    for name, columns in INPUTS.items():
        read, padding = (strings, "") if name.endswith("_categories") else (numbers, np.nan)
        if name.startswith("static"):
            found[name] = np.stack([read(part[columns])[0] for part in each])
        else:
            found[name] = stacked(lambda part, read=read, columns=columns: read(part[columns]), padding)
    return found


def whole(history, future, time):
    """The inputs of `serving_default`."""
    past, ahead = raw(history, time), raw(future, HORIZON)
    after = {name: np.concatenate([past[name], ahead[name]], axis=1) for name in ("times", "known", "known_categories")}
    return past | after


def cut(inputs, first, last):
    """Some of the steps."""
    whole = ("series", "static", "static_categories")
    return {name: value if name in whole else value[:, first:last] for name, value in inputs.items()}


def known(inputs, first, last):
    """Some of the steps of the inputs that are known in advance."""
    return {name: inputs[name][:, first:last] for name in ("times", "known", "known_categories")}


def one_step(inputs, t):
    """The inputs of `update`, for one step of those of `initial`."""
    stepwise = ("past", "past_categories", "known", "known_categories")
    return {"y": inputs["history"][:, t], "time": inputs["times"][:, t]} | {n: inputs[n][:, t] for n in stepwise}


def call(signature, inputs, **more):
    """Calls a signature with those of the inputs that it has."""
    specs = signature.structured_input_signature[1]
    given = {**inputs, **more}
    found = signature(**{name: tf.constant(given[name], specs[name].dtype) for name in specs})
    return {name: value.numpy() for name, value in found.items()}


def expected(model, history, future):
    """What `predict` says: points `(series, horizon)` and quantiles."""
    frame = predict(model, read_series(history, model.columns), future=future)
    point = frame["forecast"].to_numpy().reshape(-1, HORIZON)
    return point, frame[quantile_names(LEVELS)].to_numpy().reshape(-1, HORIZON, len(LEVELS))


def check(answer, expectation):
    np.testing.assert_allclose(answer["forecast"], expectation[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(answer["quantiles"], expectation[1], rtol=1e-5, atol=1e-5)


def same(answer, other):
    check(answer, (other["forecast"], other["quantiles"]))


@pytest.fixture(scope="module")
def data():
    return sample()


@pytest.fixture(scope="module")
def full(data):
    """A model that reads inputs of every kind, with all corrections and a pool."""
    settings = {"members": 2, "segment": 3, "series_width": 2, "scaling": "last"}
    model = built(data[0], ALL_KINDS, calendar=True, corrections=corrected(), **settings)
    table = read_series(data[0], ALL_KINDS)
    codes = model.encoder.encode(table).static_codes
    model.pool = replace(pool_of(table, codes, HORIZON, LEVELS, True, 3), keys=np.array([[3], [-1]]))
    model.pool = replace(model.pool, values=np.array([[1.0, 2.0, 3.0], model.pool.values[-1]]))
    return model


@pytest.fixture(scope="module")
def plain(data):
    return built(data[0])


@pytest.fixture(scope="module")
def stateful(data, full):
    """A model whose stream's state is that of the recurrent layers, with inputs of every kind."""
    settings = {"members": 2, "dilations": (1, 1), "cell": "lstm", "scaling": "standard", "series_width": 2}
    corrections = replace(corrected(), blend=None)
    model = built(data[0], ALL_KINDS, calendar=True, corrections=corrections, stateful=True, **settings)
    model.pool = full.pool
    return model


@pytest.fixture(scope="module")
def stateful_serving(stateful, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stateful")
    export_saved_model(stateful, folder / "model")
    loaded = tf.saved_model.load(str(folder / "model"))
    yield loaded.signatures


@pytest.fixture(scope="module")
def exported(full, plain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    export_saved_model(full, folder / "full")
    export_saved_model(plain, folder / "plain")
    return folder


@pytest.fixture(scope="module")
def serving(exported):
    loaded = tf.saved_model.load(str(exported / "full"))
    yield loaded.signatures


@pytest.fixture(scope="module")
def plain_serving(exported):
    loaded = tf.saved_model.load(str(exported / "plain"))
    yield loaded.signatures


def test_tensorflow_alone_answers_as_predict_does(data, full, plain, exported):
    inputs, begun = whole(*data, 17), 14
    calls = [
        (exported / "full", "serving_default", inputs),
        (exported / "plain", "serving_default", {"history": inputs["history"]}),
        (exported / "full", "initial", cut(inputs, 0, begun)),
        *[(exported / "full", "update", one_step(inputs, t)) for t in range(begun, 17)],
        (exported / "full", "forecast", known(inputs, 17, 17 + HORIZON)),
        (exported / "full", "describe", {}),
    ]
    answers = ask(calls)
    check(answers[0], expected(full, *data))
    check(answers[1], expected(plain, *data))
    check(answers[-2], expected(full, *data))
    assert answers[-1] == {
        **INPUTS,
        "lookback": LOOKBACK,
        "stateful": False,
        "horizon": HORIZON,
        "levels": pytest.approx(LEVELS),
        "season_length": SEASON,
        "frequency": "h",
        "time_zone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"scaling": "standard"},
        {"scaling": "none", "stateful": True, "output": "recursive", "cell": "gru"},
        {"scaling": "es_rnn", "smoothing": {"season_length": SEASON, "per_series": True, "logarithmic": True}},
        {"scaling": "mean", "head": "negative_binomial"},
        {"head": "student_t", "output": "direct"},
        {"output": "recursive", "segment": 3, "cell": "lstm"},
        {"dilations": (1, 2), "residual": True, "bidirectional": True, "series_width": 2},
    ],
    ids=lambda settings: "-".join(map(str, settings)),
)
def test_every_kind_of_model_answers_as_predict_does(data, settings):
    model = built(data[0], **settings)
    check(call(ServingForecaster(model).signatures()["serving_default"], whole(*data, 30)), expected(model, *data))


def test_standardised_series_are_answered_in_their_own_units(data):
    """As `predict` answers; a series without units has no forecast."""
    inner = built(data[0], scaling="mean")
    table = read_series(data[0], PLAIN)
    units = SeriesUnits.fit(table, table.lengths)
    model = ForecastingModel(inner.ensemble, inner.encoder, PLAIN, SEASON, corrections=None, units=units)
    signature = ServingForecaster(model).signatures()["serving_default"]
    inputs = whole(*data, 30)
    check(call(signature, inputs), expected(model, *data))
    found = call(signature, inputs | {"series": np.array(["a", "new", "c"], object)})
    assert np.isnan(found["quantiles"][1]).all() and np.isfinite(found["quantiles"][[0, 2]]).all()


def test_bounds_are_those_of_predict(data):
    """Of series in units of their own too, where a series without units stays without a forecast."""
    inner = built(data[0], scaling="mean")
    table = read_series(data[0], PLAIN)
    units, bounds = SeriesUnits.fit(table, table.lengths), Bounds(lower=25.0, upper=30.0)
    model = ForecastingModel(inner.ensemble, inner.encoder, PLAIN, SEASON, units=units, bounds=bounds)
    signature = ServingForecaster(model).signatures()["serving_default"]
    inputs = whole(*data, 30)
    found = call(signature, inputs)
    check(found, expected(model, *data))
    assert found["quantiles"].min() == 25 and found["quantiles"].max() == 30
    unknown = call(signature, inputs | {"series": np.array(["a", "new", "c"], object)})
    assert np.isnan(unknown["quantiles"][1]).all() and np.isfinite(unknown["quantiles"][[0, 2]]).all()


def test_a_signature_asks_for_what_the_model_reads(serving, plain_serving):
    def spec(specs):
        return {name: (tensor.dtype.name, tensor.shape.as_list()) for name, tensor in specs.items()}

    def inputs(signature):
        return spec(signature.structured_input_signature[1])

    series = {
        "series": ("string", [None]),
        "static": ("float64", [None, 1]),
        "static_categories": ("string", [None, 1]),
    }
    steps = {
        "history": ("float64", [None, None]),
        "times": ("int64", [None, None]),
        "past": ("float64", [None, None, 1]),
        "past_categories": ("string", [None, None, 1]),
        "known": ("float64", [None, None, 1]),
        "known_categories": ("string", [None, None, 2]),
    }
    assert inputs(serving["serving_default"]) == inputs(serving["initial"]) == steps | series
    state = inputs(serving["forecast"])["state"]
    assert inputs(serving["update"]) == {
        "state": state,
        "y": ("float64", [None]),
        "time": ("int64", [None]),
        **{name: (dtype, [None, shape[-1]]) for name, (dtype, shape) in steps.items() if len(shape) == 3},
    }
    assert inputs(serving["forecast"]) == {
        "state": state,
        "times": ("int64", [None, HORIZON]),
        "known": ("float64", [None, HORIZON, 1]),
        "known_categories": ("string", [None, HORIZON, 2]),
    }
    assert inputs(plain_serving["serving_default"]) == {"history": ("float64", [None, None])}
    assert set(inputs(plain_serving["update"])) == {"state", "y"}
    assert set(inputs(plain_serving["forecast"])) == {"state"}
    quantiles, forecast = ("float64", [None, HORIZON, len(LEVELS)]), ("float64", [None, HORIZON])
    answers = {"quantiles": quantiles, "forecast": forecast}
    assert spec(plain_serving["serving_default"].structured_outputs) == answers, "a row of each for a row of the batch"
    assert spec(serving["forecast"].structured_outputs) == answers


@pytest.mark.parametrize("start", [0, 4])
@pytest.mark.parametrize("kind", ["full", "plain"])
def test_a_stream_forecasts_as_the_batch_of_all_its_steps(request, kind, start):
    signatures = request.getfixturevalue("serving" if kind == "full" else "plain_serving")
    steps = 34
    inputs = whole(*sample(lengths=(steps,) * 3), steps)
    history = inputs["history"]
    history[np.random.default_rng(start).random(history.shape) < 0.3] = np.nan
    history[1, :12] = np.nan  # one series begins later
    state = call(signatures["initial"], cut(inputs, 0, start))["state"]
    for t in range(start, steps):
        if t in (0, 1, 2, 9, 10, 11, 25, 33):
            answer = call(signatures["forecast"], known(inputs, t, t + HORIZON), state=state)
            same(answer, call(signatures["serving_default"], cut(inputs, 0, t) | known(inputs, 0, t + HORIZON)))
            empty = np.isnan(history[:, max(t - LOOKBACK, 0) : t]).all(axis=1)
            answered = np.isfinite(answer["forecast"]).all(axis=1)
            assert answered.all() if kind == "full" else answered.tolist() == (~empty).tolist(), "the pool or nobody"
        state = call(signatures["update"], one_step(inputs, t), state=state)["state"]


@pytest.mark.parametrize("start", [0, 4])
def test_the_state_of_a_stateful_model_is_that_of_all_its_steps(data, stateful_serving, start):
    signatures, steps = stateful_serving, 30
    inputs = whole(*data, steps)
    state = call(signatures["initial"], cut(inputs, 0, start))["state"]
    assert call(signatures["describe"], {})["stateful"]
    for t in range(start, steps):
        if t in (0, 1, 2, 4, 19):
            answer = call(signatures["forecast"], known(inputs, t, t + HORIZON), state=state)
            same(answer, call(signatures["serving_default"], cut(inputs, 0, t) | known(inputs, 0, t + HORIZON)))
            assert np.isfinite(answer["quantiles"]).all()
        state = call(signatures["update"], one_step(inputs, t), state=state)["state"]
    answer = call(signatures["forecast"], known(inputs, steps, steps + HORIZON), state=state)
    same(answer, call(signatures["serving_default"], inputs))


def test_older_steps_than_the_lookback_count_in_a_stateful_model(data, stateful, stateful_serving):
    steps = 30
    inputs = whole(*data, steps)
    answer = call(stateful_serving["serving_default"], inputs)
    check(answer, expected(stateful, *data))
    lately = inputs["history"].copy()
    lately[0, : steps - LOOKBACK] = np.nan
    changed = call(stateful_serving["serving_default"], inputs | {"history": lately})
    assert (np.abs(changed["forecast"][0] - answer["forecast"][0]) > 1e-6).all()
    np.testing.assert_allclose(changed["forecast"][1:], answer["forecast"][1:], rtol=1e-5)
    lately[1, -1] = np.inf
    broken = call(stateful_serving["serving_default"], inputs | {"history": lately})
    assert np.isnan(broken["forecast"]).all(axis=1).tolist() == [False, True, False]


def test_the_newest_value_reaches_the_forecast(plain_serving):
    counting = np.arange(40.0)[None]
    before = call(plain_serving["serving_default"], {"history": counting})
    changed = counting.copy()
    changed[0, -1] += 1
    state = call(plain_serving["initial"], {"history": changed[:, :-1]})["state"]
    state = call(plain_serving["update"], {"y": changed[:, -1]}, state=state)["state"]
    after = call(plain_serving["forecast"], {}, state=state)
    assert (np.abs(after["forecast"] - before["forecast"]) > 1e-3).all()


def test_a_small_movement_on_a_large_level_survives(plain_serving):
    """In one history as in a stream; at 2^40 float64 resolves a five-thousandth."""
    history, level = np.cumsum(np.random.default_rng(5).normal(size=(2, 12)), axis=1), 2.0**40
    expectation = call(plain_serving["serving_default"], {"history": history})
    at_once = call(plain_serving["serving_default"], {"history": history + level})
    state = call(plain_serving["initial"], {"history": history[:, :-1] + level})["state"]
    state = call(plain_serving["update"], {"y": history[:, -1] + level}, state=state)["state"]
    for answer in (at_once, call(plain_serving["forecast"], {}, state=state)):
        for name, found in answer.items():
            np.testing.assert_allclose(found - level, expectation[name], atol=0.01)


def test_any_length_of_history(data, full, serving, plain_serving):
    answer = call(serving["serving_default"], whole(*data, 30))
    for time in (LOOKBACK, LOOKBACK + 1, 57):
        same(call(serving["serving_default"], whole(*data, time)), answer)
    short = data[0].groupby("unique_id").tail(5)
    check(call(serving["serving_default"], whole(short, data[1], 5)), expected(full, short, data[1]))
    nothing = call(serving["serving_default"], whole(*data, 0))
    assert nothing["quantiles"].shape == (3, HORIZON, len(LEVELS))
    assert nothing["quantiles"][:, 0].tolist() == full.pool.values[[1, 0, 1]].tolist(), "south has a group of its own"
    assert np.isnan(call(plain_serving["serving_default"], whole(*data, 0))["quantiles"]).all(), "it has no pool"


def test_histories_with_no_value_or_a_few_are_answered_as_predict_does(data, full, serving):
    """The rows of one series are all to be forecast; of the others one value and two are known."""
    history, future = data
    first = history[history["unique_id"] != "b"].dropna(subset="y").groupby("unique_id").head(2)
    first = pd.concat([first[first["unique_id"] == "a"][:1], first[first["unique_id"] == "c"]])
    begun = history[history["unique_id"] == "b"][:HORIZON].assign(y=np.nan)
    after = [history[(history["unique_id"] == name) & (history["ds"] > first[first["unique_id"] == name]["ds"].max())]
             for name in "ac"]  # fmt: skip
    ahead = pd.concat([*[rows[:HORIZON] for rows in after], begun, future])
    seen = pd.concat([first, begun])
    table = read_series(seen, full.columns, frequency="h")
    known_rows = ahead.drop_duplicates(["unique_id", "ds"])
    frame = predict(full, histories(table), future=known_rows)
    for name, rows in frame.groupby("unique_id"):
        past = raw(first[first["unique_id"] == name], 2) if name != "b" else cut(raw(begun, 2), 0, 0)
        next_rows = raw(known_rows.merge(rows[["unique_id", "ds"]]), HORIZON)
        inputs = past | {n: np.concatenate([past[n], next_rows[n]], axis=1) for n in known(next_rows, 0, 1)}
        answer = call(serving["serving_default"], inputs)
        np.testing.assert_allclose(answer["quantiles"][0], rows[quantile_names(LEVELS)], rtol=1e-5)
        assert np.isfinite(answer["quantiles"]).all()


def test_a_batch_without_rows(plain_serving):
    answer = call(plain_serving["serving_default"], {"history": np.zeros((0, 5))})
    assert answer["quantiles"].shape == (0, HORIZON, len(LEVELS))


def test_an_unusable_row_is_nan_and_changes_no_other(data, serving):
    inputs = whole(*data, 20)
    expectation = call(serving["serving_default"], inputs)
    faults = {
        "history": (1, -1),
        "past": (1, -1, 0),
        "known": (1, -1, 0),  # the last step of the future
        "static": (1, 0),
    }
    for name, where in faults.items():
        changed = inputs[name].copy()
        changed[where] = np.inf
        answer = call(serving["serving_default"], inputs | {name: changed})
        assert np.isnan(answer["quantiles"][1]).all(), name
        assert np.isnan(answer["forecast"][1]).all(), name
        for row in (0, 2):
            np.testing.assert_allclose(answer["quantiles"][row], expectation["quantiles"][row], rtol=1e-5)
    changed = inputs["history"].copy()
    changed[1] = np.nan
    answer = call(serving["serving_default"], inputs | {"history": changed})
    assert np.isfinite(answer["forecast"]).all(), "the pool's"
    changed[1, 3] = np.inf  # older than the lookback
    changed[1, -1] = 5
    assert np.isfinite(call(serving["serving_default"], inputs | {"history": changed})["forecast"]).all()


@pytest.mark.parametrize("head", ["student_t", "negative_binomial"])
def test_heads_that_search_end_on_unusable_rows(data, head):
    signature = ServingForecaster(built(data[0], head=head, scaling="mean")).signatures()["serving_default"]
    history = np.array([[1.0, 2, 3], [np.inf, 2, 3], [np.nan] * 3, [-np.inf, np.nan, 3]])
    answer = call(signature, {"history": history})
    assert np.isnan(answer["quantiles"]).all(axis=(1, 2)).tolist() == [False, True, True, True]
    assert np.isfinite(answer["quantiles"][0]).all()


def test_values_without_a_logarithm(data):
    smoothing = {"season_length": SEASON, "per_series": False, "logarithmic": True}
    signature = ServingForecaster(built(data[0], scaling="es_rnn", smoothing=smoothing)).signatures()["serving_default"]
    history = np.array([[1.0, 2, 3], [0, 2, 3], [1, 2, -3], [np.nan, 0, np.nan]])
    answer = call(signature, {"history": history})
    assert np.isnan(answer["quantiles"]).all(axis=(1, 2)).tolist() == [False, True, True, True]
    assert np.isfinite(answer["forecast"][0]).all()


def test_series_and_categories_that_training_did_not_have(data, full, serving):
    history, future = (frame.replace({"unique_id": {"a": "new"}, "mode": {"on": "new"}}) for frame in data)
    future["holiday"] = "new"
    answer = call(serving["serving_default"], whole(history, future, 20))
    check(answer, expected(full, history, future))
    before = call(serving["serving_default"], whole(*data, 20))
    assert (answer["forecast"] != before["forecast"]).any(axis=1).all()


def test_every_input_changes_the_forecast(data, serving):
    """Otherwise the comparisons with `predict` would not test it."""
    inputs = whole(*data, 20)
    before = call(serving["serving_default"], inputs)["forecast"]
    for name, value in inputs.items():
        if name == "series":
            changed = value[::-1].copy()
        elif value.dtype == object:
            changed = np.full_like(value, "other")
        else:
            changed = value + (3_600_000_000 if name == "times" else 1)
        after = call(serving["serving_default"], inputs | {name: changed})["forecast"]
        assert (np.abs(after - before) > 1e-6).any(axis=1).sum() >= 2, name


@pytest.mark.parametrize("name", ["times", "past", "known_categories"])
def test_inputs_of_unequal_length(data, serving, name):
    inputs = whole(*data, 20)
    message = f"expected {name} to have as many steps as history, and those of the horizon where it is known"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(serving["serving_default"], inputs | {name: inputs[name][:, 1:]})


@pytest.mark.parametrize("name", ["series", "static"])
def test_inputs_of_too_few_rows(data, serving, name):
    inputs = whole(*data, 20)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"expected {name} to have a row for each history"):
        call(serving["serving_default"], inputs | {name: inputs[name][:1]})


def test_nothing_is_overwritten(plain, exported):
    with pytest.raises(RunError, match="plain: expected a new directory, found one"):
        export_saved_model(plain, exported / "plain")
