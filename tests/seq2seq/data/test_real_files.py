"""The real files, where they are at hand: counts as their own descriptions say, and lines that come back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.detection import recognises
from seqtag.seq2seq.data.inputs import read_conllu_blocks
from seqtag.seq2seq.data.load import load_pairs, load_splits
from seqtag.seq2seq.data.references import grouped


@pytest.fixture
def real():
    root = os.environ.get("SEQTAG_DATA")

    def real(path):
        if not root or not Path(root, path).exists():
            pytest.skip(f"{path} is not under SEQTAG_DATA")
        return str(Path(root, path))

    return real


def test_cmudict(real):
    path = real("cmudict/g014b2b.train")
    pairs = load_pairs(path)
    assert (len(pairs), len(grouped(pairs))) == (113_438, 106_837)
    assert len(grouped(load_pairs(real("cmudict/g014b2b.test")))) == 12_000
    assert recognises([path], None)


@pytest.mark.parametrize("columns", [{}, {"source_column": 2, "target_column": 1, "split_column": 1}])
def test_tatoeba_is_split_by_its_english_sentences_in_both_directions(real, columns):
    path = real("tatoeba_swe/swe.txt")
    found = load_splits(DataConfig(train=path, dev_share=0.05, test_share=0.05, **columns))
    assert {name: len(part) for name, part in found.items()} == {"train": 22_725, "dev": 1_288, "test": 1_273}
    english = [set(part.sources if not columns else part.targets) for part in found.values()]
    assert sum(map(len, english)) == len(set().union(*english)) == 20_822
    assert recognises([path], None)


def test_dates(real):
    found = load_splits(DataConfig(train=real("seq2seq_toy/date.txt"), separator="_", test_last=5_000))
    assert len(found["train"]) + len(found["dev"]) == 45_000
    assert (found["test"].sources[-1], found["test"].lines[0]) == (load_last(real), 45_001)


def load_last(real):
    last = Path(real("seq2seq_toy/date.txt")).read_text("utf-8").splitlines()[-1]
    return last.partition("_")[0].strip()


def test_words_of_ewt(real):
    path = real("ud_ewt/en_ewt-ud-test.conllu")
    pairs = load_pairs(path)
    assert len(pairs) == 25_094
    lemmas = iter(pairs.targets)
    blocks = read_conllu_blocks(path, DataConfig(layout="conllu")).items
    filled = "".join(block.filled([next(lemmas) for _ in block.words]) for block in blocks)
    assert filled.encode() == Path(path).read_bytes()
    assert next(lemmas, None) is None
    assert not recognises([path], None)
