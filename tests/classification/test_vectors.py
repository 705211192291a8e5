"""Pretrained vectors: words that training never had are read by theirs, where the file is gone and when served too."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag import SequenceClassifier
from seqtag.errors import ConfigError

WORDS = {"good": 1.0, "great": 0.9, "fine": 1.1, "bad": -1.0, "awful": -1.1, "poor": -0.9}
TEXTS = ["good", "a great day", "bad", "an awful day"] * 12
LABELS = ["pos", "pos", "neg", "neg"] * 12


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "words.txt"
    path.write_text("".join(f"{word} {value} {2 * value}\n" for word, value in WORDS.items()), encoding="utf-8")
    settings = {"units": 6, "word_dim": 4, "word_ngrams": 0, "char_ngrams": 0, "dropout": 0.0, "word_dropout": 0.5}
    training = {"epochs": 6, "tensorboard": False, "learning_rate": 0.03, "batch_tokens": 40}
    found = SequenceClassifier(vectors=[str(path)], **settings, training=training, verbose=0)
    found.fit(TEXTS, LABELS, validation_data=(TEXTS, LABELS))
    path.unlink()
    return found


def test_words_that_training_never_had_are_read_by_their_vectors(classifier, tmp_path):
    texts = ["fine", "poor", "a fine day", "a poor day"]
    assert classifier.predict(texts).tolist() == ["pos", "neg", "pos", "neg"]
    assert classifier.metrics_["vectors"]["width"] == 2
    classifier.save(tmp_path / "run")
    expected = classifier.predict_proba(texts)
    np.testing.assert_array_equal(SequenceClassifier.load(tmp_path / "run").predict_proba(texts), expected)
    classifier.export(tmp_path / "exported")
    signature = tf.saved_model.load(str(tmp_path / "exported")).signatures["serving_default"]
    np.testing.assert_allclose(signature(text=tf.constant(texts))["scores"], expected, atol=1e-5)


def test_frozen_vectors_are_what_the_file_has(classifier):
    [member] = classifier.model_.network.members
    assert not member.representation.vectors.trainable_weights


def test_a_missing_file_is_named():
    with pytest.raises(Exception, match=r"no_such\.txt"):
        SequenceClassifier(vectors=["no_such.txt"], verbose=0).fit(TEXTS, LABELS, validation_data=(TEXTS, LABELS))
    with pytest.raises(ConfigError, match="vectors: expected none for frames, found some"):
        SequenceClassifier(source="frames", vectors=["a.txt"], verbose=0).fit([np.ones((3, 2))] * 4, ["a", "b"] * 2)
