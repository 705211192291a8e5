"""Several networks as one: the mean of their scores, in one search, one bundle and one SavedModel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from seqtag import Tagger
from seqtag.errors import RunError
from seqtag.tagging.data.batches import batch_of
from seqtag.tagging.data.corpus import TaggerInput, load_corpus
from seqtag.tagging.network.ensemble import as_one, members_of

SENTENCES = [
    (["Ann", "saw", "New", "York"], ["B-PER", "O", "B-LOC", "I-LOC"]),
    (["it", "rains"], ["O", "O"]),
    (["Bo", "left", "Ann"], ["B-PER", "O", "B-PER"]),
]
INPUTS = [["Ann", "rains"], ["New", "York", "saw", "it"], [], ["unseen"]]
SETTINGS = {"units": 5, "word_dim": 6, "char_encoder": "none", "verbose": 0}
TRAINING = {"epochs": 2, "batch_tokens": 40, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def tagger():
    made = Tagger(ensemble_size=2, training=TRAINING, **SETTINGS)
    return made.fit(SENTENCES * 8, validation_data=SENTENCES)


def batch(model, tokens):
    return batch_of(model.encode([TaggerInput(words) for words in tokens]), np.arange(len(tokens)))


def score_of(member, emissions, path):
    start, transitions, end = (np.array(table) for table in member.columns[0].scores)
    score = start[path[0]] + end[path[-1]] + sum(emissions[t, tag] for t, tag in enumerate(path))
    return score + sum(transitions[one, two] for one, two in itertools.pairwise(path))


def test_the_best_sequence_has_the_best_mean_score(tagger):
    model, members = tagger.model_, tagger.model_.network.members
    inputs = batch(model, [["Ann", "saw", "York"]])
    emissions = [member(inputs).numpy()[0] for member in members]
    assert np.abs(emissions[0] - emissions[1]).max() > 0.01  # their seeds differ
    start, transitions, end = (np.array(table) for table in model.codec.constraints())
    legal = [
        path
        for path in itertools.product(range(len(model.codec.labels)), repeat=3)
        if start[path[0]] and end[path[-1]] and all(transitions[pair] for pair in itertools.pairwise(path))
    ]
    scores = [np.mean([score_of(m, e, path) for m, e in zip(members, emissions, strict=True)]) for path in legal]
    [decoded] = model.network.decode(inputs)
    assert tuple(decoded["tags"].numpy()[0]) == legal[int(np.argmax(scores))]
    np.testing.assert_allclose(decoded["emissions"][0], np.mean(emissions, axis=0), atol=1e-5)
    weights = np.exp((np.array(scores) - max(scores)) / model.calibration.temperature)
    found = model.candidates(model.encode([TaggerInput(["Ann", "saw", "York"])]), 3)[0]
    np.testing.assert_allclose([one.score for one in found], np.sort(weights / weights.sum())[::-1][:3], atol=1e-5)


def test_one_network_is_itself(tagger):
    member = tagger.model_.network.members[0]
    assert as_one([member]) is member and members_of(member) == [member]
    twice = tagger.model_.with_members([member, member])
    alone = tagger.model_.with_members([member])
    inputs = [TaggerInput(tokens) for tokens in INPUTS]
    for one, two in zip(twice.tag(inputs), alone.tag(inputs), strict=True):
        assert one.tags == two.tags
        np.testing.assert_allclose(one.scores, two.scores, atol=1e-6)


def test_epochs_are_told_apart(tagger):
    assert [(row["member"], row["epoch"]) for row in tagger.history_] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_it_is_stored_and_exported(tagger, tmp_path):
    tagged = tagger.tag(INPUTS)
    tagger.save(tmp_path / "run")
    again = Tagger.load(tmp_path / "run")
    assert again.ensemble_size == 2 and len(again.model_.network.members) == 2
    for one, two in zip(again.tag(INPUTS), tagged, strict=True):
        assert (one.tags, one.scores) == (two.tags, two.scores)
    tagger.export(tmp_path / "exported")
    signature = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    found = signature(tokens=tf.ragged.constant(INPUTS).to_tensor(""))
    for row, one in enumerate(tagged):
        length = int(found["lengths"][row])
        assert [tag.decode() for tag in found["tags"].numpy()[row][:length]] == one.tags
        np.testing.assert_allclose(found["scores"].numpy()[row][:length], one.scores, atol=1e-5)


def test_a_bundle_whose_members_differ_in_size_is_refused(tagger, tmp_path):
    import json
    import zipfile

    tagger.save(tmp_path / "run")
    path = tmp_path / "run" / "encoders.json"
    encoders = json.loads(path.read_text())
    with zipfile.ZipFile(tmp_path / "run" / "model.keras") as file:
        assert '"members"' in file.read("config.json").decode()
    encoders["words"]["symbols"] = encoders["words"]["symbols"][:-1]
    path.write_text(json.dumps(encoders))
    with pytest.raises(RunError):
        Tagger.load(tmp_path / "run")


def test_loss_and_gradients_are_those_of_a_member(tagger):
    from seqtag.tagging.gradient_report import report_gradients

    report = report_gradients(tagger.model_, load_corpus(SENTENCES))
    member = report_gradients(tagger.model_.with_members(tagger.model_.network.members[:1]), load_corpus(SENTENCES))
    assert report.flow.loss == pytest.approx(member.flow.loss)
