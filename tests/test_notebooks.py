"""The notebooks run from the first cell to the last, at small size, and only use what seqtag has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import seqtag

FOLDER = Path(seqtag.__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert NOTEBOOKS


@each
def test_notebooks_run_at_small_size(path, monkeypatch, tmp_path):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("SEQTAG_NOTEBOOK_SIZE", "small")
    notebook = read(path)
    client = nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    assert all(cell.execution_count for cell in code(notebook))


@each
def test_notebooks_import_seqtag_and_define_no_classes(path):
    trees = [ast.parse(cell.source) for cell in code(read(path))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert any(name.split(".")[0] == "seqtag" for name in imported)
    assert not [node.name for node in nodes if isinstance(node, ast.ClassDef)]


@each
def test_notebooks_show_what_they_computed_and_no_errors(path):
    notebook = read(path)
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    # Nothing of the machine that they ran on: neither errors nor warnings with paths.
    assert all(output.output_type != "error" and output.get("name") != "stderr" for output in outputs)
