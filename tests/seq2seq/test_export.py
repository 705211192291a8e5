"""Exported models, in a process that imports TensorFlow alone."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
import tensorflow as tf

from seqtag.errors import DataWarning, RunError
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.export import export_saved_model

TRAIN = Pairs(
    ["Ann saw Bo.", "it rains", "it rains", "No!"],
    ["Bo saw Ann.", "rain: it", "it rains", "Yes!"],
    [("N", "1"), ("V", "1"), ("V", "1"), ("N", "2")],
)
SOURCES = ["Ann saw Bo.", "", "it rains", "Zoë didn't see 東京, 🙂.", "  No!  ", "No!", "x " * 60, "saw"]
FEATURES = [("N", "1"), ("N", "1"), ("V", "1"), ("unseen", "2"), ("N", "2"), ("N", "2"), ("V", "1"), ("N", "2")]
# The same as a file or a list of them is read.
ASKED = Pairs([source.strip() for source in SOURCES], features=FEATURES)
FRAMES = [np.random.default_rng(n).normal(20, 3, (time, 2)).astype("float32") for n, time in enumerate((5, 1, 9, 3))]

# What a client does who has TensorFlow and nothing of ours.
CLIENT = """
import json, sys
sys.modules["seqtag"] = sys.modules["keras"] = None  # any import of them fails
import tensorflow as tf
calls, answers = json.load(sys.stdin), []
loaded = {folder: tf.saved_model.load(folder) for folder in {call["folder"] for call in calls}}
for call in calls:
    signature = loaded[call["folder"]].signatures[call["signature"]]
    arguments = {name: tf.constant(value, kind, shape) for name, (value, kind, shape) in call["inputs"].items()}
    answers.append({name: value.numpy().tolist() for name, value in signature(**arguments).items()})
