"""Where SavedModels are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqtag.native.library import kept_away
from seqtag.runs.places import new_folder


@contextmanager
def saved_model_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new folder for a SavedModel, written aside and renamed; what is traced meanwhile needs TensorFlow alone.

    Args:
        path: where it is to be; nothing may be there.

    Raises:
        RunError: something is there.
    """
    with new_folder(path) as folder, kept_away():
        yield folder
