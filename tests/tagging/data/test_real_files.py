"""Round trips and counts on the real corpora, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.data.schemes import spans

# Folder, file, layout, sentences, words, entities: as the corpora's own descriptions count them.
FILES = [
    ("ud_ewt/en_ewt-ud-train.conllu", "conllu", 12544, 204577, None),
    ("ud_ewt/en_ewt-ud-dev.conllu", "conllu", 2001, 25147, None),
    ("ud_ewt/en_ewt-ud-test.conllu", "conllu", 2077, 25094, None),
    ("ud_vi_vtb/vi_vtb-ud-train.conllu", "conllu", 1400, None, None),
    ("ud_vi_vtb/vi_vtb-ud-dev.conllu", "conllu", 1123, None, None),
    ("ud_vi_vtb/vi_vtb-ud-test.conllu", "conllu", 800, None, None),
    ("wnut17/wnut17train.conll", "tsv", 3394, None, 1975),
    ("wnut17/emerging.dev.conll", "tsv", 1009, None, 836),
    ("wnut17/emerging.test.annotated", "tsv", 1287, None, 1079),
    ("wnut17/emerging.test", "plain", 1287, None, None),
    ("uner_ddt/da_ddt-ud-train.iob2", "uner", 4383, None, 3022),
    ("uner_ddt/da_ddt-ud-dev.iob2", "uner", 564, None, 379),
    ("uner_ddt/da_ddt-ud-test.iob2", "uner", 565, None, 446),
    ("bio_ner/NCBI-disease-IOB/train.tsv", "tsv", 5424, None, 5134),
    ("bio_ner/NCBI-disease-IOB/devel.tsv", "tsv", 923, None, 787),
    ("bio_ner/NCBI-disease-IOB/test.tsv", "tsv", 940, None, 960),
    ("bio_ner/BC5CDR-chem-IOB/train.tsv", "tsv", 4560, None, 5203),
    ("bio_ner/BC5CDR-chem-IOB/devel.tsv", "tsv", 4581, None, 5347),
    ("bio_ner/BC5CDR-chem-IOB/test.tsv", "tsv", 4797, None, 5385),
]


@pytest.mark.parametrize(("file", "layout", "sentences", "words", "entities"), FILES)
def test_real_file(file, layout, sentences, words, entities):
    root = os.environ.get("SEQTAG_DATA")
    if not root or not (path := Path(root, file)).exists():
        pytest.skip(f"{file} is not under SEQTAG_DATA")
    found = list(SentenceReader(path, tags_required=False))
    assert found[0].layout.name == layout
    assert len(found) == sentences
    assert "".join(sentence.raw for sentence in found).encode() == path.read_bytes()
    if found[0].has_tags:
        retagged = "".join(sentence.with_tags(sentence.tags) for sentence in found)
        assert retagged.encode() == path.read_bytes()
    if words is not None:
        assert sum(len(sentence.tokens) for sentence in found) == words
    if entities is not None:
        assert sum(len(spans(s.tags, "IOB2", strict=True)) for s in found) == entities
