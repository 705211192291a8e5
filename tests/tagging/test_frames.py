"""Taggers of frames of numbers: from arrays, tables and DataFrames to answers that company does not change."""

from __future__ import annotations

import copy
import io
import json
import pickle
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from seqtag import Tagger
from seqtag.errors import ConfigError, DataError, DataWarning
from seqtag.tagging import task
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import load_corpus, reading_options
from seqtag.tagging.data.windows import LONGEST
from seqtag.tasks import parse_config

LEVEL = 1e6


def sequences(count, seed, level=LEVEL, noise=0.3):
    """High or low around a level, a label a step; the second number says nothing, the third never changes."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for length in rng.integers(1, 14, count):
        high = np.cumsum(rng.random(length) < 0.3) % 2
        numbers = level + np.where(high, 2.0, -2.0) + rng.normal(0, noise, length)
        X.append(np.stack([numbers, rng.normal(size=length), np.full(length, 7.0)], axis=1))
        y.append(np.where(high, "high", "low").tolist())
    X[0][0, 1] = np.nan
    return X, y


def settings(**others):
    training = {"epochs": 4, "batch_tokens": 60, "learning_rate": 0.03, "ema": 0.5, "patience": None}
    return {"source": "frames", "units": 8, "dropout": 0.1, "cell": "gru", "training": training, "verbose": 0} | others


def table_of(X, y=None, name="a"):
    frame = pd.DataFrame(np.concatenate(X), columns=["x", "y", "z"])
    frame.insert(0, "id", [f"{name}{n}" for n, one in enumerate(X) for _ in one])
    return frame if y is None else frame.assign(label=[label for labels in y for label in labels])


TRAIN, DEV = sequences(60, 1), sequences(20, 2)


@pytest.fixture(scope="module")
def tagger():
    with pytest.warns(DataWarning, match="1 of the numbers are missing"):
        return Tagger(**settings()).fit(table_of(*TRAIN), validation_data=DEV)


@pytest.fixture(scope="module")
def run(tagger, tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "run"
    tagger.save(path)
    return path


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_it_learns_on_a_high_level(tagger):
    assert tagger.score(*DEV) > 0.95
    assert tagger.classes_.tolist() == ["high", "low"]
    segments = tagger.metrics_["dev"]["segments"]
    assert segments["support"] == sum(1 + sum(a != b for a, b in pairwise(one)) for one in DEV[1])
    assert segments["f1"] > 0.8
    assert not tagger.metrics_["dev"]["words"], "frames are no words"


def test_neither_padding_nor_other_rows_change_an_answer(tagger):
    X, _ = sequences(9, 3)
    together = tagger.predict_proba(X)
    close([tagger.predict_proba([one])[0] for one in X], together)
    close(tagger.predict_proba(X[::-1])[::-1], together)
    assert [len(one) for one in tagger.predict(X)] == list(map(len, X))
    assert min(map(len, X)) < max(map(len, X))
    np.testing.assert_allclose([row.sum() for one in together for row in one], 1, atol=1e-5)


def test_one_sequence_of_one_step(tagger):
    assert tagger.predict([[[LEVEL + 2, 0, 7]]]) == [["high"]]
    assert tagger.predict(np.array([[[LEVEL - 2, 0, 7]]])) == [["low"]]


def test_missing_numbers_and_numbers_far_away_have_sane_answers(tagger):
    gaps = np.full((5, 3), np.nan)
    far = np.array([[3e38, -3e38, 0.0], [0.0, 0.0, 3e38]])
    for found in tagger.predict_proba([gaps, far]):
        assert np.isfinite(found).all()
    X = [one.copy() for one in DEV[0][:5]]
    expected = tagger.predict_proba(X)
    for one in X:
        one[:, 2] = -1e30
    close(tagger.predict_proba(X), expected), "a number that never changed in training"


def test_a_long_sequence_is_read_in_windows(tagger):
    X, y = zip(*(pair for pair in zip(*sequences(900, 5), strict=True)), strict=True)
    long, gold = np.concatenate(X), [label for labels in y for label in labels]
    assert len(long) > LONGEST
    [found] = tagger.predict([long])
    assert len(found) == len(gold)
    assert np.mean(np.array(found) == gold) > 0.9


def test_saved_pickled_and_copied_it_answers_the_same(tagger, run):
    X, _ = DEV
    expected = tagger.predict_proba(X)
    for other in (Tagger.load(run), pickle.loads(pickle.dumps(tagger)), copy.deepcopy(tagger)):
        close(other.predict_proba(X), expected)
        assert other.predict(X) == tagger.predict(X)
        assert other.source == "frames"


CLIENT = """
import sys
sys.modules["seqtag"] = sys.modules["keras"] = None
import numpy as np, tensorflow as tf
model, inputs = tf.saved_model.load(sys.argv[1]), np.load(sys.argv[2])
for name, kind in (("serving_default", np.float32), ("double", np.float64)):
    found = model.signatures[name](
        features=tf.constant(inputs["features"].astype(kind)), lengths=tf.constant(inputs["lengths"], tf.int32)
    )
    arrays = {key: value.numpy() for key, value in found.items()}
    np.savez(f"{sys.argv[2]}.{name}.npz", **arrays | {"tags": arrays["tags"].astype("S")})
