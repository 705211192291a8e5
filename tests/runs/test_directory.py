"""Run directories and the places for other output, without a fit: locks, killed runs, what is refused at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqtag.errors import ConfigError, OutputError, RunError
from seqtag.runs.directory import run_directory
from seqtag.runs.places import check_output_file, check_output_folder, new_folder
from seqtag.tagging.config import TaggingConfig

CONFIG = TaggingConfig.model_validate({"task": "tagging", "data": {"train": "a", "dev": "b"}})
# A run that says when it has begun, writes the state of an epoch if it is told to, and waits.
RUN = """
import sys
from pathlib import Path
from seqtag.runs.directory import run_directory
from seqtag.tagging.config import TaggingConfig
config = TaggingConfig.model_validate({"task": "tagging", "data": {"train": "a", "dev": "b"}})
with run_directory(config, Path(sys.argv[1]), False) as folder:
    if "epoch" in sys.argv:
        (folder / "checkpoints" / "seed-1").mkdir(parents=True)
        (folder / "checkpoints" / "seed-1" / "state.npz").touch()
    print("begun", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def no_root(monkeypatch):
    """A stored configuration would take it from the environment."""
    monkeypatch.delenv("SEQTAG_DATA", raising=False)


@pytest.fixture
def begun():
    """`begun(output, ...)`: a process that has begun a run and waits."""
    started = []

    def start(output, *said):
        command = [sys.executable, "-c", RUN, str(output), *said]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def refused(kind, output, resume=False):
    with pytest.raises(kind) as error, run_directory(CONFIG, Path(output), resume):
        pytest.fail("the run began")
    return str(error.value)


def test_a_run_that_lives_is_left_alone(tmp_path, begun):
    output, folder = tmp_path / "run", tmp_path / "run.partial"
    process = begun(output, "epoch")
    held = f"{folder}: found a run that another process is writing"
    assert refused(OutputError, output, resume=True) == held
    assert "found an unfinished run" in refused(RunError, output)
    process.kill()
    process.wait()
    with pytest.raises(KeyboardInterrupt), run_directory(CONFIG, output, resume=True):
        raise KeyboardInterrupt
    assert list(folder.glob("checkpoints/*/*")), "the lock went with the process, the state did not"


def test_a_run_before_its_first_epoch_is_left_alone_while_it_lives(tmp_path, begun):
    output, folder = tmp_path / "run", tmp_path / "run.partial"
    process = begun(output)
    assert refused(OutputError, output) == f"{folder}: found a run that another process is writing"
    process.communicate("\n")
    assert process.returncode == 0 and output.is_dir() and not folder.exists()


def test_a_run_that_was_killed_before_its_first_epoch_is_begun_anew(tmp_path, begun):
    output, folder = tmp_path / "run", tmp_path / "run.partial"
    process = begun(output)
    process.kill()
    process.wait()
    (folder / "logs").mkdir()
    (folder / "prepared").mkdir()
    (folder / ".config.writing-0123456789ab.yaml").touch()
    with run_directory(CONFIG, output, resume=False) as again:
        assert [path.name for path in again.iterdir()] == ["config.yaml"]
    assert output.is_dir() and not folder.exists()


def test_a_folder_with_anything_else_in_it_is_not_cleared(tmp_path):
    (tmp_path / "run.partial").mkdir()
    for name in ("config.yaml", "letter.txt"):
        (tmp_path / "run.partial" / name).touch()
    assert "run.partial: found an unfinished run" in refused(RunError, tmp_path / "run")
    assert (tmp_path / "run.partial" / "letter.txt").exists()


def test_what_a_killed_run_was_writing_is_cleared_when_it_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt), run_directory(CONFIG, tmp_path / "run", False) as folder:
        state = folder / "checkpoints" / "seed-1"
        state.mkdir(parents=True)
        for name in ("state.npz", ".state.writing-0123456789ab.npz"):
            (state / name).touch()
        (folder / ".model.writing-0123456789ab.keras").touch()
        (folder / ".parts.writing-0123456789ab").mkdir()
        raise KeyboardInterrupt
    with run_directory(CONFIG, tmp_path / "run", True):
        pass
    found = {path.name for path in (tmp_path / "run").rglob("*")}
    assert found == {"config.yaml", "checkpoints", "seed-1", "state.npz"}


def test_a_run_that_appears_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(OutputError, match="found a new one"), run_directory(CONFIG, tmp_path / "run", False):
        with new_folder(tmp_path / "other") as aside:
            (aside / "part").touch()
        (tmp_path / "other").rename(tmp_path / "run")
        (tmp_path / "run.partial" / "checkpoints" / "seed-1" / "x").mkdir(parents=True)
    assert (tmp_path / "run" / "part").exists() and (tmp_path / "run.partial").exists()


@pytest.fixture
def runs(tmp_path):
    """A folder with a finished run, an unfinished one, a file, and a link to nothing."""
    for name in ("finished", "unfinished.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").touch()
    (tmp_path / "finished" / "encoders.json").touch()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("finished", RunError, "finished: expected "),
        ("dangling", RunError, "dangling: expected a new directory, found one"),
        ("new.partial", ConfigError, "new.partial: expected a name without .partial"),
        ("unfinished.partial/new", RunError, "expected a place outside of unfinished runs"),
        ("file/new", OutputError, "file: expected a folder to write to, found a file"),
        ("dangling/new", OutputError, "dangling: expected a folder to write to, found a link to nothing"),
    ],
)
def test_where_no_run_and_no_export_may_go(runs, name, kind, message):
    before = sorted(runs.rglob("*"))
    assert message in refused(kind, runs / name)
    with pytest.raises(kind) as error, new_folder(runs / name):
        pytest.fail("the block began")
    assert message in str(error.value)
    assert sorted(runs.rglob("*")) == before


def test_a_new_folder_may_not_take_the_name_of_an_unfinished_run(runs):
    with (
        pytest.raises(RunError, match=r"unfinished\.partial: found an unfinished run"),
        new_folder(runs / "unfinished"),
    ):
        pytest.fail("the block began")


def test_output_changes_no_run(runs):
    check_output_file(runs / "finished" / "answers.tsv")
    check_output_folder(runs / "finished" / "gradients")
    check_output_folder(runs)
    for name in ("encoders.json", "model.keras", "config.yaml", "metrics.json", "history.csv"):
        with pytest.raises(RunError, match="expected a file to write, found one of a run"):
            check_output_file(runs / "finished" / name)
    for name in ("finished", "unfinished.partial"):
        with pytest.raises(RunError, match="expected a folder of its own for the output, found a run"):
            check_output_folder(runs / name)
    for check in (check_output_file, check_output_folder):
        with pytest.raises(RunError, match="expected a place outside of unfinished runs"):
            check(runs / "unfinished.partial" / "new")


def test_paths_are_relative_too(runs, monkeypatch):
    monkeypatch.chdir(runs / "unfinished.partial")
    with pytest.raises(RunError, match="expected a place outside of unfinished runs"):
        check_output_file(Path("answers.tsv"))
    assert not os.path.exists("answers.tsv")
