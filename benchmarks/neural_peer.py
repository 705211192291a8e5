"""neuralforecast's LSTM in a process of its own: PyTorch and TensorFlow do not load into one.

    python -m benchmarks.neural_peer SERIES.csv FORECAST.npz SETTINGS

fits it on a long frame and writes its quantiles with the seconds to fit and to predict. SETTINGS are JSON: `horizon,
levels, units, layers, lookback, steps, windows`.
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

__all__ = ["neural_lstm"]


def neural_lstm(table: SeriesTable, **settings: Any) -> tuple[np.ndarray, float, float]:
    """Quantiles `(series, horizon, levels)` of the steps after a table; seconds to fit, and to predict.

    Raises:
        SystemExit: the process fails; its standard error comes with the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        series, forecast = Path(folder, "series.csv"), Path(folder, "forecast.npz")
        table.to_frame().to_csv(series, index=False)
        command = [sys.executable, "-m", "benchmarks.neural_peer", str(series), str(forecast), json.dumps(settings)]
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
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MQLoss
    from neuralforecast.models import LSTM

    model = LSTM(
        h=settings["horizon"],
        input_size=settings["lookback"],
        encoder_hidden_size=settings["units"],
        encoder_n_layers=settings["layers"],
        loss=MQLoss(quantiles=settings["levels"]),
        max_steps=settings["steps"],
        windows_batch_size=settings["windows"],
        scaler_type="robust",
        random_seed=1,
        accelerator="cpu",
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=False,
    )
    frame = pd.read_csv(series)
    forecaster = NeuralForecast(models=[model], freq=1)
    started = time.monotonic()
    forecaster.fit(df=frame)
    fitted = time.monotonic()
    found = forecaster.predict()
    predicted = time.monotonic()
    found = found.reset_index() if "unique_id" not in found.columns else found
    columns = [name for name in found.columns if name.startswith("LSTM")]
    parts = {name: part.sort_values("ds")[columns].to_numpy() for name, part in found.groupby("unique_id")}
    quantiles = np.sort(np.stack(list(parts.values())), axis=-1)
    np.savez(forecast, ids=list(parts), quantiles=quantiles, fit=fitted - started, predict=predicted - fitted)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
