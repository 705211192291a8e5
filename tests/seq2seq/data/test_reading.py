"""How a run reads another file."""

from __future__ import annotations

import pytest

from seqtag.errors import ConfigError
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.columns import feature_columns
from seqtag.seq2seq.data.reading import READING, reading_for, with_options

RUN = DataConfig(layout="tsv", source_column=2, target_column=1, features=(3,), encoding="latin-1")


def test_a_run_reads_as_it_was_fitted():
    assert reading_for(RUN, {}, "a.tsv") == RUN


def test_options_go_before_the_run_s_own():
    found = reading_for(RUN, {"source_column": "4", "encoding": "utf-8"}, "a.tsv")
    assert (found.source_column, found.target_column, found.encoding) == ("4", 1, "utf-8")


def test_another_layout_has_columns_of_its_own_and_as_many_features(tmp_path):
    path = tmp_path / "words"
    path.write_text("1\truns\trun\tVERB\t_\t_\t_\t_\t_\t_\n")
    found = reading_for(DataConfig(layout="tsv", source_column=2, target_column=1), {"layout": "auto"}, str(path))
    assert (found.layout, found.source_column, found.target_column) == ("conllu", None, None)
    assert feature_columns(found) == ()
    assert feature_columns(reading_for(RUN, {"layout": "conllu"}, str(path))) == ("upos",)
    found = reading_for(DataConfig(layout="conllu"), {"layout": "auto"}, "-")
    assert (found.layout, found.source_column, found.features, found.target_column) == ("tsv", 1, (2,), 3)
    assert len(feature_columns(found)) == 1
    assert reading_for(DataConfig(layout="conllu"), {"layout": "tsv", "target_column": 5}, "-").target_column == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "conll2003"}, "data.layout: expected auto or a layout of tsv, parallel, conllu, frames, found"),
        ({"separator": ""}, "data.separator: expected a separator, found an empty text"),
    ],
)
def test_wrong_options_are_told(options, message):
    assert set(options) <= READING
    with pytest.raises(ConfigError) as caught:
        with_options(DataConfig(), options)
    assert message in str(caught.value)


def test_a_run_fitted_on_python_objects_keeps_its_columns():
    run = DataConfig(source_column="word", target_column="sound", features=("kind",))
    assert reading_for(run, {}, "-") == run.model_copy(update={"layout": "tsv"})
    assert reading_for(DataConfig(), {}, "sample:numbers/test").layout == "tsv"


def test_pairs_is_auto():
    assert with_options(RUN, {"layout": "pairs"}).layout == "auto"


@pytest.mark.parametrize("name", ["tab", "\\t", "\t"])
def test_a_tab_has_a_name(name):
    assert with_options(DataConfig(separator="_"), {"separator": name}).separator == "\t"
    assert reading_for(DataConfig(layout="conllu"), {"layout": "tsv", "separator": name}, "-").separator == "\t"
