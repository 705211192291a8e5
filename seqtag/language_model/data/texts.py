"""Texts from files and from Python objects, as documents."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from seqtag.data.text.lines import read_lines, source_name
from seqtag.errors import ConfigError, DataError, shown
from seqtag.language_model.config import DataConfig, Files
from seqtag.runs.config_file import resolve_path


@dataclass(frozen=True)
class Texts:
    """Documents; a model knows nothing of one when it reads the next.

    Attributes:
        documents: the texts, none of them empty.
        ends: whether the end of a document is predicted. A file that is read as a whole may stop anywhere.
        path: the first file, for messages.
    """

    documents: list[str]
    ends: bool = False
    path: str | None = None

    @property
    def characters(self) -> int:
        """The number of characters; an end counts as one, that of the line."""
        return sum(map(len, self.documents)) + self.ends * len(self.documents)

    def part(self, start: float, stop: float) -> Texts:
        """The documents between two shares of the characters; a text whose ends count is never cut.

        >>> Texts(["abcdefghij"]).part(0.5, 0.8).documents
        ['fgh']
        """
        first, last = int(self.characters * start), int(self.characters * stop)
        found, at = [], 0
        for document in self.documents:
            if not self.ends:
                cut = document[max(first - at, 0) : max(last - at, 0)]
                found += [cut] if cut else []
            elif first <= at < last:
                found.append(document)
            at += len(document) + self.ends
        return Texts(found, self.ends, self.path)


def load_texts(X: Any, data: DataConfig = DataConfig()) -> Texts:
    """Reads texts.

    Args:
        X: a path, `-` for standard input, or several paths in a tuple; or an iterable of texts, which are documents.
        data: how files are read.

    Raises:
        DataError: a file cannot be read, there is no text at all, or what is no text.

    Example:

        >>> load_texts(["one", "two"]).documents
        ['one', 'two']
    """
    ends = data.documents != "whole"
    files = files_of(X)
    documents = list(_documents_of(files, data) if files else _checked(X))
    path = source_name(files[0]) if files else None
    if not documents:
        raise DataError("expected a text, found an empty one", path)
    return Texts(documents, ends, path)


def load_splits(data: DataConfig) -> dict[str, Texts]:
    """The texts of a configuration by split; dev and test are the ends of train where they have no file.

    Raises:
        ConfigError: there is no training file.
        DataError: see `load_texts`.
    """
    if data.train is None:
        raise ConfigError("data.train: expected a path, found none")
    named = {"train": data.train, "dev": data.dev, "test": data.test}
    found = {name: load_texts(_resolved(files, data.root), data) for name, files in named.items() if files is not None}
    shares = {"dev": 0.0 if "dev" in found else data.dev_share, "test": 0.0 if "test" in found else data.test_share}
    return {**hold_out(found["train"], shares), **{name: found[name] for name in ("dev", "test") if name in found}}


def hold_out(train: Texts, shares: dict[str, float]) -> dict[str, Texts]:
    """`train` without its end, of which dev and then test take their shares; a share of zero is no split.

    Raises:
        DataError: the text is too short to give each of them a part.
    """
    wanted = {name: share for name, share in shares.items() if share}
    edges = list(accumulate(wanted.values(), initial=1 - sum(wanted.values())))
    # A sum of shares may miss the end by a character.
    edges[-1] = 1.0
    found = {"train": train.part(0.0, edges[0])}
    found |= {name: train.part(*edge) for name, edge in zip(wanted, pairwise(edges), strict=True)}
    for name, texts in found.items():
        if not texts.documents:
            message = f"expected a text long enough for {name} to have a part, found {train.characters} characters"
            raise DataError(message, train.path)
    return found


def files_of(X: Any) -> list[Any]:
    """The files that `X` names; empty for texts."""
    if isinstance(X, str | os.PathLike) or hasattr(X, "read"):
        return [X]
    if isinstance(X, tuple) and X and all(isinstance(file, str | os.PathLike) for file in X):
        return list(X)
    return []


def _resolved(files: Files, root: str | None) -> tuple[str, ...]:
    return tuple(str(resolve_path(file, root)) for file in ((files,) if isinstance(files, str) else files))


def _documents_of(files: Iterable[Any], data: DataConfig) -> Iterator[str]:
    for file in files:
        yield from documents_of_lines(read_lines(file, data.encoding), data.documents)


def documents_of_lines(lines: Iterable[str], documents: str) -> Iterator[str]:
    r"""The documents of a file's lines, as `data.documents` says; empty ones are left out.

    >>> list(documents_of_lines(["a\n", "b\n", " \n", "c\n"], "paragraphs"))
    ['a\nb', 'c']
    """
    plain = (line.removeprefix("\ufeff").replace("\r\n", "\n") for line in lines)
    if documents == "whole":
        whole = "".join(plain)
        yield from [whole] if whole.strip() else []
        return
    block: list[str] = []
    for line in plain:
        text = line.rstrip("\n")
        if text.strip():
            block.append(text)
        if block and (documents == "lines" or not text.strip()):
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)


def _checked(X: Any) -> Iterator[str]:
    if not isinstance(X, Iterable) or isinstance(X, bytes):
        raise DataError(f"expected a path or texts, found {shown(X)}")
    for number, text in enumerate(X):
        if not isinstance(text, str):
            raise DataError(f"expected a text, found {shown(text)}", f"text {number}")
        if text:
            yield text
