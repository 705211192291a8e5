"""Decoders against single steps of their cell, taken one by one."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqtag.forecasting.network.decoders import DecoderInputs, DirectDecoder, ParallelDecoder, RecursiveDecoder
from seqtag.models.recurrent import CELLS

UNITS, BATCH, SIZE = 4, 3, 2
every_cell = pytest.mark.parametrize("cell", CELLS)
lengths = pytest.mark.parametrize(("horizon", "segment"), [(4, 1), (6, 2), (7, 3), (1, 1), (2, 5)])
features_or_not = pytest.mark.parametrize("features", [0, 2])


def point(raw):
    """A mix of the raw numbers, so that the test sees which value is fed back."""
    return raw[..., 0] + 0.5 * raw[..., 1]


def made(kind, horizon, segment=1, cell="gru", features=2, static=1, **options):
    if kind is DirectDecoder:
        decoder = DirectDecoder(horizon, SIZE, UNITS, 0.0)
    else:
        options |= {"point": point} if kind is RecursiveDecoder else {}
        decoder = kind(horizon=horizon, size=SIZE, cell=cell, units=UNITS, segment=segment, dropout=0.0, **options)
    decoder.build((None, UNITS), (None, horizon, features), (None, static))
    for weight in decoder.trainable_weights:  # biases too
        weight.assign(weight + tf.random.stateless_normal(weight.shape, [1, 2], stddev=0.3))
    return decoder


def inputs(horizon, segment=1, features=2, static=1, missing=()):
    rng = np.random.default_rng(2)
    shapes = [(BATCH, UNITS), (BATCH, horizon, features), (BATCH, static), (BATCH, segment), (BATCH, horizon)]
    observed = np.ones((BATCH, horizon), bool)
    observed[:, list(missing)] = False
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    arrays[-1][~observed] = 0
    return DecoderInputs(*[tf.constant(array) for array in arrays], tf.constant(observed))


def one_step(decoder, read, context):
    """Raw numbers of a segment `(batch, segment, size)` and the new state, by the cell's own call."""
    state = context if isinstance(context, list) else [context, *[memory(context) for memory in decoder.memory]]
    output, state = decoder.cell(tf.concat(read, axis=-1), state)
    return tf.reshape(decoder.steps(output), (BATCH, decoder.segment, decoder.size)), state


def known(inputs, segment, j):
    """The features of segment j side by side, zeros past the horizon."""
    steps = range(j * segment, (j + 1) * segment)
    horizon, width = inputs.future.shape[1:]
    blank = tf.zeros((BATCH, width))
    return tf.concat([inputs.future[:, step] if step < horizon else blank for step in steps], axis=-1)


@features_or_not
def test_direct_steps_have_matrices_of_their_own(features):
    decoder, given = made(DirectDecoder, 3, features=features), inputs(3, features=features)
    read = np.concatenate([given.context, given.static], axis=-1)
    steps = np.reshape(read @ decoder.of_context.kernel.numpy() + decoder.of_context.bias.numpy(), (BATCH, 3, -1))
    if features:
        hidden = np.maximum(steps + given.future.numpy() @ decoder.of_features.kernel.numpy(), 0)
        steps = hidden @ decoder.output_layer.kernel.numpy() + decoder.output_layer.bias.numpy()
    np.testing.assert_allclose(decoder(given), steps, rtol=1e-5, atol=1e-5)


