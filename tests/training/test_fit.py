from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from seqtag.errors import RunError
from seqtag.tagging.config import ModelConfig, TaggingConfig, TrainingConfig
from seqtag.tagging.data.batches import TaggedBatches
from seqtag.tagging.data.corpus import TaggerInput, load_corpus
from seqtag.tagging.evaluation.evaluate import evaluate_model
from seqtag.tagging.fit import fit_tagging_model
from seqtag.tagging.network import decoding
from seqtag.tagging.network import network as tagger_network
from seqtag.training.recording import Recording

TRAINING = {"epochs": 4, "batch_tokens": 60, "learning_rate": 0.02, "patience": None}
# A network that is traced in a third of the time, for what holds of any network.
QUICK = {"cell": "gru", "head": "softmax", "char_encoder": "none"}


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(3)
    names, verbs = ["Ann", "Bo", "Cy", "Di"], ["saw", "met", "heard"]
    sentences = []
    for _ in range(60):
        name, verb, town = rng.choice(names), rng.choice(verbs), rng.choice(["New York", "Paris"])
        towns = town.split()
        extra = ["very", "late"] * int(rng.integers(0, 4))
        tokens = [name, verb, *towns, *extra]
        tags = ["B-PER", "O", "B-LOC", *["I-LOC"] * (len(towns) - 1), *["O"] * len(extra)]
        sentences.append((tokens, tags))
    return load_corpus(sentences)


def small(units=8, model=QUICK, **settings):
    """The configuration of a tiny tagger."""
    training = TrainingConfig(**(TRAINING | settings))
    return TaggingConfig(task="tagging", model=ModelConfig(units=units, word_dim=8, **model), training=training)


def fit(corpus, folder=None, resume=False, epochs=4, model=QUICK, **settings):
    config = small(epochs=epochs, model=model, **settings)
    return fit_tagging_model(corpus, corpus, config, Recording(folder, resume=resume))


def weights(model):
    return [variable.numpy() for variable in model.network.variables]


def without_seconds(history):
    return [{key: value for key, value in epoch.items() if key != "train_seconds"} for epoch in history]


@pytest.fixture(scope="module")
def learned(corpus):
    """A model with the network that one gets unless one asks for another, and the result of its fit."""
    return fit(corpus, epochs=6, model={})


@pytest.fixture(scope="module")
def recorded(corpus, tmp_path_factory):
    """The folder of a finished run, its model, and the result of its fit."""
    folder = tmp_path_factory.mktemp("recorded")
    return folder, *fit(corpus, folder)


