"""A forecaster through the command line's own entry: every command, and what it says of bad input."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from pandas.testing import assert_frame_equal

from seqtag.cli import run
from seqtag.forecasting.data.samples import sample_series

HISTORY = sample_series(series=3, steps=120, horizon=14, seed=5)
METRICS = {"mase", "smape", "rmse", "mae", "mse", "wql", "coverage", "per_step", "seasonal_naive", "skill"}


def settings(*pairs: str) -> list[str]:
    return [part for pair in pairs for part in ("--set", pair)]


@pytest.fixture
def said(capsysbinary):
    """`said("predict", ...)`: what a successful command prints."""

    def call(*arguments) -> str:
        code = run([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        assert code == 0, captured.err.decode()
        return captured.out.decode()

    return call


def frame_of(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_a_run_directory_holds_what_the_design_lists(shop_run):
    names = {path.name for path in shop_run.iterdir()}
    files = {"config.yaml", "model.keras", "encoders.json", "metrics.json", "history.csv", "series.csv"}
    assert names == files | {"logs", "checkpoints"}
    metrics = json.loads((shop_run / "metrics.json").read_text())
    assert metrics["task"] == "forecasting"
    assert all(set(metrics[split]) >= METRICS for split in ("dev", "test"))
    assert set(metrics["test"]["skill"]) == {"seasonal_naive", "naive", "drift", "mean", "theta"}
    assert {"seconds", "epochs", "windows_per_second", "peak_rss_mb"} <= set(metrics["train"])
    assert metrics["test"]["rows"] == 3 * 8, "windows of 14 later days, a day apart"
    assert yaml.safe_load((shop_run / "config.yaml").read_text())["model"]["units"] == 6


def test_train_shows_the_report_with_the_baselines(shop, tmp_path, said):
    """With the networks that one gets unless one asks for others."""
    given = settings("training.epochs=1", "model.members=null")
    out = said("train", shop / "job.yaml", "-o", tmp_path / "run", *given, "--seed", "4")
    assert all(word in out for word in ("dev", "test", "skill (MASE): seasonal_naive", "drift", "run written to"))
    assert "leakage of 2 known-future columns" in out


def test_predict_is_csv_with_the_columns_names(shop_run, shop, tmp_path, said, monkeypatch):
    arguments = ("predict", shop_run, shop / "train.csv", "--future", shop / "later.csv")
    text = said(*arguments)
    found = frame_of(text)
    assert list(found.columns) == ["shop", "day", "forecast", "q0.1", "q0.5", "q0.9"]
    later = pd.read_csv(shop / "later.csv")
    first = later.groupby("shop").head(7)[["shop", "day"]].reset_index(drop=True)
    assert_frame_equal(found[["shop", "day"]], first)
    assert said(*arguments, "-o", tmp_path / "out.csv") == ""
    assert (tmp_path / "out.csv").read_text() == text
    with (shop / "train.csv").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert said("predict", shop_run, "-", "--future", shop / "later.csv") == text
    longer = frame_of(said(*arguments, "--horizon", "12"))
    assert len(longer) == 3 * 12
    assert_frame_equal(longer.groupby("shop").head(7).reset_index(drop=True), found)


def test_the_estimator_goes_on_from_a_run(shop_run, shop, said):
    """From the last steps that the run keeps: the same forecasts as from all of them."""
    from seqtag import Forecaster

    forecaster = Forecaster.load(shop_run)
    assert (forecaster.table_.lengths == 14).all()
    found = forecaster.predict(future=shop / "later.csv")
    told = frame_of(said("predict", shop_run, shop / "train.csv", "--future", shop / "later.csv"))
    np.testing.assert_allclose(found.iloc[:, 2:], told.iloc[:, 2:], rtol=1e-5)


def test_evaluate_scores_the_last_folds_and_the_baselines(shop_run, shop, said):
    assert "seasonal_naive" in said("evaluate", shop_run, shop / "train.csv")
    found = json.loads(said("evaluate", shop_run, shop / "train.csv", "--json"))
    assert set(found) >= METRICS and found["rows"] == 3 * 2


def test_backtest_of_a_run_and_of_a_configuration(shop_run, shop, tmp_path, said):
    out = said("backtest", shop_run, "--folds", "2", "-o", tmp_path / "tables")
    assert out.startswith("backtest of 2 folds, horizon 7, season 7; fitted in none.")
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {"summary.csv", "by_fold.csv", "by_step.csv", "by_series.csv", "backtest.png", "forecast.png"} <= names
    found = json.loads(said("backtest", shop / "job.yaml", "--json", "--folds", "2", *settings("training.epochs=1")))
    assert (found["folds"], found["fitted"]) == (2, [1, 2])
    once = json.loads(said("backtest", shop / "job.yaml", "--json", "--no-refit", *settings("training.epochs=1")))
    assert once["fitted"] == [1]


def test_a_backtest_is_not_written_into_a_run(shop_run, shop, refused, monkeypatch):
    monkeypatch.setattr("seqtag.forecasting.task.load_series", lambda config: pytest.fail("something slow began"))
    message = f"{shop_run}: expected a folder of its own for the output, found a run"
    for source in (shop_run, shop / "job.yaml"):
        assert refused(1, "backtest", source, "-o", shop_run) == message
    assert refused(1, "backtest", shop_run, "-o", shop / "train.csv").endswith("found a file")


def test_a_backtest_of_a_run_says_what_it_was_fitted_on(shop_run, capsys):
    assert run(["backtest", str(shop_run), "--folds", "3"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "note: of 3 folds, the first 1 reach into steps that the run was fitted on."
    ]


def test_inspect_reports_series(shop, said):
    names = ("--series", "shop", "--time", "day", "--target", "sales")
    assert "3 series" in said("inspect", shop / "train.csv", *names)
    [found] = json.loads(said("inspect", shop / "train.csv", *names, "--json"))["files"]
    assert found["parts"][0]["seasons"][0]["length"] == 7
    wide = HISTORY[0].pivot(index="ds", columns="unique_id", values="y").reset_index()
    wide.to_csv(shop / "wide.csv", index=False)
    assert "wide, 3 series" in said("inspect", shop / "wide.csv")


def test_a_horizon_is_at_least_one(shop_run, shop, refused):
    assert "--horizon" in refused(2, "predict", shop_run, shop / "train.csv", "--horizon", "0")


def test_an_ensemble_that_is_interrupted_in_its_second_network_goes_on_to_the_same_figures(
    shop, tmp_path, capsys, monkeypatch
):
    from seqtag.training.checkpoint import Checkpoint

    arguments = ["train", str(shop / "job.yaml"), *settings("model.ensemble_size=2")]
    assert run([*arguments, "-o", str(tmp_path / "whole")]) == 0
    save, saved = Checkpoint.save, []

    def save_and_interrupt(self):
        save(self)
        saved.append(self.folder)
        if len(saved) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_interrupt)
        assert run([*arguments, "-o", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == "error: interrupted; --resume goes on from the last whole epoch"
    assert not (tmp_path / "run").exists()
    assert run([*arguments, "-o", str(tmp_path / "run"), "--resume"]) == 0
    assert figures(tmp_path / "run") == figures(tmp_path / "whole")


def figures(folder):
    """All of a run's figures but the seconds."""
    metrics = json.loads((folder / "metrics.json").read_text())
    for name in ("seconds", "windows_per_second", "peak_rss_mb"):
        del metrics["train"][name]
    history = pd.read_csv(folder / "history.csv").drop(columns="train_seconds")
    return metrics, history.to_numpy().tolist(), (folder / "series.csv").read_text()


