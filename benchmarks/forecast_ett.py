"""SegRNN's figures on ETT: the mean squared and absolute errors of our forecaster, and what they cost.

    SEQTAG_DATA=... python -m benchmarks.forecast_ett [SET/HORIZON ...] [--choose] [--seeds 3] [--runs DIR]
        [--set KEY=VALUE ...] [--markdown]

fits `configs/forecast_SET.yaml` at each horizon with seeds 1, 2, ... and prints, on all stride-1 windows of the test
split, in units of each channel's deviation in training:

* `MSE`, `MAE`: means over the seeds, and the range of the former; `wanted`: those of SegRNN at lookback 720 (Lin et
  al. 2023, table 2).
* `80%`: the share of test values within the 80% interval, whose offsets come from the validation split.
* `s`: seconds to fit all networks of one seed; `x`: how many times less that is than SegRNN's own code takes,
  measured at 213 s an epoch on one core for ETTh1 at horizon 96, 30 epochs at most.

The settings of each line, `CHOSEN`, are those with the least mean squared error on the validation split;
docs/results.md says which were compared at which horizon. `--choose` compares all `CANDIDATES`, by one network of
seed 1. No test score has a part in it. A run stays in DIR and is read when it is there.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.real_data import config_path
from benchmarks.tables import markdown_table, text_table
from seqtag.forecasting.task import train
from seqtag.runs import bundle
from seqtag.tasks import load_config

WANTED = {
    "etth1/96": (0.351, 0.392),
    "etth1/192": (0.392, 0.414),
    "etth1/336": (0.423, 0.433),
    "etth1/720": (0.466, 0.472),
    "ettm1/96": (0.293, None),
}
# What `--choose` compares: the configuration, and what differs from it.
CANDIDATES = {
    "as configured": [],
    "dropout .5, rate .003": ["model.dropout=0.5", "training.learning_rate=0.003"],
    "dropout .5, rate .003, 128 units": ["model.dropout=0.5", "training.learning_rate=0.003", "model.units=128"],
}
CHOSEN = dict.fromkeys(WANTED, "dropout .5, rate .003") | dict.fromkeys(
    ("etth1/720", "ettm1/96"), "dropout .5, rate .003, 128 units"
)
REFERENCE_SECONDS = 30 * 213
HEADER = ("set/horizon", "n", "MSE", "lowest", "highest", "wanted", "MAE", "wanted", "80%", "s", "x")


def metrics_of(name: str, seed: int, folder: Path, settings: Sequence[str]) -> dict[str, Any]:
    """The figures of one run, which is fitted unless it is there."""
    kind, horizon = name.split("/")
    run = folder / f"{kind}-{horizon}-seed-{seed}"
    if not run.exists():
        overrides = [f"model.horizon={horizon}", f"seed={seed}", *CANDIDATES[CHOSEN[name]], *settings]
        config = load_config(config_path(f"forecast_{kind}"), overrides)
        train(config, run, resume=bundle.partial_path(run).exists())
    return bundle.read_json(run / bundle.METRICS)


def validation_error(name: str, candidate: str, folder: Path, settings: Sequence[str]) -> float:
    """The mean squared error of one network on the validation split."""
    kind, horizon = name.split("/")
    run = folder / "choice" / f"{kind}-{horizon}-{list(CANDIDATES).index(candidate)}"
    if not run.exists():
        # Nothing is scored on test here.
        overrides = [f"model.horizon={horizon}", *CANDIDATES[candidate], "data.test_steps=null", *settings]
        config = load_config(config_path(f"forecast_{kind}"), [*overrides, "model.ensemble_size=1"])
        train(config, run, resume=bundle.partial_path(run).exists())
    return float(bundle.read_json(run / bundle.METRICS)["dev"]["mse"])


def choice(name: str, folder: Path, settings: Sequence[str]) -> list[list[str]]:
    """A line for each candidate, the one of least error marked."""
    errors = {candidate: validation_error(name, candidate, folder, settings) for candidate in CANDIDATES}
    least = min(errors, key=errors.__getitem__)
    return [
        [name, candidate, f"{error:.4f}", "least" if candidate == least else ""] for candidate, error in errors.items()
    ]


def row(name: str, seeds: int, folder: Path, settings: Sequence[str]) -> list[str]:
    """One line of the table."""
    found = [metrics_of(name, seed, folder, settings) for seed in range(1, seeds + 1)]
    errors, absolute, covered = ([run["test"][key] for run in found] for key in ("mse", "mae", "coverage"))
    seconds = statistics.fmean(run["train"]["seconds"] for run in found)
    wanted = ["-" if figure is None else f"{figure:.3f}" for figure in WANTED[name]]
    return [
        *(name, str(seeds), f"{statistics.fmean(errors):.4f}", f"{min(errors):.4f}", f"{max(errors):.4f}", wanted[0]),
        *(f"{statistics.fmean(absolute):.4f}", wanted[1], f"{statistics.fmean(covered):.1%}", f"{seconds:.0f}"),
        f"{REFERENCE_SECONDS / seconds:.0f}" if name == "etth1/96" else "-",
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET/HORIZON", choices=[*WANTED, []], help="all unless named")
    parser.add_argument("--choose", action="store_true", help="print the candidates' errors on validation")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path("runs/forecast_ett"), metavar="DIR")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    table = markdown_table if options.markdown else text_table
    sets = options.sets or list(WANTED)
    if options.choose:
        rows = [line for name in sets for line in choice(name, options.runs, options.settings)]
        print(table(("set/horizon", "candidate", "validation MSE", ""), rows))
        return
    print(table(HEADER, [row(name, options.seeds, options.runs, options.settings) for name in sets]))


if __name__ == "__main__":
    main()