@pytest.fixture(scope="module")
def unclipped(corpus):
    """A model that neither clipping nor penalties touched, and the result of its fit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqtag.training.fit.ProximalL1", None)
        return fit(corpus, epochs=1, clip_norm=None)


def test_it_learns(corpus, learned):
    model, result = learned
    assert evaluate_model(model, corpus).f1 > 0.9
    assert [epoch["epoch"] for epoch in result.history] == [1, 2, 3, 4, 5, 6]


def test_the_same_seed_gives_the_same_bits(corpus, learned):
    (one, first), (two, second) = learned, fit(corpus, epochs=6, model={})
    assert all(np.array_equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert without_seconds(first.history) == without_seconds(second.history)


@pytest.mark.parametrize(
    "settings",
    [
        {"ema": 0.9, "anneal_factor": 0.5, "anneal_patience": 1, "warmup_steps": 3, "decay": "cosine"},
        {"optimizer": "sgd", "learning_rate": 0.1, "l1": 1e-3, "row_l1": 1e-3},
    ],
    ids=["average and schedule", "sgd, sparse"],
)
def test_an_interrupted_run_ends_with_the_numbers_of_one_that_was_not(corpus, tmp_path, settings, monkeypatch):
    straight, expected = fit(corpus, tmp_path / "straight", **settings)

    class Interrupt(Exception):
        pass

    saves = []
    from seqtag.training.checkpoint import Checkpoint

    save = Checkpoint.save

    def save_and_stop(self):
        save(self)
        saves.append(1)
        if len(saves) == 2:
            raise Interrupt

    with monkeypatch.context() as patch, pytest.raises(Interrupt):
        patch.setattr(Checkpoint, "save", save_and_stop)
        fit(corpus, tmp_path / "broken", **settings)
    resumed, result = fit(corpus, tmp_path / "broken", resume=True, **settings)
    assert without_seconds(result.history) == without_seconds(expected.history)
    assert all(
        np.array_equal(a.numpy(), b.numpy())
        for a, b in zip(straight.network.trainable_variables, resumed.network.trainable_variables, strict=True)
    )


def test_resuming_a_finished_run_trains_no_more(corpus, recorded):
    folder, first, done = recorded
    again, result = fit(corpus, folder, resume=True)
    assert result.history == done.history
    assert all(
        np.array_equal(a.numpy(), b.numpy())
        for a, b in zip(first.network.trainable_variables, again.network.trainable_variables, strict=True)
    )


def test_penalties_leave_zeros_in_the_weights_that_are_kept_and_a_report(corpus):
    model, result = fit(corpus, l1=0.3, row_l1=1.0, epochs=6, model={})
    network = model.network
    kernel = network.representation.spelling_projection.kernel.numpy()
    words = network.representation.word_embedding.embeddings.numpy()
    assert (kernel == 0).mean() > 0.2
    assert not words[0].any(), "no token is looked up as padding"
    assert words.any()
    assert network.emission.bias.numpy().all() and network.head.transitions.numpy().any()
    assert evaluate_model(model, corpus).f1 > 0.9
    weights = {weight.name: weight for weight in result.sparsity.weights}
    assert weights["representation/spelling_projection/kernel"].zeros == (kernel == 0).sum()
    assert weights["representation/word_embedding/embeddings"].zero_rows == (~words.any(axis=1)).sum()
    assert result.to_metrics()["sparsity"] == result.sparsity.to_dict()
    assert 0 < result.history[0]["zeros"] < 1


def test_without_penalties_nothing_is_hooked_or_reported(unclipped):
    _, result = unclipped
    assert result.sparsity is None
    assert "sparsity" not in result.to_metrics() and "zeros" not in result.history[0]


def test_the_share_of_clipped_updates_is_in_the_history(corpus, unclipped):
    loose, tight = (fit(corpus, epochs=1, clip_norm=norm)[1].history[0] for norm in (1e9, 1e-9))
    free = unclipped[1].history[0]
    assert (loose["grad_clipped"], tight["grad_clipped"]) == (0.0, 1.0)
    assert "grad_clipped" not in free
    assert loose["loss"] == free["loss"] != tight["loss"]


def test_watching_the_gradients_goes_on_with_a_resumed_run(corpus, tmp_path):
    def watched(folder, epochs, resume=False):
        recording = Recording(folder / "checkpoints", folder / "logs", resume)
        return fit_tagging_model(
            corpus, corpus, small(epochs=epochs, monitor_every=2, model=QUICK | {"char_encoder": "cnn"}), recording
        )

    _, result = watched(tmp_path / "whole", 2)
    assert all(epoch["grad_norm_max"] >= epoch["grad_norm"] > 0 for epoch in result.history)
    assert "update_ratio/recurrent_0" in result.history[0]
    watched(tmp_path / "parts", 1)
    _, resumed = watched(tmp_path / "parts", 2, resume=True)
    assert without_seconds(resumed.history) == without_seconds(result.history)
    whole, parts = [(tmp_path / name / "logs/gradients/history.csv").read_text() for name in ("whole", "parts")]
    assert whole == parts


def test_a_checkpoint_of_another_model_is_refused(corpus, recorded):
    with pytest.raises(RunError, match="expected a checkpoint of this model, found other shapes"):
        fit_tagging_model(corpus, corpus, small(units=9), Recording(recorded[0], resume=True))


def test_the_best_epoch_is_kept_and_patience_ends_the_run(corpus):
    model, result = fit(corpus, epochs=30, patience=2)
    measures = [epoch["dev"] for epoch in result.history]
    assert len(measures) == result.best_epoch + 2 < 30
    assert result.best_epoch == 1 + int(np.argmax(measures))
    assert evaluate_model(model, corpus).f1 == pytest.approx(max(measures))


def test_a_loss_that_is_not_finite_ends_the_run_with_advice(corpus):
    with pytest.raises(RunError, match="expected a finite loss, found nan"):
        fit(corpus, learning_rate=1e30, clip_norm=None, model={})


@pytest.mark.parametrize(("precision", "model"), [("mixed_bfloat16", {}), ("mixed_float16", {"cell": "gru"})])
def test_mixed_precision_learns_too(corpus, precision, model):
    model, _ = fit(corpus, epochs=6, precision=precision, model=model)
    assert evaluate_model(model, corpus).f1 > 0.8


def test_the_stream_is_endless_and_every_pass_holds_all(corpus):
    sentences = SimpleNamespace(lengths=np.array([3, 5, 1, 9, 4, 4]), documents=None)
    stream = TaggedBatches(sentences, 9, seed=1)
    ahead = stream.after(0)
    seen = [next(ahead) for _ in range(40)]
    first_pass = np.concatenate(seen[: stream.steps])
    assert sorted(first_pass) == list(range(6))
    counts = np.bincount(np.concatenate(seen), minlength=6)
    assert counts.max() - counts.min() <= 1, "nothing is left out, pass after pass"
    later = stream.after(7)
    assert all(np.array_equal(a, next(later)) for a in seen[7:])


def test_a_step_is_traced_once_and_a_new_length_not_anew(corpus, unclipped, monkeypatch):
    model, _ = unclipped
    traces = []
    plain = decoding.sequence_mask
    for module in (tagger_network, decoding):
        monkeypatch.setattr(module, "sequence_mask", lambda batch: traces.append(1) or plain(batch))
    fit(corpus, epochs=2)
    while_training = len(traces)
    assert while_training == 2, "a graph to train, a graph to score"
    model.tag([TaggerInput(["Ann"])])
    once = len(traces)
    for length in range(2, 12):
        model.tag([TaggerInput(["Ann"] * length)])
    assert len(traces) == once, "tagging"
    fit(corpus, epochs=4, batch_tokens=12)
    assert len(traces) - once <= while_training, "training, on more and shorter batches"
