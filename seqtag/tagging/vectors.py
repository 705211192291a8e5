"""The pretrained word vectors of a tagger: read, cut to what it keeps, and counted on its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqtag.data.text.vectors.coverage import Coverage
from seqtag.data.text.vectors.reading import read_vectors
from seqtag.data.text.vectors.store import WordVectors
from seqtag.data.text.vectors.table import combined
from seqtag.errors import ConfigError
from seqtag.files.folders import whole_folder
from seqtag.progress import LiveLine
from seqtag.runs.config_file import resolve_path
from seqtag.runs.reading import MEGABYTE, MOST_BYTES
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus

CACHE = "vectors.cache"
# In the file of a bundle, around each word.
BYTES_AROUND = 8
# The data whose words have vectors where only those are kept.
SEEN = ("train", "dev")


@dataclass(frozen=True)
class TaggerVectors:
    """What a tagger has of vector files.

    Attributes:
        table: the vectors of the words that it keeps.
        coverage: how each of its corpora is covered by the files.
    """

    table: WordVectors
    coverage: Mapping[str, Coverage]

    def to_metrics(self) -> dict[str, Any]:
        """The part `vectors` of `metrics.json`."""
        sizes = {"words": len(self.table.words), "width": self.table.width}
        return sizes | {split: coverage.to_metrics() for split, coverage in self.coverage.items()}

    def to_text(self) -> str:
        """A line for people, about the words that chose every setting: those of dev."""
        words = f"word vectors: {len(self.table.words):,} words, {self.table.width} numbers each"
        return f"{words}; dev: {self.coverage['dev'].to_text()}"


def load_vectors(
    config: TaggingConfig, corpora: Mapping[str, TaggedCorpus], cache: Path | None = None, verbose: bool = True
) -> TaggerVectors | None:
    """Reads the vector files of a configuration; None where it names none.

    Args:
        config: the configuration.
        corpora: the corpora that its tagger is fitted and scored on.
        cache: where the files are kept in the form that they are used in, unless the configuration says it.
        verbose: whether a line says how the words of dev are covered.

    Raises:
        DataError: a file is at fault; see `read_vectors`.
        ConfigError: as many widths are not given as files, or a bundle has no room for so many words.
    """
    paths, widths = config.model.vectors, config.data.vector_dims or (None,) * len(config.model.vectors)
    if not paths:
        return None
    if len(widths) != len(paths):
        raise ConfigError(
            f"data.vector_dims: expected {len(paths)}, one for each of model.vectors, found {len(widths)}"
        )
    cache = cache if config.data.vector_cache is None else Path(config.data.vector_cache)
    files = [
        read_vectors(resolve_path(path, config.data.root), cache, verbose, width)
        for path, width in zip(paths, widths, strict=True)
    ]
    counts = {split: Counter(t for tokens in corpus.tokens for t in tokens) for split, corpus in corpora.items()}
    seen = (
        None if config.model.keep_vectors == "all" else dict.fromkeys(word for split in SEEN for word in counts[split])
    )
    coverage = {split: Coverage.of(words, files) for split, words in counts.items()}
    vectors = TaggerVectors(combined(files, seen), coverage)
    check_storable(vectors.table.words)
    if verbose:
        with LiveLine() as line:
            line.keep(vectors.to_text())
    return vectors


def check_storable(words: Iterable[str]) -> None:
    """Checks that a bundle can hold these words beside all else, before a tagger is trained with them.

    Raises:
        ConfigError: it cannot.
    """
    size, most = sum(len(word.encode()) + BYTES_AROUND for word in words), MOST_BYTES * 3 // 4
    if size > most:
        message = f"expected words of at most {most // MEGABYTE} MB in a bundle, found {size // MEGABYTE} MB"
        raise ConfigError(f"model.keep_vectors: {message}; keep those that are seen")


def prepared_vectors(
    config: TaggingConfig, corpora: Mapping[str, TaggedCorpus], output: Path, folder: Path
) -> TaggerVectors | None:
    """The vectors of a run, from `folder` if it was begun before: a resumed run does not need the files.

    Args:
        config, corpora: as for `load_vectors`.
        output: the run directory, beside which the cache is.
        folder: where what was loaded is kept until the run is finished.

    Raises:
        DataError, ConfigError: see `load_vectors`.
    """
    if folder.is_dir():
        table, about = WordVectors.load(folder)
        return TaggerVectors(table, {split: Coverage(**counts) for split, counts in about["coverage"].items()})
    vectors = load_vectors(config, corpora, output.parent / CACHE)
    if vectors is not None:
        with whole_folder(folder) as aside:
            vectors.table.save(aside, {"coverage": {s: c.to_metrics() for s, c in vectors.coverage.items()}})
    return vectors
