"""The M3 competition: one forecaster a period, compared with Theta, AutoETS, neuralforecast's LSTM and seasonal naive.

    SEQTAG_DATA=... python -m benchmarks.forecast_m3 [--seeds 1] [--runs DIR] [--no-peers] [--markdown]

fits `configs/forecast_m3.yaml` for every period, with nothing changed but the horizon, and prints sMAPE and MASE
(season 12, 4, 1, 1) on the test values for each and, as averages over the 3003 series, for all; the weighted quantile
loss of the levels .1 to .9 and the coverage of the 80% interval; seconds to fit and, for the peers, to forecast. The
peers' are measured here, on the same files; `LSTM` is of 128 units in two layers, 1,000 steps, on the monthly series
alone.

A run stays in DIR, with the peers' figures, and is read when it is there. The test values were used for no choice: the
settings were chosen on the last horizon of the training values.
"""

from __future__ import annotations

import argparse
import os
import statistics
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.forecast_peers import LEVELS, PEERS
from benchmarks.neural_peer import neural_forecast
from benchmarks.real_data import config_path
from benchmarks.tables import markdown_table, text_table
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.data.sources import load_series
from seqtag.forecasting.evaluation.evaluate import evaluate_forecasts
from seqtag.forecasting.evaluation.forecast import Forecast
from seqtag.forecasting.task import train
from seqtag.runs import bundle
from seqtag.tasks import load_config

# Horizon and season length of each period.
PERIODS = {"monthly": (18, 12), "quarterly": (8, 4), "yearly": (6, 1), "other": (8, 1)}
FIGURES = ("smape", "mase", "wql", "coverage", "seconds")
HEADER = ("period", "series", "system", "sMAPE", "MASE", "WQL", "80%", "s")
LSTM = {"model": "LSTM", "units": 128, "layers": 2, "lookback": 36, "steps": 1000, "windows": 128}

Figures = dict[str, float | None]


def config_of_period(period: str, seed: int) -> ForecastingConfig:
    """The configuration of one period's model."""
    settings = [f"data.period={period}", f"model.horizon={PERIODS[period][0]}", f"seed={seed}"]
    config = load_config(config_path("forecast_m3"), settings)
    assert isinstance(config, ForecastingConfig)
    return config


def our_figures(period: str, seed: int, folder: Path) -> tuple[Figures, Figures, int]:
    """Our figures and seasonal naive's on test, and how many series there are."""
    run = folder / f"{period}-seed-{seed}"
    if not run.exists():
        train(config_of_period(period, seed), run, resume=bundle.partial_path(run).exists())
    metrics = bundle.read_json(run / bundle.METRICS)
    test = metrics["test"]
    naive = {name: test["seasonal_naive"][name] for name in FIGURES[:-1]}
    ours = {name: test[name] for name in FIGURES[:-1]}
    return ours | {"seconds": metrics["train"]["seconds"]}, naive | {"seconds": None}, test["rows"]


def peer_figures(period: str, name: str, folder: Path) -> Figures:
    """A peer's figures, measured here unless they are there."""
    path = folder / f"{period}-{name}.json"
    if not path.exists():
        config = config_of_period(period, 1)
        data = load_series(config)
        horizon, season = PERIODS[period]
        if name == "LSTM":
            quantiles, fitting, predicting = neural_forecast(data.train, horizon=horizon, levels=LEVELS, **LSTM)
            seconds = fitting + predicting
        else:
            quantiles, seconds = PEERS[name](data.train, horizon, season)
        histories = [data.train.values[data.train.rows(series)] for series in range(len(data.train))]
        target = np.stack([data.whole.values[data.whole.rows(series)][-horizon:] for series in range(len(data.whole))])
        report = evaluate_forecasts(target, Forecast.of_quantiles(quantiles, LEVELS), histories, season)
        found = report.to_metrics()
        folder.mkdir(parents=True, exist_ok=True)
        bundle.write_json(path, {name: found[name] for name in FIGURES[:-1]} | {"seconds": seconds})
    return bundle.read_json(path)


def mean_of(figures: list[Figures]) -> Figures:
    """The mean over seeds."""
    return {name: _mean([one[name] for one in figures]) for name in FIGURES}


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else statistics.fmean(value for value in values if value is not None)


def of_all(figures: dict[str, Figures], series: dict[str, int]) -> Figures:
    """Averages over the series of all periods, of what is an average over series; the seconds summed."""
    total = sum(series.values())
    mixed: dict[str, Any] = {
        name: sum((figures[period][name] or 0.0) * count for period, count in series.items()) / total
        for name in ("smape", "mase", "coverage")
    }
    seconds = [one["seconds"] for one in figures.values()]
    return mixed | {"wql": None, "seconds": None if None in seconds else sum(s for s in seconds if s is not None)}


def row(period: str, series: int, system: str, figures: Figures) -> list[str]:
    """One line of the table."""
    forms = {"smape": ".2f", "mase": ".3f", "wql": ".4f", "coverage": ".1%", "seconds": ".1f"}
    cells = ["-" if figures[name] is None else format(figures[name], form) for name, form in forms.items()]
    return [period, str(series), system, *cells]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/forecast_m3"), metavar="DIR")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    series: dict[str, int] = {}
    systems: dict[str, dict[str, Figures]] = {"seqtag": {}, "seasonal naive": {}}
    for period in PERIODS:
        found = [our_figures(period, seed, options.runs) for seed in range(1, options.seeds + 1)]
        systems["seqtag"][period], systems["seasonal naive"][period] = (
            mean_of([ours for ours, _, _ in found]),
            found[0][1],
        )
        series[period] = found[0][2]
        for name in [] if options.no_peers else [*PEERS, *(["LSTM"] if period == "monthly" else [])]:
            systems.setdefault(name, {})[period] = peer_figures(period, name, options.runs)
    rows = [row(p, series[p], name, of[p]) for p in PERIODS for name, of in systems.items() if p in of]
    whole = {name: of for name, of in systems.items() if len(of) == len(PERIODS)}
    rows += [row("all", sum(series.values()), name, of_all(of, series)) for name, of in whole.items()]
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
