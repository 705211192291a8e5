"""Column files: every byte comes back, columns are found and replaced, faults name their line."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqtag.errors import ConfigError, DataError, DataWarning
from seqtag.tagging.data.layouts import LAYOUTS, Layout
from seqtag.tagging.data.reader import SentenceReader

CONLL2003 = """-DOCSTART- -X- O O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

-DOCSTART- -X- O O

Peter NNP B-NP B-PER
"""

CONLLU = """# sent_id = 1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\tV\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_
2.1\tvacío\t_\tX\t_\t_\t_\t_\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\tE\t_\t5\tcase\t_\t_
4\tel\tel\tDET\tD\t_\t5\tdet\t_\t_
5\tmar abierto\tmar\tNOUN\tN\t_\t1\tobl\t_\t_

"""

UNER = """# text = Hr. Pil #1
1\tHr.\tO\tO#O\ts
2\tPil\tB-PER\tB-PER#O\ts
# a comment within
3\t#1\tO\tO#O\ts

"""


def read(text: str, *args, **kwargs) -> list:
    return list(SentenceReader(io.BytesIO(text.encode()), *args, **kwargs))


def error_of(data: bytes, tmp_path: Path, *args, **kwargs) -> str:
    """The message for a file with this content, its path shortened to FILE."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        list(SentenceReader(path, *args, **kwargs))
    return str(caught.value).replace(str(path), "FILE")


# Reading


def test_conll2003_keeps_document_lines_out_of_sentences():
    first, second = read(CONLL2003)
    assert first.layout.name == "conll2003"
    assert (first.tokens, first.tags) == (["EU", "rejects"], ["B-ORG", "O"])
    assert first.line_numbers == [3, 4]
    assert second.line_numbers == [8]
    assert first.raw + second.raw == CONLL2003
    assert second.raw == "-DOCSTART- -X- O O\n\nPeter NNP B-NP B-PER\n"


def test_conllu_keeps_ranges_empty_nodes_and_comments_out_of_sentences():
    [sentence] = read(CONLLU)
    assert sentence.layout.name == "conllu"
    assert sentence.tokens == ["vamos", "nos", "a", "el", "mar abierto"]
    assert sentence.tags == ["VERB", "PRON", "ADP", "DET", "NOUN"]
    assert sentence.line_numbers == [4, 5, 8, 9, 10]
    assert sentence.raw == CONLLU


def test_uner_takes_a_hash_for_a_comment_at_the_start_of_a_line_alone():
    [sentence] = read(UNER)
    assert sentence.layout.name == "uner"
    assert (sentence.tokens, sentence.tags) == (["Hr.", "Pil", "#1"], ["O", "B-PER", "O"])
    assert sentence.line_numbers == [2, 3, 5]


def test_a_comment_prefix_of_the_users():
    """Only lines that start with it are comments; a hash that stands for itself stays a token."""
    text = "# id abc\tdomain=x\n#tag\tO\n# id\n\n# id def\n# \tO\n"
    first, second = read(text, comment_prefix="# id")
    assert (first.tokens, first.line_numbers, second.tokens) == (["#tag"], [2], ["# "])
    assert first.raw + second.raw == text
    assert first.layout.name == "tsv"
    [sentence] = read("# id abc\nEU\nit\n", "tsv", tags_required=False, comment_prefix="# id")
    assert sentence.with_tags(["A", "B"]) == "# id abc\nEU\tA\nit\tB\n"


def test_a_file_with_more_comments_than_detection_looks_at():
    [sentence] = read("# a licence\n" * 500 + "1\ta\tO\n2\tb\tO\n")
    assert (sentence.layout.has_ids, sentence.line_numbers) == (True, [501, 502])


def test_a_hash_is_a_token_where_words_have_no_numbers():
    first, second = read("#hashtag\tO\n# \tO\n\n#\tO\n")
    assert (first.tokens, second.tokens) == (["#hashtag", "# "], ["#"])


