"""Taggers that read the states of a language model: built, fitted, stored, exported, resumed."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag import Tagger
from seqtag.cli import run
from seqtag.errors import ConfigError, RunError
from seqtag.language_model.config import DataConfig
from seqtag.language_model.config import ModelConfig as LanguageConfig
from seqtag.language_model.data.coder import TextCoder
from seqtag.language_model.model import FittedLanguageModel
from seqtag.language_model.network.build import build_network
from seqtag.models.language_network.directed import DirectedNetworks
from seqtag.models.language_network.word_states import STATES
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.batches import batch_of
from seqtag.tagging.data.corpus import ReadingOptions, TaggerInput, load_corpus
from seqtag.tagging.export import ServingTagger
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.gradient_report import report_gradients
from seqtag.tagging.kept_states import with_states
from seqtag.tagging.language_model import load_language_model
from seqtag.tagging.model import TaggingModel
from seqtag.training.checkpoint import FILE_NAME, Checkpoint

QUICK = {"units": 8, "word_dim": 4, "cell": "gru", "head": "softmax", "char_encoder": "none", "spelling": False}
QUICK |= {"context_features": False}
WIDTH = 5
# None of them is known from training: they differ by what the language model reads.
NEW = [["Rome"], ["Romulus"], ["saw", "x" * 100], ["🙂"], [], ["met", "cat", "Rome"]]


def written(folder, kind="characters", directions=2, text="Ann saw Paris and Rome."):
    """A run of a language model with random weights."""
    keras.utils.set_random_seed(5)
    coder = TextCoder.count(kind, [text])
    settings = LanguageConfig(cell="gru", units=WIDTH, embedding_dim=3)
    networks = DirectedNetworks([build_network(len(coder), settings) for _ in range(directions)])
    networks.build()
    for variable in networks.variables:
        if variable.dtype == "float32":
            variable.assign(keras.random.normal(variable.shape, stddev=0.8))
    folder.mkdir()
    FittedLanguageModel(networks, coder, data=DataConfig(documents="lines")).save(folder)
    return str(folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of language models by name."""
    folder = tmp_path_factory.mktemp("language_models")
    kinds = {"both": {}, "forward": {"directions": 1}, "words": {"kind": "words"}}
    return {name: written(folder / name, **arguments) for name, arguments in kinds.items()}


def varied(sentences, language_model, **model):
    """A model with random weights, whose answers depend on all that it reads."""
    keras.utils.set_random_seed(3)
    config = ModelConfig(**QUICK, language_model=language_model, **model)
    states = load_language_model(config)
    made = build_tagging_model(load_corpus(sentences), config, ReadingOptions(), language_model=states)
    kernel = made.network.emission.kernel
    kernel.assign(keras.random.normal(kernel.shape, stddev=10, seed=3))
    return made


def scores(tagged):
    return [np.array(sentence.scores) for sentence in tagged]


def assert_close(found, expected, atol=1e-5):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("kind", ["both", "forward"])
def test_answers_are_the_same_stored_alone_and_exported(sentences, runs, tmp_path, kind):
    model = varied(sentences, runs[kind])
    assert model.network.representation.language_states.width == WIDTH * (2 if kind == "both" else 1)
    inputs = list(map(TaggerInput, NEW))
    tagged = model.tag(inputs)
    unknown = [tagged[n].scores[0] for n in (0, 1, 3)]
    assert len(set(unknown)) == 3, "they differ by their states alone"
    assert_close([scores(model.tag([one]))[0] for one in inputs], scores(tagged))
    model.save(tmp_path)
    loaded = TaggingModel.load(tmp_path)
    assert loaded.tag(inputs) == tagged
    most = max(map(len, NEW))
    serving = ServingTagger(loaded)
    answer = serving.tag_tokens(tf.constant([[*tokens, *[""] * (most - len(tokens))] for tokens in NEW]))
    for n, sentence in enumerate(tagged):
        length = len(sentence.tokens)
        assert [tag.decode() for tag in answer["tags"][n, :length].numpy()] == sentence.tags
        np.testing.assert_allclose(answer["scores"][n, :length], sentence.scores, atol=1e-5)


