"""How the files that a run is asked about are read: as those it was fitted on, but for what is said of them.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqtag.errors import ConfigError
from seqtag.runs import bundle
from seqtag.tagging.config import TASK
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus, load_corpus
from seqtag.tagging.data.forced_tags import FREE, ForcedTags
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.splits import check_columns, number_of
from seqtag.tagging.stored_sizes import stored_sizes

# Options that say how files of tokens are read.
OF_TOKENS = frozenset(("layout", "token_column", "comment_prefix"))


def load_checked(run: Path, data: str, reading: Mapping[str, Any]) -> TaggedCorpus:
    """A file with tags that can be scored, read before TensorFlow is imported."""
    return load_column(run, data, reading)[1]


def load_column(
    run: Path, data: str, reading: Mapping[str, Any], column: str | None = None
) -> tuple[int, TaggedCorpus]:
    """Which of a run's columns of tags is asked for, and a file with these tags, as `load_checked`."""
    options, codecs = run_readers(run, reading)
    number = number_of(options, column, str(run))
    corpus = load_corpus(data, options)
    check_columns(codecs, corpus)
    return number, corpus.columns_of_tags[number]


def run_readers(run: Path, reading: Mapping[str, Any]) -> tuple[ReadingOptions, list[TagCodec]]:
    """How a run reads files, with other options for one of them, and its tags."""

    def readers(encoders: dict[str, Any]) -> tuple[ReadingOptions, list[TagCodec]]:
        columns = [encoders, *encoders.get("further", [])]
        return ReadingOptions.from_dict(encoders["options"]), [TagCodec.from_dict(one["codec"]) for one in columns]

    options, codecs = bundle.load_encoders(run, TASK, readers, stored_sizes)
    for name in reading.keys() & OF_TOKENS if options.reads_frames else ():
        raise ConfigError("expected a run that reads tokens, found one of frames of numbers", setting=f"data.{name}")
    return replace(options, **reading), codecs


def forced_tags(options: ReadingOptions, codec: TagCodec) -> ForcedTags:
    """What reads the forced tags of files for a run."""
    free = options.unknown_tag or FREE
    if free in codec.labels:
        found = f"{free!r}, which is a tag of the run"
        raise ConfigError(f"--forced: expected --unknown-tag to say what stands for a free token, found {found}")
    return ForcedTags(codec, options.notation, free)


def check_reads_text(options: ReadingOptions, reading: Mapping[str, Any]) -> None:
    """Raises a `ConfigError` where a run, or an option, is for columns or for frames of numbers alone."""
    if options.reads_frames:
        raise ConfigError("expected for raw text a run that reads tokens, found one that reads frames of numbers")
    if options.features:
        raise ConfigError("expected for raw text a run that reads tokens alone, found one that reads further columns")
    for name in reading:
        if name != "encoding":
            raise ConfigError("expected a file of columns, found --text, for raw text", setting=f"data.{name}")
