"""A model of statsforecast or neuralforecast with its defaults, in a process and an interpreter of its own.

    PYTHON benchmarks/defaults_peer.py SERIES.csv FORECAST.npz SETTINGS

fits it on a long frame with whole numbers as times, and writes its quantiles `(series, horizon, levels)`, series by
name, with the processor's seconds to fit and to forecast. SETTINGS are JSON: `model` (`Theta`, `AutoETS` or a model of
neuralforecast), `horizon, season, levels`. It imports nothing of seqtag.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd


def statistical(frame: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """The forecasts of statsforecast, on one core, quantiles as columns in the order of the levels."""
    from statsforecast import StatsForecast, models

    name = "DynamicOptimizedTheta" if settings["model"] == "Theta" else settings["model"]
    fitted = StatsForecast([getattr(models, name)(season_length=settings["season"])], freq=1, n_jobs=1)
    intervals = sorted({round(100 * abs(1 - 2 * level)) for level in settings["levels"]} - {0})
    found = fitted.forecast(df=frame, h=settings["horizon"], level=intervals).reset_index(drop=False)
    columns = [f"{name}-lo-{n}" for n in reversed(intervals)] + [name] + [f"{name}-hi-{n}" for n in intervals]
    return found[["unique_id", "ds", *columns]]


def neural(frame: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    """The forecasts of neuralforecast."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import MQLoss

    quiet = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "accelerator": "cpu"}
    model = getattr(models, settings["model"])(
        h=settings["horizon"],
        input_size=2 * settings["horizon"],
        loss=MQLoss(quantiles=settings["levels"]),
        start_padding_enabled=True,
        **quiet,
    )
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(df=frame)
    found = forecaster.predict().reset_index(drop=False)
    return found[["unique_id", "ds", *(name for name in found.columns if name.startswith(settings["model"]))]]


def main(series: str, forecast: str, settings: dict[str, Any]) -> None:
    """Fits, forecasts, writes."""
    frame = pd.read_csv(series)[["unique_id", "ds", "y"]]
    started = time.process_time()
    found = (statistical if settings["model"] in ("Theta", "AutoETS") else neural)(frame, settings)
    seconds = time.process_time() - started
    values = found.sort_values(["unique_id", "ds"]).drop(columns=["unique_id", "ds"])
    quantiles = np.sort(values.to_numpy().reshape(-1, settings["horizon"], values.shape[1]), axis=-1)
    np.savez(forecast, quantiles=quantiles, seconds=seconds)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
