"""Faults of series are told before TensorFlow is imported; commands of a run read files that are written otherwise."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from seqtag.cli import run

# Runs commands, and says which of the slow packages they imported.
COMMANDS = """
import sys
from seqtag.cli import run
codes = [run(line.split("\\t")) for line in sys.argv[1:]]
print(*codes, *[name for name in ("tensorflow", "keras") if name in sys.modules])
"""


def test_faults_of_files_come_before_tensorflow(shop_run, shop, tmp_path):
    history = pd.read_csv(shop / "train.csv")
    bad = tmp_path / "bad.csv"
    history.assign(sales=history["sales"].astype(object).where(history.index != 4, "2x")).to_csv(bad, index=False)
    later = tmp_path / "later.csv"
    pd.read_csv(shop / "later.csv").iloc[1:].to_csv(later, index=False)
    job = (shop / "job.yaml").read_text(encoding="utf-8").replace("horizon: 7", "horizon: 7, lower: 1000")
    (tmp_path / "few.csv").write_text("shop,all\nshop_0,all\nshop_1,all\n", encoding="utf-8")
    (tmp_path / "bounded.yaml").write_text(job, encoding="utf-8")
    lines = [
        ["evaluate", shop_run, bad],
        ["predict", shop_run, bad],
        ["predict", shop_run, shop / "train.csv", "--future", later],
        ["predict", shop_run, shop / "train.csv", "--frequency", "fortnight"],
        ["evaluate", shop_run, shop / "train.csv", "--date-format", "%q"],
        ["backtest", shop_run, "--time", "date"],
        ["predict", shop_run, bad, "--levels", "0,.5"],
        ["predict", shop_run, bad, "--levels", "half"],
        ["predict", shop_run, bad, "--levels", ".5,.1"],
        ["train", tmp_path / "bounded.yaml"],
        ["predict", shop_run, shop / "train.csv", "--future", shop / "later.csv", "--hierarchy", tmp_path / "few.csv"],
    ]
    command = [sys.executable, "-c", COMMANDS, *("\t".join(map(str, words)) for words in lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*"11122122211"], done.stderr
    told = done.stderr.replace(f"{tmp_path}/", "").splitlines()
    assert told[0] == told[1]
    assert told[0].startswith("error: bad.csv:6: series 'shop_0' at 2022-01-05: expected a finite number in column")
    assert told[2].startswith("error: later.csv: series 'shop_0' at 2022-05-01 00:00:00: expected a row")
    assert told[3].startswith("error: --frequency: ") and told[4].startswith("error: --date-format: ")
    assert "expected a column 'date', found columns shop, day" in told[5]
    assert told[6:9] == [
        "error: --levels: expected quantile levels between 0 and 1, found 0",
        "error: --levels: expected numbers with commas between them, found 'half'",
        "error: --levels: expected rising quantile levels, found 0.1 after 0.5",
    ]
    assert "series 'shop_0' at 2022-01-01 00:00:00: expected a value of at least the lower bound of 1000" in told[9]
    assert told[-1] == "error: few.csv: series 'shop_2': expected a place in the hierarchy, found none"


def answers(capsysbinary, *arguments) -> pd.DataFrame:
    assert run(list(map(str, arguments))) == 0
    return pd.read_csv(io.BytesIO(capsysbinary.readouterr().out), dtype={"shop": str, "filiale": str})


def test_files_written_otherwise_are_read_by_options(shop_run, shop, tmp_path, capsysbinary):
    """Semicolons and decimal commas are seen; the form of dates and the names of columns are options."""
    expected = answers(capsysbinary, "predict", shop_run, shop / "train.csv", "--future", shop / "later.csv")
    names = {"shop": "filiale", "day": "tag", "sales": "umsatz"}
    for name in ("train", "later"):
        frame = pd.read_csv(shop / f"{name}.csv").rename(columns=names)
        frame["tag"] = pd.to_datetime(frame["tag"]).dt.strftime("%d.%m.%Y")
        frame.to_csv(tmp_path / f"{name}.csv", sep=";", decimal=",", index=False)
    options = ["--series", "filiale", "--time", "tag", "--target", "umsatz", "--date-format", "%d.%m.%Y"]
    files = [tmp_path / "train.csv", "--future", tmp_path / "later.csv"]
    found = answers(capsysbinary, "predict", shop_run, *files, *options)
    assert list(found.columns) == ["filiale", "tag", *expected.columns[2:]]
    pd.testing.assert_frame_equal(found.iloc[:, 1:].rename(columns={"tag": "day"}), expected.iloc[:, 1:])
    assert run(["evaluate", str(shop_run), str(tmp_path / "train.csv"), *options]) == 0


def test_rows_without_a_value_at_the_end_of_a_file_are_forecast(shop_run, shop, tmp_path, capsysbinary):
    history, later = (pd.read_csv(shop / f"{name}.csv") for name in ("train", "later"))
    rows = later.groupby("shop").head(5).assign(sales=np.nan)
    pd.concat([history, rows]).to_csv(tmp_path / "in.csv", index=False)
    found = answers(capsysbinary, "predict", shop_run, tmp_path / "in.csv")
    expected = answers(capsysbinary, "predict", shop_run, shop / "train.csv", "--future", shop / "later.csv")
    pd.testing.assert_frame_equal(found, expected.groupby("shop").head(5).reset_index(drop=True))


def test_ids_that_look_like_numbers_keep_their_zeros(shop_run, shop, tmp_path, capsysbinary):
    history = pd.read_csv(shop / "train.csv").replace({"shop_0": "007", "shop_1": "1.0", "shop_2": "NA"})
    later = pd.read_csv(shop / "later.csv").replace({"shop_0": "007", "shop_1": "1.0", "shop_2": "NA"})
    history.to_csv(tmp_path / "in.csv", index=False)
    later.to_csv(tmp_path / "later.csv", index=False)
    assert run(["predict", str(shop_run), str(tmp_path / "in.csv"), "--future", str(tmp_path / "later.csv")]) == 0
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {"007", "1.0", "NA"}


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_stated_frequency_is_that_of_the_run(shop_run, shop, refused, command):
    told = refused(2, command, shop_run, shop / "train.csv", "--frequency", "W")
    assert told == "--frequency: expected 'D' as in training, found 'W'"


def test_totals_of_a_file_are_forecast_behind_their_parts(shop_run, shop, tmp_path, capsysbinary):
    (tmp_path / "groups.csv").write_text("shop,all\nshop_0,all\nshop_1,all\nshop_2,all\n", encoding="utf-8")
    arguments = ["predict", shop_run, shop / "train.csv", "--future", shop / "later.csv", "--levels", ".1,.9"]
    plain = answers(capsysbinary, *arguments)
    found = answers(capsysbinary, *arguments, "--hierarchy", tmp_path / "groups.csv")
    assert list(found.columns) == ["shop", "day", "forecast", "q0.1", "q0.9"]
    pd.testing.assert_frame_equal(found[: len(plain)], plain)
    total = found[found["shop"] == "all"].set_index("day")["forecast"]
    np.testing.assert_allclose(total, plain.groupby("day")["forecast"].sum()[total.index], rtol=1e-9)
