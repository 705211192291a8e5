"""A wheel carries what its users need, and nothing of the development."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from seqtag.native.compile import SOURCE, compiler

ROOT = Path(__file__).parents[1]


def built(project: Path, folder: Path, **environment: str) -> list[Path]:
    """The wheels of a project, built with what is installed, without the network."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run(command, cwd=project, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [*folder.glob("*.whl")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    [path] = built(ROOT, tmp_path_factory.mktemp("wheel"))
    return path


@pytest.fixture(scope="module")
def names(wheel):
    """The files in the wheel."""
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


def test_it_has_the_kernels_and_is_one_of_this_platform(wheel, names):
    if compiler() is None:
        pytest.skip("no C++ compiler")
    assert "seqtag/native/kernels.so" in names
    assert {path.name for path in SOURCE.iterdir()} <= {Path(name).name for name in names}
    assert wheel.stem.split("-")[-3:-1] == ["py3", "none"] and not wheel.stem.endswith("-any")


def test_without_a_compiler_the_package_is_pure(tmp_path):
    """In a copy of the project, where no library has been built, with a path on which there is no compiler."""
    pytest.importorskip("hatchling")
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns("__pycache__", "kernels.so")
    for folder in ("seqtag", "configs"):
        shutil.copytree(ROOT / folder, project / folder, ignore=ignored)
    for path in (*ROOT.glob("*.toml"), *ROOT.glob("*.py"), *ROOT.glob("*.md"), *ROOT.glob("LICENSE*")):
        shutil.copy(path, project / path.name)
    [wheel] = built(project, tmp_path / "wheels", PATH=str(tmp_path / "nothing"), CXX="")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "seqtag/native/kernels.so" not in ZipFile(wheel).namelist()


def test_it_has_the_command(names):
    assert [name for name in names if name.endswith(".dist-info/entry_points.txt")]
