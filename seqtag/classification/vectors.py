"""The pretrained word vectors that a classifier's configuration names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from seqtag.classification.config import ClassificationConfig
from seqtag.classification.data.examples import Examples
from seqtag.classification.data.text_encoder import words_of
from seqtag.data.text.vectors.model_vectors import ModelVectors, load_model_vectors
from seqtag.progress import LiveLine
from seqtag.runs.config_file import resolve_path
from seqtag.runs.reading import check_room

CACHE = "vectors.cache"


def load_vectors(
    config: ClassificationConfig, splits: Mapping[str, Examples], cache: Path | None = None, verbose: bool = True
) -> ModelVectors | None:
    """Reads the vector files of a configuration; None where it names none.

    Args:
        config: the configuration.
        splits: the texts that its classifier is fitted and scored on.
        cache: where the files are kept in the form that they are used in, unless the configuration says it.
        verbose: whether a line says how the words of dev are covered.

    Raises:
        DataError, ConfigError: see `load_model_vectors`; a bundle has no room for so many words.
    """
    if not config.model.vectors:
        return None
    vectors = load_model_vectors(
        [resolve_path(path, config.data.root) for path in config.model.vectors],
        {split: Counter(words_of(examples.sources)) for split, examples in splits.items()},
        keep=config.model.keep_vectors,
        widths=config.data.vector_dims,
        cache=cache if config.data.vector_cache is None else Path(config.data.vector_cache),
        verbose=verbose,
    )
    check_room(vectors.table.words, "model.keep_vectors", "keep those that are seen")
    if verbose:
        with LiveLine() as line:
            line.keep(vectors.to_text())
    return vectors
