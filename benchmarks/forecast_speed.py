"""How long a forecaster takes: to fit and predict beside neuralforecast's LSTM, and to answer from its SavedModel.

    SEQTAG_DATA=... python -m benchmarks.forecast_speed [--steps 1000] [--answers 500] [--streams] [--peers PYTHON]
        [--markdown]

* M3 monthly, all 1428 series: an LSTM of 128 units in two layers on 36 values, all 18 steps at once, nine quantiles, by
  Adam on batches of 128 windows, in our forecaster and in neuralforecast, in one run: seconds to fit and to predict all
  series, and the weighted quantile loss on test. neuralforecast draws its 128 windows from 32 series a step; `--peers`
  names the interpreter that has it.
* One forecast from the SavedModel of `configs/forecast_m3.yaml`'s network, untrained, and of the LSTM: milliseconds,
  median and 99th percentile of as many answers to a batch of one; and of a stream, an `update` and a `forecast`.
* Streams (`--streams` for these alone, without data): an `update` and a `forecast` of a GRU of 32 units, untrained, at
  lookbacks of 168 and 2,000 steps, stateful and not.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from benchmarks.forecast_m3 import LSTM, config_of_period
from benchmarks.forecast_peers import LEVELS
from benchmarks.neural_peer import neural_forecast
from benchmarks.tables import markdown_table, text_table
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.config import ForecastingConfig, ForecastModelConfig, ForecastTrainingConfig
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.data.sources import load_series
from seqtag.forecasting.data.windows import last_windows
from seqtag.forecasting.evaluation.metrics import wql
from seqtag.forecasting.export import export_saved_model
from seqtag.forecasting.fit import fit_forecasting_model
from seqtag.forecasting.members import build_network
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble

HEADER = ("what", "fit, s", "predict, s", "WQL", "median, ms", "99%, ms")
Row = list[str]


def our_lstm(table: SeriesTable, horizon: int, steps: int) -> tuple[ForecastingModel, float, float]:
    """Our forecaster of the peer's shape; seconds to fit, and to predict."""
    network = {"cell": "lstm", "units": LSTM["units"], "layers": LSTM["layers"], "lookback": LSTM["lookback"]}
    network |= {"horizon": horizon, "season_length": 12, "output": "direct", "quantiles": LEVELS}
    network |= {"segment": 1, "scaling": "revin", "guard": "none"}
    windows = LSTM["windows"]
    training = {"epochs": 1, "windows_per_epoch": steps * windows, "batch_windows": windows}
    training |= {"ema": 0.0, "min_history": 1, "balanced": True, "warmup_steps": 0}
    config = ForecastingConfig.model_validate({"task": "forecasting", "model": network, "training": training})
    started = time.monotonic()
    model, _, _ = fit_forecasting_model(table, config)
    fitted = time.monotonic()
    model.forecast(table, last_windows(table, model.lookback, horizon))
    return model, fitted - started, time.monotonic() - fitted


def served(name: str, model: ForecastingModel, answers: int) -> list[Row]:
    """Latencies of a model's SavedModel, on a batch of one."""
    with tempfile.TemporaryDirectory() as folder:
        export_saved_model(model, Path(folder, "model"))
        signatures = tf.saved_model.load(str(Path(folder, "model"))).signatures
        history = tf.constant(100 + np.random.default_rng(0).normal(size=(1, model.lookback)))
        asked = inputs_of(signatures["serving_default"], history)
        state = signatures["initial"](**inputs_of(signatures["initial"], history))["state"]
        value = tf.constant([100.0], tf.float64)

        def stream() -> object:
            return signatures["forecast"](state=signatures["update"](state=state, y=value)["state"])

        return [
            latencies(f"{name}, a history", lambda: signatures["serving_default"](**asked), answers),
            latencies(f"{name}, an update and a forecast", stream, answers),
        ]


def inputs_of(signature: Any, history: tf.Tensor) -> dict[str, tf.Tensor]:
    """The inputs of a signature for one history, of a series that the model does not know where it takes names."""
    given = {"history": history, "series": tf.constant(["another"])}
    return {name: given[name] for name in signature.structured_input_signature[1]}


