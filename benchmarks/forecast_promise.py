"""Whether what a report promises on held-out steps holds on the test steps, over rolling origins.

    SEQTAG_DATA=... python -m benchmarks.forecast_promise [SET ...] [--folds 8] [--markdown]

fits the plain call, `Forecaster(horizon=h).fit(history)`, at each of K origins a horizon apart, and compares its
`report_` of the held-out steps with the same report of the test steps that follow. The sets are those of
`benchmarks.forecast_defaults`; those of M3 are short, and have three origins at most, each with the series that still
have two horizons of history.

* `held out` and `test`: the origins at which MASE is at most 1.02 times that of the best rule on the same steps, with
  the mean ratio of both, and from the least to the greatest.
* `kept`: the origins at which the ratio to the rule that is the best on held-out steps is, on test, at most 1.05 times
  what it is on held-out steps.
* `80%`: the share of values in the 80% interval, held out and on test.

The last line is over the origins of all sets.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Sequence
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pandas as pd

from benchmarks.forecast_defaults import HORIZONS, M3, cut, fitted, frame_of, report_of
from benchmarks.tables import markdown_table, text_table
from seqtag.forecasting.evaluation.report import ForecastReport

HEADER = ("set", "origins", "held out", "ratio", "test", "ratio", "kept", "80% held out", "80% test")
ORIGINS_OF_M3 = 3
AS_GOOD, AS_PROMISED = 1.02, 1.05


class Side(NamedTuple):
    """What a report says: MASE over that of each rule, and the coverage of the 80% interval."""

    ratios: dict[str, float]
    coverage: float

    @property
    def ratio(self) -> float:
        """MASE over that of the best rule."""
        return max(self.ratios.values())

    @classmethod
    def of(cls, report: ForecastReport) -> Side:
        """What a report says."""
        ours = report.overall
        ratios = {rule: ours.mase / found.overall.mase for rule, found in report.baselines.items()}
        return cls(ratios, ours.named_coverage())


class Origin(NamedTuple):
    """An origin's reports of the held-out steps and of the test steps."""

    held_out: Side
    test: Side

    @property
    def kept(self) -> bool:
        """Whether the ratio to the best rule on held-out steps is the same on test, or better."""
        rule = max(self.held_out.ratios, key=lambda name: self.held_out.ratios[name])
        return self.test.ratios[rule] <= AS_PROMISED * self.held_out.ratios[rule]


def origin(frame: pd.DataFrame, horizon: int, back: int) -> Origin:
    """Fits at an origin so many horizons before the last one."""
    history, test = cut(long_enough(frame, horizon * (back + 3)), horizon, back)
    forecaster, quantiles, _ = fitted(history, test, horizon, seed=1)
    report = report_of(quantiles, history, test, forecaster.model_.season_length)
    return Origin(Side.of(forecaster.report_), Side.of(report))


def long_enough(frame: pd.DataFrame, steps: int) -> pd.DataFrame:
    """The series of a frame with so many steps."""
    return frame[frame.groupby("unique_id")["ds"].transform("size") >= steps]


def row(name: str, origins: Sequence[Origin]) -> list[str]:
    """One line of the table."""
    sides = ([one.held_out for one in origins], [one.test for one in origins])
    cells = [cell for side in sides for cell in (_count([one.ratio <= AS_GOOD for one in side]), _ratios(side))]
    covered = [f"{statistics.fmean(one.coverage for one in side):.0%}" for side in sides]
    return [name, str(len(origins)), *cells, _count([one.kept for one in origins]), *covered]


def _count(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)}"


def _ratios(side: Sequence[Side]) -> str:
    ratios = [one.ratio for one in side]
    return f"{statistics.fmean(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", metavar="SET", choices=[*HORIZONS, []], help="all unless named")
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found: dict[str, list[Origin]] = {}
    for name in options.sets or HORIZONS:
        frame, folds = frame_of(name, 1), min(options.folds, ORIGINS_OF_M3) if name in M3 else options.folds
        found[name] = [origin(frame, HORIZONS[name], back) for back in range(folds)]
    rows = [row(name, origins) for name, origins in found.items()]
    rows.append(row("all", [one for origins in found.values() for one in origins]))
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
