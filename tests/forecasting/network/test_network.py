"""The contract of the network: saved, in a graph, in half precision, at the smallest sizes, with anything missing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.ensemble import ForecastEnsemble

OUTPUTS = ("parallel", "direct", "recursive")
SCALINGS = ("none", "mean", "last", "standard", "revin")
MOMENTS = [[10.0, 3.0], [20.0, 4.0]]
DESIGNS = {
    "plain": {"output": "parallel", "scaling": "revin"},
    "segments": {"covariates": True, "segment": 2, "output": "parallel", "moments": MOMENTS, "series_width": 2},
    "direct": {"covariates": True, "output": "direct", "scaling": "standard", "cell": "lstm", "head": "student_t"},
    "stack": {
        "output": "recursive",
        "cell": "peephole_lstm",
        "lookback": 12,
        "segment": 2,
        "dilations": (1, 2),
        "residual": True,
        "bidirectional": True,
        "covariates": True,
        "scaling": "mean",
        "head": "negative_binomial",
    },
    "smoothing": {
        "covariates": True,
        "lookback": 9,
        "scaling": "es_rnn",
        "smoothing": {"season_length": 3, "logarithmic": False, "per_series": True},
    },
    "point": {"cell": "simple_rnn", "output": "recursive", "scaling": "none", "head": "point_huber", "dropout": 0.2},
}
every_design = pytest.mark.parametrize("design", DESIGNS)
every_output = pytest.mark.parametrize("output", OUTPUTS)


def counts(batch):
    """Whole numbers from zero on, which every head can be fitted to."""
    return batch | {name: tf.math.round(tf.abs(batch[name])) for name in ("history", "target")}


def loss_and_gradients(network, batch):
    with tf.GradientTape() as tape:
        loss = network.compute_loss(batch, None, network(batch, training=True))
    return loss, tape.gradient(loss, network.trainable_variables)


def assert_equal_outputs(one, other, **tolerance):
    for name, a, b in zip(one._fields, one, other, strict=True):
        np.testing.assert_allclose(a, b, err_msg=name, **tolerance or {"rtol": 1e-5, "atol": 1e-5})


@every_design
def test_a_saved_network_answers_alike(design, make_network, make_batch, tmp_path):
    network, other = make_network(**DESIGNS[design]), make_network(**DESIGNS[design])
    ensemble = ForecastEnsemble([network, other])
    ensemble.build()
    network.save(tmp_path / "network.keras")
    ensemble.save(tmp_path / "ensemble.keras")
    batch = counts(make_batch(network))
    again = keras.models.load_model(tmp_path / "network.keras")
    assert_equal_outputs(again.forecast(batch), network.forecast(batch), rtol=0)
    assert_equal_outputs(keras.models.load_model(tmp_path / "ensemble.keras")(batch), ensemble(batch), rtol=0)
    assert again.get_config()["inputs"] == network.get_config()["inputs"]


@every_design
def test_a_graph_answers_as_eager_steps_do(design, make_network, make_batch):
    network = make_network(**DESIGNS[design])
    batch = counts(make_batch(network))
    assert_equal_outputs(tf.function(network.forecast)(batch), network.forecast(batch))


@every_design
def test_rows_of_a_batch_do_not_know_each_other(design, make_network, make_batch):
    network = make_network(**DESIGNS[design])
    batch = counts(make_batch(network))
    alone = {name: part[2:3] for name, part in batch.items()}
    assert_equal_outputs(
        network.forecast(alone), type(network.forecast(alone))(*(p[2:3] for p in network.forecast(batch)))
    )


@every_design
def test_gradients_are_finite_and_reach_every_weight(design, make_network, make_batch):
    network = make_network(**DESIGNS[design])
    batch = counts(make_batch(network, rows=20))
    loss, gradients = loss_and_gradients(network, batch)
    assert np.isfinite(loss)
    for weight, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert gradient is not None, weight.path
        gradient = tf.convert_to_tensor(gradient)
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


@every_design
@pytest.mark.parametrize("missing", [0.6, 1.0])
def test_nothing_that_is_missing_makes_a_nan(design, missing, make_network, make_batch):
    network = make_network(**DESIGNS[design])
    batch = counts(make_batch(network, rows=20, missing=missing))
    if missing == 1.0:
        batch["history"] = tf.fill(batch["history"].shape, float("nan"))
    loss, gradients = loss_and_gradients(network, batch)
    assert np.isfinite(loss) and (missing < 1 or loss == 0)
    assert all(np.isfinite(tf.convert_to_tensor(g)).all() for g in gradients if g is not None)
    for part in network.forecast(batch):
        assert np.isfinite(part).all()


@every_design
def test_the_loss_leaves_out_missing_targets(design, make_network, make_batch):
    """It is the mean over the observed ones, each of them weighed alike."""
    network = make_network(**{**DESIGNS[design], "dropout": 0.0})
    batch = counts(make_batch(network))
    output = network(batch)
    seen = ~np.isnan(batch["target"])
    one_by_one = []
    for row, step in np.argwhere(seen):
        alone = np.full(seen.shape, np.nan, np.float32)
        alone[row, step] = batch["target"][row, step]
        one_by_one.append(float(network.compute_loss(batch | {"target": tf.constant(alone)}, None, output)))
    np.testing.assert_allclose(network.compute_loss(batch, None, output), np.mean(one_by_one), rtol=1e-5)


@pytest.mark.parametrize("scaling", ["revin", "es_rnn"])
def test_one_jump_after_a_still_window_does_not_outweigh_all_others(scaling, make_network, make_batch):
    smoothing = {"season_length": 1, "logarithmic": False} if scaling == "es_rnn" else None
    network = make_network(scaling=scaling, smoothing=smoothing, centred=True)
    batch = make_batch(network, rows=4, missing=0)
    history = batch["history"].numpy().astype(float)
    history[0] = 5 + 1e-12 * history[0]
    batch["history"] = tf.constant(history)
    loss, gradients = loss_and_gradients(network, batch)
    assert 10 < loss < 1e5 and all(np.abs(tf.convert_to_tensor(g)).max() < 1e5 for g in gradients)


def test_constant_windows_do_not_count_in_the_loss(make_network, make_batch):
    network = make_network(scaling="revin", lookback=8)
    batch = make_batch(network, rows=4, missing=0)
    constant = {"history": tf.fill([2, 8], 3.0), "target": tf.fill([2, 3], 9.0)}
    longer = {
        name: tf.concat([part, tf.cast(constant.get(name, part[:2]), part.dtype)], axis=0)
        for name, part in batch.items()
    }
    for one, other in zip(
        tf.nest.flatten(loss_and_gradients(network, batch)),
        tf.nest.flatten(loss_and_gradients(network, longer)),
        strict=True,
    ):
        np.testing.assert_allclose(tf.convert_to_tensor(one), tf.convert_to_tensor(other), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(network.forecast(longer).quantiles[4:], np.full((2, 3, 3), 3.0))


@every_design
def test_quantiles_never_cross(design, make_network, make_batch):
    network = make_network(**DESIGNS[design], levels=(0.05, 0.1, 0.5, 0.6, 0.95))
    for weight in network.trainable_variables:
        weight.assign(tf.random.stateless_normal(weight.shape, [3, 4], stddev=2.0))
    answer = network.forecast(counts(make_batch(network, rows=50)))
    assert (np.diff(answer.quantiles, axis=-1) >= 0).all() and (answer.spread.numpy() > 0).all()


@every_output
@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_smallest_sizes(output, scaling, make_network, make_batch):
    moments = MOMENTS if scaling in ("last", "standard") else None
    network = make_network(output=output, scaling=scaling, lookback=1, horizon=1, moments=moments)
    batch = make_batch(network, rows=1, missing=0)
    answer = network.forecast(batch)
    assert answer.quantiles.shape == (1, 1, 3) and np.isfinite(answer.quantiles).all()
    assert np.isfinite(loss_and_gradients(network, batch)[0])


@every_design
def test_half_precision_is_finite_and_near_float32(design, make_network, make_batch):
    options = {**DESIGNS[design], "dropout": 0.0}
    half, full = make_network(**options, dtype="mixed_bfloat16"), make_network(**options)
    half.set_weights(full.get_weights())
    batch = counts(make_batch(full))
    # Values that bfloat16 could not tell apart.
    if full.config["scaling"] in ("revin", "last"):
        batch |= {name: batch[name] + 10_000 for name in ("history", "target")}
    loss, gradients = loss_and_gradients(half, batch)
    assert all(np.isfinite(tf.convert_to_tensor(g)).all() for g in gradients)
    np.testing.assert_allclose(loss, loss_and_gradients(full, batch)[0], rtol=0.1)
    found, expected = half.forecast(batch), full.forecast(batch)
    unit = expected.spread.numpy()
    assert np.abs((found.point - expected.point) / unit).max() < 0.15
    assert {keras.backend.standardize_dtype(weight.dtype) for weight in half.trainable_variables} == {"float32"}
    assert half.encoder.compute_dtype == "bfloat16"


def test_an_ensemble_answers_with_the_mean_of_its_members(make_network, make_batch):
    members = [make_network(scaling="revin"), make_network(scaling="revin")]
    members[1].set_weights([weight + 0.1 for weight in members[0].get_weights()])
    batch = make_batch(members[0])
    answers = [member.forecast(batch) for member in members]
    for found, *parts in zip(ForecastEnsemble(members)(batch), *answers, strict=True):
        np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-5)


def test_the_vector_of_a_series_is_its_own_and_that_of_an_unknown_one_zero(make_network, make_batch):
    network = make_network(series_width=2)
    batch = make_batch(network)
    first, second, unknown = (
        network.forecast(batch | {"series": tf.fill(5, tf.constant(n, tf.int32))}).point.numpy() for n in (1, 2, 0)
    )
    assert not np.allclose(first, second) and not np.allclose(first, unknown)
    embedding = network.features.series_embedding
    embedding.assign(tf.zeros(embedding.shape))
    np.testing.assert_allclose(network.forecast(batch | {"series": tf.ones(5, tf.int32)}).point, unknown, rtol=1e-5)


def test_the_same_seed_gives_the_same_bits(make_batch, make_network):
    found = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        network = make_network(dropout=0.3, dilations=(1, 1), output="recursive", recurrent_dropout=0.2)
        network.decoder.teacher_share.assign(0.5)
        batch = make_batch(network)
        loss, gradients = loss_and_gradients(network, batch)
        found.append([loss.numpy(), *[g.numpy() for g in gradients]])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
