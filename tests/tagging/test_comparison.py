"""`seqtag compare`: the scores are those of `evaluate`, and what cannot be compared is told in a line."""

from __future__ import annotations

import json
import shutil

import pytest

from seqtag import Tagger
from seqtag.cli import run
from seqtag.tagging.task import evaluate


@pytest.fixture(scope="module")
def worse(run_folder, tmp_path_factory):
    """A folder of two runs as two seeds give them, whose models find fewer entities."""
    folder = tmp_path_factory.mktemp("seeds")
    tagger = Tagger.load(run_folder)
    bias = tagger.model_.network.emission.bias
    for seed in (1, 2):
        values = bias.numpy()
        values[0] += 2.0
        bias.assign(values)
        tagger.save(folder / f"seed-{seed}")
    # An unfinished run is none.
    shutil.copytree(folder / "seed-1", folder / "seed-3.partial")
    return folder


def compared(capsys, *arguments):
    assert run(["compare", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_scores_and_differences(run_folder, worse, job, capsys):
    found = json.loads(compared(capsys, run_folder, worse, worse / "seed-1", "--json"))
    assert (found["measure"], found["sentences"]) == ("f1", 20)
    scores = [evaluate(path, str(job / "test.tsv")).f1 for path in (run_folder, worse / "seed-1", worse / "seed-2")]
    first, both, one = found["systems"]
    assert first["scores"] == pytest.approx(scores[:1]) and "difference" not in first
    assert both["scores"] == pytest.approx(scores[1:]) and one["scores"] == pytest.approx(scores[1:2])
    assert both["mean"] == pytest.approx(sum(scores[1:]) / 2)
    assert one["difference"]["value"] == pytest.approx(scores[1] - scores[0])
    assert one["difference"]["low"] <= one["difference"]["value"] <= one["difference"]["high"]


def test_a_run_is_no_better_than_itself_in_the_table(run_folder, job, capsys):
    header, columns, first, second = compared(capsys, run_folder, run_folder, "--data", job / "dev.tsv").splitlines()
    assert header == "20 sentences; points of F1 more than the first run"
    assert columns.split()[:3] == ["run", "seeds", "F1"]
    assert second.startswith(first) and second.split()[-6:] == ["+0.00", "+0.00", "to", "+0.00", "1.0000", "1.0000"]


def test_what_cannot_be_compared(run_folder, worse, job, tmp_path, refused):
    assert refused(2, "compare", run_folder) == "expected two runs at least, found 1"
    nothing = tmp_path / "runs"
    nothing.mkdir()
    told = refused(1, "compare", run_folder, nothing)
    assert told == f"{nothing}: expected a finished run, or a folder of some, found none"
    assert str(tmp_path / "none") in refused(1, "compare", run_folder, tmp_path / "none")
    assert "none.tsv: expected a readable file" in refused(1, "compare", run_folder, worse, "--data", "none.tsv")


def test_spans_and_labels_are_not_compared(run_folder, job, tmp_path, refused):
    settings = {"units": 4, "word_dim": 4, "cell": "gru", "head": "softmax", "char_encoder": "none", "verbose": 0}
    tagger = Tagger(**settings, training={"epochs": 1, "tensorboard": False}, data={"scheme": "none"})
    tagger.fit(job / "dev.tsv", validation_data=job / "dev.tsv").save(tmp_path / "labels")
    told = refused(1, "compare", run_folder, tmp_path / "labels", "--data", job / "dev.tsv")
    assert told == f"{tmp_path / 'labels'}: expected a run that finds spans, as {run_folder} does, found one of labels"
