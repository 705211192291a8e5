from __future__ import annotations

import pytest

from seqtag.config.duration import seconds_of
from seqtag.config.fitting import FittingConfig
from seqtag.config.section import validate_section
from seqtag.errors import ConfigError


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("60s", 60), ("2m", 120), ("1h30m", 5400), ("1h 1m 1s", 3661), ("90", 90), (90, 90), (0.5, 0.5), ("1.5h", 5400),
        ("1m30", 90), ("2 m", 120),
    ],
)  # fmt: skip
def test_durations(duration, seconds):
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize(
    "nonsense",
    [0, -5, "0s", "-5s", "", " ", "s", "m", "5x", "5m3h", "1h2h", "1e3s", "ten", True, [60], float("inf"), float("nan"),
     "9" * 400, "٣", "60s\n60s", {"s": 1}],
)  # fmt: skip
def test_what_is_no_duration_is_one_line_with_the_key(nonsense):
    with pytest.raises(ConfigError) as error:
        validate_section(FittingConfig, {"budget": nonsense}, "job.yaml")
    message = str(error.value)
    assert message.startswith("job.yaml: budget: expected a time above zero such as 90, '60s' or '1h30m', found ")
    assert "\n" not in message


def test_there_is_no_budget_unless_it_is_set():
    assert FittingConfig().budget is None
    assert FittingConfig(budget="2m").budget == 120.0