def broken(change) -> pd.DataFrame:
    """A small long table with one fault."""
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(["a", "b"], 40),
            "ds": np.tile(pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d"), 2),
            "y": np.tile(np.arange(40) % 7, 2).astype(object),
        }
    )
    return change(frame)


def put(row: int, column: str, value: object):
    def change(frame):
        frame.loc[row, column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            put(3, "ds", "2024-01-03"),
            "bad.csv:5: series 'a' at 2024-01-03: expected one row for each time, found two",
        ),
        (put(5, "y", "inf"), "bad.csv:7: series 'a' at 2024-01-06: expected a finite number in column 'y', found"),
        (put(5, "y", "many"), "bad.csv:7: series 'a' at 2024-01-06: expected a finite number in column 'y', found"),
        (
            put(5, "ds", "2024-01-06 12:00"),
            "bad.csv: series 'b': expected frequency '12h' as in series 'a', found 'D' from 2024-01-01 00:00:00",
        ),
        (
            put(5, "ds", "2024-01-06T00:00:00+01:00"),
            "bad.csv:7: series 'a' at 2024-01-06T00:00:00+01:00: expected the time zone of the first row, none",
        ),
        (put(5, "ds", "6/1/2024"), "bad.csv:7: series 'a' at 6/1/2024: expected a timestamp such as 2024-01-31"),
        (put(slice(0, 79), "y", None), "bad.csv: series 'a': expected a series with a value, found none in 2"),
        (
            lambda frame: frame.groupby("unique_id").head(1),
            "bad.csv: expected a frequency to be given, found no series of two rows to infer it from",
        ),
        (
            lambda frame: frame.groupby("unique_id").head(6),
            "bad.csv: expected a series with values in at least 8 steps",
        ),
        (lambda frame: frame.rename(columns={"y": "Y"}), "bad.csv: expected a column 'y', found columns"),
        (lambda frame: frame.head(0), "bad.csv: expected series, found no rows"),
    ],
)  # fmt: skip
def test_faults_of_the_series_name_line_series_and_time(shop, tmp_path, refused, change, line):
    broken(change).to_csv(tmp_path / "bad.csv", index=False)
    plain = ["data.series=unique_id", "data.time=ds", "data.target=y", "data.known=[]", "data.static=[]"]
    given = settings(f"data.train={tmp_path}/bad.csv", "data.test=null", *plain)
    told = refused(1, "train", shop / "job.yaml", "-o", tmp_path / "run", *given)
    assert told.replace(f"{tmp_path}/", "").startswith(line)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"], "nothing is left behind"


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("model.horizon=0", "job.yaml: model.horizon: input should be greater than or equal to 1, found 0"),
        ("model.quantiles=[0.5,1.5]", "job.yaml: model.quantiles.1: input should be less than 1, found 1.5"),
        ("model.quantiles=[0.1,0.9]", "job.yaml: model.quantiles: "),
        ("model.lokback=5", "job.yaml: model.lokback: unknown key, did you mean 'lookback'?"),
        ("model.segment=90", "job.yaml: model: expected a segment of at most the lookback of 14, found 90"),
        ("data.test_steps=7", "job.yaml: data: expected test, or test_steps and train_steps, found both"),
        ("data.frequency=fortnight", "data.frequency: invalid frequency: fortnight"),
        ("data.time_zone=Mars", "data.time_zone: expected the name of a time zone"),
        ("data.train=null", "data.train: expected a path, found none"),
    ],
)
def test_faults_of_the_configuration_name_the_key(shop, tmp_path, refused, setting, line):
    told = refused(2, "train", shop / "job.yaml", "-o", tmp_path / "run", *settings(setting))
    assert told.replace(f"{shop}/", "").startswith(line)
    assert not list(tmp_path.iterdir())