assert sys.modules["seqtag"] is None and sys.modules["keras"] is None
json.dump(answers, sys.stdout, default=bytes.decode)
"""


def ask(*calls):
    """Answers in another process; a call is (folder, signature, {input: array})."""
    kinds = {"source": "string", "features": "string", "frames": "float32", "lengths": "int32"}
    request = [
        {
            "folder": str(folder),
            "signature": name,
            "inputs": {key: (np.ravel(value).tolist(), kinds[key], np.shape(value)) for key, value in inputs.items()},
        }
        for folder, name, inputs in calls
    ]
    command = [sys.executable, "-c", CLIENT]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answered(model, pairs, n_best):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return model.answer(pairs, n_best=n_best)


@pytest.fixture(scope="module")
def texts(unfitted):
    """A model with all that one of texts may have."""
    return unfitted(
        TRAIN,
        members=2,
        evaluation={"beam": 3, "coverage_penalty": 0.2},
        source="words",
        target="words",
        copies=True,
        dictionary=True,
        max_length=4,
    )


@pytest.fixture(scope="module")
def frames(unfitted):
    train = Pairs(FRAMES[:3], ["up", "down", "flat"])
    return unfitted(train, evaluation={"beam": 1}, source="frames", target="characters", attention=None, max_length=4)


@pytest.fixture(scope="module")
def folders(texts, frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    for name, model in (("texts", texts), ("frames", frames)):
        export_saved_model(model, folder / name)
    return folder


@pytest.fixture(scope="module")
def answers(folders):
    """All that the tests below ask, in one process."""
    padded = np.zeros((4, 11, 2), np.float32) - 3
    for row, values in zip(padded, FRAMES, strict=True):
        row[: len(values)] = values
    # Files and Python strip white space; a caller of the SavedModel need not.
    spaced = [tuple(f" {value}\n" for value in row) for row in FEATURES]
    everything = {"source": [f"\t{source} " for source in SOURCES], "features": spaced}
    calls = {
        "texts": (folders / "texts", "serving_default", everything),
        "one": (folders / "texts", "serving_default", {"source": SOURCES[3:4], "features": FEATURES[3:4]}),
        "empty": (folders / "texts", "serving_default", {"source": [""], "features": [("N", "1")]}),
        "none": (folders / "texts", "serving_default", {"source": [], "features": np.zeros((0, 2), str)}),
        "no attention": (folders / "texts", "attention", {"source": [], "features": np.zeros((0, 2), str)}),
        "attention": (folders / "texts", "attention", everything),
        "frames": (folders / "frames", "serving_default", {"frames": padded, "lengths": [5, 1, 9, 3]}),
        "no frames": (folders / "frames", "serving_default", {"frames": padded[:2], "lengths": [0, 5]}),
    }
    return dict(zip(calls, ask(*calls.values()), strict=True))


def test_signatures(folders):
    def spec(specs):
        return {name: (tensor.dtype.name, tensor.shape.as_list()) for name, tensor in specs.items()}

    both = {name: tf.saved_model.load(str(folders / name)).signatures for name in ("texts", "frames")}
    assert set(both["texts"]) == {"serving_default", "attention"}
    assert set(both["frames"]) == {"serving_default"}, "without attention there is nothing to show"
    inputs = {name: found["serving_default"].structured_input_signature[1] for name, found in both.items()}
    assert spec(inputs["texts"]) == {"source": ("string", [None]), "features": ("string", [None, 2])}
    assert spec(inputs["frames"]) == {"frames": ("float32", [None, None, 2]), "lengths": ("int32", [None])}
    found = spec(both["texts"]["serving_default"].structured_outputs)
    assert {name: kind for name, (kind, _) in found.items()} == {"target": "string", "score": "float32"}
    assert set(both["texts"]["attention"].structured_outputs) == {"symbols", "weights"}


def compare(answer, wanted, n):
    """An exported answer against `Answer` objects of n candidates."""
    assert np.shape(answer["target"]) == np.shape(answer["score"]) == (len(wanted), n)
    for targets, scores, one in zip(answer["target"], answer["score"], wanted, strict=True):
        found = [candidate.target for candidate in one.candidates]
        assert targets == found + [""] * (n - len(found))
        np.testing.assert_allclose(scores[: len(found)], [c.score for c in one.candidates], atol=1e-5)
        assert not any(scores[len(found) :])


def test_texts_are_answered_as_predict_does(texts, answers):
    wanted = answered(texts, ASKED, n_best=3)
    assert [one.by for one in wanted].count("dictionary") == 3
    assert [len(one.candidates) for one in wanted].count(3) == 4, "all but the empty source and the dictionary's"
    compare(answers["texts"], wanted, 3)
    compare(answers["one"], wanted[3:4], 3)


def test_an_empty_source_and_none(answers):
    assert answers["empty"] == {"target": [["", "", ""]], "score": [[1, 0, 0]]}
    assert answers["none"] == {"target": [], "score": []}
    assert answers["no attention"] == {"symbols": [], "weights": []}


def test_frames_are_answered_as_predict_does(frames, answers):
    compare(answers["frames"], answered(frames, Pairs(FRAMES), n_best=1), 1)
    assert (answers["no frames"]["target"][0], answers["no frames"]["score"][0]) == ([""], [1.0])


def test_attention_is_that_of_the_best_target(texts, answers):
    texts_alone = type(texts)(texts.network, texts.coders, texts.bound, texts.search)
    wanted = answered(texts_alone, ASKED, n_best=1)
    found = answers["attention"]
    for row, (source, columns, one) in enumerate(zip(ASKED.sources, FEATURES, wanted, strict=True)):
        # A joiner mark at the beginning is lost in a text, whose symbols are others then.
        if not source or found["symbols"][row][0].startswith("￭"):
            continue
        names, symbols, weights = texts_alone.attention(source, columns, one.target)
        length = len(symbols)
        assert found["symbols"][row][: length - 1] == symbols[:-1]
        assert not any(found["symbols"][row][length - 1 :])
        np.testing.assert_allclose(np.array(found["weights"][row])[:length, : len(names)], weights, atol=1e-5)
        assert not np.any(np.array(found["weights"][row])[length:])


def test_bytes_that_are_not_utf8_are_answered_too(folders):
    serve = tf.saved_model.load(str(folders / "texts")).signatures["serving_default"]
    found = serve(source=tf.constant([b"Ann \xff\xfe saw \xc3"]), features=tf.constant([["N", "1"]]))
    assert found["target"].shape == (1, 3) and 0 < float(found["score"][0, 0]) <= 1


def test_what_is_there_is_not_overwritten(texts, folders):
    before = sorted(folders.rglob("*"))
    with pytest.raises(RunError, match="expected a new directory, found one"):
        export_saved_model(texts, folders / "texts")
    assert sorted(folders.rglob("*")) == before
