"""What each part of the default forecaster brings, on series that repeat, that have a trend, and that are noise.

    SEQTAG_DATA=... python -m benchmarks.forecast_ablation [SET ...] [--seeds 1] [--series 100] [--markdown]

fits every set with the arguments of each line below, the horizon and the levels of the quantiles, and prints MASE and
the weighted quantile loss of the levels .1 to .9 on the test steps, and the seconds to fit and to forecast.

| line | arguments of `Forecaster` |
| --- | --- |
| `plain` | `scaling="revin", guard="none"`: each window by its mean and deviation |
| `season` | `scaling="seasonal", guard="none"`: the last season is subtracted |
| `season + anchor` | the same with `anchor=True` |
| `smoothing` | `scaling="es_rnn", guard="none"` |
| `default without guard` | `guard="none"`: all members |
| `default` | none |
| `default without anchor`, `default without smoothing` | `members`: the default's, but those that have it |
| a rule | the one of least MASE on the test steps, chosen with hindsight |

A part that the default does not take on a set has no lines there: smoothing goes step by step, and is not tried over
long windows.

| kind | set | what it is | horizon |
| --- | --- | --- | --- |
| regular | `hourly` | the sample that is made in the package | 48 |
| regular | `ett_hourly` | the last 1,500 hours of four columns of ETTh1 whose days are alike | 24 |
| regular | `repeats` | made up: a shape of the day, a slow level and a little noise; 700 hours | 48 |
| trending | `yearly`, `other` | M3 | 6, 8 |
| noisy | `walks`, `ett_daily` | as in `benchmarks.forecast_defaults` | 13, 28 |
| noisy | `noise` | made up: independent values around a mean; 400 days | 14 |

A set has `--series` of its series, drawn at random, or all where they are fewer.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

from benchmarks.forecast_defaults import HORIZONS as HORIZONS_OF_DEFAULTS
from benchmarks.forecast_defaults import Figures, cells, cut, figures_of, fitted, frame_of, long_frame, mean, report_of
from benchmarks.tables import markdown_table, text_table
from seqtag.forecasting.evaluation.report import ForecastReport

KINDS = {
    "regular": ("hourly", "ett_hourly", "repeats"),
    "trending": ("yearly", "other"),
    "noisy": ("walks", "ett_daily", "noise"),
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}
HORIZONS = HORIZONS_OF_DEFAULTS | {"ett_hourly": 24, "repeats": 48, "noise": 14}
HEADER = ("kind", "set", "system", "MASE", "WQL", "s")
MADE_UP = 20
PARTS: dict[str, dict[str, Any]] = {
    "plain": {"scaling": "revin", "anchor": False},
    "season": {"scaling": "seasonal", "anchor": False},
    "season + anchor": {"scaling": "seasonal", "anchor": True},
    "smoothing": {"scaling": "es_rnn", "anchor": False},
}


def series_of(name: str, seed: int, count: int) -> pd.DataFrame:
    """Some of the series of a set, with their test steps: `unique_id, ds, y`."""
    made = {"ett_hourly": ett_hourly, "repeats": lambda: repeats(seed), "noise": lambda: noise(seed)}
    return drawn(made[name]() if name in made else frame_of(name, seed), count)


def drawn(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """So many of the series of a frame, the same ones each time; all where they are fewer."""
    ids = frame["unique_id"].unique()
    kept = np.random.default_rng(0).permutation(ids)[:count]
    return frame[frame["unique_id"].isin(kept)]


def ett_hourly() -> pd.DataFrame:
    """The columns of ETTh1 whose hours go with those of the day before."""
    wide = pd.read_csv(Path(os.environ.get("SEQTAG_DATA", "."), "ett/ETTh1.csv"), parse_dates=["date"]).tail(1500)
    values = wide[["HUFL", "HULL", "MUFL", "MULL"]].to_numpy().T
    return long_frame(values, pd.DatetimeIndex(wide["date"]))


def repeats(seed: int, steps: int = 700) -> pd.DataFrame:
    """Series that repeat their day almost exactly."""
    random, hours = np.random.default_rng(seed), np.arange(steps)
    shape = random.gamma(2.0, size=(MADE_UP, 24))[:, hours % 24]
    level = 1 + 0.2 * np.sin(2 * np.pi * (hours / steps + random.uniform(size=(MADE_UP, 1))))
    values = 100 * shape * level * (1 + 0.01 * random.normal(size=shape.shape))
    return long_frame(values, pd.date_range("2024-01-01", periods=steps, freq="h"))


def noise(seed: int, steps: int = 400) -> pd.DataFrame:
    """Series of independent values around a mean."""
    values = np.random.default_rng(seed).normal(100, 10, size=(MADE_UP, steps))
    return long_frame(values, pd.date_range("2024-01-01", periods=steps, freq="D"))


def systems(members: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The arguments of each line beside the default, by the default's members."""
    smoothed = [member for member in members if member["scaling"] == "es_rnn"]
    anchored = [member for member in members if member["anchor"]]
    alone = {name: {**part, "guard": "none"} for name, part in PARTS.items() if name != "smoothing" or smoothed}
    without: dict[str, dict[str, Any]] = {"default without guard": {"guard": "none"}}
    for name, left_out in (("anchor", anchored), ("smoothing", smoothed)):
        rest = [member for member in members if member not in left_out]
        if left_out and rest:
            without[f"default without {name}"] = {"members": rest}
    return alone | without


def best_rule(report: ForecastReport) -> str:
    """The rule of least MASE."""
    return min(report.baselines, key=lambda rule: report.baselines[rule].overall.mase)


def figures(name: str, seed: int, count: int) -> dict[str, Figures]:
    """The figures of every line of a set."""
    horizon = HORIZONS[name]
    history, test = cut(series_of(name, seed, count), horizon, 0)
    default, quantiles, seconds = fitted(history, test, horizon, seed)
    season = default.model_.season_length
    report = report_of(quantiles, history, test, season)
    found = {}
    for system, settings in systems(default.chosen_["model.members"]).items():
        _, others, taken = fitted(history, test, horizon, seed, **settings)
        found[system] = figures_of(report_of(others, history, test, season).overall, taken)
    rule = best_rule(report)
    return {**found, "default": figures_of(report.overall, seconds), rule: figures_of(report.baselines[rule].overall)}


def rows_of(name: str, seeds: int, count: int) -> list[list[str]]:
    """The lines of a set, the mean of the seeds; a rule's over the seeds in which it is the best."""
    runs = [figures(name, seed, count) for seed in range(1, seeds + 1)]
    names = dict.fromkeys(system for run in runs for system in run)
    means = {system: mean([run[system] for run in runs if system in run]) for system in names}
    return [[KIND_OF[name], name, system, *cells(means[system], ("mase", "wql", "seconds"))] for system in names]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", choices=[*KIND_OF, []], help="all unless named")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = [row for name in options.sets or KIND_OF for row in rows_of(name, options.seeds, options.series)]
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
