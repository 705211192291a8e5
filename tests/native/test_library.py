"""Where the library is looked for, how it is kept away, and what processes and threads do to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from seqtag.errors import ConfigError
from seqtag.native import library as native
from seqtag.native.compile import compiler, source_hash
from seqtag.native.library import kept_away, library, operations
from seqtag.ops import crf


def likelihood():
    rng = np.random.default_rng(0)
    emissions, tags = rng.normal(size=(40, 9, 5)), rng.integers(0, 5, (40, 9))
    scores = crf.CRFScores(*(rng.normal(size=shape).astype("float32") for shape in ((5,), (5, 5), (5,))))
    return crf.negative_log_likelihood(emissions.astype("float32"), tags, np.ones((40, 9), bool), scores).numpy()


def doctor(**environment):
    """What `seqtag doctor --json` says in another process, or its error."""
    done = subprocess.run(
        [sys.executable, "-c", "from seqtag.cli import main; main()", "doctor", "--json"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.splitlines()[-1]


def test_the_doctor_says_what_is_in_use_and_why():
    found = doctor()
    assert found["kernels"] == library().instructions and found["reason"] == library().reason
    assert found["threads"] >= 1 and found["versions"]["tensorflow"] == tf.__version__
    away = doctor(SEQTAG_NATIVE="0")
    assert (away["kernels"], away["reason"]) == ("", "SEQTAG_NATIVE=0 keeps it away")
    assert doctor(SEQTAG_NATIVE="yes") == "error: SEQTAG_NATIVE: expected 0, 1 or require, found 'yes'"


def test_a_library_that_is_missing_or_of_other_sources_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "PATH", tmp_path / "kernels.so")
    assert "is not there" in native._load().reason
    (tmp_path / "kernels.so").write_bytes(b"nonsense")
    assert "cannot be loaded" in native._load().reason
    monkeypatch.undo()
    if library().operations is not None:
        monkeypatch.setattr(native, "source_hash", lambda: "another")
        assert "was built of other sources" in native._load().reason
    monkeypatch.setenv("SEQTAG_NATIVE", "require")
    monkeypatch.setattr(native, "_load", lambda: native.Library(None, "for no reason"))
    with pytest.raises(ConfigError, match="SEQTAG_NATIVE: expected the compiled kernels, found none: for no reason"):
        library.__wrapped__()


def test_sources_are_told_apart(monkeypatch, tmp_path):
    monkeypatch.setattr("seqtag.native.compile.SOURCE", tmp_path)
    (tmp_path / "a.cc").write_text("int a;\n")
    first = source_hash()
    (tmp_path / "a.cc").write_text("int b;\n")
    assert source_hash() != first


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler")
def test_this_checkout_has_its_kernels():
    assert library().operations is not None, library().reason


def test_kept_away_holds_inside_alone():
    before = operations()
    with kept_away():
        assert operations() is None
        with kept_away():
            assert operations() is None
        assert operations() is None
    assert operations() is before


def test_several_threads_at_once_get_what_one_gets(kernels):
    kernels.seqtag_set_threads(3)
    expected, found = likelihood(), []
    workers = [threading.Thread(target=lambda: found.extend(likelihood() for _ in range(5))) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 30 and all(np.array_equal(one, expected) for one in found)


FORKED = """
import ctypes, os
import numpy as np
import seqtag.process.tensorflow_first
from seqtag.native.library import PATH, library
assert library().operations is not None
kernels = ctypes.CDLL(str(PATH))
kernels.seqtag_set_threads(3)
# The pool alone: TensorFlow itself does not run in a forked process.
CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int64)
def work():
    done = []
    kernels.seqtag_in_parallel(20, CALLBACK(done.append))
    return sorted(done)
assert work() == list(range(20))
child = os.fork()
if not child:
    os._exit(0 if work() == list(range(20)) else 1)
assert os.waitpid(child, 0)[1] == 0
assert work() == list(range(20))
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_a_pool_of_its_own(kernels):
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=100)
    assert done.stdout == "done\n", done.stderr
