"""How one file is read: as the files that a run was fitted on, but for the options that are given with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqtag.errors import ConfigError, shown
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.columns import feature_columns
from seqtag.seq2seq.data.conllu import COLUMNS
from seqtag.seq2seq.data.detection import LAYOUTS, PAIRS, detect_layout
from seqtag.seq2seq.data.samples import is_sample

UPOS = COLUMNS.index("upos")
READING = frozenset(("layout", "source_column", "target_column", "separator", "encoding"))


def with_options(data: DataConfig, options: Mapping[str, Any]) -> DataConfig:
    """The configuration with options of the command line, some of `READING`, in place of its own; `pairs` means `auto`.

    Raises:
        ConfigError: an option has no such value.
    """
    given = dict(options)
    if given.get("layout") == PAIRS:
        given["layout"] = "auto"
    if given.get("layout", data.layout) not in ("auto", *LAYOUTS):
        expected = f"auto or a layout of {', '.join(LAYOUTS)}"
        raise ConfigError(f"expected {expected}, found {shown(given['layout'])}", setting="data.layout")
    if "separator" in given:
        if not given["separator"]:
            raise ConfigError("expected a separator, found an empty text", setting="data.separator")
        given["separator"] = DataConfig(separator=given["separator"]).separator
    return data.model_copy(update=given)


def reading_for(data: DataConfig, options: Mapping[str, Any], file: str) -> DataConfig:
    """How a run reads a file, whose own files are read as `data` says, its layout settled.

    Where the layout of a file is another than the run's, its first columns are the source, its features, the target; of
    CoNLL-U they are the form, UPOS and what follows it as far as there are features, and the lemma.

    Args:
        data: of the run; see `seqtag.seq2seq.data.detection.settled`.
        options: of the command line, some of `READING`.
        file: a path, or `-` for standard input; where the layout is to be detected, a stream is `tsv`.

    Raises:
        ConfigError: an option has no such value.
        DataError: the file cannot be read, where its layout is to be detected.

    >>> run = DataConfig(layout="conllu")
    >>> reading = reading_for(run, {"layout": "tsv"}, "words.tsv")
    >>> reading.source_column, reading.features, reading.target_column
    (1, (2,), 3)
    """
    found = with_options(data, options)
    if found.layout == "auto":
        layout = "tsv" if is_sample(file) else detect_layout((file,), found.encoding)
        found = found.model_copy(update={"layout": layout})
    if found.layout == data.layout:
        return found
    own = _first_columns(data, found.layout)
    return found.model_copy(update={name: column for name, column in own.items() if name not in options})


def _first_columns(data: DataConfig, layout: str) -> dict[str, Any]:
    """The columns of a file of another layout than the run's, with as many features."""
    further = len(feature_columns(data))
    if layout == "conllu":
        return {"source_column": None, "features": COLUMNS[UPOS : UPOS + further], "target_column": None}
    if layout == "tsv" and data.layout != "auto":
        return {"source_column": 1, "features": tuple(range(2, further + 2)), "target_column": further + 2}
    return {}
