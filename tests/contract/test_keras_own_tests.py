"""Keras's own tests of its recurrent layers, with seqtag's layers in their place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import pytest

from benchmarks.keras_recurrent_tests import REPLACED, errors, files_with_tests

FILES = files_with_tests(Path(keras.__file__).parent)


@pytest.fixture(autouse=True)
def keras_shows_errors_as_before() -> Iterator[None]:
    """Keras's tests turn this off and leave it so."""
    yield
    keras.config.enable_traceback_filtering()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_pass(path):
    # `test_basics` trains under XLA: `python -m benchmarks.keras_recurrent_tests` runs it too.
    found = errors(path, REPLACED, without="test_basics")
    assert found
    failed = {name: error for name, error in found.items() if error and "No module named 'torch'" not in error}
    assert not failed, "\n".join(failed.values())


def test_there_are_some():
    if not FILES:
        pytest.skip("this Keras comes without its tests")
    assert {path.stem for path in FILES} >= {"bidirectional_test", "gru_test", "lstm_test", "simple_rnn_test"}
