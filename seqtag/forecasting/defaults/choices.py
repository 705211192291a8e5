"""The settings that follow from the data: every rule in one place."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from typing import Any

import numpy as np

from seqtag.data.series.table import SeriesTable
from seqtag.forecasting.config import ForecastingConfig
from seqtag.forecasting.defaults.seasons import MIN_CYCLES, find_seasons

# The most steps that a recurrence runs over.
MAX_SEGMENTS = 16
# Eight seasons are read, or these steps where they are fewer: a week of hours.
SEASONS_READ, STEPS_READ = 8, 168
# Without a season, so many steps of long series: the rules that are weighed read no more than a network does.
LEVELS_READ, LONG = 64, 8
# Smoothing goes step by step: it is slow over more.
MAX_SMOOTHED = 100
# Updates of a fit, in as many epochs as that makes; windows that a fit is worth drawing in an epoch.
UPDATES, MIN_EPOCHS, MAX_EPOCHS, MAX_WINDOWS = 800, 8, 60, 12_800
# The share of a series that is held out, and the most horizons of it.
HELD_OUT_SHARE, MAX_HELD_OUT = 0.25, 5
# From so many values on, a network is worth twice the units.
MANY_VALUES = 200_000

SEASONAL: dict[str, Any] = {"scaling": "seasonal", "anchor": False}
ANCHORED: dict[str, Any] = {"scaling": "seasonal", "anchor": True}
SMOOTHED: dict[str, Any] = {"scaling": "es_rnn", "anchor": False}


@dataclass(frozen=True)
class _Facts:
    """What the rules read: the series, and the settings so far."""

    table: SeriesTable
    model: Mapping[str, Any]
    training: Mapping[str, Any]

    @cached_property
    def typical(self) -> int:
        """The median length of the series."""
        return int(np.median(self.table.lengths))

    @cached_property
    def seasons(self) -> tuple[int, ...]:
        """The seasons that are found; that of the frequency where series are too short to tell."""
        found = find_seasons(self.table)
        usual = self.table.frequency.season_length
        too_short = usual > 1 and 2 * usual <= self.typical < MIN_CYCLES * usual
        return found or ((usual,) if too_short else ())

    @property
    def horizon(self) -> int:
        """The horizon, which is always given."""
        return int(self.model["horizon"])

    @property
    def windows(self) -> int:
        """About how many windows there are to fit on."""
        spare = self.table.lengths - self.training["validation_steps"] - self.training["min_history"]
        return int(np.maximum(spare, 0).sum()) or 1


def _season_length(facts: _Facts) -> int:
    return facts.seasons[0] if facts.seasons else 1


def _lookback(facts: _Facts) -> int:
    shortest = facts.model["season_length"]
    longest = max((shortest, *facts.seasons))
    several = min(SEASONS_READ * shortest, STEPS_READ) if shortest > 1 else min(LEVELS_READ, facts.typical // LONG)
    wanted = max(2 * facts.horizon, 2 * longest, several)
    return min(wanted, max(int(facts.table.lengths.max()) - facts.horizon, 1))


def _segment(facts: _Facts) -> int:
    """The shortest part of a season, or number of seasons, of which a lookback has no more than 16."""
    season, lookback = facts.model["season_length"], facts.model["lookback"]
    if facts.model["stateful"]:
        return 1
    parts = [size for size in range(1, season + 1) if season % size == 0]
    wholes = count(2) if season == 1 else (number * season for number in count(2))
    return next(size for size in chain(parts, wholes) if -(-lookback // size) <= MAX_SEGMENTS)


def _scaling(facts: _Facts) -> str:
    if facts.model["stateful"]:
        return "standard"
    return "mean" if facts.model["head"] == "negative_binomial" else "seasonal"


def _cell(facts: _Facts) -> str:
    return "gru"


def _anchor(facts: _Facts) -> bool:
    return False


def _members(facts: _Facts) -> list[dict[str, Any]]:
    model = facts.model
    if model["stateful"] or model["head"] == "negative_binomial" or model["scaling"] or model["anchor"] is not None:
        return []
    anchored = [] if model["output"] == "recursive" else [ANCHORED]
    smoothed = [SMOOTHED] if model["lookback"] <= MAX_SMOOTHED else []
    return [*anchored, SEASONAL, *smoothed]


def _guard(facts: _Facts) -> str:
    return "none" if facts.model["stateful"] or facts.model["head"] == "negative_binomial" else "blend"


def _units(facts: _Facts) -> int:
    return 64 if int(facts.table.observed.sum()) >= MANY_VALUES else 32


def _validation_steps(facts: _Facts) -> int:
    horizons = int(HELD_OUT_SHARE * facts.typical / facts.horizon)
    return facts.horizon * min(max(horizons, 1), MAX_HELD_OUT)


def _min_history(facts: _Facts) -> int:
    lookback, held_out = facts.model["lookback"], facts.training["validation_steps"]
    lengths = facts.table.lengths
    if lengths.min() >= lookback + facts.horizon + held_out:
        return lookback
    wanted = min(lookback, max(2 * facts.model["season_length"], facts.horizon))
    return wanted if lengths.max() >= wanted + facts.horizon + held_out else 1


def _batch_windows(facts: _Facts) -> int:
    return 128 if facts.windows >= 20 * 128 else 32


def _windows_per_epoch(facts: _Facts) -> int:
    return MAX_WINDOWS


def _epochs(facts: _Facts) -> int:
    drawn = min(facts.windows, facts.training["windows_per_epoch"])
    updates = max(drawn // facts.training["batch_windows"], 1)
    return min(max(-(-UPDATES // updates), MIN_EPOCHS), MAX_EPOCHS)


# In the order in which they are chosen: a rule reads what was chosen or set before.
RULES: dict[str, Callable[[_Facts], Any]] = {
    "model.season_length": _season_length,
    "model.lookback": _lookback,
    "model.segment": _segment,
    "model.members": _members,
    "model.scaling": _scaling,
    "model.anchor": _anchor,
    "model.cell": _cell,
    "model.units": _units,
    "model.guard": _guard,
    "training.validation_steps": _validation_steps,
    "training.min_history": _min_history,
    "training.batch_windows": _batch_windows,
    "training.windows_per_epoch": _windows_per_epoch,
    "training.epochs": _epochs,
}


@dataclass(frozen=True)
class Choices:
    """A configuration with all settings, and those that follow from the data.

    Attributes:
        config: the configuration, in which no setting is None that a rule chooses.
        chosen: the chosen settings by their dotted keys, in the order of the rules.
    """

    config: ForecastingConfig
    chosen: Mapping[str, Any]

    def to_text(self) -> str:
        """One line that names the chosen settings; "" where there are none."""
        return f"from the data: {settings_text(self.chosen)}" if self.chosen else ""


def choose(config: ForecastingConfig, table: SeriesTable) -> Choices:
    """Chooses the settings that are not set, by the series that a forecaster is fitted on.

    The same series give the same choices, whatever their order. A configuration that has all settings stays as it is.

    * `season_length` m: the shortest season found, see `measure_seasons`; that of the frequency where series have two
      of it but not three; else 1.
    * `lookback`: the most of two horizons, two of the longest season, and eight of m but no more than 168 steps, or
      where m is 1 an eighth of the median length but no more than 64; no more than the longest series less a horizon.
    * `segment`: the shortest part of m, or multiple of it, of which the lookback has 16 or fewer.
    * `members`: one with an anchor and one without, both scaled by the last season; and one of exponential smoothing
      where the lookback is 100 or less. None where `scaling` or `anchor` is set, for counts, and for
      a stateful model.
    * `scaling`: `seasonal`; for counts `mean`, for a stateful model `standard`.
    * `anchor`: none where there are no members.
    * `cell`: `gru`.
    * `units`: 32, and 64 from 200,000 values on.
    * `guard`: `blend`; for a stateful model and for counts, which a blend would not leave whole, `none`.
    * `validation_steps`: as many horizons as a quarter of the median length holds, 1 to 5.
    * `min_history`: the lookback where all series are long enough; else the most of 2 m and the horizon.
    * `batch_windows`: 128, and 32 where there are fewer than 2,560 windows.
    * `windows_per_epoch`: 12,800.
    * `epochs`: as many as 800 updates take, 8 to 60.

    Example:
        >>> from seqtag.data.series.files import read_series
        >>> from seqtag.forecasting.data.samples import sample_series
        >>> table = read_series(sample_series(series=2, steps=200, horizon=7)[0])
        >>> config = ForecastingConfig(task="forecasting", model={"horizon": 7, "units": 8})
        >>> choices = choose(config, table)
        >>> choices.chosen["model.season_length"], choices.chosen["model.lookback"], choices.config.model.units
        (7, 56, 8)
    """
    sections: dict[str, dict[str, Any]] = {name: getattr(config, name).model_dump() for name in ("model", "training")}
    facts = _Facts(table, sections["model"], sections["training"])
    chosen: dict[str, Any] = {}
    for key, rule in RULES.items():
        section, name = key.split(".")
        if sections[section][name] is None:
            chosen[key] = sections[section][name] = rule(facts)
    return Choices(with_chosen(config, chosen), chosen)


def with_chosen(config: ForecastingConfig, chosen: Mapping[str, Any]) -> ForecastingConfig:
    """The configuration with chosen settings, which have dotted keys."""
    sections: dict[str, dict[str, Any]] = {name: getattr(config, name).model_dump() for name in ("model", "training")}
    for key, value in chosen.items():
        section, name = key.split(".")
        sections[section][name] = value
    whole = {name: type(getattr(config, name))(**values) for name, values in sections.items()}
    return config.model_copy(update=whole)


def show_choices(choices: Choices, verbose: bool = True) -> None:
    """Prints the line of the choices on standard error."""
    text = choices.to_text()
    if text and verbose:
        print(text, file=sys.stderr)


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings by their dotted keys as one line says them, without their sections.

    >>> settings_text({"model.lookback": 24, "model.members": []})
    'lookback 24, members none'
    """
    return ", ".join(f"{key.split('.')[1]} {_short(value)}" for key, value in settings.items())


def _short(value: Any) -> str:
    """A value as the line of choices says it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        kinds = Counter(_member(changes) for changes in value)
        return " + ".join(kind if number == 1 else f"{number} of {kind}" for kind, number in kinds.items()) or "none"
    return str(value)


def _member(changes: Mapping[str, Any]) -> str:
    return changes["scaling"] + (" with an anchor" if changes["anchor"] else "")
