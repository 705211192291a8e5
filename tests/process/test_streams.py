"""Standard streams that are closed, full or left by their readers, and signals."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest

from seqtag.cli import run
from seqtag.process.streams import OutputConsole, settle_streams
from seqtag.progress import LiveLine

COMMAND = [sys.executable, "-c", "from seqtag.cli import main; main()"]


def seqtag(*arguments, closed=(), **options):
    """A finished process that was started with some descriptors closed."""

    def close():
        for descriptor in closed:
            os.close(descriptor)

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "check": False, **options}
    return subprocess.run([*COMMAND, *map(str, arguments)], preexec_fn=close, **pipes)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.tsv"
    path.write_text("Ann\tB-PER\nmet\tO\n\n")
    return path


def test_closed_streams_that_are_not_needed(corpus):
    done = seqtag("inspect", corpus, closed=(0, 2))
    assert (done.returncode, done.stderr) == (0, "") and str(corpus) in done.stdout


def test_an_answer_that_nobody_can_read_is_a_fault(corpus):
    done = seqtag("inspect", corpus, closed=(0, 1))
    line = "error: <stdout>: expected standard output, found it closed\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    silent = seqtag("inspect", corpus, closed=(0, 1, 2))
    assert (silent.returncode, silent.stdout, silent.stderr) == (1, "", "")


def test_help_without_standard_output():
    done = seqtag("--help", closed=(1,))
    assert (done.returncode, done.stderr) == (0, "")


def test_errors_go_nowhere_where_standard_error_is_closed():
    done = seqtag("evaluate", "nowhere", "nothing", closed=(2,))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_what_is_opened_gets_no_number_of_a_standard_stream(corpus):
    """Otherwise what is meant for standard error would land in the file."""
    program = """
import os, sys
from seqtag.process.streams import prepare_process
prepare_process()
with open(sys.argv[1]) as file:
    assert file.fileno() > 2
os.write(2, b"lost")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(corpus)], preexec_fn=lambda: os.closerange(0, 3), check=False
    )
    assert done.returncode == 1, "a write to what is closed is a fault"
    assert corpus.read_text() == "Ann\tB-PER\nmet\tO\n\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["inspect", "corpus.tsv"], ["--help"]])
def test_a_full_standard_output(corpus, arguments):
    with open("/dev/full", "w") as full:
        done = seqtag(*arguments, stdout=full, cwd=corpus.parent)
    assert (done.returncode, done.stderr) == (1, "error: no space left on device\n")


def test_standard_input_that_is_closed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["inspect", "-"]) == 1
    assert capsys.readouterr().err == "error: <stdin>: expected standard input, found it closed\n"
    assert run(["inspect", "--layout", "long", "-"]) == 1
    assert capsys.readouterr().err == "error: <stdin>: expected standard input, found it closed\n"


class Broken(io.StringIO):
    """A stream whose reader has left, or whose disk is full."""

    def __init__(self, error, terminal):
        super().__init__()
        self.error = error
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    def write(self, text):
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(32, "broken pipe"), OSError(28, "no space left on device")])
@pytest.mark.parametrize("terminal", [False, True])
def test_progress_that_cannot_be_shown_stops_no_work(monkeypatch, error, terminal):
    monkeypatch.setattr(sys, "stderr", Broken(error, terminal))
    with LiveLine() as line:
        for _ in range(3):
            line.show(lambda: "half", at_once=True)
            line.keep("an epoch")


def test_a_reader_that_leaves_a_console_is_no_fault_of_the_command(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError(32, "broken pipe"), False))
    with pytest.raises(BrokenPipeError):
        OutputConsole().print("a summary")


def test_settled_streams_fail_no_more(tmp_path, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    stream.write("a line")
    monkeypatch.setattr(sys, "stdout", stream)
    settle_streams()
    stream.close()


SLOW = """
import sys, time
from pathlib import Path
from seqtag.files.writing import atomic_write
from seqtag.process.streams import prepare_process
prepare_process()
with atomic_write(Path(sys.argv[1])):
    print("begun", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signals_to_end_leave_nothing_half_done(tmp_path, name):
    command = [sys.executable, "-c", SLOW, str(tmp_path / "file"), "60"]
    number = getattr(signal, name)
    # A shell that starts the tests in the background may have its children ignore it.
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    heeded = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)}
    with subprocess.Popen(command, text=True, **pipes, **heeded) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.stderr.read().endswith("KeyboardInterrupt\n")
    assert not list(tmp_path.iterdir())


def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path):
    command = [sys.executable, "-c", SLOW, str(tmp_path / "file"), "0.2"]
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **ignore) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGHUP)
    assert process.returncode == 0 and (tmp_path / "file").exists()
