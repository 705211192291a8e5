"""Gazetteers as files."""

from __future__ import annotations

import json

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.gazetteers import Gazetteers, read_gazetteers
from seqtag.tagging.data.tag_codec import TagCodec

CODEC = TagCodec("IOB2", ["LOC", "PER"])


def test_files_are_read_together(tmp_path):
    one, two = tmp_path / "one.tsv", tmp_path / "two.tsv"
    one.write_text("\ufeffPER\tAnn  Lee\n\nLOC\tNew York\r\n", "utf-8")
    two.write_text("PER\tNew York\nLOC\tNew York", "utf-8")
    found = read_gazetteers([one, two], [TagCodec(None, ["ORG"]), CODEC])
    assert found.phrases == {"LOC": ["NewYork"], "PER": ["AnnLee", "NewYork"]}
    assert Gazetteers.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert Gazetteers.from_dict(None).types == read_gazetteers([], [CODEC]).types == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PER\tAnn\nPERS\tBo\n", "FILE:2: expected a type of the training file, found 'PERS', did you mean 'PER'?"),
        ("PER Ann\n", "FILE:1: expected a type, a TAB and a phrase, found 'PER Ann'"),
        ("PER\t \n", "FILE:1: expected a type, a TAB and a phrase, found 'PER\\t '"),
        ("PER\tAnn\tLee\n", "FILE:1: expected a type, a TAB and a phrase, found 'PER\\tAnn\\tLee'"),
        ("\n", "FILE: expected phrases, found none"),
    ],
)
def test_a_line_that_is_none_is_told(tmp_path, text, message):
    path = tmp_path / "names.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError) as error:
        read_gazetteers([path], [CODEC])
    assert str(error.value) == message.replace("FILE", str(path))


def test_a_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.tsv"):
        read_gazetteers([tmp_path / "nothing.tsv"], [CODEC])
