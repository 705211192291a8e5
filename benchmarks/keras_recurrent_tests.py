"""Runs Keras's own tests of its recurrent layers twice: with Keras's layers, and with seqtag's in their place.

`python -m benchmarks.keras_recurrent_tests` prints how many tests of each file pass with which layers, and then the
errors of the tests that pass with Keras's layers alone; with such tests it ends with exit code 1. The tests are those
of the installed Keras. If it comes without them, `--keras-source DIR` names a source tree of the same version.

Seqtag's layers and cells replace those of the same name within the test files. `keras.layers.RNN` stays Keras's own.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import unittest
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import seqtag.layers
from benchmarks.tables import text_table

REPLACED = {name: getattr(seqtag.layers, name) for name in seqtag.layers.__all__ if hasattr(keras.layers, name)}


def files_with_tests(source: Path) -> list[Path]:
    """The test files of recurrent layers that name a layer or cell of ours."""
    used = re.compile(rf"\blayers\.({'|'.join(REPLACED)})\b")
    files = sorted(source.glob("src/layers/rnn/*_test.py"))
    return [path for path in files if used.search(path.read_text(encoding="utf-8"))]


def errors(path: Path, replaced: dict[str, Any], without: str | None = None) -> dict[str, str]:
    """The outcome of each test of a file with these layers in place of Keras's: its error, empty if it passes.

    Args:
        path: the file.
        replaced: layers by their name in Keras.
        without: the name of a method that is left out.
    """
    cases = unittest.defaultTestLoader.loadTestsFromModule(_module(path, replaced))
    suite = unittest.TestSuite(test for case in cases for test in case if test.id().split(".")[-1] != without)
    outcome = {test.id(): "" for test in suite}
    result = unittest.TestResult()
    suite.run(result)
    return outcome | {test.id(): error for test, error in result.failures + result.errors}


def _module(path: Path, replaced: dict[str, Any]) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"expected a Python file, found {path}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    layers: Any = module
    layers.layers = SimpleNamespace(**{**vars(layers.layers), **replaced})
    return module


def main() -> None:
    """Prints the table and the errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keras-source", type=Path, metavar="DIR", help="the folder of Keras's source tree")
    options = parser.parse_args()
    source = Path(keras.__file__).parent if options.keras_source is None else options.keras_source / "keras"
    files = files_with_tests(source)
    if not files:
        sys.exit(f"error: {source}/src/layers/rnn: expected tests of recurrent layers, found none; see --keras-source")
    rows, missed = [], {}
    for path in files:
        theirs, ours = errors(path, {}), errors(path, REPLACED)
        passed = [name for name, error in theirs.items() if not error]
        missed |= {name: ours[name] for name in passed if ours[name]}
        rows.append([path.stem, *map(str, (len(theirs), len(passed), sum(not ours[name] for name in passed)))])
    rows.append(["all", *(str(sum(int(row[n]) for row in rows)) for n in (1, 2, 3))])
    print(f"Keras {keras.__version__} on {keras.config.backend()}")
    print(text_table(["tests", "number", "pass with Keras's", "of these with seqtag's"], rows))
    for name, error in missed.items():
        print(f"\n{name}\n{error}")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
