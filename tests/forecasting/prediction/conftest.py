"""One small fitted model for all tests of predictions, and models with random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.config import ForecastingConfig, ForecastModelConfig
from seqtag.forecasting.data.encoding import SeriesEncoder
from seqtag.forecasting.fit import fit_forecasting_model
from seqtag.forecasting.members import build_network
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.ensemble import ForecastEnsemble

COLUMNS = SeriesColumns(covariates=CovariateNames(past=("echo",), known=("price", "noise"), static=("region",)))
NAMES, STEPS, AHEAD = ("north", "south", "east"), 90, 20


def priced_frame(steps: int = STEPS + AHEAD) -> pd.DataFrame:
    """Series whose values depend on a known price; other covariates have no effect."""
    frames = []
    for number, name in enumerate(NAMES):
        rng = np.random.default_rng(number)
        price, noise, echo, error = rng.normal(size=(4, steps))
        frame = pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=steps, freq="D")})
        frame["y"] = 50 + 10 * number + 5 * price + 0.5 * error
        frame["price"], frame["noise"], frame["echo"], frame["region"] = price, noise, echo, f"r{number % 2}"
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def history() -> pd.DataFrame:
    """The history."""
    frame = priced_frame()
    return frame[frame.groupby("unique_id").cumcount() < STEPS].reset_index(drop=True)


@pytest.fixture(scope="session")
def future() -> pd.DataFrame:
    """The known covariates of the future."""
    frame = priced_frame()
    return frame[frame.groupby("unique_id").cumcount() >= STEPS].drop(columns=["y", "echo", "region"])


@pytest.fixture(scope="session")
def table(history: pd.DataFrame) -> SeriesTable:
    """The history as a table."""
    return read_series(history, COLUMNS)


@pytest.fixture(scope="session")
def fitted(table: SeriesTable) -> ForecastingModel:
    """A fitted model, whose forecasts depend on the price and are blended and corrected."""
    model = {"horizon": 4, "lookback": 8, "units": 8, "guard": "blend", "output": "direct", "scaling": "standard"}
    training = {"epochs": 15, "learning_rate": 0.02, "validation_steps": 20, "patience": None}
    data = {kind: getattr(COLUMNS.covariates, kind) for kind in ("past", "known", "static")}
    config = ForecastingConfig.model_validate(
        {"task": "forecasting", "data": data, "model": model, "training": training}
    )
    return fit_forecasting_model(table, config)[0]


PLAIN = {
    "horizon": 4,
    "lookback": 8,
    "cell": "gru",
    "units": 5,
    "segment": 1,
    "season_length": 7,
    "scaling": "revin",
    "anchor": False,
}


@pytest.fixture(scope="session")
def unfitted() -> Callable[..., ForecastingModel]:
    """`unfitted(table, calendar=False, **config)`: a model with random weights."""

    def make(table: SeriesTable, **options: Any) -> ForecastingModel:
        keras.utils.set_random_seed(3)
        config = ForecastModelConfig(**{**PLAIN, **options})
        encoder = SeriesEncoder.fit(table, config.calendar)
        network = build_network(config, table, encoder, "float32")
        network.set_weights([1.5 * weight + 0.1 for weight in network.get_weights()])
        return ForecastingModel(ForecastEnsemble([network]), encoder, SeriesColumns(), season_length=7)

    return make
