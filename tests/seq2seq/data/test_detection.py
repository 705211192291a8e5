"""The layouts of files, and which files `inspect` takes for pairs."""

from __future__ import annotations

import os

import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.data.detection import DETECTION_LINES, detect_layout, looks_like_pairs, recognises
from seqtag.tasks import task_of_files

WORD = "1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_\n"
PAIRS = [f"word {n}\tmot {n} ici" for n in range(DETECTION_LINES)]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    ("names", "layout"),
    [
        (["a.tsv"], "tsv"),
        (["words"], "conllu"),
        (["empty.conllu"], "conllu"),
        (["empty"], "tsv"),
        (["a.tsv", "a.tsv"], "parallel"),
        (["frames.csv", "a.tsv"], "frames"),
        (["mixed"], "tsv"),
    ],
)
def test_a_layout_is_told_by_the_first_lines(write, names, layout):
    texts = {
        "a.tsv": "Go, id\tKör\n",
        "words": f"# c\n\n1-2\tgo{'	_' * 8}\n{WORD}",
        "empty.conllu": "",
        "empty": "",
        "frames.csv": "\ufeffid,x\na,1\n",
        "mixed": f"{WORD}a\tb\n",
    }
    assert detect_layout([write(name, texts[name]) for name in names]) == layout


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="expected a readable file"):
        detect_layout([tmp_path / "none"])


@pytest.mark.parametrize(
    "lines",
    [
        PAIRS[1:],
        [*PAIRS[1:], ""],
        [*PAIRS[1:], "one field"],
        [*PAIRS[1:], "three\tfields\there"],
        [f"word{n}\tTAG{n % 49}" for n in range(100)],
        [f"word{n}\tx{n}\tTAG{n % 49}" for n in range(100)],
        [f"word{n} and{n}\tB-X{n} O" for n in range(100)],
        [f"{n}\ta{n}\tb{n}\tc{n}" for n in range(100)],
        ["1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_"] * 100,
    ],
    ids=["short", "blank line", "one field", "ragged", "tags", "tags in column 3", "tags a line", "wide", "conllu"],
)
def test_what_a_tagger_could_read_is_left_to_taggers(lines):
    assert looks_like_pairs(PAIRS)
    assert not looks_like_pairs(lines)


def test_which_files_are_of_this_task(write, tmp_path):
    path = write("a.txt", "\n".join(PAIRS))
    assert recognises([path], None)
    assert recognises([path], "auto")
    assert recognises([write("b.txt", "Oslo\tB-LOC\n")], "pairs")
    assert not recognises([path], "tsv")
    assert not recognises([str(tmp_path / "none")], None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names there")
def test_a_stream_is_left_unread(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open(pipe, "w") as writer, open(reader) as rest:
        writer.write("\n".join(PAIRS))
        writer.flush()
        assert not recognises([str(pipe)], None)
        assert detect_layout([pipe]) == "tsv"
        assert rest.read(5) == PAIRS[0][:5]
    assert detect_layout(["-"]) == "tsv"


def test_inspect_finds_the_task_by_what_stands_in_a_file(write):
    pairs = write("a.tsv", "\n".join(PAIRS))
    assert task_of_files([pairs], None) == task_of_files([pairs], "pairs") == "seq2seq"
    assert task_of_files(["sample:numbers/dev"], None) == "seq2seq"
    assert task_of_files(["sample:dev"], None) == task_of_files([pairs], "tsv") == "tagging"
    assert task_of_files([write("b.tsv", "Oslo\tB-LOC\n")], None) == "tagging"
    assert task_of_files([write("c.csv", "unique_id,ds,y\na,1,2\n")], None) == "forecasting"


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_taggers_keep_their_sample(split):
    from seqtag.tagging.data.samples import sample_path

    assert not recognises([str(sample_path(split))], None)
    assert task_of_files([str(sample_path(split))], None) == "tagging"
