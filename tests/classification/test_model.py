"""What fitted classifiers answer: in any batch, saved and reloaded, exported, explained, of empty and unequal input."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from seqtag.classification.demo import classifier_demo
from seqtag.classification.explanation import explain
from seqtag.classification.export import export_saved_model
from seqtag.classification.model import ClassificationModel
from seqtag.cli import run
from seqtag.errors import ConfigError, DataError

TEXTS = ["a fine film", "", "so dull, so long", "unseen 東京 🙂 words", "x " * 60, "fine"]

CLIENT = """
import json, sys
sys.modules["seqtag"] = sys.modules["keras"] = None  # any import of them fails
import tensorflow as tf
answers = []
for call in json.load(sys.stdin):
    signature = tf.saved_model.load(call["folder"]).signatures["serving_default"]
    inputs = {name: tf.constant(value, kind) for name, (value, kind) in call["inputs"].items()}
    answers.append({name: value.numpy().tolist() for name, value in signature(**inputs).items()})
json.dump(answers, sys.stdout, default=bytes.decode)
"""


def test_answers_are_the_same_alone_and_in_any_batch(model):
    together = model.probabilities(TEXTS)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(model.probabilities([text])[0], row, atol=1e-5)
    assert model.probabilities([]).shape == (0, 2)
    assert model.answer(["a fine warm film", "dull, cold"])[0].labels == ("pos",)


def test_a_saved_model_answers_the_same(model, topics, slopes, waves, tmp_path):
    frames, _ = waves(6, seed=1)
    for name, one, asked in (("t", model, TEXTS), ("s", topics.model_, TEXTS), ("f", slopes.model_, frames)):
        (tmp_path / name).mkdir()
        one.save(tmp_path / name)
        again = ClassificationModel.load(tmp_path / name)
        np.testing.assert_array_equal(again.probabilities(asked), one.probabilities(asked))
        assert (again.threshold, again.kind) == (one.threshold, one.kind)


def test_exported_models_need_tensorflow_alone_and_answer_the_same(model, topics, slopes, waves, tmp_path):
    frames, _ = waves(5, seed=2)
    longest = max(map(len, frames))
    padded = [np.pad(one, [(0, longest - len(one)), (0, 0)]).tolist() for one in frames]
    lengths = [len(one) for one in frames]
    inputs = {
        "t": {"text": (TEXTS, "string")},
        "s": {"text": (TEXTS, "string")},
        "f": {"features": (padded, "float32"), "lengths": (lengths, "int32")},
    }
    models = {"t": model, "s": topics.model_, "f": slopes.model_}
    for name, one in models.items():
        export_saved_model(one, tmp_path / name)
    calls = [{"folder": str(tmp_path / name), "inputs": given} for name, given in inputs.items()]
    command = [sys.executable, "-c", CLIENT]
    done = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for (name, one), found in zip(models.items(), json.loads(done.stdout), strict=True):
        asked = frames if name == "f" else TEXTS
        np.testing.assert_allclose(found["scores"], one.probabilities(asked), atol=1e-5)
        expected = [answer.labels for answer in one.answer(asked)]
        given = [tuple(filter(None, row)) if name == "s" else (row,) for row in found["labels"]]
        assert given == expected and found["classes"] == one.labels.names


def test_several_labels(topics):
    assert topics.predict(["artish day", "a day", "sportish artish"]) == [["art"], [], ["art", "sport"]]
    assert topics.predict_proba(["a day"]).shape == (1, 2)
    assert topics.score(["artish"], [["art"]]) == 1.0


def test_frames_of_numbers(slopes, waves):
    X, y = waves(20, seed=3)
    assert slopes.classes_.tolist() == ["down", "up"]
    assert slopes.score(X, y) > 0.9
    with pytest.raises(DataError, match="sequence 0: expected frames of 2 numbers, found 3"):
        slopes.predict([np.zeros((4, 3))])
    with pytest.raises(DataError, match="sequence 0: expected numbers"):
        slopes.predict(["a text"])
    with pytest.raises(ConfigError, match="expected a run of texts, found one of frames"):
        slopes.explain(X)


def test_words_that_speak_for_an_answer(model):
    asked = ["a fine film", "dull", "", "a 東京 film"]
    for method in ("attention", "leave_one_out"):
        found = explain(model, asked, method)
        assert [len(one.weights) for one in found] == [3, 1, 0, 4]
        for one in found:
            assert [one.text[s:e] for s, e in zip(one.starts, one.ends, strict=True)] == one.tokens
        if method == "attention":
            assert [sum(one.weights) for one in found] == pytest.approx([1, 1, 0, 1])
    first = found[0]
    assert first.label == "pos" and np.argmax(first.weights) == 1
    without = model.probabilities(["a  film"])[0, model.labels.names.index("pos")]
    assert first.weights[1] == pytest.approx(first.score - without, abs=1e-5)
    assert f"[fine {first.weights[1]:+.2f}]" in first.to_text()
    html = first._repr_html_()
    assert "<b>pos</b>" in html and ">fine</span>" in html
    console = Console(file=StringIO(), force_terminal=True, color_system="standard")
    console.print(first)
    assert "\x1b[1;32mfine" in console.file.getvalue()


def test_html_and_terminals_get_no_markup_of_a_text(model):
    [one] = explain(model, ["<b>fine</b> [bold]\x1b[31m"])
    assert "<b>fine" not in one._repr_html_() and "&lt;" in one._repr_html_()
    console = Console(file=StringIO(), color_system=None)
    console.print(one)
    shown = console.file.getvalue()
    assert "\x1b" not in shown and "[bold]" in shown


def test_the_command_line_answers_and_explains(reviews_run, tmp_path, capsysbinary):
    file = tmp_path / "texts.txt"
    file.write_text("a fine film\n\ndull, long\n", encoding="utf-8")
    assert run(["predict", str(reviews_run), str(file)]) == 0
    assert len(capsysbinary.readouterr().out.decode().splitlines()) == 3
    arguments = ["predict", str(reviews_run), str(file), "--format", "jsonl", "--explain", "leave_one_out"]
    assert run(arguments) == 0
    lines = [json.loads(line) for line in capsysbinary.readouterr().out.decode().splitlines()]
    assert [set(line) for line in lines] == [{"label", "score", "scores", "words"}] * 3
    assert lines[0]["score"] == max(lines[0]["scores"].values())
    assert [word["text"] for word in lines[0]["words"]] == ["a", "fine", "film"] and lines[1]["words"] == []
    assert run(["predict", str(reviews_run), str(file), "--explain", "attention"]) == 0
    assert capsysbinary.readouterr().out.decode().splitlines()[1].split("\t")[1] == ""


def test_the_page_answers_and_explains(model, slopes):
    page = classifier_demo(model, model.data)
    answer = page.answer({"source": "a fine film\ndull\n"}, {})
    assert answer.blocks[0].header == ["label", "neg", "pos", "text"] and answer.blocks[0].rows[0][0] == "pos"
    assert answer.blocks[1].rows[0][0] == "fine" and len(answer.files["labels.jsonl"].splitlines()) == 2
    frames = classifier_demo(slopes.model_, slopes.model_.data)
    answer = frames.answer({"source": "id,x,y\na,1000,0\na,1001,1\na,1002,0\n"}, {})
    assert answer.blocks[0].rows[0][3] == "sequence 1: 3 frames" and len(answer.blocks) == 1


def test_faults_on_the_command_line_are_one_line(reviews_run, reviews, tmp_path, refused):
    one = tmp_path / "one.tsv"
    one.write_text("text\tlabel\na\tx\nb\tx\n", encoding="utf-8")
    told = refused(1, "train", reviews / "job.yaml", "-o", tmp_path / "run", "--set", f"data.train={one}")
    assert told == f"{one}: expected texts of two labels at least, found 'x' alone"
    told = refused(2, "train", reviews / "job.yaml", "-o", tmp_path / "run", "--set", "training.class_weights={pox: 2}")
    assert told == "training.class_weights: expected labels of the data, found 'pox', did you mean 'pos'?"
    frames = tmp_path / "a.csv"
    frames.write_text("id,x,label\na,1,pos\n", encoding="utf-8")
    told = refused(2, "evaluate", reviews_run, frames, "--layout", "frames")
    assert told == "model.source: expected frames for the layout frames, found text"
    assert not list(tmp_path.glob("run*"))


def test_an_unseen_label_counts_as_an_error_and_is_named_once(reviews_run, tmp_path, capsys):
    file = tmp_path / "new.tsv"
    file.write_text("text\tlabel\nfine\tpos\nfine\tnew\nfine\tnew\n", encoding="utf-8")
    assert run(["evaluate", str(reviews_run), str(file), "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["accuracy"] == pytest.approx(1 / 3)
    assert [line for line in shown.err.splitlines() if "new" in line] == [
        f"warning: {file}:3: found labels that training did not have, which count as errors: 'new'"
    ]
