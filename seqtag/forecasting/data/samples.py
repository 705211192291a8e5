"""Generates series for examples and tests, with the features of real ones and with the true future.

The same arguments give the same series.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

START = "2022-01-01"
_SEASONS = {"h": (24.0, 168.0), "D": (7.0, 365.25)}
_HOLIDAYS = ((1, 1), (5, 1), (7, 14), (10, 3), (12, 25), (12, 26))


def sample_series(
    series: int = 8, steps: int = 730, horizon: int = 28, *, frequency: str = "D", noise: float = 1.0, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Generates the sales of imaginary shops, daily or hourly.

    A series is `level + trend + seasons + holiday + promotion + shift + noise`: a linear trend, two seasons of two
    harmonics each (a week and a year for daily series, a day and a week for hourly series), lower sales on holidays,
    higher sales with promotions (which are planned, so that they are known for the future), a level shift in every
    second series, and normal noise. Series start at different times and end together. 2% of the rows are missing, half
    of them in one gap, and 1% of the values are NaN. The level shift and the gaps are in the history, but not in its
    first or last tenth.

    Args:
        series: the number of shops.
        steps: rows of the longest history, which is the first shop's; at least 50.
        horizon: rows of the future, at least 1.
        frequency: `D` or `h`.
        noise: the standard deviation of the noise; the amplitudes of the seasons are about 10.
        seed: the seed of the random generator.

    Returns:
        The history `unique_id, ds, y, promotion, holiday, region` and the future, with the same columns and its true
        `y`. `promotion` (a share of the price) and `holiday` (text) are known covariates, `region` is static.

    Raises:
        ValueError: a number below its minimum, or another frequency.

    Example:
        >>> history, future = sample_series(series=2, steps=60, horizon=7)
        >>> list(history.columns), future["unique_id"].value_counts().to_dict()
        (['unique_id', 'ds', 'y', 'promotion', 'holiday', 'region'], {'shop_0': 7, 'shop_1': 7})
    """
    for name, value, minimum in (("series", series, 1), ("steps", steps, 50), ("horizon", horizon, 1)):
        if value < minimum:
            raise ValueError(f"expected {name} to be at least {minimum}, found {value}")
    if frequency not in _SEASONS:
        raise ValueError(f"expected frequency 'D' or 'h', found {frequency!r}")
    times = pd.date_range(START, periods=steps + horizon, freq=frequency)
    sources = np.random.default_rng(seed).spawn(series)
    shops = [_shop(number, times, steps, noise, random, _SEASONS[frequency]) for number, random in enumerate(sources)]
    past = [
        shop[:steps][_kept(number, steps, random)]
        for number, (shop, random) in enumerate(zip(shops, sources, strict=True))
    ]
    future = [shop[steps:] for shop in shops]
    return pd.concat(past, ignore_index=True), pd.concat(future, ignore_index=True)


def _shop(
    number: int,
    times: pd.DatetimeIndex,
    steps: int,
    noise: float,
    random: np.random.Generator,
    seasons: tuple[float, ...],
) -> pd.DataFrame:
    step = np.arange(len(times))
    promotion = np.where(random.random(len(times)) < 0.1, random.choice([0.1, 0.2, 0.3], len(times)), 0.0)
    holiday = np.array([(time.month, time.day) in _HOLIDAYS for time in times])
    y = random.uniform(50, 150) + random.uniform(-20, 40) * step / len(times)
    y = y + sum(_season(step, length, random) for length in seasons)
    y = y - 15 * holiday + 60 * promotion + _shift(number, step, steps, random) + noise * random.normal(size=len(times))
    blank = (random.random(len(times)) < 0.01) & (step < steps)
    return pd.DataFrame(
        {
            "unique_id": f"shop_{number}",
            "ds": times,
            "y": np.where(blank, np.nan, y),
            "promotion": promotion,
            "holiday": np.where(holiday, "holiday", "none"),
            "region": ("north", "south", "west")[number % 3],
        }
    )


def _season(step: np.ndarray, length: float, random: np.random.Generator) -> np.ndarray:
    """Two harmonics of random phases."""
    phases, sizes = random.uniform(0, 2 * np.pi, 2), random.uniform(6, 12) / np.array([1, 3])
    waves = [
        size * np.sin(2 * np.pi * k * step / length + phase)
        for k, size, phase in zip((1, 2), sizes, phases, strict=True)
    ]
    return np.sum(waves, axis=0)


def _shift(number: int, step: np.ndarray, steps: int, random: np.random.Generator) -> np.ndarray:
    """A jump up or down in every second series."""
    at, size = random.integers(steps // 10, steps - steps // 10), random.choice([-1, 1]) * random.uniform(10, 25)
    return np.where(step >= at, size, 0.0) if number % 2 else np.zeros(len(step))


def _kept(number: int, steps: int, random: np.random.Generator) -> np.ndarray:
    """The mask of the rows that the history has: those after the shop opened, without some single rows and a gap."""
    start = 0 if number == 0 else int(random.integers(0, steps // 2))
    lost = max(1, (steps - start) // 100)
    margin = (steps - start) // 10
    inside = np.arange(start + margin, steps - margin)
    gap = int(random.integers(inside[0], inside[-1] - lost + 1))
    kept = np.arange(steps) >= start
    kept[random.choice(inside, lost, replace=False)] = False
    kept[gap : gap + lost] = False
    return kept
