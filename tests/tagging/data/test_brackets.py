"""CoNLL-2012: documents, rows of as many columns as there are predicates, spans in brackets."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from seqtag.errors import DataError
from seqtag.tagging.data.corpus import ReadingOptions
from seqtag.tagging.data.notation import Notation
from seqtag.tagging.data.reader import SentenceReader

ROWS = [
    ("In", "IN", "(TOP(S(PP*", "*", "(ARGM*"),
    ("New", "NNP", "(NP*", "(GPE*", "*"),
    ("York", "NNP", "*))", "*)", "*)"),
    ("Ann", "NNP", "(NP*)", "(PERSON)", "(ARG0*)"),
    ("slept", "VBD", "(VP*)))", "*", "(V*)"),
]
FIRST = "".join(
    f"bc/cctv   0   {n}   {word:>6} {pos} {parse}  -  -  -  Speaker  {ner} {role}  -\n"
    for n, (word, pos, parse, ner, role) in enumerate(ROWS)
)
TEXT = f"#begin document (bc/cctv); part 000\n{FIRST}\nbc/cctv 0 0 #1 NN (TOP*) - - - Speaker * -\n\n#end document\n"


def read(text: str, *args, **kwargs) -> list:
    return list(SentenceReader(io.StringIO(text), *args, **kwargs))


def test_conll2012():
    first, second = read(TEXT)
    assert first.layout.name == "conll2012"
    assert first.tokens == ["In", "New", "York", "Ann", "slept"]
    assert first.tags == ["O", "B-GPE", "I-GPE", "B-PERSON", "O"]
    assert first.column("pos") == [pos for _, pos, _, _, _ in ROWS]
    assert (second.tokens, second.tags) == (["#1"], ["O"])
    assert first.with_tags(first.tags) + second.with_tags(second.tags) == TEXT
    changed = first.with_tags(["S-X", "O", "B-Y", "I-Y", "E-Y"])
    assert read(changed, first.layout)[0].tags == ["B-X", "O", "B-Y", "I-Y", "I-Y"]


def test_each_column_of_tags_is_read_in_its_own_notation():
    options = ReadingOptions(
        tag_column="pos",
        notation=Notation(suffix=True),
        further=(ReadingOptions(tag_column="ner", notation=Notation(lower=True, inside="M", outside="o")),),
    )
    first, _ = options.reader(io.StringIO(TEXT))
    written = first.with_tags(first.tags, {"ner": ["o", "b-GPE", "m-GPE", "b-PERSON", "o"]})
    assert written == first.raw
    options = replace(options, tag_column="ner", further=(replace(options, tag_column="pos"),))
    first, _ = options.reader(io.StringIO(TEXT))
    assert first.with_tags(["O", "GPE-B", "GPE-I", "PERSON-B", "O"], {"pos": first.tags_in("pos")}) == first.raw


def test_other_columns_of_it_are_labels():
    assert read(TEXT, tag_column="pos")[0].tags == [pos for _, pos, _, _, _ in ROWS]


def test_words_alone():
    [sentence] = read("Ann\nslept\n", read(TEXT)[0].layout, tags_required=False)
    assert sentence.with_tags(["B-X", "O"]) == "Ann\tB-X\nslept\tO\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(GPE*", "(A(B*", "<stream>:3: expected spans in brackets such as (PER*, one after the other, found '(A(B*'"),
        ("(PERSON)", "*)", "<stream>:5: expected spans in brackets such as (PER*, one after the other, found '*)'"),
        ("(PERSON)", "(PERSON*", "<stream>:5: expected a bracket that closes in the sentence, found '(PERSON*'"),
        ("(GPE*", "B-GPE", "<stream>:3: expected spans in brackets such as (PER*, one after the other, found 'B-GPE'"),
    ],
)
def test_faults(old, new, message):
    with pytest.raises(DataError) as caught:
        _ = read(TEXT.replace(old, new), "conll2012")[0].tags
    assert str(caught.value) == message


def test_too_few_columns():
    with pytest.raises(DataError, match="<stream>:2: expected 5 columns, found 6"):
        read("x 0 0 a NN\nx 0 1 b NN c\n", "conll2012", tags_required=False)
    with pytest.raises(DataError, match="<stream>:2: expected 11 columns, found 9"):
        read("#begin document x\na b c d e f g h i\n", "conll2012")
