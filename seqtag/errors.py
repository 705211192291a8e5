"""The exceptions for faults in data, runs and configurations, each with its exit code on the command line.

A message is one line, lower-case, and says what was expected and what was found. Programming errors (a negative
`units`, a wrong shape) are `ValueError` and `TypeError`, as in Keras.

>>> str(DataError("expected 4 columns, found 3", path="train.conll", line=17))
'train.conll:17: expected 4 columns, found 3'
"""

from __future__ import annotations

import difflib
import os
import reprlib
from collections.abc import Iterable

# Characters of a message, and of a value in it: data may hold a token of a million characters.
MESSAGE_LIMIT, VALUE_LIMIT = 300, 80


def shown(value: object, limit: int = VALUE_LIMIT) -> str:
    r"""A value from a file as a message shows it: like `repr`, on one line, and shortened where it is long.

    What is no printable character is escaped: controls, which could move the cursor of a terminal or recolour it, marks
    of text direction, separators of lines, halves of surrogate pairs. Of nested values only the first are visited.

    >>> print(shown("B-LOC"), shown("x\x1b[31m"), shown(["a"] * 9))
    'B-LOC' 'x\x1b[31m' ['a', 'a', 'a', 'a', 'a', 'a', ...]
    >>> shown("a" * 1000, limit=10)
    "'aaaaaaaaa... (1000 characters)"
    """
    if isinstance(value, str):
        text = repr(value[:limit])
        return text if len(value) <= limit else f"{text[:limit]}... ({len(value)} characters)"
    text = escaped(_BRIEF.repr(value))
    return text if len(text) <= limit else f"{text[:limit]}..."


def escaped(text: str, keep: str = "") -> str:
    r"""A text that a terminal can show: what is no printable character is escaped as in `repr`, except those to `keep`.

    >>> print(escaped("a\x08b\u202e c\n", keep="\n"), end="")
    a\x08b\u202e c
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def one_line(message: str, limit: int = MESSAGE_LIMIT) -> str:
    """A message escaped, and without its middle where it is longer than `limit`.

    >>> one_line("expected " + "a, " * 200 + "found b", limit=30)
    'expected a, a, ... a, found b'
    """
    message = escaped(message)
    if len(message) <= limit:
        return message
    end = limit // 3
    return f"{message[: limit - end - 5].rstrip()} ... {message[-end:].lstrip()}"


class _Brief(reprlib.Repr):
    """Bounded `repr`: the first elements of collections, down to few levels, and no digits of huge numbers."""

    def repr_int(self, x: int, level: int) -> str:
        digits = int(x.bit_length() * 0.30103) + 1
        return repr(x) if digits < VALUE_LIMIT else f"a whole number of some {digits} digits"


_BRIEF = _Brief()
_BRIEF.maxlevel = 3
_BRIEF.maxstring = _BRIEF.maxother = VALUE_LIMIT


class SeqtagError(Exception):
    """Base of all errors that a user's data, run or configuration causes.

    The message is kept to one line of bounded length that any terminal can show; see `one_line`.

    Args:
        message: what was expected and what was found.
        setting: the dotted key of the configuration that this is about, if commands have options for it. Which option
            that is, only the command line knows; see `told`.
    """

    exit_code = 1

    def __init__(self, message: str, setting: str | None = None) -> None:
        super().__init__(one_line(message))
        self.setting = setting

    def told(self, way: str | None) -> str:
        """The message for somebody who changes the setting by this option; None for no option."""
        return str(self)


class _AboutData:
    """What an error and a warning about data have in common: a place, and the setting that may mend what is wrong."""

    args: tuple[str, ...]
    path: str | os.PathLike[str] | None
    line: int | None
    setting: str | None

    def __str__(self) -> str:
        return self._placed(f"; set {self.setting}" if self.setting else "")

    def told(self, way: str | None) -> str:
        """The message, and the advice to use this option."""
        return self._placed(f"; use {way}" if way else "")

    def _placed(self, advice: str) -> str:
        path = [] if self.path is None else [escaped(os.fspath(self.path))]
        line = [] if self.line is None else [str(self.line)]
        place = ":".join([*path, *line, " "]) if path or line else ""
        return f"{place}{self.args[0]}{advice}"


class DataError(_AboutData, SeqtagError, ValueError):
    """Data are wrong.

    Args:
        message: what was expected and what was found.
        path: the file, or the place in what Python handed over, if there is one.
        line: the 1-based number of the wrong line, if it is one line.
        setting: the dotted key of the configuration that says how such data are read, if it may mend the fault.

    >>> error = DataError("expected utf-8, found byte 0xe6", "a.tsv", 7, setting="data.encoding")
    >>> for message in (error, error.told("--encoding"), error.told(None)):
    ...     print(message)
    a.tsv:7: expected utf-8, found byte 0xe6; set data.encoding
    a.tsv:7: expected utf-8, found byte 0xe6; use --encoding
    a.tsv:7: expected utf-8, found byte 0xe6
    """

    def __init__(
        self,
        message: str,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
        setting: str | None = None,
    ) -> None:
        super().__init__(message, setting)
        self.path = path
        self.line = line

    def at(self, path: str | os.PathLike[str] | None, line: int | None = None) -> DataError:
        """The same error with its place, for a caller who knows the file."""
        return DataError(self.args[0], path, line, self.setting)


class DataWarning(_AboutData, UserWarning):
    """Data can be used, but are probably not what they were meant to be; given once for each file or argument.

    The arguments are those of `DataError`.

    >>> str(DataWarning("found 2 tags that training did not have", "test.conll", 17))
    'test.conll:17: found 2 tags that training did not have'
    """

    def __init__(
        self,
        message: str,
        path: str | os.PathLike[str] | None = None,
        line: int | None = None,
        setting: str | None = None,
    ) -> None:
        super().__init__(one_line(message))
        self.path = path
        self.line = line
        self.setting = setting


class RunError(SeqtagError):
    """A run directory or bundle is missing, unfinished, damaged, or from another format version."""


class OutputError(SeqtagError, OSError):
    """A file or folder cannot be written where it was asked for."""


class ForkError(SeqtagError, RuntimeError):
    """TensorFlow was to be used in a fork of a process in which it had run, where it would stand still."""


class ConfigError(SeqtagError, ValueError):
    """The configuration or the command line is wrong.

    Args:
        message: what was expected and what was found; it begins with the dotted key unless `setting` is given.
        setting: the dotted key, if commands have options for it.
        reason: the message without the key that it begins with.

    >>> error = ConfigError("expected an encoding, found 'utf-99'", setting="data.encoding")
    >>> for message in (error, error.told("--encoding")):
    ...     print(message)
    data.encoding: expected an encoding, found 'utf-99'
    --encoding: expected an encoding, found 'utf-99'
    """

    exit_code = 2

    def __init__(self, message: str, setting: str | None = None, reason: str | None = None) -> None:
        super().__init__(message, setting)
        self.reason = message if reason is None else reason

    def __str__(self) -> str:
        return self.told(self.setting)

    def told(self, way: str | None) -> str:
        """The message, which begins with this option; with the key where there is none."""
        place = way or self.setting
        return f"{place}: {self.args[0]}" if place else self.args[0]


def reason_of(error: OSError) -> str:
    """What the system says about a fault, for the end of a message.

    >>> reason_of(FileNotFoundError(2, "No such file or directory"))
    'no such file or directory'
    """
    return (error.strerror or str(error)).lower()


def option_of(setting: str) -> str:
    """How the command line spells a setting.

    >>> option_of("time_zone")
    '--time-zone'
    """
    return "--" + setting.replace("_", "-")


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
