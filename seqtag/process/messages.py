"""Errors and warnings of a command, each as one line that advises the options that the command has."""

from __future__ import annotations

import warnings
from typing import Any

from seqtag.errors import ConfigError, DataWarning, SeqtagError, one_line, option_of, reason_of
from seqtag.process.streams import warn

# How what a command has done before it was interrupted is used.
WAYS_ON = {
    "train": "--resume goes on from the last whole epoch",
    "curve": "the same command goes on from there",
    "doubts": "the same command goes on after the last whole fold",
}


def explain(error: BaseException, options: set[str], command: str) -> tuple[str, int]:
    """The message of an error of a command on one line, with the advice that `options` allow, and the exit code."""
    if isinstance(error, SeqtagError):
        return error.told(_way(error, options)), error.exit_code
    message, code = _explain_others(error, command)
    return one_line(" ".join(message.split())), code


def _explain_others(error: BaseException, command: str) -> tuple[str, int]:
    match error:
        case KeyboardInterrupt():
            return "; ".join(filter(None, ["interrupted", WAYS_ON.get(command)])), 1
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return f"{place}{reason_of(error)}", 1
        case _ if hasattr(error, "format_message"):  # an error of typer about the command line
            return error.format_message(), 2
        case _:
            return f"{type(error).__name__}: {error} (--debug shows where)", 1


def _way(error: SeqtagError | DataWarning, options: set[str]) -> str | None:
    """How the command sets the setting that an error or a warning names."""
    if error.setting is None:
        return None
    option = option_of(error.setting.rpartition(".")[2])
    if option in options:
        return option
    # The message of a `ConfigError` begins with the key, which the configuration itself may hold.
    return f"--set {error.setting}=..." if "--set" in options and not isinstance(error, ConfigError) else None


def show_warnings_in_a_line(options: set[str]) -> None:
    """Shows warnings about the data as errors are shown, each time; others stay as they are."""
    show = warnings.showwarning

    def show_in_a_line(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if isinstance(message, DataWarning):
            warn(f"warning: {message.told(_way(message, options))}")
        else:
            show(message, category, *place, **more)

    warnings.simplefilter("always", DataWarning)
    warnings.showwarning = show_in_a_line