def test_blank_lines_may_hold_tabs_and_spaces():
    assert [sentence.tokens for sentence in read("a\tO\n\t\nb\tO\n \t \r\n\nc\tO")] == [["a"], ["b"], ["c"]]


def test_only_newlines_end_lines():
    """A form feed, a no-break space and U+2028 are tokens or parts of them."""
    [sentence] = read("a\u2028b\tO\n\x0c\tO\n\xa0\tO\n\x85\tO\n")
    assert sentence.tokens == ["a\u2028b", "\x0c", "\xa0", "\x85"]


def test_columns_by_name_and_number():
    sentence = read(CONLL2003)[0]
    assert sentence.column("POS") == sentence.column(2) == sentence.column("2") == ["NNP", "VBZ"]
    assert sentence.column(-1) == sentence.column("ner") == ["B-ORG", "O"]
    with pytest.raises(DataError, match=r"<stream>:3: expected column 'lemma', found columns word, pos, chunk, ner"):
        sentence.column("lemma")
    with pytest.raises(DataError, match=r"expected column 5, found columns word, pos"):
        sentence.column(5)
    with pytest.raises(DataError, match="expected column 0"):
        sentence.column(0)


def test_token_and_tag_columns_may_be_chosen():
    [sentence] = read(CONLLU, token_column="LEMMA", tag_column="XPOS")
    assert sentence.tokens[:2] == ["ir", "nosotros"]
    assert sentence.tags == ["V", "P", "E", "D", "N"]
    assert sentence.with_tags(["a", "b", "c", "d", "e"]).count("\tnosotros\tPRON\tb\t") == 1


def test_a_path_is_read_again_and_a_stream_left_open(tmp_path):
    path = tmp_path / "file"
    path.write_text(CONLL2003)
    reader = SentenceReader(path)
    assert [s.tokens for s in reader] == [s.tokens for s in reader] != []
    stream = io.StringIO(CONLL2003)
    assert len(list(SentenceReader(stream))) == 2
    assert not stream.closed


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Zürich\tB-LOC\nx\n".encode())))
    with pytest.raises(DataError, match=r"^<stdin>:2: expected 2 columns, found 1$"):
        list(SentenceReader("-"))


def test_sentences_come_before_the_stream_ends():
    """What tags a pipe must not wait for all of it."""

    def endless():
        yield b"a\tO\n\n"
        yield b"b\tO\n\n"
        raise AssertionError("read too far")

    class Pipe(io.RawIOBase):
        chunks = endless()

        def read1(self, size: int) -> bytes:
            return next(self.chunks)

    assert next(iter(SentenceReader(Pipe(), "tsv"))).tokens == ["a"]


def test_extreme_sizes():
    word = "x" * 10_000
    [sentence] = read("".join(f"{word[: n % 7 + 1]}\tO\n" for n in range(50_000)) + f"{word}\tO\n")
    assert len(sentence.tokens) == 50_001
    assert sentence.tokens[-1] == word


