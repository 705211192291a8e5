"""The commands of a language model, its fit, and what it says of bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqtag import LanguageModel
from seqtag.cli import run
from seqtag.errors import DataError
from seqtag.training.checkpoint import Checkpoint

CONFIG = """task: language_model
data: {{train: {train}, dev: {train}}}
model: {{units: 8, embedding_dim: 4, cell: gru, recurrent_dropout: 0.2, weight_dropout: 0.2, directions: both}}
training: {{epochs: 3, rows: 3, steps: 8, epoch_symbols: 60, tensorboard: false}}
evaluation: {{show_samples: 0}}
"""


@pytest.fixture
def config(verses, tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(CONFIG.format(train=verses / "test.txt"))
    return path


def test_a_fit_goes_on_in_the_middle_of_a_pass_to_the_same_numbers(config, tmp_path, monkeypatch, capsys):
    assert run(["train", str(config), "-o", str(tmp_path / "whole")]) == 0
    arguments = ["train", str(config), "-o", str(tmp_path / "run")]
    save, saved = Checkpoint.save, []

    def interrupted(self):
        save(self)
        saved.append(self.epochs_done)
        if len(saved) in (2, 5):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", interrupted)
        assert run(arguments) == 1
        # The second direction is interrupted as well.
        assert run([*arguments, "--resume"]) == 1
    assert run([*arguments, "--resume"]) == 0
    answers = []
    for name in ("whole", "run"):
        capsys.readouterr()
        assert run(["predict", str(tmp_path / name), str(config), "--format", "jsonl"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["log_probabilities"])
    assert answers[0] == answers[1]


def test_a_run_writes_scores_and_says_so(verses, verses_run, tmp_path, capsys):
    metrics = json.loads((verses_run / "metrics.json").read_text())
    assert metrics["test"]["bits_per_character"] < 2
    assert "characters_per_second" in metrics["train"]
    assert run(["evaluate", str(verses_run), str(verses / "test.txt"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(metrics["test"])
    assert run(["generate", str(verses_run), "--prompt", "Ann", "--length", "5", "--greedy"]) == 0
    assert len(capsys.readouterr().out) == 9
    assert run(["predict", str(verses_run), str(verses / "test.txt")]) == 0
    lines = capsys.readouterr().out.splitlines()
    bits = [float(line.split("\t")[1]) for line in lines if line]
    assert len(bits) == metrics["test"]["characters"]
    assert np.mean(bits) == pytest.approx(metrics["test"]["bits_per_character"], abs=1e-3)
    assert run(["predict", str(verses_run), str(verses / "test.txt"), "--format", "text"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert run(["inspect", "--layout", "text", str(verses / "train.txt"), str(verses / "test.txt")]) == 0
    assert "words" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (b"", [], "expected a text, found an empty one"),
        (b"caf\xe9 " * 30, [], ":1: expected utf-8, found byte 0xe9 (invalid continuation byte); use --set"),
        (b"abcde", ["model.cell=window", "model.context=9"], "expected more than 9 characters of training text, found"),
        (b"aaaaaaaaaaaa" * 20, [], "expected 2 distinct characters at least, found 1 that occur 1 times or more"),
        (
            b"one two " * 50,
            ["model.symbols=words", "model.min_count=99"],
            "expected 2 distinct words at least, found 0",
        ),
    ],
)
def test_bad_texts_are_told_in_a_line(verses, tmp_path, refused, content, settings, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    changes = [part for setting in (f"data.train={path}", *settings) for part in ("--set", setting)]
    told = refused(1, "train", verses / "job.yaml", "-o", tmp_path / "run", *changes)
    assert str(path) in told
    assert message in told
    assert not (tmp_path / "run").exists()


def test_bad_options_are_told_in_a_line(verses_run, refused, tmp_path):
    told = refused(2, "generate", verses_run, "--temperature", "0")
    assert told == "--temperature: expected a temperature above 0, found 0; greedy takes the likeliest symbols"
    assert refused(2, "generate", verses_run, "--top-p", "2").startswith("--top-p: expected a share above 0")
    told = refused(2, "train", "lm_shakespeare", "--set", "model.tied=true", "--set", "model.cutoffs=[4]")
    assert "expected no cutoffs with tied weights, found some" in told


def test_an_estimator_holds_dev_out_and_refuses_what_is_too_short():
    with pytest.raises(DataError, match="expected a text long enough for train to have a part, found 1 characters"):
        LanguageModel(data={"dev_share": 0.5}).fit(["a"])
