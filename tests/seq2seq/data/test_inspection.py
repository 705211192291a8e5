"""What is in files of pairs."""

from __future__ import annotations

import json

import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.inspection import inspect_pairs

TRAIN = "A\tAH\nABBY\tAE B IY\nA\tEY\nA\tAH\nÉ\tEY\n"
TEST = "ABBY\tAE B IY\nÆ\tAE\nA\tX\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def report(write):
    return inspect_pairs([write("train.tsv", TRAIN), write("test.tsv", TEST)])


def test_counts_of_a_file(report):
    file = report.files[0]
    assert (file.layout, file.pairs, file.sources) == ("tsv", 5, 3)
    assert (file.repeated, file.repeated_lines) == (1, (4,))
    assert (file.several, file.most_targets, file.several_lines) == (1, 2, (1,))
    (characters,) = file.source
    assert (characters.unit, characters.distinct, characters.once, characters.longest) == ("characters", 4, 2, 4)
    assert (characters.mean, characters.median, characters.p95) == (8 / 5, 1, 4)
    assert list(characters.rarest.items())[:2] == [("Y", 1), ("É", 1)]
    words = file.target[1]
    assert (words.unit, words.distinct, words.longest, words.rarest["B"]) == ("words", 5, 3, 1)


def test_what_a_later_file_shares_with_an_earlier_one(report):
    (overlap,) = report.overlaps
    assert (overlap.shared_sources, overlap.shared_pairs, overlap.shared_lines) == (2, 1, (1, 3))
    assert overlap.unknown_source["characters"].most == {"Æ": 1}
    assert overlap.unknown_target["words"].most == {"X": 1}
    assert overlap.unknown_target["words"].share == 1 / 5


def test_the_text(report):
    text = report.to_text().splitlines()
    assert text[:2] == ["train.tsv", "  layout tsv, encoding utf-8"]
    assert "  5 pairs, 3 distinct sources" in text
    assert "  repeated pairs: 1 (first at line 4)" in text
    assert "  sources with several targets: 1, at most 2 (first at line 1)" in text
    assert "test.tsv and train.tsv: 2 shared sources, 1 shared pair (first at line 1, 3)" in text
    assert "  source characters that only the first has: 1, 16.67% of all: 'Æ' 1" in text
    json.dumps(report.to_metrics())


def test_how_the_rule_splits_one_file(write):
    path = write("a.tsv", "".join(f"{n}\t{n}\n" for n in range(1000)))
    (file,) = inspect_pairs([path], DataConfig(dev_share=0.1, test_share=0.05)).files
    assert dict(file.split) == {"train": 850, "dev": 97, "test": 53}
    assert "  held out by the rule on sources: train 850, dev 97, test 53" in file.to_text().splitlines()
    assert inspect_pairs([write("b.tsv", "a\tb\n")]).files[0].split == {}


def test_two_parallel_files_take_turns(write):
    files = [
        write(name, text) for name, text in (("a.en", "a\nb\n"), ("a.sv", "x\ny\n"), ("b.en", "a\n"), ("b.sv", "z\n"))
    ]
    for data in (DataConfig(), DataConfig(layout="parallel")):
        report = inspect_pairs(files, data)
        assert [(file.path, file.layout, file.pairs) for file in report.files] == [
            ("a.en", "parallel", 2),
            ("b.en", "parallel", 1),
        ]
        assert (report.overlaps[0].shared_sources, report.overlaps[0].shared_pairs) == (1, 0)


def test_frames_and_words(write):
    frames = [write("x.csv", "id,x,y\na,1,2\na,3,4\nb,5,6\n"), write("y.tsv", "a\tup\nb\tdown\n")]
    (file,) = inspect_pairs(frames, DataConfig(layout="frames")).files
    (source,) = file.source
    assert (source.unit, source.distinct, source.longest, file.sources) == ("frames", 2, 2, 2)
    assert source.to_text() == "frames: 2 numbers each; lengths: mean 1.5, median 1, 95% up to 2, longest 2"
    (file,) = inspect_pairs([write("a.conllu", "1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_\n")]).files
    assert (file.layout, file.features) == ("conllu", (1,))


def test_controls_are_escaped(write):
    text = inspect_pairs([write("a.tsv", "a\x1b[31m\tb\x85\u202ec\n")]).to_text()
    assert text.replace("\n", "").isprintable()


def test_faults_are_told(write):
    with pytest.raises(DataError, match=r"a\.tsv:1: expected a source and a target separated by a TAB"):
        inspect_pairs([write("a.tsv", "a\n")])
