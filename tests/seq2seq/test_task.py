"""Faults of the input through the command line: one line that says what is wrong and where, and the exit code."""

from __future__ import annotations

import json

import pytest

from seqtag.cli import run
from seqtag.seq2seq.model import Seq2SeqModel


@pytest.fixture
def train(refused, reversal, tmp_path):
    """`train(code, text, *settings)`: the line that training on `text` fails with; nothing is left behind."""

    def call(code: int, text: str, *settings: str) -> str:
        (tmp_path / "bad.tsv").write_text(text)
        given = [f"data.root={tmp_path}", "data.train=bad.tsv", "data.dev=null", "data.test=null", *settings]
        arguments = [part for setting in given for part in ("--set", setting)]
        line = refused(code, "train", reversal / "job.yaml", "-o", tmp_path / "run", *arguments)
        assert not list(tmp_path.glob("run*"))
        return line.replace(f"{tmp_path}/", "").removeprefix(f"{reversal}/")

    return call


PAIRS = "ab\tba\nb\tb\n"


@pytest.mark.parametrize(
    ("text", "settings", "line"),
    [
        ("ab\tba\nabc\n", [], "bad.tsv:2: expected a source and a target separated by a TAB, found one field"),
        ("ab\tba\n\tb\n", [], "bad.tsv:2: expected a source in column 1, found nothing"),
        ("ab\tba\nb\t\n", [], "bad.tsv:2: expected a target in column 2, found nothing"),
        ("", [], "bad.tsv: expected pairs, found"),
        (PAIRS, ["model.source=frames"], "bad.tsv: expected sources of frames, found texts"),
        (PAIRS, ["data.target_column=3"], "bad.tsv:1: expected at least 3 columns separated by a TAB, found 2 fields"),
    ],
)
def test_training_files(train, text, settings, line):
    assert train(1, text, *settings).startswith(line)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["model.copies=true", "model.attention=null"], "model.copies: expected false for a model with no attention"),
        (["evaluation.measure=bleu"], "evaluation.measure: expected a measure of characters"),
        (["evaluation.beam=0"], "job.yaml: evaluation.beam: input should be greater than or equal to 1, found 0"),
        (["model.units=7", "model.attention=dot"], "model.units: expected an even number for attention 'dot', found 7"),
        (["model.units=1"], "model.units: expected 2 at least, one for each direction, found 1"),
        (["model.max_length=0"], "job.yaml: model.max_length: input should be greater than or equal to 1, found 0"),
        (["data.dev_share=0"], "data.dev: expected a path, or a dev_share above 0, found neither"),
        (["training.label_smoothing=1"], "job.yaml: training.label_smoothing: input should be less than 1, found 1"),
        (["training.sampling_share=1.5"], "job.yaml: training.sampling_share: input should be less than or equal to 1"),
        (["training.sampling=often"], "job.yaml: training.sampling: input should be"),
        (["evaluation.length_penalty=-1"], "job.yaml: evaluation.length_penalty: input should be greater than or"),
    ],
)
def test_settings(train, settings, line):
    assert train(2, PAIRS, *settings).startswith(line)


def test_files_of_unequal_length(refused, reversal, tmp_path):
    (tmp_path / "source.txt").write_text("a\nb\nc\n")
    (tmp_path / "target.txt").write_text("a\nb\n")
    files = f"data.train=[{tmp_path}/source.txt,{tmp_path}/target.txt]"
    told = refused(1, "train", reversal / "job.yaml", "-o", tmp_path / "run", "--set", files)
    assert "expected" in told and "target.txt" in told
    assert not (tmp_path / "run").exists()


def unused(*arguments, **options):
    pytest.fail("something slow began")


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--beam", "0"], 2, "--beam"),
        (["--n-best", "0"], 2, "--n-best"),
        (["--format", "columns"], 2, "--format: expected text or jsonl, found columns, which are of CoNLL-U"),
        (["--layout", "conllu", "--format", "text"], 2, "--format: expected columns for a file of CoNLL-U, found text"),
        (["--layout", "conllu", "--n-best", "2"], 2, "--n-best: expected a file of sources, found one of CoNLL-U"),
        (["--layout", "conllu", "--attention", "a.png"], 2, "--attention: expected a file of sources, found one of"),
        (["--attention", "missing/a.png"], 1, "missing: expected a folder to write to, found none"),
        (["--source-column", "name"], 1, "{file}:1: expected a source, found 2 fields"),
        (["--layout", "letters"], 2, "--layout"),
    ],
)
def test_options_that_are_refused_before_the_model_is_read(
    refused, reversal, reversal_run, options, code, line, monkeypatch, tmp_path
):
    monkeypatch.setattr(Seq2SeqModel, "load", unused)
    monkeypatch.chdir(tmp_path)
    file = reversal / "test.tsv"
    assert line.format(file=file) in refused(code, "predict", reversal_run, file, *options)
    assert not list(tmp_path.iterdir())


def test_more_candidates_than_hypotheses(refused, reversal, reversal_run):
    arguments = "predict", reversal_run, reversal / "test.tsv"
    assert refused(2, *arguments, "--n-best", "4") == "--n-best: expected from 1 to the beam's 3, found 4"
    assert (
        refused(2, *arguments, "--n-best", "2", "--beam", "1") == "--n-best: expected from 1 to the beam's 1, found 2"
    )


def test_a_file_of_sources_alone_cannot_be_scored(refused, reversal_run, tmp_path):
    (tmp_path / "sources.txt").write_text("ab\nba\n")
    told = refused(1, "evaluate", reversal_run, tmp_path / "sources.txt")
    assert told.startswith(f"{tmp_path}/sources.txt:1: expected a source and a target separated by a TAB, found one")


def test_evaluate_says_what_metrics_say(reversal, reversal_run, capsys):
    assert run(["evaluate", str(reversal_run), str(reversal / "test.tsv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    metrics = json.loads((reversal_run / "metrics.json").read_text())
    assert found == metrics["test"]
    assert metrics["task"] == "seq2seq"
    assert {"exact_match", "token_error_rate", "perplexity"} <= set(found)
    assert "symbols_per_second" in metrics["train"]


def test_training_shows_examples_and_progress_apart(reversal, tmp_path, capsys):
    arguments = ["train", str(reversal / "job.yaml"), "-o", str(tmp_path / "run"), "--set", "training.epochs=1"]
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert "'ab" in shown.out or "'a' ->" in shown.out or " -> " in shown.out
    assert "run written to" in shown.out and "exact match" in shown.out.casefold()
    assert "symbols/s" in shown.err and "dev exact_match" in shown.err
