"""The pretrained word vectors of a model: read, cut to what it keeps, and counted on its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seqtag.data.text.vectors.coverage import Coverage
from seqtag.data.text.vectors.reading import read_vectors
from seqtag.data.text.vectors.store import WordVectors
from seqtag.data.text.vectors.table import combined
from seqtag.errors import ConfigError

# The data whose words have vectors where only those are kept.
SEEN = ("train", "dev")
Keep = Literal["all", "seen"]


@dataclass(frozen=True)
class ModelVectors:
    """What a model has of vector files.

    Attributes:
        table: the vectors of the words that it keeps.
        coverage: how the files cover the words of each split of its data; dev is one of them.
    """

    table: WordVectors
    coverage: Mapping[str, Coverage]

    def to_metrics(self) -> dict[str, Any]:
        """The part `vectors` of `metrics.json`."""
        return {"words": len(self.table.words), "width": self.table.width, **self._counts()}

    def to_text(self) -> str:
        """A line for people, about the words that choose every setting: those of dev."""
        words = f"word vectors: {len(self.table.words):,} words, {self.table.width} numbers each"
        return f"{words}; dev: {self.coverage['dev'].to_text()}"

    def save(self, folder: Path) -> None:
        """Writes all of it into a folder."""
        self.table.save(folder, {"coverage": self._counts()})

    @classmethod
    def load(cls, folder: Path) -> ModelVectors:
        """What `save` wrote.

        Raises:
            ValueError, OSError, KeyError, TypeError: there is nothing, or it is damaged.
        """
        table, about = WordVectors.load(folder)
        return cls(table, {split: Coverage(**counts) for split, counts in about["coverage"].items()})

    def _counts(self) -> dict[str, Any]:
        return {split: coverage.to_metrics() for split, coverage in self.coverage.items()}


def load_model_vectors(
    paths: Sequence[Path],
    counts: Mapping[str, Mapping[str, int]],
    *,
    keep: Keep = "all",
    widths: Sequence[int] = (),
    cache: Path | None = None,
    verbose: bool = True,
) -> ModelVectors:
    """Reads the vectors of a model.

    Args:
        paths: the files, whose vectors are put side by side.
        counts: of each split of the data, how often each word occurs.
        keep: `"all"` words of the files, or those `"seen"` in train and dev.
        widths: what the vectors of each file must have; empty for any.
        cache, verbose: see `read_vectors`.

    Raises:
        DataError, OutputError: see `read_vectors`.
        ConfigError: there are not as many widths as files, or several files have n-grams.
    """
    if widths and len(widths) != len(paths):
        raise ConfigError(
            f"data.vector_dims: expected {len(paths)}, one for each of model.vectors, found {len(widths)}"
        )
    expected: Sequence[int | None] = widths or [None] * len(paths)
    files = [read_vectors(path, cache, verbose, width) for path, width in zip(paths, expected, strict=True)]
    seen = dict.fromkeys(word for split in SEEN for word in counts[split])
    coverage = {split: Coverage.of(words, files) for split, words in counts.items()}
    return ModelVectors(combined(files, None if keep == "all" else seen), coverage)
