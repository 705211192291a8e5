"""Tables of tokens: whatever sentences, quotes and separators people have, and every byte comes back."""

from __future__ import annotations

import io

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.detection import detect_layout, is_table_of_tokens
from seqtag.tagging.data.reader import SentenceReader

FIRST_ROW = '''Sentence #,Word,POS,Tag
Sentence: 1,Thousands,NNS,O
,London,NNP,B-geo
,",",",",O
Sentence: 2,She,PRP,O
,"""",``,O
'''
EACH_ROW = FIRST_ROW.replace("\n,", "\nSentence: 1,", 2).replace("\n,", "\nSentence: 2,")
SENTENCES = [["Thousands", "London", ","], ["She", '"']]
TAGS = [["O", "B-geo", "O"], ["O", "O"]]


def read(text: str, *args, **kwargs) -> list:
    return list(SentenceReader(io.BytesIO(text.encode()), *args, **kwargs))


@pytest.mark.parametrize("text", [FIRST_ROW, EACH_ROW, "\ufeff" + FIRST_ROW.replace("\n", "\r\n")])
def test_ids_on_first_rows_or_on_each(text):
    found = read(text)
    assert ([s.tokens for s in found], [s.tags for s in found]) == (SENTENCES, TAGS)
    assert [s.line_numbers for s in found] == [[2, 3, 4], [5, 6]]
    assert found[0].column("POS") == ["NNS", "NNP", ","]
    assert "".join(s.raw for s in found) == "".join(s.with_tags(s.tags) for s in found) == text
    changed = "".join(s.with_tags([f"B-{n}" for n in range(len(s.tokens))]) for s in found)
    assert [s.tags for s in read(changed)] == [["B-0", "B-1", "B-2"], ["B-0", "B-1"]]


def test_a_new_column_of_tags_gets_its_name_in_the_header():
    text = FIRST_ROW.replace(",Tag", "").replace(",O\n", "\n").replace(",B-geo", "")
    layout = read(FIRST_ROW)[0].layout
    first, second = read(text, layout, tags_required=False)
    assert (first.tokens, first.has_tags) == (SENTENCES[0], False)
    assert first.with_tags(TAGS[0]) + second.with_tags(TAGS[1]) == FIRST_ROW


def test_each_of_several_new_columns_gets_its_own_name_in_the_header():
    layout = read("ID,Word,POS,Tag\n1,a,X,O\n")[0].layout
    [sentence] = read("ID,Word\n1,a\n2,b\n", layout, tag_column="Tag", tags_required=False)
    further = {"POS": ["X", "Y"], "chunk, type": ["NP", "VP"]}
    assert sentence.with_tags(["O", "O"], further) == 'ID,Word,Tag,POS,"chunk, type"\n1,a,O,X,NP\n2,b,O,Y,VP\n'
    assert sentence.with_column("POS", ["X", "Y"]) == "ID,Word,POS\n1,a,X\n2,b,Y\n"
    [half] = read("ID,Word,POS\n1,a,?\n", layout, tag_column="Tag", tags_required=False)
    assert half.with_tags(["O"], {"POS": ["X"], "chunk": ["NP"]}) == "ID,Word,POS,Tag,chunk\n1,a,X,O,NP\n"


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("token\ttag\na\tO\n\nb\tO\n", [["a"], ["b"]]),
        ('word;label\n,;O\n;\n"b;c";O\n', [[","], ["b;c"]]),
        ('"sent_id"\t"Word"\t"NER"\n1\t"\tO\n1\t"a"\tO\n2\t""\tO\n', [['"', '"a"'], ['""']]),
        ("Word,Tag,Sentence-ID\na,O,1.0\nb,O,1.0\nc,O,2.0\n", [["a", "b"], ["c"]]),
        ("id,pos,token,ner,sentence_idx\n5,X,a,O,7\n6,X,b,O,7\n", [["a", "b"]]),
    ],
)
def test_separators_names_and_quotes(text, tokens):
    found = read(text)
    assert [s.tokens for s in found] == tokens
    assert "".join(s.raw for s in found) == "".join(s.with_tags(s.tags) for s in found) == text
    assert found[0].layout.name == detect_layout(io.StringIO(text)).name == "csv"


