"""Texts, labels and frames from every form of file and of Python object; what is wrong is one line with its place."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from seqtag.classification.config import DataConfig
from seqtag.classification.data.detection import recognises
from seqtag.classification.data.examples import Examples, Kind
from seqtag.classification.data.inputs import read_inputs
from seqtag.classification.data.inspection import inspect_examples
from seqtag.classification.data.labels import LabelCodec
from seqtag.classification.data.load import load_examples, load_sources, load_splits
from seqtag.classification.data.split import hold_out
from seqtag.errors import ConfigError, DataError, DataWarning

TEXT, FRAMES, SEVERAL = Kind(), Kind("frames"), Kind("text", several=True)


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return str(path)


@pytest.mark.parametrize(
    ("name", "text", "data"),
    [
        ("a.tsv", "text\tlabel\nA fine film.\tpos\nDull.\tneg\n", {}),
        ("a.tsv", "label\tid\ttext\npos\t1\tA fine film.\nneg\t2\tDull.\n", {}),
        ("a.txt", "A fine film.\tpos\r\n\r\nDull.\tneg", {}),
        ("a.txt", "pos\tA fine film.\nneg\tDull.\n", {"text_column": 2, "label_column": 1}),
        ("a.txt", "pos\tA fine film.\nneg\tDull.\n", {"text_column": 2}),
        ("a.csv", "Stars,Review\npos,A fine film.\nneg,Dull.\n", {"text_column": "review", "label_column": "Stars"}),
        ("a.csv", "text;label\nA fine film.;pos\nDull.;neg\n", {}),
        ("a.txt", "A fine film.|pos\nDull.|neg\n", {"separator": "|"}),
        ("a.txt", "__label__pos A fine film.\n\n__label__neg\tDull.\n", {}),
    ],
)
def test_files_of_texts_with_labels(tmp_path, name, text, data):
    found = load_examples(write(tmp_path, name, "\ufeff" + text), DataConfig(**data), TEXT)
    assert (found.sources, found.labels) == (["A fine film.", "Dull."], [("pos",), ("neg",)])


def test_quoted_fields_of_a_csv_file_hold_commas_and_line_ends(tmp_path):
    path = write(tmp_path, "a.csv", 'text,label\n"He said ""no"",\nand left",neg\nYes,pos\nbad\n')
    with pytest.raises(DataError, match=r"a\.csv:5: expected a text and a label separated by ',', found one field"):
        load_examples(path, DataConfig(), TEXT)
    good = write(tmp_path, "b.csv", 'text,label\n"He said ""no"",\nand left",neg\nYes,pos\n')
    assert load_examples(good, DataConfig(), TEXT).sources == ['He said "no",\nand left', "Yes"]


def test_a_file_or_a_folder_for_each_label(tmp_path):
    files = {"neg": write(tmp_path, "n.txt", "Dull.\n\n  \nLong.\n"), "pos": write(tmp_path, "p.txt", "Fine.\n")}
    expected = ["Dull.", "Long.", "Fine."], [("neg",), ("neg",), ("pos",)]
    for given in (files, f"neg={files['neg']},pos={files['pos']}"):
        found = load_examples(given, DataConfig(), TEXT)
        assert (found.sources, found.labels) == expected
        assert found.place(1) == {"path": files["neg"], "line": 4}
    folder = tmp_path / "all"
    (folder / "pos").mkdir(parents=True)
    write(folder, "neg.txt", "Dull.\n")
    write(folder / "pos", "1.txt", "Fine.\nOn two lines.\n")
    found = load_examples(str(folder), DataConfig(), TEXT)
    assert dict(zip(found.sources, found.labels, strict=True)) == {
        "Dull.": ("neg",),
        "Fine.\nOn two lines.": ("pos",),
    }


def test_several_labels_stand_between_commas(tmp_path):
    path = write(tmp_path, "a.tsv", "text\tlabel\nA run\tsport, art\nNothing\t\n")
    assert load_examples(path, DataConfig(), SEVERAL).labels == [("sport", "art"), ()]
    assert load_examples(path.replace("a.tsv", "a.tsv"), DataConfig(label_separator=" "), SEVERAL).labels[0] == (
        "sport,",
        "art",
    )
    lines = write(tmp_path, "b.txt", "__label__a __label__b both\n__label__a one\n")
    assert load_examples(lines, DataConfig(), SEVERAL).labels == [("a", "b"), ("a",)]


def test_python_objects():
    frame = pd.DataFrame({"text": ["Fine.", "Dull."], "label": [1, 0]})
    for found in (
        load_examples(frame, DataConfig(), TEXT),
        load_examples(["Fine.", "Dull."], y=np.array([1, 0])),
        load_examples([("Fine.", 1), ("Dull.", 0.0)]),
        load_examples(np.array(["Fine.", "Dull."]), y=pd.Series([1, 0])),
    ):
        assert (found.sources, found.labels) == (["Fine.", "Dull."], [(1,), (0,)])
        assert all(type(label) is int for labels in found.labels for label in labels)
    assert load_sources(frame).sources == ["Fine.", "Dull."]
    long = pd.DataFrame({"id": [1, 1, 2], "x": [1.0, np.nan, 3.0], "label": ["a", "a", "b"]})
    with pytest.warns(DataWarning, match="1 of the numbers are missing"):
        found = load_examples(long, DataConfig(), FRAMES)
    assert [len(one) for one in found.sources] == [2, 1] and found.labels == [("a",), ("b",)]


def test_frames_of_files(tmp_path):
    archive = "@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n1,2:3,4:a\n5:6:b\n"
    table = "id,time,x,y,label\ns,1,1,3,a\ns,2,2,4,a\nt,1,5,6,b\n"
    for name, text in (("a.ts", archive), ("a.csv", table)):
        found = load_examples(write(tmp_path, name, text), DataConfig(), FRAMES)
        assert [one.tolist() for one in found.sources] == [[[1, 3], [2, 4]], [[5, 6]]]
        assert found.labels == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("text", "data", "kind", "message"),
    [
        ("Fine.\n", {}, TEXT, "a.txt:1: expected a text and a label separated by a TAB, found one field; set"),
        ("Fine.\t\n", {}, TEXT, "a.txt:1: expected a label in column 2, found nothing"),
        ("", {}, TEXT, "a.txt: expected texts, found none"),
        ("text\tlabel\n", {"label_column": "stars"}, TEXT, "a.txt:1: expected a column 'stars', found columns 'text'"),
        ("a\tb\n", {"text_column": 1, "label_column": 1}, TEXT, "expected a column of labels beside that of the texts"),
        ("__label__a x\nno label\n", {"layout": "fasttext"}, TEXT, "a.txt:2: expected one label that begins with"),
        ("__label__a __label__b x\n", {}, TEXT, "a.txt:1: expected one label that begins with __label__, found 2"),
        ("id,x,label\na,1,up\na,2,down\n", {}, FRAMES, "a.txt:3: expected one label"),
        ("id,x,label\na,1,up\na,2\n", {}, FRAMES, "a.txt:3: expected 3 columns, found 2"),
        ("id,x\na,1\n", {}, FRAMES, "a.txt:1: expected a column 'label'"),
        ("id,x,label\na,1,nan\n", {}, FRAMES, "a.txt:2: expected a label"),
    ],
)
def test_bad_files_are_one_line(tmp_path, text, data, kind, message):
    with pytest.raises(DataError) as error:
        load_examples(write(tmp_path, "a.txt", text), DataConfig(**data), kind)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_another_encoding_is_named_and_read_when_it_is_said(tmp_path):
    path = write(tmp_path, "a.tsv", "Très bien\tpos\nTrès mal\tneg\n", "latin-1")
    with pytest.raises(DataError, match=r"a\.tsv:1: expected utf-8, found byte 0xe8"):
        load_examples(path, DataConfig(), TEXT)
    assert load_examples(path, DataConfig(encoding="latin-1"), TEXT).sources[0] == "Très bien"


@pytest.mark.parametrize(
    ("X", "y", "kind", "message"),
    [
        (["a"], ["x", "y"], TEXT, "expected as many labels as texts, found 2 for 1"),
        (["a", "b"], ["x", float("nan")], TEXT, "text 1: expected a label as a text or a whole number, found nan"),
        (["a", "b"], ["x", None], TEXT, "text 1: expected a label as a text or a whole number, found None"),
        (["a", "b"], ["x", 0.5], TEXT, "text 1: expected a label as a text or a whole number, found 0.5"),
        (["a"], [" "], TEXT, "text 0: expected a label as a text or a whole number, found an empty string"),
        ([b"a"], ["x"], TEXT, "text 0: expected a text as a string"),
        ([np.zeros((2, 3))], ["x"], TEXT, "text 0: expected a text as a string"),
        (["\ud800"], ["x"], TEXT, "text 0: expected a text in Unicode"),
        (["a"], ["x"], SEVERAL, "text 0: expected a collection of labels, found 'x'"),
        ("a", ["x"], TEXT, "expected texts, found 'a'"),
        ([("a", "b", "c")], None, TEXT, "text 0: expected a pair (text, label)"),
        (
            [np.zeros((2, 3)), np.zeros((2, 4))],
            ["x", "y"],
            FRAMES,
            "sequence 1: expected frames of 3 numbers as before",
        ),
        (["a text"], ["x"], FRAMES, "sequence 0: expected numbers (time, features), found 'a text'"),
        ([np.zeros((2, 1))], [float("nan")], FRAMES, "sequence 0: expected a label as a text or a whole number"),
        (pd.DataFrame({"text": ["a"]}), None, TEXT, "expected a DataFrame with a column 'label', found 'text'"),
    ],
)
def test_bad_objects_are_one_line(X, y, kind, message):
    with pytest.raises(DataError) as error:
        load_examples(X, DataConfig(), kind, y)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_layout_of_another_kind_is_refused(tmp_path):
    path = write(tmp_path, "a.tsv", "Fine.\tpos\n")
    with pytest.raises(ConfigError, match=r"model\.source: expected frames for the layout frames, found text"):
        load_examples(path, DataConfig(layout="frames"), TEXT)
    with pytest.raises(ConfigError, match="expected a file for each label, or a folder of them"):
        load_examples(path, DataConfig(layout="classes"), TEXT)
    with pytest.raises(ConfigError, match=r"data\.train: expected a path, found none"):
        load_splits(DataConfig(), TEXT)


def test_one_label_alone_is_refused_and_unknown_ones_are_named_once():
    with pytest.raises(DataError, match="expected texts of two labels at least, found 'x' alone"):
        LabelCodec.fit(Examples(["a", "b"], [("x",), ("x",)]), several=False)
    with pytest.raises(DataError, match="expected labels as texts or as whole numbers, found both for 1"):
        LabelCodec.fit(Examples(["a", "b"], [("1",), (1,)]), several=False)
    codec = LabelCodec.fit(Examples(["a", "b"], [("x",), ("y",)]), several=False)
    asked = Examples(["a", "b", "c"], [("x",), ("new",), ("new",)], "f.tsv", [("f.tsv", n) for n in (2, 3, 4)])
    with pytest.warns(DataWarning) as warned:
        codec.warn_of_unknown(asked)
    [one] = warned
    assert str(one.message) == "f.tsv:3: found labels that training did not have, which count as errors: 'new'"


def test_what_is_held_out_is_a_share_of_each_label_in_any_order():
    texts, labels = [f"text {n}" for n in range(100)], [("rare",) if n % 10 == 0 else ("usual",) for n in range(100)]
    train, dev = hold_out(Examples(texts, labels), 0.2)
    assert sorted(map(str, dev.labels)).count("('rare',)") == 2 and len(dev) == 20
    assert not set(train.sources) & set(dev.sources)
    order = np.random.default_rng(0).permutation(100)
    _, again = hold_out(Examples([texts[n] for n in order], [labels[n] for n in order]), 0.2)
    assert set(again.sources) == set(dev.sources)
    # One of a label stays in training, and equal texts stay together.
    train, dev = hold_out(Examples(["a", "b", "b", "b", "c"], [("x",), ("y",), ("y",), ("y",), ("y",)]), 0.4)
    assert ("x",) in train.labels and ("b" in train.sources) != ("b" in dev.sources)
    with pytest.raises(DataError, match="bring dev data of your own"):
        hold_out(Examples(["a", "b"], [("x",), ("y",)]), 0.4)


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        ("Fine, so fine.\n\nDull.\n", {}, ["Fine, so fine.", "", "Dull."]),
        ("text\tlabel\nFine.\tpos\n", {}, ["Fine."]),
        ("text\nFine.\nDull.\n", {}, ["Fine.", "Dull."]),
        ("Fine.\tpos\nDull.\n", {"layout": "table"}, ["Fine.", "Dull."]),
        ("__label__pos Fine.\nDull.\n", {"layout": "fasttext"}, ["Fine.", "Dull."]),
        ("pos\tFine.\n", {"layout": "table", "text_column": 2}, ["Fine."]),
        ("", {}, []),
    ],
)
def test_inputs_are_a_text_a_line_or_a_column(text, data, expected):
    found = read_inputs(io.BytesIO(text.encode()), DataConfig(**data), TEXT)
    assert [item.source for item in found.items] == expected


def test_inputs_of_frames_need_no_labels():
    found = read_inputs(io.BytesIO(b"id,x\na,1\na,2\nb,3\n"), DataConfig(), FRAMES)
    assert [item.source.tolist() for item in found.items] == [[[1], [2]], [[3]]]


def test_inspection_tells_what_repeats_and_contradicts(tmp_path):
    train = write(tmp_path, "train.tsv", "text\tlabel\nSo so\tpos\nSo so\tneg\nFine\tpos\nFine\tpos\n")
    test = write(tmp_path, "test.tsv", "text\tlabel\nFine\tpos\nOdd\tnew\n")
    report = inspect_examples([train, test])
    assert report.files[0].labels == {"pos": 3, "neg": 1}
    assert (report.files[0].repeated, report.files[0].contradictory, report.files[0].contradictory_lines) == (
        2,
        1,
        (3,),
    )
    assert (report.overlaps[0].shared, report.overlaps[0].new_labels) == (1, ("new",))
    assert "texts with different labels: 1 (first at line 3)" in report.to_text()


def test_inspect_knows_its_files(tmp_path):
    assert recognises([write(tmp_path, "a.tsv", "text\tlabel\nx\ty\n")], None)
    assert recognises([write(tmp_path, "a.txt", "__label__a x\n")], None)
    assert recognises([write(tmp_path, "a.ts", "@data\n")], None)
    assert not recognises([write(tmp_path, "b.tsv", "Ann\tB-PER\n")], None)
    assert not recognises([str(tmp_path / "none.tsv")], None) and recognises([], "classes")
