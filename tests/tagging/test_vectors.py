"""Taggers with pretrained word vectors: fitted, stored, exported, resumed."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag import Tagger
from seqtag.cli import run
from seqtag.data.text.vectors.lookup import VectorLookup
from seqtag.data.text.vectors.parsed import Subwords
from seqtag.data.text.vectors.store import WordVectors
from seqtag.errors import ConfigError, RunError
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput, load_corpus
from seqtag.tagging.export import ServingTagger
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.model import TaggingModel
from seqtag.training.checkpoint import FILE_NAME, Checkpoint

QUICK = {"units": 8, "word_dim": 4, "cell": "gru", "head": "softmax", "char_encoder": "none", "spelling": False}
QUICK |= {"context_features": False}
WORDS = ["Ann", "ann", "Paris", "saw", "00", "Rome", "met"]
MATRIX = np.random.default_rng(2).normal(size=(len(WORDS) + 9, 3)).astype(np.float32)
SUBWORDS = Subwords(2, 3, 9)
# None of them is known from training; the first two have vectors of their own.
NEW = [["Rome"], ["42"], ["Romulus"], ["x" * 100], ["🙂"], ["cat", "Rome"], []]


@pytest.fixture(scope="module")
def glove(job):
    path = job / "glove.txt"
    lines = [f"{word} {' '.join(map(str, row))}\n" for word, row in zip(WORDS, MATRIX.tolist(), strict=False)]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def varied(sentences, vectors):
    """A model with random weights, whose answers depend on all that it reads."""
    keras.utils.set_random_seed(3)
    model = build_tagging_model(load_corpus(sentences), ModelConfig(**QUICK), ReadingOptions(), vectors=vectors)
    kernel = model.network.emission.kernel
    kernel.assign(keras.random.normal(kernel.shape, stddev=10, seed=3))
    return model


def test_words_that_training_never_saw_have_vectors_in_process_stored_and_exported(sentences, tmp_path):
    model = varied(sentences, WordVectors(WORDS, MATRIX, SUBWORDS))
    tagged = model.tag(list(map(TaggerInput, NEW)))
    alone = [sentence.scores[0] for sentence in tagged[:5]]
    assert len(set(alone)) == 5, "they differ by their vectors alone"
    model.save(tmp_path)
    loaded = TaggingModel.from_dict(
        keras.saving.load_model(tmp_path / "model.keras"), json.loads((tmp_path / "encoders.json").read_text())
    )
    assert loaded.tag(list(map(TaggerInput, NEW))) == tagged
    serving = ServingTagger(loaded)
    padded = [[*tokens, *[""] * (2 - len(tokens))] for tokens in NEW]
    answer = serving.tag_tokens(tf.constant(padded))
    for n, sentence in enumerate(tagged):
        np.testing.assert_allclose(answer["scores"][n, : len(sentence.tokens)], sentence.scores, atol=1e-6)


def test_a_bundle_with_other_words_is_refused(sentences, tmp_path):
    varied(sentences, WordVectors(WORDS, MATRIX[: len(WORDS)])).save(tmp_path)
    encoders = json.loads((tmp_path / "encoders.json").read_text())
    encoders["vectors"]["words"].pop()
    (tmp_path / "encoders.json").write_text(json.dumps(encoders))
    with pytest.raises(RunError, match=r"expected a table of word vectors of rows 8 as in model.keras, found 7"):
        TaggingModel.load(tmp_path)


@pytest.mark.parametrize("subwords", [[0, 10**9, 5], [3, 6, 0], [3, 6, 2.0], "abc", [1]])
def test_a_bundle_with_odd_n_grams_is_refused(subwords):
    with pytest.raises(ValueError):
        VectorLookup.from_dict({"words": ["a"], "subwords": subwords})


def test_no_checkpoint_holds_vectors_that_are_not_trained(sentences, tmp_path):
    vectors = WordVectors(WORDS, MATRIX[: len(WORDS)])
    model = varied(sentences, vectors)
    model.network.compile("sgd")
    rest = SimpleNamespace(step=0, scale=1.0, updates=0, average=[], best=0.0, best_epoch=-1, best_weights=[])
    checkpoint = Checkpoint(tmp_path, rest, rest, rest)
    checkpoint.set_model(model.network)
    checkpoint.save()
    with np.load(tmp_path / FILE_NAME, allow_pickle=False) as state:
        stored = [state[name].shape for name in state.files if name.startswith("model/")]
    kernel = model.network.emission.kernel
    before = kernel.numpy()
    kernel.assign(0 * before)
    assert checkpoint.restore()
    np.testing.assert_array_equal(kernel, before)
    table = model.network.representation.vectors.vectors
    np.testing.assert_array_equal(table[1:], vectors.matrix)
    assert tuple(table.shape) not in stored and tuple(kernel.shape) in stored


def test_the_estimator_takes_them_and_keeps_what_it_has_seen(sentences, glove, capsys):
    training = {"epochs": 1, "batch_tokens": 120, "learning_rate": 0.03, "tensorboard": False}
    tagger = Tagger(**QUICK, vectors=[str(glove)], keep_vectors="seen", training=training, verbose=0)
    assert tagger.get_params()["vectors"] == [str(glove)]
    tagger.fit(sentences, validation_data=sentences[:20])
    assert capsys.readouterr().err == ""
    lookup, table = tagger.model_.encoder.vectors, tagger.model_.network.representation.vectors.vectors
    assert list(lookup.words) == ["Ann", "met", "Paris", "saw"]
    np.testing.assert_array_equal(table[1:], MATRIX[[WORDS.index(word) for word in lookup.words]])
    told = tagger.metrics_["vectors"]
    assert (told["words"], told["width"]) == (4, 3)
    assert told["dev"]["types"]["exact"] == 4 and told["dev"]["types"]["missing"] > 0
    assert not glove.parent.joinpath("vectors.cache").exists()
    with pytest.raises(ConfigError, match="keep_vectors: expected 'seen' as in the fit, found 'all'; fit again"):
        tagger.set_params(keep_vectors="all").predict([["Ann"]])


def test_a_resumed_run_needs_no_vector_file(job, glove, tmp_path, monkeypatch, capfd):
    """Nor does the finished one. Vectors are trained from the second epoch on, those of other words stay."""
    shutil.copy(glove, tmp_path / "vectors.txt")
    settings = [f"model.vectors=[{tmp_path / 'vectors.txt'}]", "data.vector_dims=[3]", "model.tune_vectors=1"]
    settings += [*(f"model.{key}={value}" for key, value in QUICK.items()), "training.epochs=2"]
    arguments = ["train", str(job / "job.yaml"), "-o", str(tmp_path / "runs" / "run")]
    arguments += [part for setting in settings for part in ("--set", setting)]
    save = Checkpoint.save

    def save_and_interrupt(self):
        save(self)
        table = self.model.representation.vectors.vectors.numpy()
        np.testing.assert_array_equal(table[1:], MATRIX[: len(WORDS)])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_interrupt)
        assert run(arguments) == 1
    assert "word vectors: 7 words, 3 numbers each; dev: " in capfd.readouterr().err
    assert [entry.name[:11] for entry in (tmp_path / "runs" / "vectors.cache").iterdir()] == ["vectors.txt"]
    shutil.rmtree(tmp_path / "runs" / "vectors.cache")
    (tmp_path / "vectors.txt").unlink()
    assert run([*arguments, "--resume"]) == 0
    finished = tmp_path / "runs" / "run"
    assert not (finished / "prepared").exists()
    table = TaggingModel.load(finished).network.representation.vectors.vectors.numpy()[1:]
    moved = [word for n, word in enumerate(WORDS) if (table[n] != MATRIX[n]).any()]
    assert moved == ["Ann", "Paris", "saw", "met"]
    metrics = json.loads((finished / "metrics.json").read_text())["vectors"]
    assert metrics["words"] == 7 and sorted(metrics) == ["dev", "test", "train", "width", "words"]
    (tmp_path / "new.tsv").write_text("Rome\nsaw\nann\n")
    assert run(["predict", str(finished), str(tmp_path / "new.tsv")]) == 0


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        (["model.vectors=[none.txt]"], 1, "none.txt: expected a readable file, found: no such file or directory"),
        (["model.vectors=[glove.txt]", "data.vector_dims=[9]"], 1, "glove.txt: expected vectors of 9 numbers as in"),
        (["model.vectors=[glove.txt]", "data.vector_dims=[3, 3]"], 2, "data.vector_dims: expected 1, one for each of"),
        (["model.vectors=glove.txt"], 2, "model.vectors: input should be a valid tuple, found 'glove.txt'"),
        (["model.tune_vectors=-1"], 2, "model.tune_vectors"),
        (["model.tune_vectors=0"], 2, "model.tune_vectors"),
    ],
)
def test_faults_of_a_configuration_leave_nothing(job, glove, refused, tmp_path, settings, code, message):
    chosen = [part for setting in settings for part in ("--set", setting)]
    assert message in refused(code, "train", job / "job.yaml", *chosen, "-o", tmp_path / "run")
    assert not list(tmp_path.glob("run*"))


def test_inspect_says_how_vectors_cover_a_corpus(job, glove, tmp_path, capsys):
    (tmp_path / "new.tsv").write_text("Rome\tB-LOC\n42\tO\nANN\tB-PER\ncat\tO\n")
    arguments = ["inspect", str(job / "train.tsv"), str(tmp_path / "new.tsv"), "--vectors", str(glove)]
    assert run(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        "  word vectors: 75.0% of tokens and 75.0% of distinct words have vectors; tokens: exact 25.0%, lower 25.0%, "
        "digits 25.0%, missing 25.0%"
    ) in lines
    assert "100.0% of tokens unseen, 75.0% of them with word vectors" in lines[-1]
    assert run([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"][1]["vectors"]["tokens"] == {"exact": 1, "lower": 1, "digits": 1, "subwords": 0, "missing": 1}
