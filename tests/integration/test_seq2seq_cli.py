"""The sample of sequence to sequence from its configuration to answers in another process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from seqtag.cli import run

COMMAND = [sys.executable, "-c", "from seqtag.cli import main; main()"]
# A network and a bound that take seconds, on the sample's own data.
TINY = ["training.epochs=1", "training.tensorboard=false", "model.units=8", "model.embedding_dim=4"]
TINY += ["model.cell=gru", "model.attention=dot", "model.max_length=3", "evaluation.beam=1", "data.test=null"]


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "run"
    settings = [part for setting in TINY for part in ("--set", setting)]
    assert run(["train", "seq2seq_sample", "-o", str(folder), *settings]) == 0
    return folder


def test_a_run_of_the_sample(sample_run):
    metrics = json.loads((sample_run / "metrics.json").read_text())
    assert metrics["task"] == "seq2seq"
    assert 0 <= metrics["dev"]["exact_match"] <= 1 and metrics["dev"]["perplexity"] > 1
    config = (sample_run / "config.yaml").read_text()
    assert "sample:numbers_to_words/train" in config and "max_length: 3" in config


def test_a_pipe_answers_line_by_line(sample_run):
    """Sources from standard input, among them an empty one, a long one and one in no alphabet of training."""
    sources = ["304", "", "9" * 3000, "東京\u0301", "three hundred four"]
    command = [*COMMAND, "predict", str(sample_run), "-", "--format", "jsonl"]
    done = subprocess.run(command, input="\n".join(sources) + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["source"] for answer in answers] == sources
    assert (answers[1]["target"], answers[1]["score"]) == ("", 1.0)
    assert all(0 <= answer["score"] <= 1 and len(answer["target"].split()) <= 3 for answer in answers)
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warnings) <= 1 and "Traceback" not in done.stderr
    assert all("answers at 3 symbols, before they had ended" in line for line in warnings)


def test_inspect_knows_pairs_of_the_sample(capsys):
    assert run(["inspect", "sample:numbers/train", "sample:numbers/dev", "--layout", "pairs"]) == 0
    assert "pairs" in capsys.readouterr().out


def test_a_broken_run_is_named(sample_run, refused, tmp_path):
    (tmp_path / "run").mkdir()
    for path in sample_run.iterdir():
        if path.is_file():
            (tmp_path / "run" / path.name).write_bytes(path.read_bytes())
    encoders = json.loads((sample_run / "encoders.json").read_text())
    encoders["target"]["symbols"] = encoders["target"]["symbols"][:-1]
    (tmp_path / "run" / "encoders.json").write_text(json.dumps(encoders))
    (tmp_path / "sources.txt").write_text("304\n")
    told = refused(1, "predict", tmp_path / "run", tmp_path / "sources.txt")
    assert told.startswith(f"{tmp_path}/run") and "a vocabulary of targets of size" in told