def test_a_test_set_that_is_too_short_is_said_before_the_fit(shop, tmp_path, refused):
    told = refused(1, "train", shop / "job.yaml", "-o", tmp_path / "run", *settings("model.horizon=20"))
    assert told == f"{shop}/later.csv: series 'shop_0': expected test steps for a horizon of 20, found 14"
    assert not list(tmp_path.iterdir())


def test_faults_of_the_future(shop_run, shop, tmp_path, refused):
    later = pd.read_csv(shop / "later.csv")

    def refuse(frame: pd.DataFrame | None) -> str:
        given = [] if frame is None else ["--future", tmp_path / "future.csv"]
        if frame is not None:
            frame.to_csv(tmp_path / "future.csv", index=False)
        told = refused(1, "predict", shop_run, shop / "train.csv", "-o", tmp_path / "out.csv", *given)
        assert not (tmp_path / "out.csv").exists()
        return told.replace(f"{tmp_path}/", "").replace(f"{shop}/", "")

    assert refuse(None).startswith("train.csv: expected a future frame with the known covariates 'promotion'")
    assert refuse(later.drop(columns="holiday")).startswith("future.csv: expected a column 'holiday'")
    without = later[later["shop"] != "shop_1"]
    assert refuse(without) == "future.csv: series 'shop_1': expected rows in the future frame, found none"
    gap = later[(later["shop"] != "shop_1") | (later["day"] != later["day"].iloc[2])]
    assert refuse(gap).startswith(f"future.csv: series 'shop_1' at {later['day'].iloc[2]}")