def streams(answers: int) -> list[Row]:
    """Latencies of a stream's two calls, by lookback, of models that read a window and of stateful ones."""
    rows = []
    for stateful in (False, True):
        for lookback in (168, 2000):
            network = {"cell": "gru", "units": 32, "segment": 1, "anchor": False, "season_length": 24}
            reading = {"lookback": lookback, "scaling": "standard", "stateful": stateful}
            settings = ForecastModelConfig(horizon=24, **reading, **network)
            frame, _ = sample_series(series=1, steps=lookback + 100, horizon=24)
            table = read_series(frame[["unique_id", "ds", "y"]])
            encoder = SeriesEncoder.fit(table)
            ensemble = ForecastEnsemble([build_network(settings, table, encoder, "float32")])
            model = ForecastingModel(ensemble, encoder, SeriesColumns(), season_length=7)
            rows += streamed(f"{'stateful' if stateful else 'window'}, {lookback} steps", model, answers)
    return rows


def streamed(name: str, model: ForecastingModel, answers: int) -> list[Row]:
    """Latencies of an update and of a forecast, after a history of the lookback."""
    with tempfile.TemporaryDirectory() as folder:
        export_saved_model(model, Path(folder, "model"))
        signatures = tf.saved_model.load(str(Path(folder, "model"))).signatures
        history = tf.constant(100 + np.random.default_rng(0).normal(size=(1, model.lookback)))
        state = signatures["initial"](**inputs_of(signatures["initial"], history))["state"]
        value = tf.constant([100.0], tf.float64)
        return [
            latencies(f"{name}: an update", lambda: signatures["update"](state=state, y=value), answers),
            latencies(f"{name}: a forecast", lambda: signatures["forecast"](state=state), answers),
        ]


def latencies(name: str, answer: Callable[[], object], count: int) -> Row:
    """A row of milliseconds."""
    for _ in range(20):
        answer()
    spent = []
    for _ in range(count):
        started = time.perf_counter()
        answer()
        spent.append(1000 * (time.perf_counter() - started))
    return [name, "", "", "", f"{np.median(spent):.2f}", f"{np.percentile(spent, 99):.2f}"]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=LSTM["steps"])
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--streams", action="store_true", help="streams alone")
    parser.add_argument("--peers", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    show = markdown_table if options.markdown else text_table
    if options.streams:
        print(show(HEADER, streams(options.answers)))
        return
    config = config_of_period("monthly", 1)
    data, horizon = load_series(config), config.model.horizon
    target = np.stack([data.whole.values[data.whole.rows(series)][-horizon:] for series in range(len(data.whole))])
    model, fitting, predicting = our_lstm(data.train, horizon, options.steps)
    ours = model.forecast(data.train, last_windows(data.train, model.lookback, horizon)).quantiles
    rows = [["seqtag's LSTM", f"{fitting:.1f}", f"{predicting:.2f}", f"{wql(target, ours, LEVELS):.4f}", "", ""]]
    theirs, their_fit, their_predict = neural_forecast(
        data.train, options.peers, **{**LSTM, "steps": options.steps, "horizon": horizon, "levels": LEVELS}
    )
    figures = [f"{their_fit:.1f}", f"{their_predict:.2f}", f"{wql(target, theirs, LEVELS):.4f}"]
    rows.append(["neuralforecast's LSTM", *figures, "", ""])
    rows.append(
        ["ratio, theirs to ours", f"{their_fit / fitting:.1f}", f"{their_predict / predicting:.1f}", "", "", ""]
    )
    short = ForecastTrainingConfig(epochs=1, windows_per_epoch=512, batch_windows=512, min_history=24)
    smoothing, _, _ = fit_forecasting_model(data.train, config.model_copy(update={"training": short}))
    rows += [
        *served("LSTM of two layers", model, options.answers),
        *served("forecast_m3.yaml", smoothing, options.answers),
        *streams(options.answers),
    ]
    print(show(HEADER, rows))


if __name__ == "__main__":
    main()
