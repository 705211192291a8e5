"""The monitor's figures against a training written out with a tape, in every way that Keras runs a step."""

from __future__ import annotations

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.callbacks import GradientMonitor


def fit(tiny, monitor, optimizer=None, policy="float32", epochs=1, **options):
    model = tiny.build(policy)
    model.compile(optimizer or keras.optimizers.SGD(tiny.rate), loss="mse", **{"jit_compile": False, **options})
    callbacks = [] if monitor is None else [monitor]
    history = model.fit(
        tiny.x, tiny.y, batch_size=tiny.batch, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks
    )
    return model, history.history


def norm(values):
    return float(np.sqrt(sum((value**2).sum() for value in values)))


WAYS = {
    "plain": {},
    "several steps an execution": {"steps_per_execution": 4},
    "jit": {"jit_compile": True},
    "eager": {"run_eagerly": True},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_epoch_figures_equal_a_tape(tiny, way):
    _, history = fit(tiny, GradientMonitor(every=1), **way)
    steps = tiny.written_out(keras.optimizers.SGD(tiny.rate), tiny.x, tiny.y)
    norms = [norm(step["gradients"]) for step in steps]
    np.testing.assert_allclose(history["grad_norm"], [np.mean(norms)], rtol=1e-4)
    np.testing.assert_allclose(history["grad_norm_max"], [np.max(norms)], rtol=1e-4)
    assert history["grad_non_finite"] == [0]
    layers = {"words": slice(0, 1), "gru": slice(1, 4), "out": slice(4, 6)}
    for name, part in layers.items():
        wanted = np.mean([norm(step["gradients"][part]) for step in steps])
        np.testing.assert_allclose(history[f"grad_norm/{name}"], [wanted], rtol=1e-4)
    for name in ("gru", "out"):
        part = layers[name]
        changes = [norm([a - b for a, b in zip(s["after"][part], s["before"][part], strict=True)]) for s in steps]
        wanted = np.mean([change / norm(s["before"][part]) for change, s in zip(changes, steps, strict=True)])
        np.testing.assert_allclose(history[f"update_ratio/{name}"], [wanted], rtol=1e-3)


def test_an_embedding_is_measured_on_the_rows_of_the_batch(tiny):
    _, history = fit(tiny, GradientMonitor(every=1))
    steps = tiny.written_out(keras.optimizers.SGD(tiny.rate), tiny.x, tiny.y)
    ratios = []
    for number, step in enumerate(steps):
        rows = np.unique(tiny.x[number * tiny.batch : (number + 1) * tiny.batch])
        before, after = step["before"][0][rows], step["after"][0][rows]
        ratios.append(norm([after - before]) / norm([before]))
    np.testing.assert_allclose(history["update_ratio/words"], [np.mean(ratios)], rtol=1e-3)


def test_accumulated_gradients_are_measured_as_one(tiny):
    optimizer = keras.optimizers.SGD(tiny.rate, gradient_accumulation_steps=2)
    _, history = fit(tiny, GradientMonitor(every=1), optimizer)
    steps = tiny.written_out(keras.optimizers.SGD(tiny.rate), tiny.x, tiny.y, batch=2 * tiny.batch)
    np.testing.assert_allclose(history["grad_norm"], [np.mean([norm(s["gradients"]) for s in steps])], rtol=1e-4)


@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_bfloat16", 0.03), ("mixed_float16", 0.01)])
def test_gradients_are_unscaled_under_mixed_precision(tiny, policy, tolerance):
    optimizer = keras.optimizers.SGD(tiny.rate)
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=256.0)
    _, history = fit(tiny, GradientMonitor(every=1), optimizer, policy)
    steps = tiny.written_out(keras.optimizers.SGD(tiny.rate), tiny.x, tiny.y)
    wanted = np.mean([norm(step["gradients"]) for step in steps])
    np.testing.assert_allclose(history["grad_norm"], [wanted], rtol=tolerance)


