"""A file for each label with a text a line; or a folder of such files, or of folders with a text a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from seqtag.classification.config import DataConfig
from seqtag.classification.data.examples import Row
from seqtag.data.text.lines import read_lines
from seqtag.errors import DataError


def read_classes(files: Mapping[str, str | os.PathLike[str]], data: DataConfig) -> Iterator[Row]:
    """Yields the texts of files by their labels, label by label; blank lines are skipped.

    Raises:
        DataError: a file cannot be read, or has no text.
    """
    for label, path in files.items():
        found = False
        if Path(path).is_dir():
            rows = _texts_of_folder(Path(path), label, data)
        else:
            rows = _texts_of_file(os.fspath(path), label, data)
        for row in rows:
            found = True
            yield row
        if not found:
            raise DataError("expected texts, found none", path)


def classes_of_folder(folder: Path) -> dict[str, str]:
    """The files or folders in a folder, by their labels: names, of files without what follows the last dot.

    Hidden ones are left out.

    Raises:
        DataError: there are none.
    """
    parts = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not parts:
        raise DataError("expected a file or a folder for each label, found none", folder)
    return {path.name if path.is_dir() else path.stem: str(path) for path in parts}


def named_files(text: str) -> dict[str, str]:
    """The files that `LABEL=PATH,LABEL=PATH` names; none where a text has another form.

    >>> named_files("neg=a.txt,pos=b.txt"), named_files("train.tsv")
    ({'neg': 'a.txt', 'pos': 'b.txt'}, {})
    """
    parts = [part.partition("=") for part in text.split(",")]
    if not all(label.strip() and path.strip() for label, _, path in parts):
        return {}
    return {label.strip(): path.strip() for label, _, path in parts}


def _texts_of_file(path: str, label: str, data: DataConfig) -> Iterator[Row]:
    for number, line in enumerate(read_lines(path, data.encoding), 1):
        text = line.removeprefix("\ufeff").strip()
        if text:
            yield Row(number, text, (label,), path)


def _texts_of_folder(folder: Path, label: str, data: DataConfig) -> Iterator[Row]:
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        text = "".join(read_lines(path, data.encoding)).removeprefix("\ufeff").strip()
        yield Row(1, text, (label,), str(path))
