"""Words and lemmas of CoNLL-U."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.data.text.lines import read_lines
from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.conllu import BLOCK_WORDS, read_blocks
from seqtag.seq2seq.data.load import load_pairs

SENTENCE = (
    "\ufeff# text = Don't go\r\n"
    "1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\r\n"
    "1\tDo\tdo\tAUX\tVBP\tMood=Ind\t3\taux\t_\t_\r\n"
    "2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_ \r\n"
    "2.1\tyou\tyou\tPRON\t_\t_\t_\t_\t3:nsubj\t_\n"
    "3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n"
    "\n"
    "# a comment\twith a TAB\n"
    "1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_"
)


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "a.conllu"
        path.write_text(text, encoding="utf-8", newline="")
        return load_pairs(path, DataConfig(**options))

    return read


def test_words_alone_are_pairs(read):
    pairs = read(SENTENCE)
    assert pairs.sources == ["Do", "n't", "go", "#"]
    assert pairs.targets == ["do", "not", "go", "#"]
    assert pairs.features == [("AUX",), ("PART",), ("VERB",), ("SYM",)]
    assert pairs.lines == [3, 4, 6, 9]


def test_other_columns_by_name_or_number(read):
    pairs = read(SENTENCE, source_column="lemma", target_column=2, features=("upos", "FEATS"), split_column=5)
    assert (pairs.sources[0], pairs.targets[0], pairs.features[0]) == ("do", "Do", ("AUX", "Mood=Ind"))
    assert pairs.keys[0] == "VBP"
    assert read(SENTENCE, features=()).features[0] == ()


def test_answers_go_into_the_lemma_column_and_all_else_stays():
    blocks = list(read_blocks(read_lines(io.StringIO(SENTENCE, newline="")), DataConfig()))
    assert [block.sources for block in blocks] == [["Do", "n't", "go"], ["#"]]
    filled = "".join(block.filled([f"<{s}>" for s in block.sources]) for block in blocks)
    expected = SENTENCE
    for form, lemma in (("Do", "do"), ("n't", "not"), ("go", "go"), ("#", "#")):
        expected = expected.replace(f"\t{form}\t{lemma}\t", f"\t{form}\t<{form}>\t", 1)
    assert filled == expected
    assert filled.count("<") == 4


def test_the_lemmas_of_a_file_give_that_file():
    blocks = list(read_blocks(read_lines(io.StringIO(SENTENCE, newline="")), DataConfig()))
    lemmas = [["do", "not", "go"], ["#"]]
    assert "".join(b.filled(found) for b, found in zip(blocks, lemmas, strict=True)) == SENTENCE


def test_an_empty_answer_and_one_with_breaks_leave_ten_columns():
    (block,) = read_blocks(["1\ta\tb\tX\t_\t_\t_\t_\t_\t_\n"], DataConfig())
    assert block.filled([""]).split("\t")[2] == "_"
    assert block.filled(["a\tb\r\nc"]).split("\t")[2] == "a b c"


@given(st.text(alphabet="ab_#\t ", max_size=30))
def test_blocks_hold_every_line_as_it_is(form):
    line = "\t".join(["1", form.replace("\t", ""), *"_" * 8]) + "\n"
    blocks = list(read_blocks([line, "\n", "# end"], DataConfig()))
    assert "".join(block.filled(["_"] * len(block.sources)) for block in blocks) == f"{line}\n# end"


def test_memory_is_bounded_where_no_blank_line_is():
    lines = ["1\ta\tb\tX\t_\t_\t_\t_\t_\t_\n"] * (2 * BLOCK_WORDS + 5)
    assert [len(block.words) for block in read_blocks(iter(lines), DataConfig())] == [BLOCK_WORDS, BLOCK_WORDS, 5]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("1\tgo\tgo\tVERB\n", {}, "a.conllu:1: expected a word in 10 columns separated by TABs, found 4 in '1"),
        ("go\tgo\t_\t_\t_\t_\t_\t_\t_\t_\n", {}, "a.conllu:1: expected the number of a word in column 1, found 'go'"),
        ("\n1\t\tgo\t_\t_\t_\t_\t_\t_\t_\n", {}, "a.conllu:2: expected a value in column form, found nothing"),
        ("1\tgo\t \t_\t_\t_\t_\t_\t_\t_\n", {}, "a.conllu:1: expected a value in column lemma, found nothing"),
        ("# nothing\n\n", {}, "a.conllu: expected pairs, found none"),
        (SENTENCE, {"target_column": "lema"}, "expected a column 'lema', found columns 'id', 'form', 'lemma'"),
        (SENTENCE, {"target_column": 11}, "expected a column of the 10 of CoNLL-U, found column 11"),
    ],
)
def test_faults_are_told(read, text, options, message):
    with pytest.raises(DataError) as caught:
        read(text, layout="conllu", **options)
    assert message in str(caught.value)
