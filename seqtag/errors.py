"""The exceptions for faults in data, runs and configurations, each with its exit code on the command line.

A message is one line, lower-case, and says what was expected and what was found. Programming errors (a negative
`units`, a wrong shape) are `ValueError` and `TypeError`, as in Keras.

>>> str(DataError("expected 4 columns, found 3", path="train.conll", line=17))
'train.conll:17: expected 4 columns, found 3'
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable


class SeqtagError(Exception):
    """Base of all errors that a user's data, run or configuration causes."""

    exit_code = 1


class DataError(SeqtagError, ValueError):
    """Data are wrong.

    Args:
        message: what was expected and what was found.
        path: the file, if there is one.
        line: the 1-based number of the wrong line, if it is one line.
    """

    def __init__(self, message: str, path: str | os.PathLike[str] | None = None, line: int | None = None) -> None:
        place = [os.fspath(path)] if path is not None else []
        place += [str(line)] if line is not None else []
        super().__init__(f"{':'.join(place)}: {message}" if place else message)
        self.path = path
        self.line = line


class RunError(SeqtagError):
    """A run directory or bundle is missing, unfinished, damaged, or from another format version."""


class ConfigError(SeqtagError, ValueError):
    """The configuration or the command line is wrong; the message names the dotted key."""

    exit_code = 2


def did_you_mean(name: str, known: Iterable[str], kind: str) -> str:
    """The end of a message about an unknown name: the nearest known name, or all of them after what they are.

    >>> did_you_mean("unit", ["units", "layers"], "known keys")
    ", did you mean 'units'?"
    >>> did_you_mean("batch", ["units", "layers"], "known keys")
    '; known keys: units, layers'
    """
    known = list(known)
    close = nearest(name, known)
    return f", did you mean {close!r}?" if close else f"; {kind}: {', '.join(known)}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelt most like `name`; None where none is near.

    >>> nearest("unit", ["units", "layers"])
    'units'
    """
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)
