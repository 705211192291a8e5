"""Faults of the input: one line that says what is wrong and where, the exit code, nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from seqtag.cli import run
from seqtag.errors import DataError, DataWarning
from seqtag.runs.directory import run_directory
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.model import TaggingModel

IOB2 = "Ann\tB-PER\nsaw\tO\nNew\tB-LOC\nYork\tI-LOC\n\nit\tO\n"
TAG_COLUMN = "; use --set data.tag_column=..."


@pytest.fixture
def train(refused, job, tmp_path):
    """`train(code, text, *settings)`: the line that training on `text` fails with; nothing is left behind."""

    def call(code: int, text: str | bytes, *settings: str, dev: str | None = None) -> str:
        content = text.encode() if isinstance(text, str) else text
        (tmp_path / "bad.tsv").write_bytes(content)
        (tmp_path / "dev.tsv").write_text(dev or IOB2)
        given = [
            f"data.root={tmp_path}",
            "data.train=bad.tsv",
            "data.dev=dev.tsv",
            "data.test=null",
            *settings,
        ]
        arguments = [part for setting in given for part in ("--set", setting)]
        line = refused(code, "train", job / "job.yaml", "-o", tmp_path / "run", *arguments)
        assert not (tmp_path / "run").exists() and not (tmp_path / "run.partial").exists()
        return line.replace(f"{tmp_path}/", "")

    return call


@pytest.mark.parametrize(
    ("text", "settings", "line"),
    [
        ("Ann\tB-PER\nsaw\n", [], "bad.tsv:2: expected 2 columns, found 1"),
        ("Ann\tB-PER\nsaw\tO\tO\n", [], "bad.tsv:2: expected 2 columns, found 3"),
        ("", [], "bad.tsv: expected sentences, found an empty file"),
        ("\n \n\n", [], "bad.tsv: expected sentences, found only blank lines and comments"),
        ("Ann\tB-PER\n\x00\tO\n", [], "bad.tsv:2: expected text, found a NUL byte"),
        (IOB2, ["data.tag_column=ner"], f"bad.tsv: expected column 'ner', found columns token, tag{TAG_COLUMN}"),
        (IOB2, ["data.tag_column=3"], f"bad.tsv:1: expected at least 3 columns, found 2: token, tag{TAG_COLUMN}"),
        (IOB2, ["data.features=[pos]"], "bad.tsv:1: expected column 'pos', found columns token, tag"),
        ("Ann\tB-PER\nsaw\tVERB\n", [], "bad.tsv:2: expected O or tags such as B-LOC, found 'VERB'"),
        ("Ann\tNOUN\n", ["data.scheme=IOB2"], "bad.tsv:1: expected O or a tag such as B-LOC, found 'NOUN'"),
        (
            "Ann\tB-PER\nLee\t?\n",
            [],
            "bad.tsv:2: expected O or tags such as B-LOC, found '?'; use --set data.unknown_tag=...",
        ),
        ("Ann\t?\n", ["data.unknown_tag='?'"], "bad.tsv: expected tags, found none that is known"),
        (
            "% weight = -1\nAnn\tB-PER\n",
            ["data.comment_prefix='%'"],
            "bad.tsv:1: expected a weight, a number from 0 on, found '-1'",
        ),
        (
            "% weight = 0\nAnn\tB-PER\n",
            ["data.comment_prefix='%'"],
            "bad.tsv: expected a weight above 0, found 0 for every sentence",
        ),
        (
            IOB2,
            ["model.gazetteers=[bad.tsv]"],
            "bad.tsv:1: expected a type of the training file, found 'Ann'; types: LOC, PER",
        ),
        (IOB2, ["model.gazetteers=[no.tsv]"], "no.tsv: expected a readable file, found: no such file or directory"),
        ("it\tO\n\nAnn\tS-PER\n", ["data.scheme=IOB2"], "bad.tsv:3: expected tags in IOB2, found 'S-PER'"),
        ("Ann\tS-PER\nBo\tU-PER\n", [], "bad.tsv:1: expected tags in BILOU, as others are, found 'S-PER'"),
    ],
)  # fmt: skip
def test_training_files(train, text, settings, line):
    assert train(1, text, *settings) == line


def test_advice_names_what_the_command_takes(train, refused, tmp_path):
    content = IOB2.encode() + "Ærø\tB-LOC\n".encode("latin-1")
    fault = "bad.tsv:7: expected utf-8, found byte 0xc6 (invalid continuation byte)"
    assert train(1, content) == f"{fault}; use --set data.encoding=..."
    path = tmp_path / "bad.tsv"
    assert refused(1, "inspect", path) == f"{tmp_path}/{fault}; use --encoding"
    with pytest.raises(DataError, match=r"\(invalid continuation byte\); set data.encoding$"):
        load_corpus(path)
    for encoding in ("utf-99", "hex"):
        told = f"expected an encoding such as utf-8, found {encoding!r}"
        assert refused(2, "inspect", path, "--encoding", encoding) == f"--encoding: {told}"
        assert train(2, content, f"data.encoding={encoding}") == f"data.encoding: {told}"


def test_advice_of_a_warning_names_what_the_command_takes(tmp_path, capsys):
    path = tmp_path / "utf-8.tsv"
    path.write_text("Ærø\tB-LOC\n", "utf-8")
    assert run(["inspect", str(path), "--encoding", "latin-1"]) == 0
    assert capsys.readouterr().err == f"warning: {path}: reads as latin-1, but looks like utf-8; use --encoding\n"
    with pytest.warns(DataWarning, match=r"; set data\.encoding$"):
        load_corpus(path, ReadingOptions(encoding="latin-1"))


def test_a_tag_of_dev_that_no_scheme_reads(train):
    line = train(1, IOB2, dev="it\tO\n\nAcme\tB-ORG\nInc\tNOUN\n")
    assert line == "dev.tsv:4: expected O or a tag such as B-LOC, found 'NOUN'"


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("model.unit=5", "job.yaml: model.unit: unknown key, did you mean 'units'?"),
        ("training.epochs=many", "job.yaml: training.epochs: input should be a valid integer"),
        ("data.scheme=IOB3", "job.yaml: data.scheme: input should be 'auto', 'IOB1'"),
        ("data.train=null", "data.train: expected a path, found none"),
        ("nonsense", "--set nonsense: expected KEY=VALUE with a dotted key"),
    ],
)
def test_configurations(train, job, setting, line):
    assert train(2, IOB2, setting).replace(f"{job}/", "").startswith(line)


def test_a_measure_of_spans_for_plain_labels(train):
    line = train(2, "it\tPRON\nrains\tVERB\n", "evaluation.measure=f1", dev="it\tPRON\n")
    assert line == "evaluation.measure: expected accuracy for plain labels, found 'f1'"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["train"], "Missing argument 'CONFIG'"),
        (["tarin"], "No such command 'tarin'"),
        (["predict", "a", "b", "--format", "xml"], "'xml' is not one of"),
        (["train", "none.yaml"], "none.yaml: expected a config file, found no such file or directory"),
    ],
)
def test_command_lines(refused, arguments, part):
    assert part in refused(2, *arguments)


def test_missing_files_and_runs(refused, run_folder, tmp_path):
    nothing = tmp_path / "nothing"
    assert refused(1, "evaluate", run_folder, nothing) == (
        f"{nothing}: expected a readable file, found: no such file or directory"
    )
    assert "expected the directory of a finished run, found none" in refused(1, "predict", nothing, nothing)
    told = refused(1, "predict", run_folder, "sample:test", "-o", nothing / "out")
    assert told == f"{nothing}: expected a folder to write to, found none"
    assert not nothing.exists()


def test_a_ragged_file_leaves_no_output(refused, run_folder, tmp_path):
    path, out = tmp_path / "ragged.tsv", tmp_path / "out.tsv"
    path.write_text("Ann\tO\n\nBo\tO\tO\n")
    out.write_text("what was there")
    assert refused(1, "predict", run_folder, path, "-o", out) == f"{path}:3: expected 2 columns, found 3"
    assert out.read_text() == "what was there"
    assert {file.name for file in tmp_path.iterdir()} == {"ragged.tsv", "out.tsv"}


def test_a_bundle_of_a_newer_version(refused, run_folder, job, tmp_path):
    shutil.copytree(run_folder, tmp_path / "run")
    path = tmp_path / "run" / "encoders.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))
    line = f"{path}: expected format version 2, found 99; upgrade seqtag to read it"
    for command in ("evaluate", "predict"):
        assert refused(1, command, tmp_path / "run", job / "test.tsv") == line
    assert refused(1, "export", tmp_path / "run", tmp_path / "out") == line
    assert not (tmp_path / "out").exists()


def test_a_finished_run_is_not_overwritten_and_none_to_resume_is_said(refused, job, run_folder, tmp_path):
    config = job / "job.yaml"
    assert f"{run_folder}: expected no run there, found one" in refused(1, "train", config, "-o", run_folder)
    assert "expected an unfinished run to resume, found none" in refused(
        1, "train", config, "-o", tmp_path / "run", "--resume"
    )


def unused(*arguments, **options):
    pytest.fail("something slow began")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("folder", "expected a file to write, found a folder"),
        ("dangling", "expected a file to write, found a link to nothing, nowhere"),
        ("missing/out.tsv", "expected a folder to write to, found none"),
        ("run/encoders.json", "expected a file to write, found one of a run"),
        ("other.partial/out.tsv", "expected a place outside of unfinished runs, found"),
    ],
)
def test_where_no_answers_can_go(refused, places, output, message, monkeypatch):
    monkeypatch.setattr(TaggingModel, "load", unused)
    before = sorted(places.rglob("*"))
    assert message in refused(1, "predict", places / "run", places / "in.tsv", "-o", places / output)
    assert sorted(places.rglob("*")) == before


@pytest.mark.parametrize("command", ["train", "export"])
@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        ("run", 1, "found one; choose another"),
        ("dangling", 1, "expected a new directory, found one"),
        ("new.partial", 2, "expected a name without .partial, the ending of unfinished runs"),
        ("other.partial/new", 1, "expected a place outside of unfinished runs"),
        ("in.tsv/new", 1, "in.tsv: expected a folder to write to, found a file"),
    ],
)
def test_where_no_run_and_no_saved_model_can_go(refused, places, command, output, code, message, job, monkeypatch):
    monkeypatch.setattr(TaggingModel, "load", unused)
    monkeypatch.setattr("seqtag.tagging.task.load_splits", unused)
    before = sorted(places.rglob("*"))
    arguments = [job / "job.yaml", "-o"] if command == "train" else [places / "run"]
    assert message in refused(code, command, *arguments, places / output)
    assert sorted(places.rglob("*")) == before


def test_gradients_are_written_into_no_run_itself(refused, places, monkeypatch):
    monkeypatch.setattr(TaggingModel, "load", unused)
    message = "expected a folder of its own for the output, found a run"
    assert message in refused(1, "gradients", places / "run", "-o", places / "run")


@pytest.fixture
def places(run_folder, tmp_path):
    """A finished run, an unfinished one, a folder, a file, and a link to nothing."""
    (tmp_path / "run").mkdir()
    for name in ("encoders.json", "config.yaml"):
        (tmp_path / "run" / name).write_bytes((run_folder / name).read_bytes())
    (tmp_path / "other.partial").mkdir()
    (tmp_path / "other.partial" / "config.yaml").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "in.tsv").write_text("Ann\n")
    (tmp_path / "dangling").symlink_to("nowhere")
    return tmp_path


def test_an_interruption_after_the_run_is_finished_is_no_fault(job, tmp_path, monkeypatch, capsys):
    """Its last step is the renaming; before it, the run is there to be resumed."""

    def trains(config, output, resume):
        with run_directory(config, output, resume):
            monkeypatch.setattr(Path, "rename", interrupted)
        return None

    def interrupted(folder, target):
        os.rename(folder, target)
        raise KeyboardInterrupt

    monkeypatch.setattr("seqtag.tagging.task.train", trains)
    assert run(["train", str(job / "job.yaml"), "-o", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().err == f"interrupted, but the run is finished: {tmp_path / 'run'}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_interruption_before_that_is_one(job, tmp_path, monkeypatch, capsys):
    def trains(config, output, resume):
        with run_directory(config, output, resume):
            raise KeyboardInterrupt

    monkeypatch.setattr("seqtag.tagging.task.train", trains)
    (tmp_path / "old").mkdir()
    for name in ("run", "old"):
        assert run(["train", str(job / "job.yaml"), "-o", str(tmp_path / name)]) == 1
    assert capsys.readouterr().err.startswith("error: interrupted; --resume goes on from the last whole epoch\nerror: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "run.partial"]


def test_a_full_disk_while_saving_leaves_no_finished_run(job, tmp_path, monkeypatch, capsys):
    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[1]))

    arguments = ["train", str(job / "job.yaml"), "-o", str(tmp_path / "run"), "--set", "training.epochs=1"]
    replace = os.replace
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda a, b: full(a, b) if str(b).endswith(".keras") else replace(a, b))
        assert run(arguments) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == f"error: {tmp_path}/run.partial/model.keras: no space left on device"
    assert not (tmp_path / "run").exists()
    assert not [path for path in (tmp_path / "run.partial").iterdir() if ".writing" in path.name]
    assert run([*arguments, "--resume"]) == 0, "with room made, the run is finished without training anew"
    assert "epoch" not in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys):
    assert run(["evaluate", "nowhere", "nothing", "--debug"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback") and lines[-1].startswith("error: nowhere: expected the directory")


def test_without_a_command_the_help_is_shown(capsys):
    assert run([]) == 2
    captured = capsys.readouterr()
    assert "Usage" in captured.out + captured.err
    assert "error" not in captured.err
