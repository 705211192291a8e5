"""The encoder against loops over segments, phases and layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.encoder import HistoryEncoder
from seqtag.models.recurrent import CELLS

UNITS, WIDTH, STATIC, BATCH = 4, 3, 2, 3
every_cell = pytest.mark.parametrize("cell", CELLS)


def made(lookback, cell="gru", **options):
    encoder = HistoryEncoder(cell, UNITS, **options)
    encoder.build((None, lookback, WIDTH), (None, STATIC))
    return encoder


def inputs(lookback, padding=0, seed=1):
    """Features, static features, and which steps are real; padded steps are zeros, as the network makes them."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(BATCH, lookback, WIDTH)).astype(np.float32)
    features[:, :padding] = 0
    real = np.broadcast_to(np.arange(lookback) >= padding, (BATCH, lookback))
    static = rng.normal(size=(BATCH, STATIC)).astype(np.float32)
    return tf.constant(features), tf.constant(static), tf.constant(real)


def with_static(steps, static):
    return np.concatenate([steps, np.repeat(static[:, None], steps.shape[1], axis=1)], axis=-1)


@every_cell
def test_points_run_through_a_stack_of_layers(cell):
    encoder = made(6, cell, dilations=(1, 1))
    features, static, real = inputs(6)
    outputs = with_static(features.numpy(), static.numpy())
    for layer in encoder.layers:
        outputs = layer(outputs)
    np.testing.assert_allclose(encoder(features, static, real), outputs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("lookback", "segment"), [(6, 2), (7, 3), (2, 4)])
def test_segments_are_a_dense_layer_over_neighbouring_steps(lookback, segment):
    encoder = made(lookback, segment=segment)
    features, static, real = inputs(lookback)
    padded = np.concatenate([np.zeros((BATCH, -lookback % segment, WIDTH)), features], axis=1)
    segments = []
    for start in range(0, padded.shape[1], segment):
        side_by_side = [padded[:, start + k] for k in range(segment)]
        joined = np.concatenate([*side_by_side, static], axis=-1)
        segments.append(np.maximum(joined @ encoder.projection.kernel + encoder.projection.bias, 0))
    expected = encoder.layers[0](np.stack(segments, axis=1))
    np.testing.assert_allclose(encoder(features, static, real), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lookback", [8, 7, 2])
def test_a_dilated_layer_runs_a_recurrence_for_each_phase(lookback):
    dilation = 3
    encoder = made(lookback, dilations=(1, dilation))
    features, static, real = inputs(lookback)
    below = encoder.layers[0](with_static(features.numpy(), static.numpy())).numpy()
    newest = below[:, ::-1][:, ::dilation][:, ::-1]
    np.testing.assert_allclose(encoder(features, static, real), encoder.layers[1](newest), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lookback", [8, 7, 2])
def test_phases_of_a_lower_layer_are_put_back_in_order(lookback):
    dilation = 3
    encoder = made(lookback, dilations=(dilation, 1))
    features, static, real = inputs(lookback)
    below = with_static(features.numpy(), static.numpy())
    outputs = np.empty((BATCH, lookback, UNITS), np.float32)
    for phase in range(min(dilation, lookback)):
        outputs[:, phase::dilation] = encoder.layers[0](below[:, phase::dilation])
    np.testing.assert_allclose(encoder(features, static, real), encoder.layers[1](outputs), rtol=1e-5, atol=1e-6)


def test_a_residual_stack_adds_what_enters_from_the_second_layer_on():
    encoder = made(5, dilations=(1, 2, 1), residual=True)
    plain = made(5, dilations=(1, 2, 1))
    plain.set_weights(encoder.get_weights())
    features, static, real = inputs(5)
    first = plain.layers[0](with_static(features.numpy(), static.numpy())).numpy()
    second = first.copy()
    for phase in range(2):
        second[:, phase::2] += plain.layers[1](first[:, phase::2])
    third = second[:, -1] + plain.layers[2](second)
    np.testing.assert_allclose(encoder(features, static, real), third, rtol=1e-5, atol=1e-6)


@every_cell
@pytest.mark.parametrize(
    "options",
    [
        {"dilations": (1, 3), "residual": True},
        {"segment": 2, "dilations": (1, 2)},
        {"dilations": (2, 1), "bidirectional": True},
    ],
)
def test_padding_before_a_series_does_not_change_its_context(cell, options):
    short, long = made(6, cell, **options), made(10, cell, **options)
    long.set_weights(short.get_weights())
    features, static, real = inputs(6)
    padded = tf.pad(features, [[0, 0], [4, 0], [0, 0]])
    there = tf.pad(real, [[0, 0], [4, 0]])
    np.testing.assert_allclose(long(padded, static, there), short(features, static, real), rtol=1e-5, atol=1e-6)


def test_padding_leaves_the_context_at_zero_where_nothing_is_real():
    features, static, real = inputs(5, padding=5)
    np.testing.assert_array_equal(made(5)(features, static, real), np.zeros((BATCH, UNITS)))


def merged(layer, forward, backward):
    return np.concatenate([forward, backward], axis=-1) @ layer.merge_kernel.numpy() + layer.merge_bias.numpy()


def test_both_directions_are_projected_back_and_the_last_layer_reads_where_each_ends():
    encoder = made(5, dilations=(1, 1), bidirectional=True)
    features, static, real = inputs(5)
    below, top = encoder.layers
    steps = with_static(features.numpy(), static.numpy())
    steps = merged(below, below.forward_layer(steps), below.backward_layer(steps)[:, ::-1])
    expected = merged(top, top.forward_layer(steps), top.backward_layer(steps))
    np.testing.assert_allclose(encoder(features, static, real), expected, rtol=1e-5, atol=1e-6)


def test_dropout_between_layers_is_one_mask_for_all_steps():
    encoder = made(40, dilations=(1, 1), dropout=0.5)
    seen = []
    layer, encoder.layers[1] = encoder.layers[1], lambda steps, **_: seen.append(steps.numpy()) or steps
    features, static, real = inputs(40)
    below = encoder.layers[0](with_static(features.numpy(), static.numpy())).numpy()
    encoder(features, static, real, training=True)
    encoder.layers[1] = layer
    factors = seen[0] / below
    assert set(np.round(factors, 3).ravel().tolist()) == {0.0, 2.0}
    np.testing.assert_allclose(factors, np.repeat(factors[:, :1], 40, axis=1), rtol=1e-4)


@every_cell
def test_half_precision_stays_near_float32(cell):
    options = {"segment": 2, "dilations": (1, 2), "residual": True, "bidirectional": True}
    half, full = made(8, cell, dtype="mixed_bfloat16", **options), made(8, cell, **options)
    half.set_weights(full.get_weights())
    features, static, real = inputs(8)
    found = half(features, static, real)
    assert found.dtype == tf.bfloat16
    assert all(keras.backend.standardize_dtype(weight.dtype) == "float32" for weight in half.weights)
    np.testing.assert_allclose(tf.cast(found, tf.float32), full(features, static, real), atol=0.05)
