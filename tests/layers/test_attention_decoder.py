"""The decoder against its equations in NumPy, around cells that are called step by step."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from seqtag.layers import (
    LSTM,
    AdditiveAttention,
    AttentionDecoder,
    GRUCell,
    LSTMCell,
    MultiplicativeAttention,
    PeepholeLSTMCell,
)

RANDOM = np.random.default_rng(0)
INPUTS, MEMORY = (RANDOM.normal(size=shape).astype("float32") for shape in ((3, 4, 5), (3, 6, 2)))
MASK = np.arange(4) < np.array([[4], [0], [1]])
MEMORY_MASK = np.arange(6) < np.array([[1], [6], [0]])
LOCATED = {"location_filters": 2, "location_width": 3}

DECODERS = {
    "feeding": lambda: AttentionDecoder(LSTMCell(3), AdditiveAttention(4), units=2),
    "at once": lambda: AttentionDecoder(GRUCell(3), MultiplicativeAttention("scaled"), input_feeding=False),
    "located": lambda: AttentionDecoder(GRUCell(3), AdditiveAttention(4, **LOCATED)),
    "located, no feeding": lambda: AttentionDecoder(
        keras.layers.LSTMCell(3), AdditiveAttention(4, **LOCATED), input_feeding=False
    ),
    "of Keras": lambda: AttentionDecoder(keras.layers.GRUCell(3), MultiplicativeAttention()),
    "of Keras, at once": lambda: AttentionDecoder(
        keras.layers.SimpleRNNCell(3), AdditiveAttention(4), input_feeding=False
    ),
    "peepholes": lambda: AttentionDecoder(PeepholeLSTMCell(3), AdditiveAttention(4), input_feeding=False),
}


def as_arrays(outputs):
    return [ops.convert_to_numpy(output) for output in keras.tree.flatten(outputs)]


def softmax(scores, mask):
    raised = np.exp(scores) * mask
    return raised / raised.sum() if raised.any() else raised


def by_hand(decoder, inputs, memory, mask, memory_mask):
    """Outputs, last states and weights, one row and one step after the other."""
    kernel, bias = map(ops.convert_to_numpy, (decoder.output_kernel, decoder.output_bias))
    sizes = keras.tree.flatten(decoder.cell.state_size)
    outputs = np.zeros((*inputs.shape[:2], decoder.units))
    weights = np.zeros((*inputs.shape[:2], memory.shape[1]))
    last = []
    for b in range(len(inputs)):
        state, fed, attended = (
            [np.zeros((1, size)) for size in sizes],
            np.zeros(decoder.units),
            np.zeros(len(memory[b])),
        )
        for t in np.flatnonzero(mask[b]):
            read = np.concatenate([inputs[b, t], fed]) if decoder.input_feeding else inputs[b, t]
            hidden, state = decoder.cell(np.float32(read[None]), [ops.convert_to_tensor(np.float32(s)) for s in state])
            hidden, state = as_arrays([hidden])[0][0], as_arrays(state)
            weights[b, t] = softmax(scores(decoder.attention, hidden, memory[b], attended), memory_mask[b])
            attended = attended + weights[b, t]
            outputs[b, t] = fed = np.tanh(np.concatenate([hidden, weights[b, t] @ memory[b]]) @ kernel + bias)
        row = [s[0] for s in state] + ([fed] if decoder.input_feeding else [])
        last.append(row + ([attended] if decoder.attention.reads_history else []))
    return [outputs, *map(np.array, zip(*last, strict=True)), weights]


def scores(attention, hidden, memory, attended):
    weights = {weight.name: ops.convert_to_numpy(weight) for weight in attention.weights}
    keys = memory @ weights["memory_kernel"]
    if isinstance(attention, MultiplicativeAttention):
        return keys @ hidden * (len(hidden) ** -0.5 if attention.score == "scaled" else 1)
    sums = hidden @ weights["query_kernel"] + keys + weights["bias"]
    if attention.location_filters:
        seen = np.stack([np.pad(attended, 1)[s : s + 3] @ weights["location_kernel"][:, 0] for s in range(len(memory))])
        sums = sums + seen @ weights["location_projection"]
    return np.tanh(sums) @ weights["vector"]


@pytest.fixture(scope="module", params=DECODERS)
def decoder(request):
    decoder = DECODERS[request.param]()
    decoder(INPUTS, MEMORY)
    for seed, weight in enumerate(decoder.trainable_weights):
        weight.assign(0.8 * keras.random.normal(weight.shape, seed=seed))
    return decoder


def assert_same(found, wanted, rtol=1e-4, atol=1e-5):
    for ours, theirs in zip(as_arrays(found), as_arrays(wanted), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def test_the_equations_under_masks_of_both_sides(decoder):
    found = decoder(INPUTS, MEMORY, mask=MASK, memory_mask=MEMORY_MASK)
    assert_same(found, by_hand(decoder, INPUTS, MEMORY, MASK, MEMORY_MASK))
    assert not as_arrays(found)[0][~MASK].any() and not as_arrays(found)[-1][~MASK].any()


def test_a_single_row_without_masks(decoder):
    everywhere = np.ones((1, 4), bool), np.ones((1, 6), bool)
    assert_same(decoder(INPUTS[:1], MEMORY[:1]), by_hand(decoder, INPUTS[:1], MEMORY[:1], *everywhere))


def test_returned_states_go_on_where_a_call_ended(decoder):
    whole = decoder(INPUTS, MEMORY, memory_mask=MEMORY_MASK)
    first = decoder(INPUTS[:, :1], MEMORY, memory_mask=MEMORY_MASK)
    rest = decoder(INPUTS[:, 1:], MEMORY, memory_mask=MEMORY_MASK, initial_state=first[1])
    assert_same(ops.concatenate([first[0], rest[0]], axis=1), whole[0])
    assert_same(ops.concatenate([first[2], rest[2]], axis=1), whole[2])
    assert_same(rest[1], whole[1])


def test_steps_over_several_rows_of_a_memory_are_the_call(decoder):
    """Two queries a memory, as a beam has them."""
    both = np.stack([INPUTS, INPUTS[::-1]], axis=1).reshape(6, 4, 5)
    repeated = np.repeat(MEMORY, 2, axis=0), np.repeat(MEMORY_MASK, 2, axis=0)
    wanted = as_arrays(decoder(both, repeated[0], memory_mask=repeated[1]))
    memory = decoder.memory(MEMORY, MEMORY_MASK)
    states = [ops.zeros((6, size)) for size in keras.tree.flatten(decoder.cell.state_size)]
    state = decoder.state(states, memory)
    if decoder.attention.reads_history:
        state = state._replace(attended=ops.zeros((6, 6)))
    for t in range(4):
        output, weights, state = decoder.step(ops.convert_to_tensor(both[:, t]), state, memory)
        assert_same([output, weights], [wanted[0][:, t], wanted[-1][:, t]])
    assert_same(keras.tree.flatten(state), wanted[1:-1])


def test_an_initial_state_of_the_cell_alone(decoder):
    sizes = keras.tree.flatten(decoder.cell.state_size)
    zeros = [ops.zeros((3, size)) for size in sizes]
    assert_same(decoder(INPUTS, MEMORY, initial_state=zeros), decoder(INPUTS, MEMORY))
    ones = decoder(INPUTS, MEMORY, initial_state=[value + 1 for value in zeros])
    assert not np.allclose(as_arrays(ones)[0], as_arrays(decoder(INPUTS, MEMORY))[0])
    with pytest.raises(ValueError, match=f"expected an initial state of {len(sizes)} tensors of the cell, found 9"):
        decoder(INPUTS, MEMORY, initial_state=zeros[:1] * 9)


def test_gradients_against_central_differences(weight_gradients, decoder):
    def loss(outputs):
        return sum(ops.sum(ops.square(output)) for output in keras.tree.flatten(outputs))

    masks = {"mask": MASK, "memory_mask": MEMORY_MASK}
    found = weight_gradients(decoder, loss, INPUTS, MEMORY, **masks)
    for gradient, weight in zip(found, decoder.trainable_weights, strict=True):
        before = ops.convert_to_numpy(weight)
        step = 1e-2 * np.sign(RANDOM.normal(size=before.shape)).astype("float32")
        values = []
        for sign in (1, -1):
            weight.assign(before + sign * step)
            values.append(float(loss(decoder(INPUTS, MEMORY, **masks))))
        weight.assign(before)
        wanted = (values[0] - values[1]) / 2
        np.testing.assert_allclose((gradient * step).sum(), wanted, rtol=0.02, atol=2e-3, err_msg=weight.path)


@pytest.mark.parametrize("cell", [LSTMCell, keras.layers.LSTMCell], ids=["ours", "of Keras"])
@pytest.mark.parametrize("input_feeding", [True, False])
def test_dropout_of_a_cell(cell, input_feeding):
    """One mask for all steps, another one at every call, and none of it outside of training."""
    cell = cell(40, dropout=0.5, recurrent_dropout=0.2)
    decoder = AttentionDecoder(cell, MultiplicativeAttention(), input_feeding=input_feeding)
    same = np.repeat(RANDOM.normal(size=(2, 1, 30)).astype("float32"), 5, axis=1)
    plain = as_arrays(decoder(same, MEMORY[:2]))[0]
    one, two = (as_arrays(decoder(same, MEMORY[:2], training=True))[0] for _ in range(2))
    assert np.isfinite(one).all() and not np.allclose(one, two) and not np.allclose(one, plain)
    np.testing.assert_array_equal(as_arrays(decoder(same, MEMORY[:2]))[0], plain)


@pytest.mark.parametrize("cell", [GRUCell, keras.layers.GRUCell], ids=["ours", "of Keras"])
@pytest.mark.parametrize("input_feeding", [True, False])
def test_the_mask_of_dropout_is_the_same_at_all_steps(cell, input_feeding):
    """A decoder that forgets its state at once repeats itself, whatever was dropped from its equal inputs."""
    cell = cell(6, dropout=0.5, reset_after=False)
    decoder = AttentionDecoder(cell, MultiplicativeAttention(), input_feeding=input_feeding)
    same = np.repeat(RANDOM.normal(size=(2, 1, 30)).astype("float32"), 5, axis=1)
    decoder(same, MEMORY[:2])
    cell.recurrent_kernel.assign(np.zeros(cell.recurrent_kernel.shape))
    kernel = ops.convert_to_numpy(cell.kernel).copy()
    # No update gate, and no part of the last output.
    kernel[30:] = 0
    cell.kernel.assign(kernel)
    cell.bias.assign(np.r_[[-50.0] * 6, [0.0] * 12])
    outputs = as_arrays(decoder(same, MEMORY[:2], training=True))[0]
    np.testing.assert_allclose(outputs, np.repeat(outputs[:, :1], 5, axis=1), rtol=1e-5)
    assert not np.allclose(outputs, as_arrays(decoder(same, MEMORY[:2]))[0])


def test_masks_of_keras_are_read_and_passed_on():
    ids = np.array([[3, 1, 0], [2, 0, 0]])
    vectors = keras.layers.Embedding(4, 2, mask_zero=True)
    decoder = AttentionDecoder(GRUCell(3), AdditiveAttention(3))
    above = LSTM(2)
    inputs = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    outputs, states, weights = decoder(vectors(inputs[0]), vectors(inputs[1]))
    model = keras.Model(inputs, [outputs, weights, above(outputs)])
    found, weights, last = model.predict([ids, ids], verbose=0)
    mask = ids != 0
    wanted = as_arrays(decoder(vectors(ids), vectors(ids), mask=mask, memory_mask=mask))
    np.testing.assert_allclose(found, wanted[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(weights, wanted[-1], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(last, as_arrays([above(found, mask=mask)])[0], rtol=1e-5, atol=1e-7)
    assert len(states) == 2


def test_arguments_that_cannot_be():
    with pytest.raises(
        ValueError, match="expected attention to be AdditiveAttention or MultiplicativeAttention, found"
    ):
        AttentionDecoder(GRUCell(3), keras.layers.Attention())
    with pytest.raises(ValueError, match="expected a recurrent cell, found 3"):
        AttentionDecoder(3, AdditiveAttention(3))
    with pytest.raises(ValueError, match="units"):
        AttentionDecoder(GRUCell(3), AdditiveAttention(3), units=0)