def test_chosen_columns_that_a_file_to_be_tagged_lacks_are_no_others():
    columns = {"tag_column": "NER", "sentence_column": "sid"}
    layout = read("sid,Word,POS,NER\n1,a,X,O\n", **columns)[0].layout
    [sentence] = read("Word,POS\na,X\nb,Y\n", layout, **columns, tags_required=False)
    assert (sentence.tokens, sentence.has_tags) == (["a", "b"], False)
    with pytest.raises(DataError, match=r"1: expected column 'sid', found columns Word, POS; set data.sentence_column"):
        read("Word,POS\na,X\n", "csv", sentence_column="sid", tags_required=False)


def test_columns_of_other_names_are_chosen():
    text = "nr,surface,klass\n1,a,O\n1,b,O\n2,c,O\n"
    options = {"token_column": "surface", "tag_column": "KLASS", "sentence_column": 1}
    assert [s.tokens for s in read(text, "csv", **options)] == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",a,X,O\n", ":2: expected a sentence id in the first row, found none"),
        ("1,a,X,O\n1,b,X,O\n,c,X,O\n", ":4: expected a sentence id on each row, as in the rows before, found none"),
        ("1,a,X,O\n,b,X,O\n1,c,X,O\n", ":4: expected a sentence id on the first row of each sentence alone, as in "
         "the rows before, found the id '1' again"),
        ("1,a,X,O\n1,b,O\n", ":3: expected 4 columns, found 3"),
        ("1,a,X,O\n1,,X,O\n", ":3: expected a token in column 2, found nothing"),
        ("1,a,X,O\n1,b,X,\n", ":3: expected a tag in column 4, found nothing"),
        ("1,a,X,O\nSentence #,Word,POS,Tag\n", ":3: expected a row, found the header again"),
        ("", ": expected sentences, found none"),
    ],
)  # fmt: skip
def test_faults(text, message):
    with pytest.raises(DataError) as caught:
        [s.tags for s in read(f"Sentence #,Word,POS,Tag\n{text}")]
    assert str(caught.value) == f"<stream>{message}"


def test_a_header_without_tokens_or_tags():
    with pytest.raises(DataError, match=r"1: expected at least 3 columns, found word, tag; set data.token_column"):
        read("word,tag\na,O\n", token_column=3)
    with pytest.raises(
        DataError, match=r"1: expected a header with a column of tokens, found a, b; set data.token_col"
    ):
        read("a,b\n1,2\n", "csv")
    with pytest.raises(DataError, match=r"1: expected a header with a column of tags, found word; set data.tag_column"):
        read("word\n1\n", "csv")


def test_inspect_takes_tokens_for_tokens_and_series_for_series(tmp_path):
    files = {
        "ner": FIRST_ROW.encode("latin-1"),
        "marked": b"\xef\xbb\xbf" + FIRST_ROW.encode(),
        "excel": FIRST_ROW.replace(",", "\t").encode("utf-16"),
        "series": b"unique_id,ds,y\nshop,2024-01-01,3\n",
        "wide": b"date,word,other\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert [is_table_of_tokens(str(tmp_path / name)) for name in files] == [True, True, True, False, False]
    assert not is_table_of_tokens(str(tmp_path / "none"))


@pytest.mark.parametrize("setting", ["token_column", "tag_column", "sentence_column"])
def test_a_number_beyond_the_last_column(setting):
    with pytest.raises(DataError, match="<stream>:1: expected at least 9 columns, found sentence, token, tag"):
        read("sentence,token,tag\n1,a,O\n", **{setting: 9})
