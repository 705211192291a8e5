"""Reads the files of a run as what a stranger may have made: regular files of bounded size, JSON of bounded depth."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seqtag.errors import ConfigError, RunError, reason_of, shown

MEGABYTE = 1 << 20
# Vocabularies of millions of words fit into such a file; one of so many lists would take gigabytes as Python objects.
MOST_BYTES, MOST_CONTAINERS = 64 * MEGABYTE, 5_000_000
# Of the JSON around each word of a list.
BYTES_AROUND = 8


def check_regular(path: Path) -> None:
    """Refuses what is no file of a run: a device has no end, and a pipe may wait for ever.

    Raises:
        RunError: there is no file, or it is a folder, a device, a pipe or a socket.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise RunError(f"{path}: expected a file of the run, found {reason_of(error)}") from None
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise RunError(f"{path}: expected a file of the run, found {found}")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        RunError: the file is missing, no regular file or too long, or it holds no JSON object.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RunError(f"{path}: expected a file of the run, found {reason_of(error)}") from None
    return parse_json(content, path)


def parse_json(content: bytes, source: Path | str) -> dict[str, Any]:
    """The JSON object in a file's content; `source` names it in messages.

    Raises:
        RunError: it is no JSON object, it is too long or too deep.
    """
    if len(content) > MOST_BYTES:
        raise RunError(f"{source}: expected at most {MOST_BYTES // MEGABYTE} MiB of JSON, found more")
    if content.count(b"[") + content.count(b"{") > MOST_CONTAINERS:
        raise RunError(f"{source}: expected at most {MOST_CONTAINERS} lists and objects, found more")
    try:
        data = json.loads(content.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise RunError(f"{source}:{error.lineno}: expected JSON, found a fault: {error.msg.lower()}") from None
    except UnicodeDecodeError:
        raise RunError(f"{source}: expected JSON in utf-8, found other bytes") from None
    except RecursionError:
        raise RunError(f"{source}: expected JSON, found lists or objects nested too deep") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise RunError(f"{source}: expected JSON, found a fault: {error}") from None
    if not isinstance(data, dict):
        raise RunError(f"{source}: expected a JSON object, found {type(data).__name__}")
    return data


def check_room(words: Iterable[str], setting: str, advice: str) -> None:
    """Checks that the file of a bundle has room for these words beside all else, before a model is trained with them.

    Raises:
        ConfigError: it has not.
    """
    size, most = sum(len(word.encode()) + BYTES_AROUND for word in words), MOST_BYTES * 3 // 4
    if size > most:
        message = f"expected words of at most {most // MEGABYTE} MB in a bundle, found {size // MEGABYTE} MB"
        raise ConfigError(f"{setting}: {message}; {advice}")


def as_texts(value: Any) -> list[str]:
    """A value of JSON that is a list of texts.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError(f"{shown(value)} instead of a list of texts")
    return value


def first_line(error: Exception) -> str:
    """The first line of an error of another library; its type where it says nothing."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
