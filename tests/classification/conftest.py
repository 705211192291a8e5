"""Fitted classifiers that the tests of this folder share: each is traced for some seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqtag import SequenceClassifier
from seqtag.classification.model import ClassificationModel

TRAINING = {"epochs": 2, "tensorboard": False, "learning_rate": 0.02, "batch_tokens": 200}


@pytest.fixture(scope="session")
def model(reviews_run: Path) -> ClassificationModel:
    """Texts, one label each, pooled by attention, with n-grams of words and characters."""
    return ClassificationModel.load(reviews_run)


@pytest.fixture(scope="session")
def topics() -> SequenceClassifier:
    """Texts with several labels, or none."""
    texts, labels = [], []
    for number in range(40):
        names = [name for bit, name in enumerate(("art", "sport")) if number >> bit & 1]
        texts.append(" ".join([*(f"{name}ish" for name in names), "a", "day"]))
        labels.append(names)
    classifier = SequenceClassifier(labels="several", units=4, word_dim=4, char_ngrams=3, training=TRAINING, verbose=0)
    return classifier.fit(texts, labels, validation_data=(texts, labels))


def waves(count: int, seed: int = 0) -> tuple[list[np.ndarray], list[str]]:
    """Sequences of two numbers a frame: of `up` the first rises, of `down` it falls; the second is missing at times."""
    rng = np.random.default_rng(seed)
    frames, labels = [], []
    for number in range(count):
        steps = int(rng.integers(3, 9))
        slope = 1.0 if number % 2 else -1.0
        values = np.stack([1000 + slope * np.arange(steps), rng.normal(size=steps)], axis=1)
        values[rng.random(steps) < 0.2, 1] = np.nan
        frames.append(values)
        labels.append("up" if number % 2 else "down")
    return frames, labels


@pytest.fixture(scope="session", name="waves")
def waves_fixture() -> Callable[..., tuple[list[np.ndarray], list[str]]]:
    """The function `waves`."""
    return waves


@pytest.fixture(scope="session")
def slopes() -> SequenceClassifier:
    """Frames of numbers, one label each."""
    X, y = waves(40)
    classifier = SequenceClassifier(source="frames", units=6, pooling="last", training=TRAINING, verbose=0)
    with pytest.warns(UserWarning, match="of the numbers are missing"):
        return classifier.fit(X, y)
