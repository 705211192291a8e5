"""The data sets of the tagger's benchmarks: the files that `configs/NAME.yaml` names, below SEQTAG_DATA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqtag.runs.config_file import resolve_path
from seqtag.tagging.config import DataConfig, TaggingConfig
from seqtag.tagging.data.corpus import SAMPLE_PREFIX, TaggedCorpus, load_corpus, reading_options
from seqtag.tasks import load_config

__all__ = ["config_of", "config_path", "load_split"]


def config_path(name: str) -> Path:
    """The configuration of a set, such as `ner_ncbi`."""
    return Path(__file__).parents[1] / "configs" / f"{name}.yaml"


def config_of(name: str, overrides: Sequence[str] = ()) -> TaggingConfig:
    """The configuration of a set, with `key=value` overrides."""
    return load_config(config_path(name), list(overrides))


def load_split(data: DataConfig, split: str) -> TaggedCorpus:
    """The sentences of `train`, `dev` or `test`."""
    path = getattr(data, split)
    source = path if path.startswith(SAMPLE_PREFIX) else resolve_path(path, data.root)
    return load_corpus(source, reading_options(data))
