"""The leakage audit: it reports leaks of every kind, and no real covariate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.forecasting.data.samples import sample_series
from seqtag.forecasting.leakage import audit
from seqtag.forecasting.leakage.audit import audit_leakage

HONEST = ("promotion", "holiday")


def table_of(frame, *names):
    return read_series(frame, SeriesColumns(covariates=CovariateNames(known=names)))


def by_series(frame):
    return frame.groupby("unique_id")["y"]


def deciles(values, classes=10):
    return pd.qcut(values, classes, labels=False).map("class {}".format, na_action="ignore")


def noisy(share):
    def leak(frame):
        return frame["y"] + share * by_series(frame).transform("std") * np.random.default_rng(5).normal(size=len(frame))

    return leak


LEAKS = {
    "the target": lambda frame: frame["y"],
    "in other units": lambda frame: 32 - 1.8 * frame["y"],
    "with 1% noise": noisy(0.01),
    "with 5% noise": noisy(0.05),
    "squared about its mean": lambda frame: (frame["y"] - frame["y"].mean()) ** 2,
    "squared about each series' mean": lambda frame: (frame["y"] - by_series(frame).transform("mean")) ** 2,
    "less its logarithm": lambda frame: -np.log(frame["y"].clip(lower=1)),
    "as a wave": lambda frame: np.sin(frame["y"] / 10),
    "rounded": lambda frame: (frame["y"] / 5).round(),
    "rounded, as text": lambda frame: (frame["y"] / 5).round().astype(str),
    "deciles of all": lambda frame: deciles(frame["y"]),
    "deciles of each series": lambda frame: by_series(frame).transform(deciles),
    "number of the decile": lambda frame: pd.qcut(frame["y"], 10, labels=False),
    "quintiles": lambda frame: deciles(frame["y"], 5),
    "next": lambda frame: by_series(frame).shift(-1),
    "the one after next": lambda frame: by_series(frame).shift(-2),
    "next week's": lambda frame: by_series(frame).shift(-7),
    "change": lambda frame: by_series(frame).diff(),
    "mean of the week": lambda frame: by_series(frame).transform(lambda values: values.rolling(7).mean()),
}


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_leaks_are_named_and_the_samples_covariates_are_not(seed):
    frame, _ = sample_series(seed=seed)
    frame = frame.assign(**{name: leak(frame) for name, leak in LEAKS.items()})
    report = audit_leakage(table_of(frame, *HONEST, *LEAKS), season_length=7)
    assert report.leaking == tuple(LEAKS)
    found = {column.name: column for column in report.columns}
    assert {found[name].verdict for name in HONEST} == {"clear"}
    relations = {
        "the target": "y at the same step",
        "next": "y 1 step ahead",
        "the one after next": "y 2 steps ahead",
        "next week's": "y 7 steps ahead",
        "change": "change of y since the step before",
        "mean of the week": "mean of y over the last season",
    }
    assert {name: found[name].relation for name in relations} == relations


def honest(frame, seed):
    """Real covariates of every kind, some of which influence the target."""
    random = np.random.default_rng(1000 + seed)
    step = frame.groupby("unique_id").cumcount()
    return frame.assign(
        noise=random.normal(size=len(frame)),
        walk=random.normal(size=len(frame)).cumsum(),
        smooth=pd.Series(random.normal(size=len(frame))).rolling(5, min_periods=1).mean().to_numpy(),
        step=step,
        wave=np.sin(2 * np.pi * step / 7),
        weekday=frame["ds"].dt.day_name(),
        month=frame["ds"].dt.month_name(),
        day=frame["ds"].dt.day,
        date=frame["ds"].astype(str),
        week=(step // 7).astype(str),
        code=random.integers(0, 30, len(frame)).astype(str),
        flag=(random.random(len(frame)) < 0.3).astype(float),
        price=10 - frame["promotion"] + 0.05 * random.normal(size=len(frame)),
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_honest_columns_are_never_named(seed):
    """Series of several kinds: seasons and trend, short ones, a random walk, and counts that are mostly zero."""
    random = np.random.default_rng(seed)
    sample, short = (sample_series(series, steps, seed=seed)[0] for series, steps in ((2, 200), (1, 60)))
    walk = sample.assign(y=random.normal(size=len(sample)).cumsum() + 60 * sample["promotion"])
    counts = sample.assign(y=random.poisson(np.exp(-1 + 5 * sample["promotion"])).astype(float))
    for frame in (sample, short, walk, counts):
        columns = honest(frame, seed)
        names = [name for name in columns if name not in ("unique_id", "ds", "y", "region")]
        assert audit_leakage(table_of(columns, *names), season_length=7, seed=seed).leaking == ()


def test_a_promotion_that_is_plain_to_see_in_the_target_is_no_leak():
    random = np.random.default_rng(0)
    promotion = (random.random(500) < 0.3).astype(float)
    frame = pd.DataFrame({"unique_id": "a", "ds": range(500), "y": 10 + 5 * promotion + random.normal(size=500)})
    driver = random.normal(size=500)
    frame = frame.assign(promotion=promotion, driver=driver, name=np.where(promotion > 0, "sale", "none"))
    frame["y"] += 2 * driver
    assert audit_leakage(table_of(frame, "promotion", "driver", "name"), season_length=7).leaking == ()


def test_leaks_of_few_steps_and_of_counts():
    random = np.random.default_rng(1)
    y = random.normal(size=60).cumsum()
    frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": y, "twice": 2 * y, "class": deciles(pd.Series(y))})
    assert audit_leakage(table_of(frame, "twice", "class"), season_length=12).leaking == ("twice", "class")
    sold = random.poisson(0.4, 400).astype(float)
    frame = pd.DataFrame({"unique_id": "a", "ds": range(400), "y": sold, "sold": sold})
    frame["counted"] = sold + 0.02 * random.normal(size=400)
    assert audit_leakage(table_of(frame, "sold", "counted"), season_length=7).leaking == ("sold", "counted")


def test_the_past_is_no_leak_as_far_as_it_is_known_in_time():
    frame, _ = sample_series(seed=2)
    frame = frame.assign(yesterday=by_series(frame).shift(1), two_ago=by_series(frame).shift(2))
    table = table_of(frame, "yesterday", "two_ago")
    verdicts = [
        [column.verdict for column in audit_leakage(table, season_length=7, horizon=h).columns] for h in (1, 2, 3)
    ]
    assert verdicts == [["known in time"] * 2, ["leaks", "known in time"], ["leaks"] * 2]


def test_missing_values_hide_no_leak():
    frame, _ = sample_series(seed=3)
    random = np.random.default_rng(0)
    frame["budget"] = (3 * frame["y"]).where(random.random(len(frame)) < 0.6)
    frame["class"] = deciles(frame["y"]).where(random.random(len(frame)) < 0.6)
    assert audit_leakage(table_of(frame, "budget", "class", *HONEST), season_length=7).leaking == ("budget", "class")


def test_columns_that_cannot_be_judged():
    frame, _ = sample_series(series=1, steps=50)
    frame = frame.assign(constant=0.1, same="yes", empty=np.nan, few=frame["y"].where(frame.index < 20))
    names = ("constant", "same", "empty", "few")
    report = audit_leakage(table_of(frame, *names), season_length=7)
    assert [column.verdict for column in report.columns] == ["constant", "constant", *["too few values"] * 2]
    assert report.leaking == ()
    tiny = pd.DataFrame({"unique_id": ["a", "b"], "ds": [0, 0], "y": [1.0, 2.0], "x": [1.0, 2.0]})
    tiny = read_series(tiny, SeriesColumns(covariates=CovariateNames(known=("x",))), frequency=1)
    assert audit_leakage(tiny, season_length=7).columns[0].verdict == "too few values"


def test_the_same_seed_gives_the_same_report():
    frame, _ = sample_series(series=3, steps=100)
    table = table_of(honest(frame, 0), *HONEST, "noise", "code")
    reports = [audit_leakage(table, season_length=7, seed=seed) for seed in (4, 4, 5)]
    assert reports[0] == reports[1] and reports[0].to_text() == reports[1].to_text()
    assert reports[0] != reports[2]


def test_large_tables_are_judged_by_some_of_their_steps(monkeypatch):
    monkeypatch.setattr(audit, "MAX_STEPS", 500)
    monkeypatch.setattr(audit, "MAX_STEPS_OF_A_SERIES", 200)
    frame, _ = sample_series(series=6, steps=300, seed=6)
    frame["budget"] = frame["y"] ** 2
    report = audit_leakage(table_of(frame, "budget", *HONEST), season_length=7)
    table = table_of(frame)
    assert 300 < report.steps <= 500 and report.all_steps == len(table.values)
    assert report.leaking == ("budget",)
    assert f"{report.steps} steps (of {report.all_steps})" in report.to_text()


def test_the_text_has_one_line_a_column():
    frame, _ = sample_series(series=2, steps=120)
    frame = frame.assign(budget=2 * frame["y"], constant=1.0)
    lines = audit_leakage(table_of(frame, "budget", "promotion", "constant"), season_length=7).to_text().splitlines()
    assert lines[0].startswith("leakage of 3 known-future columns: ") and lines[0].endswith("steps, season 7")
    assert lines[1].split() == ["column", "best", "explained", "by", "explained", "of", "innovation", "p", "verdict"]
    assert lines[2].split() == ["budget", "y", "at", "the", "same", "step", "100%", "100%", "0.01", "leaks"]
    assert lines[3].startswith("promotion") and lines[3].endswith("clear")
    assert lines[4].split() == ["constant", "-", "-", "-", "-", "constant"]
    assert len(lines) == 5


def test_a_table_without_known_columns_and_arguments_that_do_not_fit():
    frame, _ = sample_series(series=1, steps=50)
    assert audit_leakage(table_of(frame), season_length=7).columns == ()
    with pytest.raises(ValueError, match="expected season_length to be at least 1, found 0"):
        audit_leakage(table_of(frame), season_length=0)
    with pytest.raises(ValueError, match="expected horizon to be at least 1, found 0"):
        audit_leakage(table_of(frame), season_length=7, horizon=0)
