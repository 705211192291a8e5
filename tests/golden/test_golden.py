"""Runs that earlier versions stored go on loading and answer as they did; `make.py` stores those of a new format."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from seqtag.runs.bundle import FORMAT_VERSION
from seqtag.tasks import NAMES, task_of_run

FOLDER = Path(__file__).parent
RUNS = sorted(path.parent for path in FOLDER.glob("format_*/*/encoders.json"))
# Formats that are read: none but the present one yet.
FORMATS = [2]


@pytest.fixture(scope="module")
def golden():
    """The table of `make.py`, which is a program and no part of a package."""
    spec = spec_from_file_location("make_golden", FOLDER / "make.py")
    module = module_from_spec(spec)
    # Where its classes look for their own module.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.GOLDEN


def test_every_format_has_every_run_of_the_table_and_one_of_every_task(golden):
    assert FORMATS[-1] == FORMAT_VERSION
    names = {(path.parent.name, path.name) for path in RUNS}
    assert names == {(f"format_{version}", name) for version in FORMATS for name in golden}
    assert {task_of_run(run) for run in RUNS} == set(NAMES)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}-{run.name}")
def test_a_stored_run_answers_as_it_did(golden, run):
    assert run.name in (task_of_run(run), f"{task_of_run(run)}_frames")
    estimator, _, _, answer = golden[run.name]
    expected = json.loads((run / "answers.json").read_text(encoding="utf-8"))
    found = answer(estimator.load(run), run)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert_same(found[name], value)


def assert_same(found, expected):
    """Names and tags are the same; numbers to a relative 1e-5."""
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    else:
        assert found == expected
