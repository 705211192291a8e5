"""Files to be answered."""

from __future__ import annotations

import io
import itertools

import pytest

from seqtag.errors import DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.inputs import CHARACTERS_AHEAD, read_conllu_blocks, read_sources


def sources(text, **options):
    file = read_sources(io.StringIO(text, newline=""), DataConfig(**{"layout": "tsv", **options}))
    return [(item.source, *item.features) for item in file.items]


def test_every_line_is_a_source_and_blank_ones_keep_their_place():
    assert sources("\ufeffGo.\r\n\n \t\nRun!") == [("Go.",), ("",), ("",), ("Run!",)]
    assert sources("Go.\tnow\n\n", layout="parallel") == [("Go.\tnow",), ("",)]


def test_a_file_of_pairs_serves_as_well_as_sources_alone():
    assert sources("Go.\tKör!\tCC-BY\n") == [("Go.",)]
    assert sources("Kör!\tGo.\nSpring!\n", source_column=2, target_column=1) == [("Go.",), ("Spring!",)]
    assert sources("16+75_91\n16+75\n", separator="_") == [("16+75",)] * 2


@pytest.mark.parametrize("line", ["saw\tsee\tVERB", "saw\tVERB", "saw\tsee\tVERB\tmore"])
def test_features_stand_where_training_has_them_or_beside_the_source(line):
    assert sources(f"{line}\n\n", features=(3,)) == [("saw", "VERB"), ("", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eng\tswe\tkind\nGo.\tKör!\timp\n", [("Go.", "imp")]),
        ("kind\teng\nimp\tGo.\n", [("Go.", "imp")]),
        ("Go.\timp\n", [("Go.", "imp")]),
    ],
)
def test_columns_by_name_are_found_where_there_is_a_header(text, expected):
    assert sources(text, source_column="eng", target_column="swe", features=("kind",)) == expected


def test_the_usual_header_is_no_source():
    assert sources("target\tsource\nx\ta\n") == [("a",)]
    assert sources("source\na\n") == [("source",), ("a",)]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("saw\n", {"features": (3,)}, "expected a source and 1 further columns separated by a TAB, found one field"),
        ("a\tb\n", {"source_column": "eng"}, "<stream>:1: expected a source, found 2 fields"),
        ("a\nb\0\n", {}, "<stream>:2: expected text, found a NUL byte"),
    ],
)
def test_faults_in_the_first_part_come_at_once(text, options, message):
    with pytest.raises(DataError) as caught:
        read_sources(io.StringIO(text), DataConfig(layout="tsv", **options))
    assert message in str(caught.value)


def test_memory_is_bounded_and_later_faults_come_when_they_are_reached(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"word\n" * 60_000 + b"\0\n")
    file = read_sources(path, DataConfig(layout="tsv"))
    assert file.size == path.stat().st_size
    read = list(itertools.islice(file.items, 60_000 - 20_000))
    assert sum(item.size for item in read) >= CHARACTERS_AHEAD
    with pytest.raises(DataError, match=r"long\.txt:60001: "):
        list(file.items)


def test_frames_come_with_their_ids():
    text = "id,x\na,1\na,2\nb,3\n"
    items = list(read_sources(io.StringIO(text), DataConfig(layout="frames")).items)
    assert [(item.id, item.source.tolist()) for item in items] == [("a", [[1], [2]]), ("b", [[3]])]


def test_blocks_of_conllu_hold_all_lines():
    text = "# c\n1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n\n\n"
    blocks = list(read_conllu_blocks(io.StringIO(text), DataConfig(layout="conllu")).items)
    assert "".join(line for block in blocks for line in block.lines) == text
    with pytest.raises(DataError, match=r"<stream>:1: expected a word in 10 columns"):
        read_conllu_blocks(io.StringIO("a b\n"), DataConfig(layout="conllu"))
