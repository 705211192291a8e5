"""How one file is read: as the files that a run was fitted on, but for the options that are given with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqtag.classification.config import DataConfig
from seqtag.classification.data.detection import LAYOUTS, Files, detect_layout
from seqtag.classification.data.examples import Kind
from seqtag.errors import ConfigError, shown

READING = frozenset(("layout", "text_column", "label_column", "id_column", "time_column", "separator", "encoding"))


def with_options(data: DataConfig, options: Mapping[str, Any]) -> DataConfig:
    """The configuration with options of the command line, some of `READING`, in place of its own.

    Raises:
        ConfigError: an option has no such value.
    """
    given = dict(options)
    if given.get("layout", data.layout) not in ("auto", *LAYOUTS):
        expected = f"auto or a layout of {', '.join(LAYOUTS)}"
        raise ConfigError(f"expected {expected}, found {shown(given['layout'])}", setting="data.layout")
    if "separator" in given:
        if not given["separator"]:
            raise ConfigError("expected a separator, found an empty text", setting="data.separator")
        given["separator"] = DataConfig(separator=given["separator"]).separator
    return data.model_copy(update=given)


def reading_for(data: DataConfig, options: Mapping[str, Any], files: Files, kind: Kind) -> DataConfig:
    """How a run reads files, whose own files are read as `data` says.

    The layout is that of the files, where no option says it: a run of a table scores a file of lines with
    ``__label__`` too.

    Raises:
        ConfigError: an option has no such value.
        DataError: the file cannot be read.
    """
    found = with_options(data, options)
    if "layout" in options and found.layout != "auto":
        return found
    if kind.is_frames:
        return found.model_copy(update={"layout": "frames"})
    layout = detect_layout(files, found.encoding)
    # A run of a file for each label has no columns: those of a table are found by their names, or are the usual ones.
    return found.model_copy(update={"layout": layout})