@pytest.mark.parametrize("clipping", [{}, {"global_clipnorm": 0.1}, {"clipnorm": 0.1}, {"clipvalue": 0.01}])
def test_watching_changes_nothing(tiny, clipping, tmp_path):
    watched, _ = fit(tiny, GradientMonitor(2, tmp_path), keras.optimizers.Adam(tiny.rate, **clipping), epochs=2)
    alone, _ = fit(tiny, None, keras.optimizers.Adam(tiny.rate, **clipping), epochs=2)
    for ours, theirs in zip(watched.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def read(path):
    with (path / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_files_hold_every_measured_step(tiny, tmp_path):
    optimizer = keras.optimizers.SGD(tiny.rate, clipvalue=1e-3)
    _, history = fit(tiny, GradientMonitor(4, tmp_path), optimizer, epochs=2, steps_per_execution=3)
    rows = read(tmp_path)
    # Six updates an epoch: the first and the fifth are measured.
    assert sorted({(row["epoch"], int(row["step"])) for row in rows}) == [("1", 1), ("1", 5), ("2", 7), ("2", 11)]
    everything = [row for row in rows if row["scope"] == "all"]
    for row in everything:
        parts = [part for part in rows if part["step"] == row["step"] and part["scope"] == "weight"]
        assert len(parts) == 6
        total = np.sqrt(sum(float(part["norm"]) ** 2 for part in parts))
        np.testing.assert_allclose(float(row["norm"]), total, rtol=1e-6)
        assert float(row["clipped_norm"]) < float(row["norm"])
    layer = [float(row["norm"]) for row in rows if row["name"] == "gru" and row["epoch"] == "2"]
    np.testing.assert_allclose(history["grad_norm/gru"][1], np.mean(layer), rtol=1e-6)


def test_tensorboard_holds_scalars_and_histograms(tiny, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(tiny, GradientMonitor(1, tmp_path))
    board = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0}).Reload()
    tags = board.Tags()["tensors"]
    assert {"grad_norm", "grad_norm_clipped", "grad_norm/gru", "update_ratio/out", "grad_zeros/words"} <= set(tags)
    assert len(board.Tensors("grad_norm")) == 6
    bars = tf.make_ndarray(board.Tensors("gradients/out/bias")[0].tensor_proto)
    step = tiny.written_out(keras.optimizers.SGD(tiny.rate), tiny.x, tiny.y)[0]
    (value,) = step["gradients"][5]
    assert bars.shape == (1, 3) and bars[0, 0] <= value < bars[0, 1] and bars[0, 2] == 1
    kernel = tf.make_ndarray(board.Tensors("gradients/out/kernel")[0].tensor_proto)
    assert kernel[:, 2].sum() == step["gradients"][4].size


def test_a_history_is_gone_on_with(tiny, tmp_path):
    fit(tiny, GradientMonitor(6, tmp_path))
    fit(tiny, GradientMonitor(6, tmp_path, append=True))
    assert len([row for row in read(tmp_path) if row["scope"] == "all"]) == 2
    fit(tiny, GradientMonitor(6, tmp_path))
    assert len([row for row in read(tmp_path) if row["scope"] == "all"]) == 1


def test_what_is_not_finite_is_counted(tiny):
    tiny.y[9] = np.inf
    _, history = fit(tiny, GradientMonitor(1))
    assert history["grad_non_finite"][0] >= 1
    assert np.isfinite(history["grad_norm"][0])


def test_zeros_are_counted(tmp_path):
    layer = keras.layers.Dense(2, use_bias=False, name="only")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", loss="mse", jit_compile=False)
    x = np.array([[1.0, 0.0, 2.0]], "float32")
    model.fit(x, np.zeros((1, 2)), verbose=0, callbacks=[GradientMonitor(1, tmp_path)])
    (row,) = [row for row in read(tmp_path) if row["scope"] == "weight"]
    assert float(row["zeros"]) == pytest.approx(1 / 3)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="expected every to be at least 1, found 0"):
        GradientMonitor(every=0)


def test_a_model_without_weights_to_train_is_refused(tiny):
    model = tiny.build()
    model.trainable = False
    model.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="expected a model with trainable weights, found none"):
        model.fit(tiny.x, tiny.y, verbose=0, callbacks=[GradientMonitor()])
