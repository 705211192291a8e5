"""The benchmarks are run by hand, so the tests see that every name of ours that they import is there."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[1] / "benchmarks").rglob("*.py"))


def is_there(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_of_ours_is_there(path):
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    ours = [(node.module, alias.name) for node in nodes if node.module for alias in node.names]
    wanted = [pair for pair in ours if pair[0].split(".")[0] == "seqtag"]
    assert not [pair for pair in wanted if not is_there(*pair)]