def test_a_series_in_another_zone_or_of_another_frequency(shop_run, shop, tmp_path, refused):
    history = pd.read_csv(shop / "train.csv")
    path = tmp_path / "in.csv"
    history.assign(day=history["day"] + "T00:00:00+02:00").to_csv(path, index=False)
    told = refused(1, "predict", shop_run, path, "--future", shop / "later.csv")
    assert told.startswith(f"{path}: series 'shop_0' at 2022-01-01 00:00:00+02:00: expected time zone none as in")
    history.assign(day=history["day"].where(history.index != 4, "2022-01-05 06:00")).to_csv(path, index=False)
    told = refused(1, "predict", shop_run, path, "--future", shop / "later.csv")
    assert told.startswith(f"{path}:6: series 'shop_0' at 2022-01-05 06:00: expected steps of frequency 'D' from")


def test_constant_and_short_series_and_unsorted_rows_are_no_fault(shop, tmp_path, capsys):
    frame = broken(lambda rows: rows.assign(y=np.where(rows["unique_id"] == "a", 5.0, rows["y"])))
    few = pd.DataFrame({"unique_id": ["one", "none"], "ds": ["2024-02-01"] * 2, "y": [3.0, None]})
    frame = pd.concat([frame, few])
    frame.sample(frac=1, random_state=1).to_csv(tmp_path / "in.csv", index=False)
    plain = ["data.series=unique_id", "data.time=ds", "data.target=y", "data.known=[]", "data.static=[]"]
    given = settings(f"data.train={tmp_path}/in.csv", "data.test=null", "training.epochs=1", *plain)
    assert run(["train", str(shop / "job.yaml"), "-o", str(tmp_path / "run"), *given]) == 0
    assert capsys.readouterr().err.count("left out 1 series without a value, such as 'none'") == 1
    (tmp_path / "future.csv").write_text("unique_id,ds\nnew,2024-03-09\n")
    command = ["predict", str(tmp_path / "run"), str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv")]
    assert run([*command, "--future", str(tmp_path / "future.csv")]) == 0
    found = pd.read_csv(tmp_path / "out.csv")
    assert len(found) == 5 * 7 and np.isfinite(found.iloc[:, 2:]).all(axis=None)
    assert found[found["unique_id"].isin(["none", "new"])]["ds"].iloc[[0, 7]].tolist() == ["2024-02-01", "2024-03-09"]


def test_a_bundle_of_another_version_or_task(shop_run, shop, tmp_path, refused):
    shutil.copytree(shop_run, tmp_path / "run")
    path = tmp_path / "run" / "encoders.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps(whole | {"format_version": 99}))
    assert "expected format version 2, found 99; upgrade" in refused(
        1, "evaluate", tmp_path / "run", shop / "train.csv"
    )
    path.write_text(json.dumps(whole | {"task": "baking"}))
    told = refused(1, "export", tmp_path / "run", tmp_path / "out")
    tasks = "tagging or forecasting or seq2seq or language_model or classification"
    assert told == f"{path}: expected task {tasks}, found 'baking'"