"""


def test_the_saved_model_takes_raw_numbers_and_says_the_same(tagger, tmp_path):
    # Numbers that float32 holds, so that both signatures read the same.
    X = [one.astype(np.float32).astype(np.float64) for one in DEV[0][:6]]
    lengths = np.array([*map(len, X), 0])
    features = np.full((7, lengths.max() + 2, 3), np.nan)
    features[:, 1::2] = 1e30  # what stands beyond a row is not read
    for row, one in zip(features, X, strict=False):
        row[: len(one)] = one
    tagger.export(tmp_path / "model")
    np.savez(tmp_path / "in.npz", features=features, lengths=lengths)
    arguments = [sys.executable, "-c", CLIENT, str(tmp_path / "model"), str(tmp_path / "in.npz")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("serving_default", "double"):
        found = np.load(tmp_path / f"in.npz.{name}.npz")
        assert found["lengths"].tolist() == lengths.tolist()
        assert found["tags"].shape == found["scores"].shape == features.shape[:2]
        for n, tagged in enumerate(tagger.tag(X)):
            tags = [tag.decode() for tag in found["tags"][n]]
            assert tags == tagged.tags + [""] * (features.shape[1] - len(tagged.tags))
            np.testing.assert_allclose(found["scores"][n, : len(tags)][: len(tagged.scores)], tagged.scores, atol=1e-5)


def test_forced_labels_and_candidates(tagger):
    X = [np.array([[LEVEL + 2, 0, 7], [LEVEL + 2, 0, 7]])]
    assert tagger.predict(X, forced=[[None, "low"]]) == [["high", "low"]]
    best = tagger.predict_n_best(X, 4)[0]
    assert (best[0].tags, len(best)) == (["high", "high"], 4)


def test_columns_and_json_lines(run, tmp_path, tagger):
    X, y = DEV[0][:3], DEV[1][:3]
    expected = [label for labels in tagger.predict(X) for label in labels]
    path = tmp_path / "x.csv"
    table_of(X)[["z", "id", "y", "x"]].assign(note='"a, b"').to_csv(path, index=False, sep=";")
    found = b"".join(task.predict(run, str(path))).decode()
    header, first, *_ = found.splitlines()
    assert header == "z;id;y;x;note;label;score"
    assert first.startswith(path.read_text().splitlines()[1] + f";{expected[0]};0.")
    answered = tmp_path / "answered.csv"
    answered.write_text(found)
    table = pd.read_csv(answered, sep=";")
    assert table["label"].tolist() == expected
    assert b"".join(task.predict(run, str(answered))).decode() == found, "answers are read and written again in place"
    labelled = tmp_path / "labelled.csv"
    table_of(X, y).assign(label="high").to_csv(labelled, index=False)
    assert [row.split(",")[4] for row in b"".join(task.predict(run, str(labelled))).decode().split()] == [
        "label",
        *expected,
    ]
    lines = [
        json.loads(line)
        for line in b"".join(task.predict(run, str(labelled), format="jsonl", n_best=2)).split(b"\n")[:-1]
    ]
    assert [line["id"] for line in lines] == ["a0", "a1", "a2"]
    assert [tag for line in lines for tag in line["tags"]] == expected
    assert lines[0]["segments"][-1]["end"] == len(X[0]) == len(lines[0]["scores"])
    assert lines[0]["candidates"][0]["tags"] == lines[0]["tags"]


def test_labels_of_a_file_may_be_forced_and_unknown(run, tmp_path, tagger):
    path = tmp_path / "x.csv"
    path.write_text(f"id,x,y,z,label\na,{LEVEL + 2},0,7,?\na,{LEVEL + 2},0,7,low\n")
    [line] = b"".join(task.predict(run, str(path), format="jsonl", forced=True)).splitlines()
    assert json.loads(line)["tags"] == ["high", "low"]
    scored = task.evaluate(run, str(path), unknown_tag="?")
    assert (scored.tokens, scored.accuracy, scored.segments.support) == (1, 0, 1)


def test_a_run_of_frames_refuses_what_is_of_tokens(run, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,x,y,z\na,1,2,3\n")
    for options, message in (
        ({"text": True}, "expected for raw text a run that reads tokens, found one that reads frames of numbers"),
        ({"format": "text"}, "--format: expected columns or jsonl for frames of numbers, found text"),
        ({"token_column": "x"}, "data.token_column: expected a run that reads tokens, found one of frames of numbers"),
    ):
        with pytest.raises(ConfigError) as caught:
            task.predict(run, str(path), **options)
        assert message in str(caught.value)
    path.write_text("id,x,y\na,1,2\n")
    with pytest.raises(DataError, match="expected a column 'z', found columns id, x, y"):
        task.predict(run, str(path))


def test_archive_files_are_read_and_answered(run, tmp_path, tagger):
    X = DEV[0][:2]
    path = tmp_path / "x.ts"
    rows = [
        ":".join(",".join(map(repr, column.tolist())) for column in one.T) + ":" + ",".join(labels)
        for one, labels in zip(X, DEV[1], strict=False)
    ]
    path.write_text("@univariate false\n@classLabel true high low\n@data\n" + "\n".join(rows).replace("nan", "?"))
    found = pd.read_csv(io.BytesIO(b"".join(task.predict(run, str(path)))))
    assert found.columns.tolist() == ["id", "step", "label", "score"]
    assert found["label"].tolist() == [label for labels in tagger.predict(X) for label in labels]
    assert task.evaluate(run, str(path)).tokens == sum(map(len, X))


def test_dataframes(tagger):
    X, y = DEV
    frame = table_of(X, y)
    assert load_corpus(frame, tagger.model_.options).tags == y
    assert tagger.score(frame) == tagger.score(X, y)
    assert tagger.predict(frame.drop(columns="label")) == tagger.predict(X)
    assert tagger.score(zip(X, y, strict=True)) == tagger.score(X, y)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([np.zeros((2, 2))], "sequence 0: expected frames of 3 numbers, as in training, found 2"),
        ([["a", "b"]], "sequence 0: expected numbers (time, features), found ['a', 'b']"),
        ([np.zeros((0, 3))], "sequence 0: expected a sequence of at least one frame, found none"),
        ([], "expected sequences, each an array (time, features), found none"),
    ],
)
def test_bad_input_is_told(tagger, X, message):
    with pytest.raises(DataError) as caught:
        tagger.predict(X)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"source": "frames", "char_encoder": "birnn"}}, "expected no model.char_encoder, which reads words"),
        ({"model": {"source": "frames", "vectors": ["a"]}}, "expected no model.vectors, which reads words"),
        ({"model": {"source": "frames", "document_context": True}}, "expected no model.document_context"),
        ({"model": {"source": "frames", "gazetteers": ["a"]}}, "expected no model.gazetteers"),
        ({"model": {"source": "frames"}, "data": {"tag_columns": ["a", "b"]}}, "expected no data.tag_columns"),
        ({"model": {"source": "frames"}, "data": {"layout": "tsv"}}, "expected auto or frames in data.layout"),
        ({"model": {"input_noise": 0.5}}, "expected model.source frames for model.input_noise, found tokens"),
        ({"data": {"layout": "frames"}}, "expected model.source frames for data.layout, found tokens"),
        ({"data": {"time_column": "t"}}, "expected model.source frames for data.time_column, found tokens"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_key(change, message):
    with pytest.raises(ConfigError) as caught:
        parse_config({"task": "tagging"} | change)
    assert message in str(caught.value)


def test_what_asks_for_nothing_is_taken():
    values = {"task": "tagging", "model": {"source": "frames", "char_encoder": "none", "spelling": False}}
    config = parse_config(values)
    assert isinstance(config, TaggingConfig)
    assert config.data.layout == "frames"
    assert parse_config(config.model_dump()) == config, "a stored configuration is read again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv: expected a header and frames of numbers, found an empty file"),
        ("id,x,y,z\na,1,2,3\n", "x.csv:1: expected a column 'label', found columns id, x, y, z; set data.tag_column"),
        ("id,x,y,z,label\na,1,2,3,\n", "x.csv:2: expected a label in column label, found nothing"),
        ("id,x,y,label\na,1,2,u\n", "x.csv:1: expected a column 'z', found columns id, x, y, label; set data.features"),
        ("id,x,y,z,label\na,1,2,3,u\nb,1,2,3,u\na,1,2,3,u\n", "x.csv:4: expected the rows of id 'a' together"),
    ],
)
def test_faults_of_files_are_told_with_their_keys(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    config = TaggingConfig.model_validate(
        {"task": "tagging", "model": {"source": "frames"}, "data": {"features": ["x", "y", "z"]}}
    )
    with pytest.raises(DataError) as caught:
        load_corpus(str(tmp_path / "x.csv"), reading_options(config.data))
    assert message in str(caught.value)


@pytest.mark.parametrize("X", [np.zeros((4, 2, 3)), [np.zeros((4, 3))], 7, []], ids=["array", "list", "number", "none"])
def test_arrays_without_labels_are_no_training_data(X):
    options = reading_options(parse_config({"task": "tagging", "model": {"source": "frames"}}).data)
    with pytest.raises(
        DataError, match=r"expected a path, a DataFrame, pairs \(frames, labels\) or labels in y, found"
    ):
        load_corpus(X, options)


def test_a_label_that_training_did_not_have_is_a_miss_and_named_once(tagger):
    X, y = DEV
    with pytest.warns(DataWarning, match=r"other \d+") as found:
        assert tagger.score(X[:4], [["other"] * len(labels) for labels in y[:4]]) == 0
    assert len(found) == 1


def test_spans_and_softmax():
    """Tags of a scheme are scored as spans; the other head works alike; a level of 1e12 survives."""
    X, y = sequences(60, 4, level=1e12)
    tags = [
        ["O" if one == "low" else "B-UP" if not n or labels[n - 1] == "low" else "I-UP" for n, one in enumerate(labels)]
        for labels in y
    ]
    tagger = Tagger(**settings(head="softmax")).fit(X[:45], tags[:45], (X[45:], tags[45:]))
    assert tagger.metrics_["dev"]["f1"] > 0.8
    assert set(tagger.metrics_["dev"]["per_type"]) == {"UP"}
    assert tagger.tag([np.array([[1e12 - 2, 0, 7], [1e12 + 2, 0, 7]])])[0].entities[0][:3] == ("UP", 1, 2)


def test_the_sample_holds_three_regimes_and_gaps():
    from seqtag.tagging.data.frame_samples import REGIMES, SEQUENCES, sample_table

    config = parse_config({"task": "tagging", "model": {"source": "frames"}})
    with pytest.warns(DataWarning, match=r"sample:regimes/test: \d+ of the numbers are missing"):
        corpus = load_corpus("sample:regimes/test", reading_options(config.data))
    assert len(corpus) == SEQUENCES["test"]
    assert {label for labels in corpus.tags for label in labels} == set(REGIMES)
    assert corpus.feature_names == ("x", "y")
    assert sample_table("sample:regimes/test").getvalue() == sample_table("sample:regimes/test").getvalue()
    with pytest.raises(
        DataError, match="expected sample:regimes/ and a split of train, dev, test, found 'sample:regimes/all'"
    ):
        sample_table("sample:regimes/all")
