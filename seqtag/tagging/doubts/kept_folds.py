"""What models said of finished folds, kept beside a run until all of them are finished.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqtag.config.section import TaskConfig
from seqtag.files.asides import remove
from seqtag.files.folders import make_folder
from seqtag.runs.bundle import write_json
from seqtag.runs.reading import read_json
from seqtag.tagging.data.corpus import TaggedCorpus

KEPT = "doubts.partial"


class KeptFolds:
    """The finished folds of one question: a file of JSON for each, in a folder named by all that answers depend on.

    Where nothing can be written beside the run, nothing is kept.

    Args:
        run: the run directory.
        config: of the models of the folds.
        corpus: the sentences with their tags.
        folds: the numbers of the sentences of each fold.
        column: which of the columns of tags is judged.
    """

    def __init__(
        self, run: Path, config: TaskConfig, corpus: TaggedCorpus, folds: list[list[int]], column: int
    ) -> None:
        tags = [of_column.tags for of_column in corpus.columns_of_tags]
        sentences = [corpus.tokens, corpus.columns, corpus.weights, corpus.documents, corpus.told_by, tags]
        inputs = hashlib.sha256(json.dumps([config.model_dump(mode="json"), sentences, folds, column]).encode())
        for frames in corpus.frames:
            inputs.update(frames.tobytes())
        self.folder = run.parent / KEPT / inputs.hexdigest()[:16]
        self.is_kept = os.access(run.parent, os.W_OK)

    def read(self, fold: int) -> dict[str, Any] | None:
        """What was said of a fold; None if it is not finished.

        Raises:
            RunError: its file is damaged.
        """
        path = self._path(fold)
        return read_json(path) if path.exists() else None

    def write(self, fold: int, found: dict[str, Any]) -> None:
        """Keeps what was said of a fold."""
        if self.is_kept:
            make_folder(self.folder)
            write_json(self._path(fold), found)

    def remove(self) -> None:
        """Removes what was kept."""
        remove(self.folder)
        # Other questions may be unfinished.
        with suppress(OSError):
            self.folder.parent.rmdir()

    def _path(self, fold: int) -> Path:
        return self.folder / f"fold-{fold + 1}.json"
