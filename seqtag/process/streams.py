"""The standard streams and the signals of a command's process, any of which may be closed or come at any time."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import TextIO

from rich.console import Console

from seqtag.errors import DataError, OutputError


def prepare_process() -> None:
    """Makes the process of a command safe whatever streams it was started with, and ends it tidily when it is told to.

    Standard streams that are closed are opened to read nothing and to write nowhere: otherwise the next file that is
    opened would get the number of one, and what native code prints. Being told to end (SIGTERM, SIGHUP) interrupts the
    command as the keyboard does.
    """
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= 2:
        pass
    os.close(descriptor)
    if sys.stderr is None:
        # `print(..., file=None)` would write to standard output.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # A signal that the caller has set to be ignored, as `nohup` does, stays ignored.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def settle_streams() -> None:
    """Discards what cannot be written, so that Python does not try again, and fail, when the process ends."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def standard_input() -> TextIO:
    """Standard input.

    Raises:
        DataError: it is closed.
    """
    if sys.stdin is None:
        raise DataError("expected standard input, found it closed", "<stdin>")
    return sys.stdin


def standard_output() -> TextIO:
    """Standard output.

    Raises:
        OutputError: it is closed.
    """
    if sys.stdout is None:
        raise OutputError("<stdout>: expected standard output, found it closed")
    return sys.stdout


def warn(line: str) -> None:
    """Prints a line on standard error; where that cannot be written to, nobody reads it, and work goes on."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(line, file=sys.stderr)


class OutputConsole(Console):
    """rich's console, whose reader may leave: it raises BrokenPipeError then, as `print` does.

    rich itself would end the process with a fault.
    """

    def on_broken_pipe(self) -> None:
        """Raises the error that is being handled."""
        raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