@every_cell
@lengths
@features_or_not
def test_parallel_segments_are_single_steps_from_the_same_state(cell, horizon, segment, features):
    decoder = made(ParallelDecoder, horizon, segment, cell, features)
    given = inputs(horizon, segment, features)
    expected = []
    for j in range(-(-horizon // segment)):
        place = tf.repeat(decoder.positions[j][None], BATCH, axis=0)
        raw, _ = one_step(decoder, [place, known(given, segment, j), given.static], given.context)
        expected.append(raw)
    np.testing.assert_allclose(decoder(given), np.concatenate(expected, axis=1)[:, :horizon], rtol=1e-4, atol=1e-5)


def looped(decoder, given, segment, taught=None):
    """Raw numbers of a Python loop; `taught` says in which segments the truth is read."""
    before, state, found = given.newest, given.context, []
    horizon = given.target.shape[1]
    for j in range(-(-horizon // segment)):
        raw, state = one_step(decoder, [before, known(given, segment, j), given.static], state)
        found.append(raw)
        before = point(raw).numpy()
        for k, step in enumerate(range(j * segment, min((j + 1) * segment, horizon))):
            if taught is not None and taught[j]:
                before[:, k] = np.where(given.observed[:, step], given.target[:, step], before[:, k])
    return np.concatenate(found, axis=1)[:, :horizon]


@every_cell
@lengths
@features_or_not
def test_recursive_segments_read_their_own_points(cell, horizon, segment, features):
    decoder = made(RecursiveDecoder, horizon, segment, cell, features)
    given = inputs(horizon, segment, features)
    np.testing.assert_allclose(decoder(given), looped(decoder, given, segment), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("horizon", "segment"), [(5, 1), (7, 3)])
@pytest.mark.parametrize("missing", [(), (0, 3)])
def test_a_full_share_reads_the_truth_and_a_missing_value_is_never_read(horizon, segment, missing):
    decoder, given = made(RecursiveDecoder, horizon, segment), inputs(horizon, segment, missing=missing)
    expected = looped(decoder, given, segment, taught=[True] * horizon)
    assert not np.allclose(expected, looped(decoder, given, segment))
    np.testing.assert_allclose(decoder(given, training=True), expected, rtol=1e-4, atol=1e-5)
    # Whatever number stands where a value is missing.
    other = given._replace(target=tf.where(given.observed, given.target, 1e6))
    np.testing.assert_array_equal(decoder(other, training=True), decoder(given, training=True))


def test_a_share_of_zero_never_reads_the_truth():
    decoder, given = made(RecursiveDecoder, 5), inputs(5)
    decoder.teacher_share.assign(0.0)
    np.testing.assert_array_equal(decoder(given, training=True), decoder(given))


def test_a_share_between_is_drawn_for_each_window_and_segment():
    decoder = made(RecursiveDecoder, 2)
    decoder.teacher_share.assign(0.25)
    given = DecoderInputs(*[tf.repeat(part[:1], 4000, axis=0) for part in inputs(2)])
    taught = looped(decoder, inputs(2), 1, taught=[True, True])[0, 1]
    drawn = np.isclose(decoder(given, training=True)[:, 1], taught, atol=1e-4).all(axis=-1)
    assert 0.22 < drawn.mean() < 0.28


def test_the_truth_is_never_read_outside_training():
    decoder, given = made(RecursiveDecoder, 5), inputs(5)
    np.testing.assert_array_equal(decoder(given), decoder(given._replace(target=None, observed=None)))


@pytest.mark.parametrize("kind", [DirectDecoder, ParallelDecoder, RecursiveDecoder])
@features_or_not
def test_half_precision_stays_near_float32(kind, features):
    given = inputs(6, 2, features)
    options = {"features": features, "segment": 2}
    full = made(kind, 6, **options)
    if kind is DirectDecoder:
        half = DirectDecoder(6, SIZE, UNITS, 0.0, dtype="mixed_bfloat16")
        half.build((None, UNITS), (None, 6, features), (None, 1))
    else:
        half = made(kind, 6, **options, cell="lstm", dtype="mixed_bfloat16")
        full = made(kind, 6, **options, cell="lstm")
    half.set_weights(full.get_weights())
    found = half(given, training=True)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, full(given, training=True), atol=0.1)


def test_a_graph_gives_what_eager_steps_give():
    decoder, given = made(RecursiveDecoder, 7, 3, "lstm"), inputs(7, 3)
    graph = tf.function(lambda part: decoder(part, training=True))
    np.testing.assert_allclose(graph(given), decoder(given, training=True), rtol=1e-5, atol=1e-6)
