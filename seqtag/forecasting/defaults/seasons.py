"""Finds the seasons of series: how many steps they have, tested over all series of a table together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from seqtag.data.series.frequency import DAY, Frequency
from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.defaults.season_lines import Evidence, evidence, without_line, without_season, without_trend
from seqtag.forecasting.defaults.series_pool import SeriesPool, filled

# Whole cycles that a series must have to say something about a season.
MIN_CYCLES = 3
# The last steps of a series that are read (more for seasons so long that these hold fewer than LONG_CYCLES cycles),
# and of all series; at least MIN_SERIES are read whatever their lengths.
MAX_STEPS, LONG_CYCLES = 4096, 6
MAX_STEPS_IN_ALL, MIN_SERIES = 400_000, 8
# A season of more than twice these steps is tested on means over several steps.
COARSE = 400
# What makes a season: the score of all series together, and the share of series that show it by themselves.
SIGNIFICANT, SHOWN, MIN_SHARE, MIN_STRENGTH = 3.0, 1.645, 0.25, 0.05
# Integer times: usual season lengths, which need no stronger evidence; how many peaks of autocorrelations are tried.
USUAL = (4, 7, 12, 24, 52)
MAX_PEAKS, MAX_SEASONS = 6, 3
# A season with several whole ones in it, as a week has days, comes after the shorter one if that has much of its size.
INNER_CYCLES, INNER_SHARE = 4, 0.4
# A season that holds a shorter one of so much of its size, and adds nothing to that, is the shorter one.
SAME_SHARE = 0.5


@dataclass(frozen=True)
class Season:
    """A season that series have.

    Attributes:
        length: its steps.
        strength: its share of the variance of the series that is neither trend nor a shorter season, from 0 to 1; a
            mean over the series.
        share_of_series: the share of the series that show it by themselves, at the level of 5%.
    """

    length: int
    strength: float
    share_of_series: float


class _Tested(NamedTuple):
    """A season with its sizes in the series of the pool, see `Evidence`; NaN for series that were not tested."""

    season: Season
    sizes: np.ndarray


def find_seasons(table: SeriesTable) -> tuple[int, ...]:
    """The lengths of the seasons of `measure_seasons`, in steps, in its order; empty where there are none.

    Example:
        >>> from seqtag.data.series.files import read_series
        >>> from seqtag.forecasting.data.samples import sample_series
        >>> find_seasons(read_series(sample_series(series=2, frequency="h")[0]))
        (24, 168)
    """
    return tuple(season.length for season in measure_seasons(table))


def measure_seasons(table: SeriesTable) -> tuple[Season, ...]:
    """Finds the seasons that the series of a table have, the shortest first.

    Candidates are the cycles of the calendar: hour, day, week and year, as far as they have two steps or more, see
    `calendar_periods`. Integer times say nothing about the calendar: candidates are 4, 7, 12, 24, 52 and the lags of
    the highest peaks of the mean autocorrelations.

    A candidate is a season where

    - half of the series that vary hold three whole cycles of it,
    - its lines in their periodograms stand out from the frequencies around them (`season_lines`), so that trends, level
      shifts, noise and random walks are no seasons: the scores of the series, standard normal without a season, reach
      3 together (more for the lag of a peak, as many lags were looked at), where series that move together count as
      fewer,
    - a quarter of the series show it by themselves, at the level of 5%,
    - and its strength is 0.05 or more.

    Seasons that are found are taken off first, so that a longer one counts for what it adds: a week of days that are
    all alike is no season, nor is every second day. Gaps are closed by straight lines, outliers are cut, and series
    above zero that double or halve are read as logarithms; series of which more than half is missing say nothing. At
    most 400 series and some 4,000 steps of each are read.

    Returns:
        The seasons, at most three; the order of series and the units of values do not matter.

    Example:
        >>> import pandas as pd
        >>> from seqtag.data.series.files import read_series
        >>> days = pd.date_range("2024-01-01", periods=70, freq="D")
        >>> frame = pd.DataFrame({"unique_id": "shop", "ds": days, "y": [4.0, 1.0, 1.0, 2.0, 3.0, 5.0, 9.0] * 10})
        >>> [(season.length, round(season.strength, 2)) for season in measure_seasons(read_series(frame))]
        [(7, 1.0)]
    """
    pool = SeriesPool(table)
    if not pool.spans:
        return ()
    longest = int(np.median(pool.lengths)) // MIN_CYCLES
    if table.frequency.kind == "integer":
        return _of_unknown_cycles(pool, longest)
    return _of_calendar(pool, calendar_periods(table.frequency, longest))


def calendar_periods(frequency: Frequency, longest: int) -> list[float]:
    """The cycles of the calendar in steps of a frequency, the shortest first; those above `longest` are left out.

    A day counts where steps are shorter than a day; where series are too short for days, an hour or a minute does.
    """
    step = frequency.step
    if frequency.kind == "clock":
        day = next((unit for unit in (DAY, DAY // 24, DAY // 1440) if unit / step <= longest), DAY)
        periods = [day / step, 7 * DAY / step, 365.25 * DAY / step]
    elif frequency.kind == "day":
        periods = [7 / step, 365.25 / step]
    elif frequency.kind == "business_day":
        periods = [5, 260.9]
    elif frequency.kind == "month":
        periods = [12 / step]
    else:
        periods = [float(frequency.season_length), frequency.grid.per_year / step]
    whole = [round(period, 2) for period in periods if period >= 20 or period == round(period)]
    return [period for period in sorted(set(whole)) if 2 <= period <= longest]


def _of_calendar(pool: SeriesPool, periods: Sequence[float]) -> tuple[Season, ...]:
    found: list[Season] = []
    for period in periods:
        tested = _tested(pool, period, [season.length for season in found])
        found += [tested.season] if tested else []
    return tuple(found)


def _of_unknown_cycles(pool: SeriesPool, longest: int) -> tuple[Season, ...]:
    """The largest of the usual season lengths and of the peaks, then what adds to it, and so on."""
    # Peaks need a higher score: so many lags were looked at.
    peak = float(-special.ndtri(special.ndtr(-SIGNIFICANT) / max(1, longest)))
    needed = dict.fromkeys(_peaks(pool, longest), peak) | dict.fromkeys(USUAL, SIGNIFICANT)
    lengths = sorted(length for length in needed if length <= longest)
    found: list[Season] = []
    while lengths and len(found) < MAX_SEASONS:
        taken = [season.length for season in found]
        tested = [each for length in lengths if (each := _tested(pool, length, taken, needed[length]))]
        if not tested:
            break
        found.append(_first(pool, tested, taken, needed))
        lengths = [season.length for season, _ in tested if found[-1].length % season.length]
    return tuple(sorted(found, key=lambda season: season.length))


def _first(pool: SeriesPool, tested: Sequence[_Tested], taken: Sequence[int], needed: Mapping[int, float]) -> Season:
    """The largest season, or the shorter one in it that it is a repetition of, or that is a season of its own."""
    # Sizes are compared over the series that were tested for all of them.
    sizes = np.stack([each.sizes for each in tested])
    sizes = sizes[:, ~np.isnan(sizes).any(axis=0)].sum(axis=1)
    order = np.argsort(-sizes, kind="stable")
    best, most = tested[order[0]].season, sizes[order[0]]
    for inner, size in ((tested[place].season, sizes[place]) for place in order[1:]):
        if best.length % inner.length:
            continue
        own = INNER_CYCLES * inner.length <= best.length and size >= INNER_SHARE * most
        same = size >= SAME_SHARE * most and not _tested(pool, best.length, [*taken, inner.length], needed[best.length])
        if own or same:
            best, most = inner, size
    return best


def _tested(pool: SeriesPool, period: float, taken: Sequence[int], significant: float = SIGNIFICANT) -> _Tested | None:
    """The season of this period, where the series have it besides those taken."""
    parts = list(_evidence(pool, period, taken))
    if not parts:
        return None
    place = np.concatenate([chosen for chosen, _ in parts])
    score, strength, size = (np.concatenate(part) for part in zip(*(found for _, found in parts), strict=True))
    share = float(np.mean(score > SHOWN))
    mean = float(np.clip(strength.mean(), 0, 1))
    together = score.mean() * np.sqrt(pool.independent(len(score)))
    if together < significant or share < MIN_SHARE or mean < MIN_STRENGTH:
        return None
    sizes = np.full(len(pool.spans), np.nan)
    sizes[place] = size
    return _Tested(Season(round(period), mean, share), sizes)


def _evidence(pool: SeriesPool, period: float, taken: Sequence[int]) -> Iterator[tuple[np.ndarray, Evidence]]:
    """The evidence of series with equal numbers of cycles, after their places in the pool."""
    coarse = max(1, int(period // COARSE))
    for cycles, rows in sorted(_windows(pool, period, coarse).items()):
        left = without_trend(np.stack(list(rows.values())))
        varies = left.any(axis=1)
        if not varies.any():
            continue
        left = left[varies]
        for length in taken:
            left = without_season(left, length)
        left = left.reshape(len(left), -1, coarse).mean(axis=2)
        found = evidence(without_line(left), cycles, [length / coarse for length in taken])
        yield np.array(list(rows))[varies], found


def _windows(pool: SeriesPool, period: float, coarse: int) -> dict[int, dict[int, np.ndarray]]:
    """The last whole cycles of series, by the number of cycles and the place of the series in the pool.

    None where most series are too short for the period.
    """
    if 2 * np.mean(pool.lengths >= MIN_CYCLES * period) < 1:
        return {}
    most = max(MAX_STEPS // period, LONG_CYCLES)
    found: dict[int, dict[int, np.ndarray]] = {}
    steps = series = 0
    for place, span in enumerate(pool.spans):
        cycles = int(min(len(span.values) // period, most))
        if cycles < MIN_CYCLES or (steps > MAX_STEPS_IN_ALL and series >= MIN_SERIES):
            continue
        row = filled(span.values[-(int(cycles * period / coarse) * coarse) :])
        if row is not None:
            found.setdefault(cycles, {})[place] = row
            steps, series = steps + len(row), series + 1
    return found


def _peaks(pool: SeriesPool, longest: int) -> list[int]:
    """The lags of the highest peaks of the mean autocorrelations, of the changes and of the values."""
    total, count = np.zeros((2, longest + 2)), np.zeros(longest + 2)
    steps = series = 0
    for span in pool.spans:
        row = filled(span.values[-MAX_STEPS:])
        if row is None or (steps > MAX_STEPS_IN_ALL and series >= MIN_SERIES):
            continue
        steps, series = steps + len(row), series + 1
        reach = min(longest, len(row) // MIN_CYCLES) + 2
        left = without_line(without_trend(row[None]))[0]
        for kind, values in enumerate((np.diff(left), left)):
            total[kind, :reach] += _autocorrelation(values, reach)
        count[:reach] += 1
    return sorted({lag for line in total / np.maximum(count, 1) for lag in _highest(line)})


def _highest(line: np.ndarray) -> list[int]:
    """The places of the highest positive peaks, from lag 2 on."""
    inside = np.arange(2, len(line) - 1)
    high = inside[(line[inside] >= line[inside - 1]) & (line[inside] >= line[inside + 1]) & (line[inside] > 0)]
    return high[np.argsort(-line[high], kind="stable")[:MAX_PEAKS]].tolist()


def _autocorrelation(values: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelations at lags 0 to `lags - 1`; zero for values that are all equal."""
    values = values - values.mean()
    size = 2 ** int(np.ceil(np.log2(2 * len(values))))
    products = np.fft.irfft(np.abs(np.fft.rfft(values, size)) ** 2, size)[:lags]
    found = np.zeros(lags)
    found[: len(products)] = products / products[0] if products[0] > 0 else 0.0
    return found
