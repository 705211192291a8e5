"""A new file: nothing is overwritten, and a fault leaves nothing."""

from __future__ import annotations

import pytest

from seqtag.errors import OutputError, RunError
from seqtag.runs.places import new_file


def test_it_appears_whole_and_alone(tmp_path):
    with new_file(tmp_path / "page.html") as aside:
        assert aside.parent == tmp_path and not (tmp_path / "page.html").exists()
        aside.write_text("whole")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "whole")]


def test_a_fault_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "page.html") as aside:
        aside.write_text("half")
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_what_is_there_stays(tmp_path):
    target = tmp_path / "page.html"
    for make in (lambda: target.write_text("old"), target.mkdir, lambda: target.symlink_to("nowhere")):
        make()
        with pytest.raises(OutputError, match="expected no file of this name, found one"), new_file(target):
            raise AssertionError("it is checked before the block")
        assert target.is_symlink() or target.is_dir() or target.read_text() == "old"
        target.rmdir() if target.is_dir() else target.unlink()


def test_what_comes_there_meanwhile_stays(tmp_path):
    with pytest.raises(OutputError, match="expected no file of this name"), new_file(tmp_path / "page.html") as aside:
        aside.write_text("new")
        (tmp_path / "page.html").write_text("another's")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "another's")]


def test_places_where_no_file_may_come(tmp_path, run_folder):
    with (
        pytest.raises(OutputError, match="none: expected a folder to write to, found none"),
        new_file(tmp_path / "none" / "a"),
    ):
        pass
    partial = tmp_path / "run.partial"
    partial.mkdir()
    (partial / "config.yaml").touch()
    with pytest.raises(RunError, match="outside of unfinished runs"), new_file(partial / "a"):
        pass
    with (
        pytest.raises(RunError, match="expected a file to write, found one of a run"),
        new_file(run_folder / "report.html"),
    ):
        pass
