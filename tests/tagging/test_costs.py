"""Costs of tags, by the names that a user knows."""

from __future__ import annotations

import pytest

from seqtag.errors import ConfigError
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.costs import check_costs, tag_costs
from seqtag.tagging.data.tag_codec import TagCodec

CODEC = TagCodec("IOB2", ["LOC", "PER"])  # O, then B, I, E, S of each


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"entity_cost": 1}, [0, 1, 1, 1, 1, 1, 1, 1, 1]),
        ({"entity_cost": 1, "head": "softmax"}, None),
        ({"tag_costs": {"PER": 2}}, [0, 0, 0, 0, 0, 2, 2, 2, 2]),
        ({"tag_costs": {"B-PER": 3, "PER": 2, "O": 0.5}}, [0.5, 0, 0, 0, 0, 3, 2, 2, 3]),
        ({"entity_cost": 1, "tag_costs": {"PER": 0}}, [0, 1, 1, 1, 1, 0, 0, 0, 0]),
        ({"head": "softmax", "tag_costs": {"I-LOC": 1}}, [0, 0, 1, 1, 0, 0, 0, 0, 0]),
    ],
)
def test_types_and_tags_of_the_file_name_labels(settings, expected):
    config = ModelConfig(**settings)
    assert tag_costs(CODEC, config, config.head) == expected


def test_plain_labels_have_costs_too():
    config = ModelConfig(entity_cost=1, tag_costs={"VERB": 2})
    assert tag_costs(TagCodec(None, ["NOUN", "VERB"]), config, "crf") == [0, 2]


@pytest.mark.parametrize(("name", "hint"), [("PERS", "PER"), ("S-PER", "I-PER")])
def test_other_names_are_told(name, hint):
    with pytest.raises(ConfigError) as error:
        check_costs(ModelConfig(tag_costs={"NOUN": 1.0, name: 1.0}), [CODEC, TagCodec(None, ["NOUN"])])
    expected = f"model.tag_costs: expected types or tags of the training file, found '{name}', did you mean '{hint}'?"
    assert str(error.value) == expected


@pytest.mark.parametrize("cost", [-1, float("nan"), float("inf")])
def test_costs_are_finite_and_not_negative(cost):
    with pytest.raises(ValueError, match="tag_costs"):
        ModelConfig(tag_costs={"PER": cost})


def test_no_cost_counts_as_none():
    assert tag_costs(CODEC, ModelConfig(tag_costs={"PER": 0.0}), "crf") is None
