from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from seqtag.diagnostics.sparsity import WeightSparsity, sparsity


@pytest.fixture
def model():
    layers = [keras.layers.Embedding(4, 3, name="words"), keras.layers.Dense(2, name="out")]
    made = keras.Sequential([keras.Input((None,), dtype="int32"), *layers], name="model")
    words = [[0, 0, 0], [0, 1, 0], [2, 3, 4], [0, 0, -0.0]]
    made.set_weights([np.float32(words), np.float32([[0, 1], [0, 0], [1, 1e-30]]), np.float32([0, 1])])
    return made


def test_counts_by_hand(model):
    report = sparsity(model)
    assert report.weights == [
        WeightSparsity("words/embeddings", (4, 3), 12, 8, 4, 2),
        WeightSparsity("out/kernel", (3, 2), 6, 3, 3, 1),
        WeightSparsity("out/bias", (2,), 2, 1, 0, 0),
    ]
    assert (report.parameters, report.zeros, report.share) == (20, 12, 0.6)


def test_as_json_and_as_text(model):
    report = sparsity(model)
    found = json.loads(json.dumps(report.to_dict()))
    assert [found[key] for key in ("parameters", "zeros", "share", "left")] == [20, 12, 0.6, 8]
    wanted = {"shape": [3, 2], "parameters": 6, "zeros": 3, "rows": 3, "zero_rows": 1, "share": 0.5}
    assert found["weights"]["out/kernel"] == wanted
    lines = [line.split() for line in report.to_text().splitlines()]
    assert lines[1] == ["words/embeddings", "12", "4", "66.7%", "2", "of", "4"]
    assert lines[3] == ["out/bias", "2", "1", "50.0%"]
    assert lines[4] == ["all", "20", "8", "60.0%"]
    assert len({line.index("%") for line in report.to_text().splitlines()[1:]}) == 1, "columns stand in line"


def test_what_does_not_train_is_not_counted(model):
    model.get_layer("words").trainable = False
    assert [weight.name for weight in sparsity(model).weights] == ["out/kernel", "out/bias"]


def test_bad_models():
    with pytest.raises(TypeError, match="expected model to be a Keras model, found int"):
        sparsity(3)
    with pytest.raises(ValueError, match="expected a built model"):
        sparsity(keras.Sequential([keras.layers.Dense(1)]))
    empty = keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.1)])
    with pytest.raises(ValueError, match="expected a"):
        sparsity(empty)
