"""The plain call: `Forecaster(horizon=h).fit(frame)` beside the simple rules and other libraries, with the seconds.

    SEQTAG_DATA=... python -m benchmarks.forecast_defaults [SET ...] [--seeds 1] [--folds 1] [--peers PYTHON]
        [--models NAME ...] [--markdown]

fits every set with nothing set but the horizon and the levels of the quantiles, and prints MASE, the weighted quantile
loss of the levels .1 to .9, the coverage of the 80% interval, and the processor's seconds to fit and to forecast,
which on one core are those of the clock where nothing else runs. The rules are those of `seqtag.forecasting.rules`.
With `--peers`, statsforecast's Theta and AutoETS and neuralforecast's NHITS with its defaults run beside them, or those
of them that `--models` names, by an interpreter that has these libraries.

| set | series | horizon |
| --- | --- | --- |
| `yearly`, `quarterly`, `monthly`, `other` | M3, all series of the period | 6, 8, 18, 8 |
| `ett_daily` | daily means of ETTh1's seven columns | 28 |
| `daily`, `hourly` | the samples that are made in the package | 28, 48 |
| `walks` | eight random walks of 1,500 business days, which nobody can forecast | 13 |

MASE is scaled by the season that the forecaster finds. Where all four periods of M3 are named, there is a line over its
3003 series. With `--folds K`, sets of long histories are scored at K origins, a horizon apart, each with a fit of its
own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

from benchmarks.forecast_peers import LEVELS
from benchmarks.tables import markdown_table, text_table
from seqtag import Forecaster
from seqtag.data.series.files import read_series
from seqtag.forecasting.data.m3 import read_m3
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.evaluation.evaluate import evaluate_forecasts
from seqtag.forecasting.evaluation.forecast import Forecast, quantile_names
from seqtag.forecasting.evaluation.report import ForecastReport, Scores

HORIZONS = {
    "yearly": 6,
    "quarterly": 8,
    "monthly": 18,
    "other": 8,
    "ett_daily": 28,
    "daily": 28,
    "hourly": 48,
    "walks": 13,
}
M3 = ("yearly", "quarterly", "monthly", "other")
MODELS = ("Theta", "AutoETS", "NHITS")
# Sets whose values differ from seed to seed.
DRAWN = ("daily", "hourly", "walks")
HEADER = ("set", "system", "MASE", "WQL", "80%", "s")
FORMS = {"mase": "{:.3f}", "wql": "{:.4f}", "coverage": "{:.0%}", "seconds": "{:.0f}"}
Figures = dict[str, float]
Run = dict[str, Figures]  # of each system


class Peers(NamedTuple):
    """Models of other libraries, and an interpreter that has them."""

    models: Sequence[str]
    python: str


NONE = Peers((), "")


def frame_of(name: str, seed: int) -> pd.DataFrame:
    """The whole series of a set, with their test steps: `unique_id, ds, y`."""
    data = Path(os.environ.get("SEQTAG_DATA", "."))
    horizon = HORIZONS[name]
    if name in M3:
        table, test = read_m3(data / "m3/M3.csv")[name]
        known = table.to_frame()
        later = known.groupby("unique_id", sort=False)["ds"].max().reset_index()
        steps = later.loc[later.index.repeat(horizon)].assign(
            ds=lambda f: f["ds"] + f.groupby("unique_id").cumcount() + 1
        )
        return pd.concat([known, steps.assign(y=test.ravel())], ignore_index=True)
    if name == "ett_daily":
        wide = pd.read_csv(data / "ett/ETTh1.csv", parse_dates=["date"]).set_index("date").resample("D").mean()
        return wide.reset_index().melt("date", var_name="unique_id", value_name="y").rename(columns={"date": "ds"})
    if name == "walks":
        days = pd.bdate_range("2018-01-01", periods=1500)
        return long_frame(100 + np.cumsum(np.random.default_rng(seed).normal(size=(8, len(days))), axis=1), days)
    steps, frequency = (730, "D") if name == "daily" else (1344, "h")
    parts = sample_series(steps=steps, horizon=horizon, frequency=frequency, seed=seed)
    # The samples leave out rows: a table has one for every step.
    return read_series(pd.concat(parts)[["unique_id", "ds", "y"]]).to_frame()


def long_frame(values: np.ndarray, times: pd.DatetimeIndex) -> pd.DataFrame:
    """Series `(series, steps)` as a long frame."""
    parts = [pd.DataFrame({"unique_id": f"s{n}", "ds": times, "y": row}) for n, row in enumerate(values)]
    return pd.concat(parts, ignore_index=True)


def cut(frame: pd.DataFrame, horizon: int, back: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The history and the test steps of an origin, so many horizons before the last one."""
    frame = frame.sort_values(["unique_id", "ds"])
    left = frame.groupby("unique_id").cumcount(ascending=False)
    return frame[left >= horizon * (back + 1)], frame[(left >= horizon * back) & (left < horizon * (back + 1))]