def test_an_empty_word_is_read_as_a_space(sentences, runs):
    model = varied(sentences, runs["both"])
    found = model.tag([TaggerInput(["", "Rome"]), TaggerInput(["Rome"])])
    assert np.isfinite(found[0].scores).all() and found[0].scores[1] != found[1].scores[0]


def test_states_are_computed_once_for_each_distinct_sentence(sentences, runs):
    model = varied(sentences, runs["both"])
    layer = model.network.representation.language_states
    encoded = model.encode([*map(TaggerInput, NEW), TaggerInput(NEW[5]), TaggerInput(NEW[0])])
    kept = with_states(encoded, layer)
    assert kept.states.table.shape == (1 + sum(map(len, NEW)), 2 * WIDTH) and not np.any(kept.states.table[0])
    rows = kept.states.rows.to_list()
    assert rows[6] == rows[5] and rows[7] == rows[0] and rows[4] == []
    everything = np.arange(len(NEW) + 2)
    batch = batch_of(kept, everything)
    np.testing.assert_allclose(batch[STATES], layer(batch_of(encoded, everything)), atol=1e-3)
    assert model.decode_tags(kept) == model.decode_tags(encoded)


def test_states_that_change_or_are_too_many_are_computed_batch_by_batch(sentences, runs):
    inputs = list(map(TaggerInput, NEW))
    frozen, tuned = varied(sentences, runs["both"]), varied(sentences, runs["both"], tune_language_model=True)
    encoded = frozen.encode(inputs)
    needed = (1 + sum(map(len, NEW))) * 2 * WIDTH * 2
    layer = frozen.network.representation.language_states
    assert with_states(encoded, layer, needed).states is not None
    assert with_states(encoded, layer, needed - 1).states is None
    assert with_states(tuned.encode(inputs), tuned.network.representation.language_states).states is None


@pytest.mark.parametrize("tuned", [False, True])
def test_training_reaches_the_language_model_where_it_is_tuned_alone(sentences, runs, tuned):
    model = varied(sentences, runs["both"], tune_language_model=tuned)
    corpus = load_corpus(sentences)
    encoded = model.encode_corpus(corpus)
    batch = batch_of(encoded, np.arange(4))
    tags = [encoded.tags[0].indices[:4].to_tensor(-1)]
    of_states = {id(v) for v in model.network.representation.language_states.variables}
    trained = [v for v in model.network.trainable_variables if id(v) in of_states]
    assert bool(trained) == tuned
    with tf.GradientTape() as tape:
        loss = model.network.compute_loss(batch, tags, model.network(batch, training=True))
    gradients = tape.gradient(loss, [variable.value for variable in trained])
    assert all(gradient is not None for gradient in gradients)


def test_a_fitted_tagger_keeps_the_networks_of_the_run_and_needs_it_no_more(sentences, tmp_path):
    """A copy of the estimator by pickle, and one of its bundle, answer without the run."""
    path = written(tmp_path / "language_model")
    original = FittedLanguageModel.load(path).networks.forward.vectors.embeddings.numpy()
    training = {"epochs": 1, "batch_tokens": 120, "tensorboard": False}
    tagger = Tagger(**QUICK, language_model=path, training=training, verbose=0)
    assert tagger.get_params()["language_model"] == path
    tagger.fit(sentences, validation_data=sentences[:20])
    shutil.rmtree(path)
    answers = tagger.predict(NEW)
    tagger.save(tmp_path / "run")
    for again in (pickle.loads(pickle.dumps(tagger)), Tagger.load(tmp_path / "run")):
        assert again.predict(NEW) == answers
        network = again.model_.network.representation.language_states.networks[0]
        np.testing.assert_array_equal(network.vectors.embeddings, original)
    with pytest.raises(ConfigError, match=r"model.language_model: .*expected the directory of a finished run"):
        tagger.fit(sentences, validation_data=sentences[:20])


