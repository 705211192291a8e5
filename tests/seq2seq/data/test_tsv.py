"""Pairs in one file."""

from __future__ import annotations

import pytest

from seqtag.errors import ConfigError, DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.load import load_pairs


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "pairs.tsv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return load_pairs(path, DataConfig(layout="tsv", **options))

    return read


def pairs_of(pairs):
    return list(zip(pairs.sources, pairs.targets, strict=True))


def test_further_columns_and_blank_lines_are_ignored_and_fields_stripped(read):
    pairs = read("\ufeffGo. \t Kör!\tCC-BY\r\n\n  \nRun!\tSpring!\r\n")
    assert pairs_of(pairs) == [("Go.", "Kör!"), ("Run!", "Spring!")]
    assert pairs.lines == [1, 4]
    assert pairs.features == [(), ()]


def test_columns_by_number(read):
    pairs = read("Go.\tKör!\tx\ty\n", source_column=2, target_column="1", features=(4, 3), split_column=1)
    assert pairs_of(pairs) == [("Kör!", "Go.")]
    assert pairs.features == [("y", "x")]
    assert pairs.keys == ["Go."]


def test_columns_by_name(read):
    pairs = read(
        "eng\tswe\tkind\nGo.\tKör!\timperative\n", source_column="SWE", target_column="eng", features=("kind",)
    )
    assert pairs_of(pairs) == [("Kör!", "Go.")]
    assert pairs.features == [("imperative",)]
    assert pairs.lines == [2]


@pytest.mark.parametrize("header", ["source\ttarget", "id\tTarget\tSource"])
def test_a_header_of_the_usual_names_is_known(read, header):
    row = "a\tb" if header.startswith("s") else "7\tb\ta"
    assert pairs_of(read(f"{header}\n{row}\n")) == [("a", "b")]


def test_other_separators(read):
    assert pairs_of(read("16+75  _91  \n", separator="_")) == [("16+75", "91")]
    assert pairs_of(read('"Go, now","Kör ""nu"""\na,b\n', separator=",")) == [("Go, now", 'Kör "nu"'), ("a", "b")]
    assert pairs_of(read("a ||| b\n", separator="|||")) == [("a", "b")]


def test_quotes_between_tabs_are_text(read):
    assert pairs_of(read('"Go!"\t"Kör!\n')) == [('"Go!"', '"Kör!')]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a\tb\nc\n", {}, "pairs.tsv:2: expected a source and a target separated by a TAB, found one field"),
        ("a b\n", {"separator": "_"}, "pairs.tsv:1: expected a source and a target separated by '_', found one field"),
        ("a\tb\n", {"features": (3,)}, "pairs.tsv:1: expected at least 3 columns separated by a TAB, found 2 fields"),
        ("a\tb\n\tc\n", {}, "pairs.tsv:2: expected a source in column 1, found nothing"),
        ("a\tb\nc\t \n", {}, "pairs.tsv:2: expected a target in column 2, found nothing"),
        ("\t\n", {}, "pairs.tsv:1: expected a source in column 1, found nothing"),
        ("a\tb\rc\td\r", {}, "pairs.tsv:1: expected lines that end in a line feed, found a carriage return alone"),
        (
            "eng\tswe\na\tb\n",
            {"target_column": "de"},
            "pairs.tsv:1: expected a column 'de', found columns 'eng', 'swe'",
        ),
        ("a\tb\n", {"source_column": 0}, "pairs.tsv:1: expected a name or a number from 1 on, found 0"),
        ("a\tb\n", {"source_column": 2}, "pairs.tsv:1: expected a target beside the source, found column 2 for both"),
        ("", {}, "pairs.tsv: expected pairs, found none"),
        ("\n \n", {}, "pairs.tsv: expected pairs, found none"),
        ("source\ttarget\n", {}, "pairs.tsv: expected pairs, found none"),
        (b"a\tb\nc\xe6\td\n", {}, "pairs.tsv:2: expected utf-8, found byte 0xe6"),
        ("a\tb\nc\0\td\n", {}, "pairs.tsv:2: expected text, found a NUL byte"),
    ],
)
def test_faults_are_one_line_with_their_place(read, text, options, message):
    with pytest.raises(DataError) as caught:
        read(text, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_encoding_is_told(read):
    with pytest.raises(ConfigError, match=r"data\.encoding: expected an encoding such as utf-8"):
        read("a\tb\n", encoding="utf-99")