def forecast_of(forecaster: Forecaster, history: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """The quantiles of the test steps `(series, horizon, levels)`; a history may end with a gap before them."""
    gaps = history.groupby("unique_id")["y"].agg(lambda values: int(values[::-1].isna().cumprod().sum()))
    found = forecaster.predict(horizon=forecaster.horizon + int(gaps.max()))
    wanted = test[["unique_id", "ds"]].merge(found, how="left", on=["unique_id", "ds"])
    return by_series(wanted, quantile_names(LEVELS), forecaster.horizon)


def by_series(frame: pd.DataFrame, columns: list[str], horizon: int) -> np.ndarray:
    """Columns of a frame as `(series, horizon, columns)`, series by name."""
    ordered = frame.sort_values(["unique_id", "ds"])
    return ordered[columns].to_numpy().reshape(-1, horizon, len(columns))


def figures(name: str, seed: int, back: int, peers: Peers) -> Run:
    """The figures of every system at one origin."""
    horizon = HORIZONS[name]
    history, test = cut(frame_of(name, seed), horizon, back)
    forecaster, quantiles, taken = fitted(history, test, horizon, seed)
    season = forecaster.model_.season_length
    ours = report_of(quantiles, history, test, season)
    found = {"seqtag": figures_of(ours.overall, taken)}
    found |= {rule: figures_of(scores.overall) for rule, scores in ours.baselines.items()}
    for system in peers.models:
        peer, taken = peer_quantiles(system, history, horizon, season, peers.python)
        found[system] = figures_of(report_of(peer, history, test, season).overall, taken)
    return {system: {**one, "series": ours.rows} for system, one in found.items()}


def fitted(
    history: pd.DataFrame, test: pd.DataFrame, horizon: int, seed: int, **settings: Any
) -> tuple[Forecaster, np.ndarray, float]:
    """A fitted forecaster, its quantiles of the test steps, and the processor's seconds to fit and to forecast."""
    started = time.process_time()
    forecaster = Forecaster(horizon=horizon, quantiles=LEVELS, seed=seed, verbose=0, **settings).fit(history)
    quantiles = forecast_of(forecaster, history, test)
    return forecaster, quantiles, time.process_time() - started


def report_of(quantiles: np.ndarray, history: pd.DataFrame, test: pd.DataFrame, season: int) -> ForecastReport:
    """The report of quantiles `(series, horizon, levels)` on the test steps, with the rules."""
    target = by_series(test, ["y"], quantiles.shape[1])[..., 0]
    histories = [part["y"].to_numpy() for _, part in history.groupby("unique_id")]
    return evaluate_forecasts(target, Forecast.of_quantiles(quantiles, LEVELS), histories, season)


def figures_of(scores: Scores, seconds: float = float("nan")) -> Figures:
    """The figures of a line."""
    return {"mase": scores.mase, "wql": scores.wql, "coverage": scores.named_coverage(), "seconds": seconds}


def peer_quantiles(
    model: str, history: pd.DataFrame, horizon: int, season: int, python: str
) -> tuple[np.ndarray, float]:
    """The quantiles of a peer `(series, horizon, levels)` and its seconds, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        series, output = Path(folder, "series.csv"), Path(folder, "forecast.npz")
        by_id = history.groupby("unique_id")
        history.assign(ds=by_id.cumcount(), y=by_id["y"].ffill()).to_csv(series, index=False)
        settings = json.dumps({"model": model, "horizon": horizon, "season": season, "levels": LEVELS})
        command = [python, str(Path(__file__).with_name("defaults_peer.py")), str(series), str(output), settings]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"error: {model} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        with np.load(output) as arrays:
            return arrays["quantiles"], float(arrays["seconds"])


def mean(found: list[Figures]) -> Figures:
    """The mean over origins and seeds."""
    return {name: statistics.fmean(one[name] for one in found) for name in found[0]}


def spread(found: list[Figures], seeds: int) -> str:
    """The least and the greatest MASE of a seed, "" where they are the same."""
    by_seed = np.reshape([one["mase"] for one in found], (seeds, -1)).mean(axis=1)
    least, most = f"{by_seed.min():.3f}", f"{by_seed.max():.3f}"
    return "" if least == most else f" ({least} to {most})"


def runs_of(name: str, seeds: int, folds: int, peers: Peers) -> list[Run]:
    """The figures of every system, by seed and origin."""
    # Other libraries say the same of the same values, whatever the seed.
    return [
        figures(name, seed, back, peers if seed == 1 or name in DRAWN else NONE)
        for seed in range(1, seeds + 1)
        for back in range(1 if name in M3 else folds)
    ]


def of_all(runs: Mapping[str, list[Run]]) -> list[Run]:
    """The figures over the series of several sets, of what is an average over series; the seconds summed."""
    found = []
    for parts in zip(*runs.values(), strict=True):
        run: Run = {}
        for system in parts[0]:
            ones = [part[system] for part in parts]
            total = sum(one["series"] for one in ones)
            run[system] = {
                name: sum(one[name] * one["series"] for one in ones) / total for name in ("mase", "coverage")
            }
            run[system] |= {"wql": float("nan"), "seconds": sum(one["seconds"] for one in ones), "series": total}
        found.append(run)
    return found


def rows_of(name: str, runs: list[Run], seeds: int) -> list[list[str]]:
    """The lines of a set."""
    lines = []
    for system in runs[0]:
        found = [run[system] for run in runs if system in run]
        first, *others = cells(mean(found), FORMS)
        lines.append([name, system, first + spread(found, seeds if len(found) == len(runs) else 1), *others])
    return lines


def cells(figures: Figures, columns: Iterable[str]) -> list[str]:
    """Figures as a line of the table has them."""
    return ["-" if np.isnan(figures[name]) else FORMS[name].format(figures[name]) for name in columns]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", choices=[*HORIZONS, []], help="all unless named")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    peers = NONE if options.peers is None else Peers(options.models, options.peers)
    runs = {name: runs_of(name, options.seeds, options.folds, peers) for name in options.sets or HORIZONS}
    if set(M3) <= set(runs):
        runs["M3, all"] = of_all({name: runs[name] for name in M3})
    rows = [line for name, found in runs.items() for line in rows_of(name, found, options.seeds)]
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
