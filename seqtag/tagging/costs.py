"""What missing each tag costs in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqtag.errors import ConfigError, did_you_mean, shown
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.tag_codec import TagCodec

SETTING = "model.tag_costs"


def check_costs(config: ModelConfig, codecs: Sequence[TagCodec]) -> None:
    """Checks the names of `model.tag_costs`.

    Raises:
        ConfigError: one that is neither a type nor a tag of any column of the training file.
    """
    known = sorted({name for codec in codecs for names in _names(codec) for name in names.tolist()} - {""})
    for name in config.tag_costs or {}:
        if name not in known:
            hint = did_you_mean(name, known, "types and tags")
            raise ConfigError(f"{SETTING}: expected types or tags of the training file, found {shown(name)}{hint}")


def tag_costs(codec: TagCodec, config: ModelConfig, head: str) -> list[float] | None:
    """The cost of missing each label of a column of tags `(labels,)`; None where none costs anything.

    `model.tag_costs` names types or tags, and a tag's own cost counts before that of its type. With a CRF, tags of
    entities that it does not name have `model.entity_cost`.
    """
    entity_cost = config.entity_cost if head == "crf" and codec.scheme is not None else 0.0
    costs = np.where(codec.types > 0, entity_cost, 0.0)
    for names in _names(codec):
        for name, cost in (config.tag_costs or {}).items():
            costs[names == name] = cost
    return costs.tolist() if costs.any() else None


def _names(codec: TagCodec) -> tuple[np.ndarray, np.ndarray]:
    """The type of each label, and the tag of the file that it stands for where no entity of its type is before it."""
    types = np.array(["", *codec.symbols] if codec.scheme is not None else [""])
    return types[codec.types], codec.file_tags[: len(codec.labels)]