def test_a_resumed_run_gives_the_numbers_of_one_that_was_not_interrupted(job, runs, tmp_path, monkeypatch):
    settings = [f"model.language_model={runs['both']}", "training.epochs=2", "training.tensorboard=false"]
    settings += [f"model.{key}={value}" for key, value in QUICK.items()]
    arguments = [part for setting in settings for part in ("--set", setting)]
    save = Checkpoint.save

    def save_and_interrupt(self):
        save(self)
        raise KeyboardInterrupt

    assert run(["train", str(job / "job.yaml"), *arguments, "-o", str(tmp_path / "whole")]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save", save_and_interrupt)
        assert run(["train", str(job / "job.yaml"), *arguments, "-o", str(tmp_path / "run")]) == 1
    [path] = (tmp_path / "run.partial").rglob(FILE_NAME)
    with np.load(path, allow_pickle=False) as state:
        saved = [state[name].shape for name in state.files if name.startswith("model/")]
    assert run(["train", str(job / "job.yaml"), *arguments, "-o", str(tmp_path / "run"), "--resume"]) == 0
    whole, resumed = (TaggingModel.load(tmp_path / name).network for name in ("whole", "run"))
    for one, other in zip(whole.variables, resumed.variables, strict=True):
        if "seed" not in one.path:
            np.testing.assert_array_equal(one, other)
    vectors = whole.representation.language_states.networks[0].vectors.embeddings
    assert tuple(vectors.shape) not in saved, "what is frozen is in no checkpoint"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["model.language_model=none"], "model.language_model: none: expected the directory of a finished run"),
        (["model.language_model={words}"], "expected a run of a language model of characters, found one of words"),
        (["model.tune_language_model=true"], "expected a language_model for tune_language_model, found none"),
    ],
)
def test_runs_that_do_not_fit_are_refused_before_anything_is_written(job, refused, runs, tmp_path, settings, message):
    chosen = [part for setting in settings for part in ("--set", setting.format(**runs))]
    assert message in refused(2, "train", job / "job.yaml", *chosen, "-o", tmp_path / "run")
    assert not list(tmp_path.glob("run*"))


def test_a_run_of_another_task_is_refused(sentences, job, refused, runs, tmp_path):
    varied(sentences, runs["both"]).save(tmp_path)
    expected = f"model.language_model: {tmp_path}: expected a run of language_model, found one of tagging"
    setting = f"model.language_model={tmp_path}"
    assert expected in refused(2, "train", job / "job.yaml", "--set", setting, "-o", tmp_path / "run")


def test_a_bundle_with_other_characters_is_refused(sentences, runs, tmp_path):
    varied(sentences, runs["both"]).save(tmp_path)
    path = tmp_path / "encoders.json"
    whole = json.loads(path.read_text())
    size = len(whole["language_model"]["symbols"])
    fewer = whole["language_model"] | {"symbols": whole["language_model"]["symbols"][:-1]}
    moved = whole["language_model"] | {"symbols": whole["language_model"]["symbols"][::-1]}
    for symbols, message in (
        (fewer, f"a vocabulary of size {size + 2} as in model.keras, found {size + 1}"),
        (moved, "the row of the space"),
        (None, "a language model True as in model.keras, found False"),
    ):
        path.write_text(json.dumps(whole | {"language_model": symbols}))
        with pytest.raises(RunError, match=message):
            TaggingModel.load(tmp_path)


def test_a_long_sentence_is_read_in_windows(sentences, runs):
    model = varied(sentences, runs["both"])
    long = TaggerInput(["Rome", "saw", "cat"] * 1_400)
    encoded = model.encode([long, TaggerInput(["Rome"])])
    kept = with_states(encoded, model.network.representation.language_states)
    assert kept.states.table.shape[0] == 2, "the long one has no states"
    assert model.decode_tags(kept) == model.decode_tags(replace(kept, states=None))


def test_gradients_are_reported_of_what_is_trained(sentences, runs):
    report = report_gradients(varied(sentences, runs["both"]), load_corpus(sentences[:3]))
    assert list(report.flow.norms) == ["recurrent_0"]
