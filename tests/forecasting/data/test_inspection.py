from __future__ import annotations

import json
import os
import threading

import numpy as np
import pandas as pd
import pytest

from seqtag.errors import ConfigError, DataError
from seqtag.forecasting.data.inspection import inspect_series
from seqtag.forecasting.data.samples import sample_series


def frame(**series) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=len(y), freq="D"), "y": y})
        for name, y in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_counts_gaps_and_constants_by_hand():
    rows = frame(a=[1.0, 2.0, np.nan, 4.0, 0.0, -6.0], b=[3.0, 3.0, 3.0], c=[5.0]).drop(index=3)
    [report] = inspect_series(rows).parts
    assert (report.series, report.steps, report.frequency, report.time_zone) == (3, 10, "D", None)
    assert report.lengths == {"min": 1, "median": 3.0, "max": 6}
    assert (report.first, report.last) == ("2024-01-01 00:00:00", "2024-01-06 00:00:00")
    assert (report.missing_values, report.missing_rows, report.gaps) == (1, 1, 1)
    assert report.longest_gap == "of 2 steps in series 'a' after 2024-01-02 00:00:00"
    assert report.constant == ("b",)
    assert (report.zeros, report.negative) == (1 / 8, 1 / 8)


def test_values_far_out_and_stuck_are_named():
    y = np.random.default_rng(0).normal(10, 1, 200)
    y[20], y[100:140] = 500.0, 11.0
    [report] = inspect_series(frame(a=y)).parts
    assert report.suspicious == 2
    assert report.examples[0].startswith("series 'a' at 2024-01-21 00:00:00: 500 is far from 10")
    assert report.examples[1] == "series 'a' at 2024-04-10 00:00:00: 11 stays for 40 steps"
    [short] = inspect_series(frame(a=y), examples=1).parts
    assert len(short.examples) == 1 and "and 1 more" in short.to_text()


def test_the_seasons_are_said_with_their_strength():
    reports = inspect_series(sample_series(steps=1344, frequency="h")[0])
    [report] = reports.parts
    assert [season.length for season in report.seasons] == [24, 168]
    line = next(line for line in reports.to_text().splitlines() if "seasons" in line)
    assert line == (
        "  seasons: 24 steps (strength 0.73, seen in 100% of the series), "
        "168 steps (strength 0.73, seen in 100% of the series)"
    )
    assert json.loads(json.dumps(reports.to_dict()))["parts"][0]["seasons"][1]["length"] == 168
    assert "seasons: none" in inspect_series(frame(a=[1.0, 2.0])).to_text()


def test_layouts_are_told_by_their_columns(tmp_path):
    rows = frame(a=[1.0, 2.0, 3.0], b=[2.0, 3.0, 5.0])
    wide = rows.pivot(index="ds", columns="unique_id", values="y").reset_index()
    m3 = pd.DataFrame({"id": ["N1"], "period": ["YEARLY"], "h": [1], "n": [3], "train": ["1 2 3"], "test": ["4"]})
    assert [inspect_series(x).parts[0].name for x in (rows, wide, m3)] == ["long", "wide", "m3 yearly"]
    rows.to_csv(tmp_path / "a.csv", index=False)
    reports = inspect_series(tmp_path / "a.csv")
    assert reports.to_text().splitlines()[0] == str(tmp_path / "a.csv")
    assert json.loads(json.dumps(reports.to_dict()))["parts"][0]["series"] == 2
    with pytest.raises(ConfigError, match=r"data\.layout: expected auto, long, wide, m3, found 'tall'"):
        inspect_series(rows, layout="tall")
    with pytest.raises(DataError, match="expected one row for each time, found two"):
        inspect_series(pd.concat([rows, rows]))


@pytest.mark.parametrize("layout", ["auto", "long"])
def test_a_pipe_is_read_once(tmp_path, layout):
    """As the shell's `<(...)` gives it: its layout is told, and then its series are read."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("unique_id,ds,y\na,1,2\na,2,3\na,3,5\n",))
    writer.start()
    report = inspect_series(str(path), layout)
    writer.join()
    assert (report.path, report.parts[0].steps) == (str(path), 3)


def test_steps_as_short_as_microseconds_have_no_season_that_fills_the_memory():
    times = pd.date_range("2024-01-01", periods=20, freq="us")
    report = inspect_series(pd.DataFrame({"unique_id": "a", "ds": times, "y": range(20)})).parts[0]
    assert (report.frequency, report.seasons) == ("us", ())
