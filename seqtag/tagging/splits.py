"""The files that a configuration names, as corpora; nothing here imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seqtag.errors import ConfigError, shown
from seqtag.runs import bundle
from seqtag.runs.config_file import load_run_config, resolve_path
from seqtag.tagging.config import DataConfig, TaggingConfig
from seqtag.tagging.costs import check_costs
from seqtag.tagging.data.corpus import SAMPLE_PREFIX, ReadingOptions, TaggedCorpus, load_corpus, reading_options
from seqtag.tagging.data.document_marks import check_documents
from seqtag.tagging.data.gazetteers import gazetteer_paths, read_gazetteers
from seqtag.tagging.data.layouts import Layout
from seqtag.tagging.data.tag_codec import TagCodec, fit_codecs
from seqtag.tagging.data.weights import relative_weights
from seqtag.tagging.evaluation.evaluate import resolve_measures
from seqtag.tagging.thresholds import check_precision

SPLITS = ("train", "dev", "test")


def load_splits(data: DataConfig) -> dict[str, TaggedCorpus]:
    """The corpora that a configuration names.

    Raises:
        ConfigError: the path of `train` or `dev` is missing.
        DataError: a file is at fault.
    """
    options = reading_options(data)
    corpora = {}
    for split in SPLITS:
        path = getattr(data, split)
        if path is not None:
            corpora[split] = load_corpus(locate(path, data), options)
            options = options.spelt_as(corpora["train"])
        elif split != "test":
            raise ConfigError(f"data.{split}: expected a path, found none")
    return corpora


def check_tags(corpora: Mapping[str, TaggedCorpus], config: TaggingConfig) -> list[TagCodec]:
    """Finds faults before TensorFlow is imported, and warns of tags that the training data do not have.

    Returns:
        The codec of each column of tags of the training data.

    Raises:
        DataError: a tag that is not of the scheme, weights of sentences that are all 0, or gazetteers at fault.
        ConfigError: a measure of spans for plain labels, or a precision or a cost of an unknown type.
    """
    codecs = fit_codecs(corpora["train"], config.data.scheme)
    relative_weights(corpora["train"])
    resolve_measures(config.evaluation.measure, codecs)
    check_precision(config.evaluation.precision, codecs)
    check_costs(config.model, codecs)
    check_documents(corpora["train"], config)
    read_gazetteers(gazetteer_paths(config), codecs)
    for corpus in corpora.values():
        check_columns(codecs, corpus)
    return codecs


def check_columns(codecs: Sequence[TagCodec], corpus: TaggedCorpus) -> None:
    """Checks each column of tags; see `TagCodec.check`."""
    for codec, of_column in zip(codecs, corpus.columns_of_tags, strict=True):
        codec.check(of_column)


def number_of(options: ReadingOptions, column: str | None, owner: str) -> int:
    """Which of the columns of tags has this name; the first unless one is named.

    Args:
        options: how files are read.
        column: the name.
        owner: what has these columns, for the message.

    Raises:
        ConfigError: there is none.

    >>> number_of(ReadingOptions(tag_column="UPOS", further=(ReadingOptions(tag_column="XPOS"),)), "XPOS", "it")
    1
    """
    if column is None:
        return 0
    layout = options.layout
    first = layout.tag if options.tag_column is None and isinstance(layout, Layout) else options.tag_name
    names = [first or options.tag_name, *(of_column.tag_name for of_column in options.further)]
    if column not in names:
        raise ConfigError(f"--column: expected a column of tags of {owner} ({', '.join(names)}), found {shown(column)}")
    return names.index(column)


def locate(path: str, data: DataConfig) -> str:
    """The place of a file that a configuration names; a sample stays as it is."""
    return path if path.startswith(SAMPLE_PREFIX) else str(resolve_path(path, data.root))


def scored_file(run: Path) -> str:
    """The file that a run is judged by unless another one is named."""
    config = load_run_config(run, TaggingConfig).data
    file = config.test or config.dev
    if file is None:
        raise ConfigError(f"{run / bundle.CONFIG}: expected data.test to be a path, found none; use --data")
    return locate(file, config)
