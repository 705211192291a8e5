"""The candidates of a search: a handful of changes to settings that nobody has set. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seqtag.data.series.table import SeriesTable
from seqtag.errors import ConfigError
from seqtag.forecasting.config import ForecastModelConfig
from seqtag.forecasting.defaults.choices import Choices, choose, settings_text, with_chosen

DEFAULT = "default"
# Segments of one step make a recurrence of as many steps as the lookback: it is slow over more.
MAX_STEPS = 48
# What follows from the seasons, which are found once.
KEPT = ("model.season_length", "model.lookback")

REVIN: dict[str, Any] = {"scaling": "revin", "anchor": True}
SMOOTHED_BY_SERIES: dict[str, Any] = {"scaling": "es_rnn", "anchor": False, "series_smoothing": True}


class Candidate(NamedTuple):
    """A candidate: its name, and the settings that it has otherwise than the default, by their dotted keys."""

    name: str
    changes: Mapping[str, Any]

    def to_text(self) -> str:
        """The changes as the table of a search says them."""
        return settings_text(self.changes)


class Variation(NamedTuple):
    """A change to one setting, and its value for given series; None where there is none."""

    key: str
    value: Callable[[ForecastModelConfig, SeriesTable], Any]


def _shorter(model: ForecastModelConfig, table: SeriesTable) -> int | None:
    half = model.lookback // 2
    return half if half >= max(model.season_length, 2) else None


def _longer(model: ForecastModelConfig, table: SeriesTable) -> int | None:
    longer = min(2 * model.lookback, int(table.lengths.max()) - model.horizon)
    return longer if longer >= 1.25 * model.lookback else None


def _other_segment(model: ForecastModelConfig, table: SeriesTable) -> int | None:
    if model.segment > 1 and model.lookback <= MAX_STEPS:
        return 1
    return model.season_length if model.segment != model.season_length <= model.lookback else None


def _revin(model: ForecastModelConfig, table: SeriesTable) -> list[dict[str, Any]] | None:
    return [REVIN] if model.members else None


def _smoothed(model: ForecastModelConfig, table: SeriesTable) -> list[dict[str, Any]] | None:
    return [SMOOTHED_BY_SERIES] if any(member["scaling"] == "es_rnn" for member in model.members) else None


def _lstm(model: ForecastModelConfig, table: SeriesTable) -> str:
    return "lstm"


# In the order in which they are fitted, which counts where a budget ends before all of them are.
SMALL = {
    "shorter lookback": Variation("model.lookback", _shorter),
    "longer lookback": Variation("model.lookback", _longer),
    "revin": Variation("model.members", _revin),
    "smoothing by series": Variation("model.members", _smoothed),
    "other segment": Variation("model.segment", _other_segment),
    "lstm": Variation("model.cell", _lstm),
}


def candidates(choices: Choices, table: SeriesTable) -> list[Candidate]:
    """The candidates of a small search; the first is the default, which changes nothing.

    A setting that was set is never varied, and neither is one whose change does not go with those that were.

    * `shorter lookback`: half of it, where that holds a season.
    * `longer lookback`: twice as long, or as long as the longest series less a horizon, if a quarter longer at least.
    * `revin`: one network, which reads windows in units of their own deviation, with an anchor.
    * `smoothing by series`: one network of exponential smoothing, by weights of each series.
    * `other segment`: single steps where the lookback is 48 or less, else segments of a season.
    * `lstm`: as the cell.

    Args:
        choices: the configuration with all settings, and which of them follow from the data.
        table: the series.

    Raises:
        ConfigError: all that the search would vary is set.
    """
    found = [Candidate(DEFAULT, {})]
    for name, (key, value) in SMALL.items():
        if key not in choices.chosen or (changed := value(choices.config.model, table)) is None:
            continue
        candidate = Candidate(name, {key: changed})
        if _is_valid(choices, candidate, table):
            found.append(candidate)
    if len(found) == 1:
        raise ConfigError("expected settings to vary that are not set, found none", setting="model.search")
    return found


def choices_of(candidate: Candidate, choices: Choices, table: SeriesTable) -> Choices:
    """The choices with what a candidate changes, and with what follows from that; they ask for no search.

    Raises:
        ValueError: the changes do not go with what was set.
    """
    kept = {key: choices.chosen[key] for key in KEPT if key in choices.chosen}
    unset = {**dict.fromkeys(choices.chosen), **kept, **candidate.changes, "model.search": None}
    config = choose(with_chosen(choices.config, unset), table).config
    return Choices(config, {key: _setting(config, key) for key in choices.chosen})


def _is_valid(choices: Choices, candidate: Candidate, table: SeriesTable) -> bool:
    try:
        choices_of(candidate, choices, table)
    except ValueError:
        return False
    return True


def _setting(config: Any, key: str) -> Any:
    section, name = key.split(".")
    value = getattr(getattr(config, section), name)
    return list(value) if isinstance(value, tuple) else value
