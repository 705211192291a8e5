"""How often the intervals of totals hold their values, with and without the dependence between their parts.

Eight made-up daily series have a common cause beside their own. A small forecaster is fitted once, and forecasts them
and their totals from rolling origins after the fit. The table has the share of values in the 80% intervals.

    python -m benchmarks.forecast_totals
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqtag import Forecaster
from seqtag.forecasting.hierarchy import Hierarchy

SERIES, STEPS, FITTED, HORIZON = 8, 1000, 600, 7
NAMES = [f"s{number}" for number in range(SERIES)]
GROUPS = {"unique_id": NAMES, "half": ["first"] * 4 + ["second"] * 4, "all": "all"}


def autoregressive(source: np.random.Generator, rows: int, coefficient: float) -> np.ndarray:
    """Noise whose steps depend on each other, `(steps, rows)`."""
    noise = source.normal(size=(STEPS, rows))
    for step in range(1, STEPS):
        noise[step] += coefficient * noise[step - 1]
    return noise


def made_up(seed: int) -> pd.DataFrame:
    """A column for each series: a level, a week, a common cause and noise."""
    source, day = np.random.default_rng(seed), np.arange(STEPS)[:, None]
    week = 3 * np.sin(2 * np.pi * day / 7 + np.arange(SERIES))
    values = 50 + 5 * np.arange(SERIES) + week + autoregressive(source, 1, 0.7) + autoregressive(source, SERIES, 0.5)
    return pd.DataFrame(values, pd.date_range("2024-01-01", periods=STEPS, name="ds"), NAMES)


def coverage(forecaster: Forecaster, wide: pd.DataFrame, dependence: str) -> dict[str, float]:
    """The share of values in the 80% interval, of single series, of totals of four and of the total of all."""
    halves = {"first": wide[NAMES[:4]].sum(axis=1), "second": wide[NAMES[4:]].sum(axis=1)}
    values = wide.assign(**halves, all=wide.sum(axis=1)).melt(ignore_index=False, var_name="unique_id", value_name="y")
    long = wide.melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index()
    found = []
    for origin in wide.index[FITTED : STEPS - HORIZON : HORIZON]:
        hierarchy = Hierarchy(GROUPS, dependence=dependence)
        forecast = forecaster.predict(long[long["ds"] < origin], hierarchy=hierarchy)
        found.append(forecast.merge(values.reset_index(), on=["unique_id", "ds"]))
    frame = pd.concat(found)
    inside = frame["y"].between(frame["q0.1"], frame["q0.9"])
    kinds = {"first": "of four", "second": "of four", "all": "of eight"}
    return inside.groupby(frame["unique_id"].map(kinds).fillna("single")).mean().to_dict()


def main() -> None:
    """Prints the table, the mean of three seeds."""
    shares: dict[str, list[dict[str, float]]] = {"independent": [], "estimated": []}
    for seed in range(3):
        wide = made_up(seed)
        long = wide.iloc[:FITTED].melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index()
        settings = {"horizon": HORIZON, "lookback": 28, "units": 16, "verbose": 0, "seed": seed + 1}
        forecaster = Forecaster(**settings, training={"epochs": 6}).fit(long)
        for dependence, rows in shares.items():
            rows.append(coverage(forecaster, wide, dependence))
    table = pd.DataFrame({name: pd.DataFrame(rows).mean() for name, rows in shares.items()}).T
    print(table[["single", "of four", "of eight"]].round(3).to_string())


if __name__ == "__main__":
    main()
