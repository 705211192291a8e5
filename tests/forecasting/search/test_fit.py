"""A tiny search from the command line: kept in its run, resumed after an interruption, repeated without a search."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import yaml

from seqtag import Forecaster
from seqtag.cli import run
from seqtag.errors import RunError
from seqtag.forecasting.search.fit import read_search
from seqtag.training.checkpoint import Checkpoint


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A configuration of which the segment alone can vary."""
    model = {"horizon": 7, "lookback": 14, "season_length": 7, "cell": "gru", "units": 4, "scaling": "last"}
    training = {"epochs": 1, "windows_per_epoch": 64, "validation_steps": 7, "tensorboard": False}
    whole = {
        "task": "forecasting",
        "data": {"train": "sample:daily", "test_steps": 7},
        "model": {**model, "guard": "none", "search": "small"},
        "training": training,
    }
    path = tmp_path_factory.mktemp("search") / "job.yaml"
    path.write_text(yaml.safe_dump(whole))
    return path


@pytest.fixture(scope="module")
def finished(job):
    """The run, which was interrupted after the search and resumed."""
    save = Checkpoint.save

    def save_and_interrupt(self):
        save(self)
        if self.folder is not None:
            raise KeyboardInterrupt

    def no_search(*arguments):
        raise AssertionError("expected the search that was finished")

    arguments = ["train", str(job), "-o", str(job.parent / "run")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_interrupt)
        assert run(arguments) == 1
    partial = yaml.safe_load((job.parent / "run.partial" / "config.yaml").read_text())
    assert partial["model"]["search"] == "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqtag.forecasting.search.fit.search", no_search)
        assert run([*arguments, "--resume"]) == 0
    return job.parent / "run"


def test_the_table_is_kept_in_the_run(finished):
    table = read_search(finished / "search.csv")
    assert table["candidate"].tolist() == ["default", "other segment"]
    assert table["changes"].tolist() == ["", "segment 7"] and table["chosen"].sum() == 1
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["search"] == table.to_dict("records")
    loaded = Forecaster.load(finished)
    pd.testing.assert_frame_equal(loaded.search_, table)
    assert loaded.search is None and loaded.chosen_ == metrics["chosen"]


def test_the_run_is_repeated_by_its_configuration_without_a_search(finished, tmp_path):
    settings = yaml.safe_load((finished / "config.yaml").read_text())["model"]
    best = read_search(finished / "search.csv").set_index("chosen")["candidate"][True]
    assert settings["search"] is None
    assert settings["segment"] == {"default": 1, "other segment": 7}[best]
    assert run(["train", str(finished / "config.yaml"), "-o", str(tmp_path / "again")]) == 0
    reports = [json.loads((folder / "metrics.json").read_text()) for folder in (finished, tmp_path / "again")]
    assert reports[0]["dev"] == reports[1]["dev"] and reports[0]["test"] == reports[1]["test"]
    assert not (tmp_path / "again" / "search.csv").exists()


@pytest.mark.parametrize("text", ["", "candidate,round\ndefault,1\n"])
def test_a_damaged_table_is_named(tmp_path, text):
    (tmp_path / "search.csv").write_text(text)
    with pytest.raises(RunError, match=r"search\.csv: expected the table of a search, found "):
        read_search(tmp_path / "search.csv")
