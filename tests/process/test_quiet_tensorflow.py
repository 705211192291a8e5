"""What TensorFlow logs by itself stays away; what anybody else says, and faults, stay."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from contextlib import suppress

from seqtag.process.quiet_tensorflow import LOG_LEVEL, _native_lines_held_back, one_trace_a_model

NATIVE = b"a line of native code\n"
# An import as TensorFlow's may be: native lines, a warning, and a fault if one is asked for.
PROGRAM = """
import os, sys
from seqtag.process.quiet_tensorflow import import_tensorflow

class Importer:
    def find_spec(self, name, *rest):
        if name == "tensorflow":
            os.write(2, b"native\\n")
            print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
            if sys.argv[1] == "broken":
                raise ImportError("no such library")
            sys.modules["tensorflow"] = sys
            import importlib.machinery
            return importlib.machinery.ModuleSpec("tensorflow", None)

sys.meta_path.insert(0, Importer())
try:
    import_tensorflow()
except ImportError as error:
    print(error, file=sys.stderr)
print(os.environ.get("TF_CPP_MIN_LOG_LEVEL"))
os.write(2, b"after\\n")
"""


def imported(kind: str, level: str | None = None) -> tuple[list[str], list[str]]:
    """What a process writes to standard error when it imports a stand-in; the level then, and the one that is left."""
    environment = {name: value for name, value in os.environ.items() if name != LOG_LEVEL}
    environment |= {} if level is None else {LOG_LEVEL: level}
    command = [sys.executable, "-c", PROGRAM, kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stderr.splitlines(), done.stdout.split()


def test_native_lines_of_the_import_stay_away_and_the_environment_is_left():
    assert imported("whole") == (["after"], ["3", "None"])


def test_the_level_of_the_user_is_taken():
    assert imported("whole", "2") == (["after"], ["2", "2"])
    assert imported("whole", "0") == (["native", "after"], ["0", "0"])


def test_an_import_that_fails_shows_all():
    assert imported("broken") == (["native", "no such library", "after"], ["3", "None"])


def test_a_fault_shows_what_was_held_back(capfd):
    with suppress(RuntimeError), _native_lines_held_back():
        os.write(2, NATIVE)
        raise RuntimeError
    with _native_lines_held_back():
        os.write(2, NATIVE)
    assert capfd.readouterr().err == NATIVE.decode()


def test_warnings_of_many_traces_stay_away_and_others_stay(caplog):
    logger = logging.getLogger("tensorflow")
    text = "5 out of the last 5 calls to f triggered tf.function retracing."
    with one_trace_a_model():
        logger.warning(text)
        logger.warning("disk is full")
    logger.warning(text)
    assert caplog.messages == ["disk is full", text]
