"""A wheel carries what its users need, and nothing of the development."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """The files in a wheel that is built with what is installed, without the network."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = folder.glob("*.whl")
    return set(ZipFile(wheel).namelist())


def test_it_has_every_module(names):
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "seqtag").rglob("*.py")}
    assert modules <= names


def test_it_has_the_configurations_and_the_sample_corpus(names):
    assert {f"seqtag/configs/{path.name}" for path in (ROOT / "configs").iterdir()} <= names
    assert {f"seqtag/tagging/data/sample_corpus/{split}.tsv" for split in ("train", "dev", "test")} <= names
    assert "seqtag/py.typed" in names


def test_it_has_the_parts_of_the_report(names):
    assert {f"seqtag/tagging/report/page.{kind}" for kind in ("html", "css", "js")} <= names


def test_it_has_nothing_else(names):
    folders = {name.split("/")[0] for name in names}
    assert folders - {"seqtag"} == {name for name in folders if name.endswith(".dist-info")}
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_it_has_the_command(names):
    assert [name for name in names if name.endswith(".dist-info/entry_points.txt")]