def test_memory_does_not_grow_with_the_file():
    class Endless(io.RawIOBase):
        left = 50

        def read1(self, size: int) -> bytes:
            self.left -= 1
            return b"word\tO\n\n" * 200 if self.left else b""

    tracemalloc.start()
    try:
        count = sum(1 for _ in SentenceReader(Endless(), "tsv"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 9_800
    assert peak < 200_000  # all sentences together take some 10 MB


# Writing


@pytest.mark.parametrize("text", [CONLL2003, CONLLU, UNER, CONLL2003.replace(" ", "  \t"), "a\tO"])
def test_replacing_a_column_by_itself_gives_the_very_text(text):
    sentences = read(text)
    assert "".join(s.with_tags(s.tags) for s in sentences) == text
    assert "".join(s.with_column(1, s.column(1)) for s in sentences) == text


def test_a_replaced_column_leaves_all_else_alone():
    first, _ = read(CONLL2003.replace("EU NNP ", "EU\t NNP  "), "conll2003")
    assert first.with_tags(["X", "Y"]) == ("-DOCSTART- -X- O O\n\nEU\t NNP  B-NP X\nrejects VBZ B-VP Y\n\n")
    [sentence] = read(CONLLU)
    changed = sentence.with_column("UPOS", ["A", "B", "C", "D", "E"])
    assert read(changed)[0].tags == ["A", "B", "C", "D", "E"]
    assert changed.count("\n") == CONLLU.count("\n")
    kept = [line for line in CONLLU.split("\n") if not line.split("\t")[0].isdecimal()]
    assert [line for line in changed.split("\n") if not line.split("\t")[0].isdecimal()] == kept


def test_a_new_column_is_appended_and_the_file_stays_rectangular():
    first, second = read("EU NNP\nrejects VBZ \n\n-DOCSTART- -X-\n\nPeter NNP", "conll2003", tags_required=False)
    assert first.with_tags(["B-ORG", "O"]) == "EU NNP B-ORG\nrejects VBZ O\n\n"
    assert second.with_tags(["B-PER"]) == "-DOCSTART- -X- O\n\nPeter NNP B-PER"
    [sentence] = read(CONLLU)
    lines = sentence.with_column("guess", list("abcde")).split("\n")
    assert {len(line.split("\t")) for line in lines if line and line[0] != "#"} == {11}
    assert lines[2].endswith("\t_\t_") and lines[3].endswith("\t_\ta")


@pytest.mark.parametrize(
    ("layout", "text", "expected"),
    [
        ("conll2003", "John\nsleeps\r\n", "John A\nsleeps B\r\n"),
        ("tsv", "John Smith\nsleeps", "John Smith\tA\nsleeps\tB"),
        ("tsv", "1 2 3 4\nJohn B. Smith\n", "1 2 3 4\tA\nJohn B. Smith\tB\n"),
        ("conllu", "John Smith\n#1\n", "John Smith\tA\n#1\tB\n"),
        ("uner", "# text\n1\tJohn\n2\tsleeps\n", "# text\n1\tJohn\tA\n2\tsleeps\tB\n"),
        ("plain", "John\nsleeps\n\n", "John\tA\nsleeps\tB\n\n"),
        ("auto", "John\nsleeps\n\n", "John\tA\nsleeps\tB\n\n"),
        ("uner", "1\tJohn\n# c\n1-2\tx\n2\tsleeps\n", "1\tJohn\tA\n# c\n1-2\tx\t_\n2\tsleeps\tB\n"),
    ],
)
def test_tokens_alone_can_be_tagged_in_every_layout(layout, text, expected):
    [sentence] = read(text, layout, tags_required=False)
    assert not sentence.has_tags
    assert sentence.with_tags(["A", "B"]) == expected


def test_an_empty_last_column_is_none_of_tags():
    """The separator at the end of a line stands before an empty column: a tag goes after one more."""
    [sentence] = read("1\tit\tit\t\n2\tis\tbe\tAUX\n", "conllu", tag_column="XPOS", tags_required=False)
    assert sentence.with_tags(["A", "B"]) == "1\tit\tit\t\tA\n2\tis\tbe\tAUX\tB\n"


def test_a_byte_order_mark_inside_a_file():
    """As `cat` leaves it, between two files."""
    text = "a\tO\n\n\ufeffb\tO\n\n\ufeffc\tO\n"
    with pytest.warns(DataWarning, match=r"<stream>:3: a byte order mark inside the file") as caught:
        sentences = read(text)
    assert len(caught) == 1
    assert [s.tokens for s in sentences] == [["a"], ["b"], ["c"]]
    assert "".join(s.with_tags(["O"]) for s in sentences) == text


def test_byte_order_mark_and_crlf_come_back():
    text = "\ufeffEU\tB-ORG\r\nJosé\tB-PER\r\n\r\n"
    [sentence] = read(text)
    assert sentence.tokens == ["EU", "José"]
    assert sentence.raw == text
    assert sentence.with_tags(["X", "Y"]) == "\ufeffEU\tX\r\nJosé\tY\r\n\r\n"
    assert sentence.with_column(1, ["a", "b"]) == "\ufeffa\tB-ORG\r\nb\tB-PER\r\n\r\n"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252", "shift_jis"])
def test_other_encodings(encoding, tmp_path):
    word = "東京" if encoding == "shift_jis" else "Århus"
    path = tmp_path / "file"
    path.write_bytes(f"{word}\tB-LOC\n\nb\tO\n".encode(encoding))
    assert [s.tokens for s in SentenceReader(path, encoding=encoding)] == [[word], ["b"]]


def test_values_that_would_break_the_file():
    [sentence] = read("a\tO\nb\tO\n")
    with pytest.raises(ValueError, match="expected 2 values, found 1"):
        sentence.with_tags(["O"])
    for value in ("", "a\tb", "a\n"):
        with pytest.raises(ValueError, match="expected values that fit into a column, found"):
            sentence.with_tags(["O", value])
    with pytest.raises(ValueError, match="found 'a b'"):
        read(CONLL2003)[1].with_tags(["a b"])


def test_a_carriage_return_is_text_but_at_the_end_of_a_line():
    text = "a\rb\tB-\rX\n\r\tO\r\r\n"
    [sentence] = read(text)
    assert (sentence.tokens, sentence.tags) == (["a\rb", "\r"], ["B-\rX", "O"])
    assert sentence.with_tags(["B-\rX", "O"]) == text
    with pytest.raises(ValueError, match=r"found 'O\\r'"):
        sentence.with_tags(["O", "O\r"])


token = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n\0 \ufeff"), min_size=1, max_size=4)
blank = st.sampled_from(["", "", "", "\t", " ", " \t"])


@st.composite
def files(draw: st.DrawFn, has_ids: bool) -> tuple[str, list[list[tuple[str, str]]]]:
    """A file's text, with blank lines, comments and line ends of all kinds, and its (token, tag) pairs."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    sentences = draw(st.lists(st.lists(st.tuples(token, token), min_size=1, max_size=4), min_size=1, max_size=5))
    lines: list[str] = draw(st.lists(blank, max_size=2))
    for pairs in sentences:
        for number, (word, tag) in enumerate(pairs, 1):
            if has_ids:
                lines += draw(st.lists(st.sampled_from(["# note", "#", "1-2\ta\tb", "1.1\ta\tb"]), max_size=2))
                lines.append(f"{number}\t{word}\t{tag}")
            else:
                lines.append(f"{word}\t{tag}")
        lines += draw(st.lists(blank, min_size=1, max_size=3))
    lines += draw(st.lists(st.just("# the end"), max_size=1)) if has_ids else []
    bom = draw(st.sampled_from(["", "\ufeff"]))
    text = bom + end.join(lines)
    return text + draw(st.sampled_from(["", end])), sentences


NUMBERED = Layout("numbered", ("id", "token", "tag"), "\t", "token", "tag", has_ids=True)


@pytest.mark.parametrize("layout", [LAYOUTS["tsv"], NUMBERED])
def test_any_file_comes_back_and_can_be_retagged(layout):
    @given(files(layout.has_ids), st.data())
    def check(file, data):
        text, sentences = file
        found = read(text, layout)
        assert "".join(sentence.raw for sentence in found) == text
        assert [list(zip(s.tokens, s.tags, strict=True)) for s in found] == sentences
        lines = text.split("\n")
        for sentence in found:
            rows = [lines[number - 1].removeprefix("\ufeff").rstrip("\r") for number in sentence.line_numbers]
            assert rows == ["\t".join(row) for row in sentence.rows]
        tags = [data.draw(st.lists(token, min_size=len(s), max_size=len(s))) for s in sentences]
        changed = "".join(s.with_tags(new) for s, new in zip(found, tags, strict=True))
        again = read(changed, layout)
        assert [s.tags for s in again] == tags
        assert "".join(s.with_tags(old.tags) for s, old in zip(again, found, strict=True)) == text

    check()


# Faults


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "FILE: expected sentences, found an empty file"),
        (b"\n \n\r\n", "FILE: expected sentences, found only blank lines and comments"),
        (b"\xef\xbb\xbf", "FILE: expected sentences, found only blank lines and comments"),
        (b"a\tO\n\nb\tO\tx\n", "FILE:3: expected 2 columns, found 3"),
        (b"a\tO\nb\n", "FILE:2: expected 2 columns, found 1"),
        (b"a\nb\tO\n", "FILE:2: expected 1 column, found 2"),
        (b"title\na\tO\nb\tO\n", "FILE:1: expected 2 columns, as most lines have, found 1"),
        (b"a\tO\tx\n\nb\tO\nc\tO\n", "FILE:1: expected 2 columns, as most lines have, found 3"),
        (b"a\nb\nc\tO\nd\tO\n", "FILE:3: expected 1 column, found 2"),
        (b"a B-X\n\n# id 7\nb O\n", "FILE:3: expected 2 columns, found 3; set data.comment_prefix"),
        (b"1-2\tdu\t_\n\n", "FILE: expected sentences, found only ranges of words and empty nodes"),
        (b"a N B O\nb N B\n", "FILE:2: expected 4 columns, found 3"),
        (b"a\tO\n\tO\n", "FILE:2: expected a token in column 1, found nothing"),
        (b"a\tO\nb\0\tO\n", "FILE:2: expected text, found a NUL byte"),
        (
            "é\tO\n".encode() + "Brønshøj\tO\n".encode("latin-1"),
            "FILE:2: expected utf-8, found byte 0xf8 (invalid start byte); set data.encoding",
        ),
        (
            b"a\tO\n\nb\tO\n\xc3",
            "FILE:4: expected utf-8, found byte 0xc3 (unexpected end of data); set data.encoding",
        ),
    ],
)
def test_faults_of_files(data, message, tmp_path):
    assert error_of(data, tmp_path, tags_required=False) == message


def test_a_bad_byte_far_into_a_file_is_placed(tmp_path):
    data = b"word\tO\n" * 40_000 + b"\xff\tO\n"
    assert error_of(data, tmp_path).startswith("FILE:40001: expected utf-8, found byte 0xff")


def test_faults_of_numbered_layouts(tmp_path):
    assert error_of(b"1\ta\tO\tx\ty\nz\tb\tO\tx\ty\n", tmp_path, "uner") == (
        "FILE:2: expected a word number such as 8 in column 1, found 'z'"
    )
    assert error_of(b"# only a comment\n", tmp_path, "conllu") == (
        "FILE: expected sentences, found only blank lines and comments"
    )


SPACES = b"1 It it PRON P _ 2 nsubj _ _\n2 is be AUX V _ 0 root _ _\n"


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("layout", ["auto", "conllu"])
def test_spaces_for_the_tabs_of_conllu(layout, required, tmp_path):
    message = "FILE:1: expected 10 columns separated by TABs, found spaces"
    assert error_of(SPACES, tmp_path, layout, tags_required=required) == message


def test_spaces_for_tabs_in_one_line(tmp_path):
    assert error_of(b"a\tO\nb O\n", tmp_path) == "FILE:2: expected 2 columns, found spaces for TABs"


def test_words_numbered_without_tabs_have_their_tokens_beside_the_number():
    first, second = read("1 Ann B-PER\n2 sat O\n\n1 it O\n")
    assert (first.tokens, first.tags, second.tokens) == (["Ann", "sat"], ["B-PER", "O"], ["it"])


@pytest.mark.parametrize(("option", "value"), [("tag_column", "ID"), ("tag_column", 1), ("token_column", "ID")])
def test_the_numbers_of_words_are_no_tags_and_no_tokens(option, value):
    with pytest.raises(ConfigError, match=rf"data.{option}: expected a column of \w+, found column 1, which numbers"):
        read(CONLLU, **{option: value})


def test_a_width_that_the_layout_leaves_open_is_set_by_no_odd_line(tmp_path):
    assert error_of(b"Melbourne\nin SP O\nit SP O\n", tmp_path, "conll2002", tags_required=False) == (
        "FILE:1: expected 3 columns, as most lines have, found 1"
    )


def test_missing_columns(tmp_path):
    assert error_of(b"EU\nrejects\n", tmp_path, "conll2003") == "FILE:1: expected 4 columns, found 1"
    assert error_of(b"\nEU\n", tmp_path) == "FILE:2: expected at least 2 columns, found 1: token"
    assert error_of(b"EU NNP B-NP O\n", tmp_path, tag_column=7) == (
        "FILE:1: expected at least 7 columns, found 4: word, pos, chunk, ner; set data.tag_column"
    )
    assert error_of(b"EU NNP B-NP O\n", tmp_path, tag_column="lemma") == (
        "FILE: expected column 'lemma', found columns word, pos, chunk, ner; set data.tag_column"
    )
    [sentence] = read("EU\n", "tsv", tags_required=False)
    with pytest.raises(DataError, match=r"<stream>:1: expected column 'tags', found columns token"):
        _ = sentence.tags


def test_an_empty_tag_is_placed():
    [sentence] = read("a\tO\nb\t\n")
    with pytest.raises(DataError, match="<stream>:2: expected a tag in column 2, found nothing"):
        _ = sentence.tags


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(DataError, match="absent: expected a readable file, found: no such file or directory"):
        list(SentenceReader(tmp_path / "absent"))
    with pytest.raises(DataError, match="expected a readable file, found: is a directory"):
        list(SentenceReader(tmp_path))


def test_faults_of_the_configuration():
    with pytest.raises(ConfigError, match=r"data.layout: expected auto, conll2003, .*, found 'conll'"):
        SentenceReader("x", "conll")
    with pytest.raises(ConfigError, match=r"data.encoding: expected an encoding such as utf-8, found 'utf-9'"):
        list(SentenceReader(io.BytesIO(b"a\tO\n"), encoding="utf-9"))
    with pytest.raises(ConfigError, match="found 'hex'"):
        list(SentenceReader(io.BytesIO(b"a\tO\n"), encoding="hex"))
    with pytest.raises(ConfigError, match=r"data.tag_column: expected tags beside the tokens, found both in column 1"):
        read("a\tO\n", tag_column=1)


def test_a_tag_that_ends_in_a_carriage_return_is_refused_where_it_might_end_its_line():
    [sentence] = SentenceReader(io.StringIO("EU NNP \r\r\t\n", newline=""), "conll2002")
    with pytest.raises(DataError, match=r"1: expected a tag without a carriage return at its end, found '\\r\\r'"):
        list(sentence.tags)


def test_rows_of_an_open_ended_layout_all_have_a_chosen_column_or_none():
    rows = ["a 0 0 Ann NNP * - - - x (PERSON) more", "a 0 1 saw VBD * - - - x *"]
    [sentence] = SentenceReader(io.StringIO("\n".join(rows) + "\n"), "conll2012", tag_column=12, tags_required=False)
    for ask in (lambda: sentence.has_tags, lambda: sentence.tags, lambda: sentence.with_tags(["A", "B"])):
        with pytest.raises(
            DataError, match="2: expected column 12 in all rows of a sentence or in none, found 11 columns"
        ):
            ask()
