"""Dates as people write them, to ISO: attention beside the context vector alone.

    SEQTAG_DATA=... python -m benchmarks.dates [--seeds 1] [--runs DIR] [--markdown]

fits `configs/dates.yaml` on 45,000 pairs (a tenth of the sources is dev) and prints the share of the last 5,000 pairs
that greedy search answers exactly, in percent, by seed, with the seconds of training.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.finished_runs import metrics_of
from benchmarks.tables import markdown_table, text_table
from seqtag.tasks import load_config

CONFIG = Path(__file__).parents[1] / "configs" / "dates.yaml"
SYSTEMS = {"attention": [], "context vector": ["model.attention=null"]}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/dates"))
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = []
    for name, overrides in SYSTEMS.items():
        for seed in range(1, options.seeds + 1):
            run = options.runs / f"{name.replace(' ', '-')}-{seed}"
            metrics = metrics_of(load_config(CONFIG, [*overrides, f"seed={seed}"]), run)
            exact = metrics["test"]["greedy"]["exact_match"]
            rows.append([name, str(seed), f"{100 * exact:.2f}", f"{metrics['train']['seconds']:.0f}"])
    print((markdown_table if options.markdown else text_table)(("system", "seed", "exact match", "s"), rows))


if __name__ == "__main__":
    main()
