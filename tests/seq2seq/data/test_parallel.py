"""Pairs in two files."""

from __future__ import annotations

import pytest

from seqtag.errors import ConfigError, DataError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.load import load_pairs


@pytest.fixture
def files(tmp_path):
    def files(sources, targets):
        for name, text in (("a.en", sources), ("a.sv", targets)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / "a.en"), str(tmp_path / "a.sv")

    return files


def test_a_line_beside_a_line(files):
    pairs = load_pairs(files("\ufeff Go.\r\n\nRun!\tnow\n", "Kör!\n\nSpring!\n"))
    assert (pairs.sources, pairs.targets, pairs.lines) == (["Go.", "Run!\tnow"], ["Kör!", "Spring!"], [1, 3])


def test_blank_lines_at_the_end_of_one_are_no_pairs(files):
    assert len(load_pairs(files("a\nb\n\n\n", "c\nd"))) == 2


def test_both_in_one_text_where_the_layout_is_given(files):
    text = ",".join(files("a\n", "b\n"))
    assert load_pairs(text, DataConfig(layout="parallel")).targets == ["b"]
    with pytest.raises(DataError, match="expected a readable file"):
        load_pairs(text)


@pytest.mark.parametrize("column", ["target", 2, "2"])
def test_they_may_be_split_by_the_target(files, column):
    assert load_pairs(files("a\n", "b\n"), DataConfig(split_column=column)).keys == ["b"]


@pytest.mark.parametrize(
    ("sources", "targets", "message"),
    [
        ("a\nb\nc\n", "x\ny\n", "a.sv:3: expected a line as in {en}, found the end of the file"),
        ("a\n", "x\ny\n", "a.en:2: expected a line as in {sv}, found the end of the file"),
        ("a\n\n", "x\ny\n", "a.en:2: expected a line as in {sv}, found a blank one"),
        ("a\nb\n", "x\n \n", "a.sv:2: expected a line as in {en}, found a blank one"),
        ("", "", "a.en: expected pairs, found none"),
    ],
)
def test_faults_name_the_file_and_the_line(files, sources, targets, message):
    paths = files(sources, targets)
    with pytest.raises(DataError) as caught:
        load_pairs(paths, DataConfig(layout="parallel"))
    assert str(caught.value).endswith(message.format(en=paths[0], sv=paths[1]))


def test_one_file_is_told_to_be_too_few(files):
    with pytest.raises(ConfigError, match="expected a file of sources and one of targets for the layout parallel"):
        load_pairs(files("a\n", "b\n")[0], DataConfig(layout="parallel"))
    with pytest.raises(ConfigError, match="expected one file for the layout tsv, found 2 files"):
        load_pairs(files("a\n", "b\n"), DataConfig(layout="tsv"))
    with pytest.raises(DataError, match="expected source or target, as of two files, found 3"):
        load_pairs(files("a\n", "b\n"), DataConfig(split_column=3))
