"""neuralforecast's models in a process of their own: PyTorch and TensorFlow do not load into one.

    python -m benchmarks.neural_peer SERIES.csv FORECAST.npz SETTINGS

fits one on a long frame and writes its quantiles with the seconds to fit and to predict. SETTINGS are JSON: `model`
(`LSTM`, with `units, layers, lookback, steps, windows`, or `NHITS` with its defaults), `horizon` and `levels`.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqtag.data.series.table import SeriesTable

__all__ = ["neural_forecast"]


def neural_forecast(
    table: SeriesTable, python: str = sys.executable, **settings: Any
) -> tuple[np.ndarray, float, float]:
    """Quantiles `(series, horizon, levels)` of the steps after a table; seconds to fit, and to predict.

    Args:
        table: the series.
        python: the interpreter that has neuralforecast.
        **settings: see the module.

    Raises:
        SystemExit: the process fails; its standard error comes with the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        series, forecast = Path(folder, "series.csv"), Path(folder, "forecast.npz")
        table.to_frame().to_csv(series, index=False)
        command = [python, "-m", "benchmarks.neural_peer", str(series), str(forecast), json.dumps(settings)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"error: neuralforecast ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        with np.load(forecast) as found:
            order = {name: row for row, name in enumerate(found["ids"])}
            rows = [order[name] for name in table.ids]
            return found["quantiles"][rows], float(found["fit"]), float(found["predict"])


def main(series: str, forecast: str, settings: dict[str, Any]) -> None:
    """Fits, predicts, writes."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import MQLoss

    shared = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "accelerator": "cpu"}
    shared |= {"h": settings["horizon"], "loss": MQLoss(quantiles=settings["levels"]), "random_seed": 1}
    if settings["model"] == "LSTM":
        model = models.LSTM(
            input_size=settings["lookback"],
            encoder_hidden_size=settings["units"],
            encoder_n_layers=settings["layers"],
            max_steps=settings["steps"],
            windows_batch_size=settings["windows"],
            scaler_type="robust",
            **shared,
        )
    else:
        model = getattr(models, settings["model"])(input_size=2 * settings["horizon"], **shared)
    frame = pd.read_csv(series)
    forecaster = NeuralForecast(models=[model], freq=1)
    started = time.monotonic()
    forecaster.fit(df=frame)
    fitted = time.monotonic()
    found = forecaster.predict()
    predicted = time.monotonic()
    found = found.reset_index() if "unique_id" not in found.columns else found
    columns = [name for name in found.columns if name.startswith(settings["model"])]
    parts = {name: part.sort_values("ds")[columns].to_numpy() for name, part in found.groupby("unique_id")}
    quantiles = np.sort(np.stack(list(parts.values())), axis=-1)
    np.savez(forecast, ids=list(parts), quantiles=quantiles, fit=fitted - started, predict=predicted - fitted)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
