"""The pretrained word vectors that a tagger's configuration names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from seqtag.data.text.vectors.model_vectors import ModelVectors, load_model_vectors
from seqtag.files.asides import remove
from seqtag.files.folders import whole_folder
from seqtag.progress import LiveLine
from seqtag.runs.config_file import resolve_path
from seqtag.runs.reading import check_room
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus

CACHE = "vectors.cache"


def load_vectors(
    config: TaggingConfig, corpora: Mapping[str, TaggedCorpus], cache: Path | None = None, verbose: bool = True
) -> ModelVectors | None:
    """Reads the vector files of a configuration; None where it names none.

    Args:
        config: the configuration.
        corpora: the corpora that its tagger is fitted and scored on.
        cache: where the files are kept in the form that they are used in, unless the configuration says it.
        verbose: whether a line says how the words of dev are covered.

    Raises:
        DataError, ConfigError: see `load_model_vectors`; a bundle has no room for so many words.
    """
    if not config.model.vectors:
        return None
    vectors = load_model_vectors(
        [resolve_path(path, config.data.root) for path in config.model.vectors],
        {split: Counter(token for tokens in corpus.tokens for token in tokens) for split, corpus in corpora.items()},
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


def prepared_vectors(
    config: TaggingConfig, corpora: Mapping[str, TaggedCorpus], output: Path, folder: Path
) -> ModelVectors | None:
    """The vectors of a run, from `folder` if it was begun before: a resumed run does not need the files.

    Args:
        config, corpora: as for `load_vectors`.
        output: the run directory, beside which the cache is.
        folder: where what was loaded is kept until the run is finished.

    Raises:
        DataError, ConfigError: see `load_vectors`.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        return ModelVectors.load(folder)
    vectors = load_vectors(config, corpora, output.parent / CACHE)
    if vectors is not None:
        remove(folder)
        with whole_folder(folder) as aside:
            vectors.save(aside)
    return vectors
