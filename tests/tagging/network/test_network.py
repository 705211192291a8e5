from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqtag.data.text.word_features import NUM_HASHED
from seqtag.models.word_representation import WordRepresentation
from seqtag.tagging.data.schemes import legal_transitions, tagset, violations
from seqtag.tagging.network.network import TaggerNetwork

SIZES = {"num_words": 12, "singletons_from": 8, "num_chars": 9, "num_buckets": 30, "word_dim": 5}
TAGS = tagset(["A", "B"], "IOBES")
CONSTRAINTS = [table.tolist() for table in legal_transitions(TAGS, "IOBES")]


def network(dtype="float32", **arguments):
    keras.utils.set_random_seed(11)
    sizes = SIZES | arguments.pop("representation", {})
    made = TaggerNetwork(sizes, len(TAGS), **{"constraints": CONSTRAINTS, "units": 6} | arguments, dtype=dtype)
    made.build()
    for variable in made.head.variables:
        variable.assign(keras.random.normal(variable.shape, seed=3))
    return made


def batch(lengths, columns=0, extra=0, seed=0):
    """A batch of random words with these lengths, padded by `extra` steps more."""
    rng = np.random.default_rng(seed)
    words, steps = 7, max(lengths) + extra
    made = {
        "words": rng.integers(1, 12, words),
        "chars": rng.integers(1, 9, (words, 4)),
        "buckets": rng.integers(0, 30, (words, NUM_HASHED)),
        "word_rows": rng.integers(0, words, (len(lengths), steps)),
        "lengths": np.array(lengths),
    }
    if columns:
        made["columns"] = rng.integers(0, 4, (len(lengths), steps, columns))
    return {name: tf.constant(value, tf.int32) for name, value in made.items()}


def tagged(made, whole):
    """What the network says of a batch."""
    return made.columns[0].tagged(made.decode(whole)[0], whole["lengths"])


def marginals_of(made, whole):
    """The probability of every tag."""
    return made.columns[0].distribution(made.decode(whole)[0]["emissions"], whole["lengths"]).marginals()


def row(whole, number):
    """One sentence of a batch without its padding."""
    length = int(whole["lengths"][number])
    alone = dict(whole, lengths=whole["lengths"][number : number + 1])
    for name in {"word_rows", "columns"} & set(whole):
        alone[name] = whole[name][number : number + 1, :length]
    return alone


VARIANTS = {
    "defaults": {},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "simple rnn": {"cell": "simple_rnn"},
    "two layers": {"layers": 2},
    "softmax": {"head": "softmax"},
    "no constraints": {"constraints": None},
    "no context features": {"context_features": False},
    "recurrent dropout": {"recurrent_dropout": 0.3},
    "birnn": {"representation": {"char_encoder": "birnn"}},
    "words alone": {"representation": {"char_encoder": "none", "spelling": False}},
    "columns": {"representation": {"column_sizes": (4, 4)}},
}


@pytest.fixture(params=VARIANTS, scope="module")
def variant(request):
    """A network and a batch for it."""
    arguments = VARIANTS[request.param]
    columns = len(arguments.get("representation", {}).get("column_sizes", ()))
    return network(**arguments), batch([5, 0, 1, 9], columns)


def test_it_loads_as_itself_with_no_custom_objects(variant, tmp_path):
    made, whole = variant
    made.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    assert again.get_config() == made.get_config()
    np.testing.assert_array_equal(again(whole), made(whole))
    for mine, loaded in zip(made.weights, again.weights, strict=True):
        np.testing.assert_array_equal(mine, loaded)


def test_saving_and_loading_trace_no_graph(tmp_path, monkeypatch):
    """Keras reads every attribute of what it saves and loads."""
    made = network(head="softmax")
    monkeypatch.setattr(tf, "function", lambda *arguments, **options: pytest.fail("a graph is traced"))
    made.save(tmp_path / "network.keras")
    keras.saving.load_model(tmp_path / "network.keras")


def test_padding_and_neighbours_change_no_real_step(variant):
    made, whole = variant
    emissions, marginals = made(whole).numpy(), marginals_of(made, whole).numpy()
    found = {name: value.numpy() for name, value in tagged(made, whole).items()}
    for number, length in enumerate(whole["lengths"].numpy()):
        alone = row(whole, number)
        np.testing.assert_allclose(made(alone)[0], emissions[number, :length], atol=1e-5)
        np.testing.assert_allclose(marginals_of(made, alone)[0], marginals[number, :length], atol=1e-5)
        for name, value in tagged(made, alone).items():
            np.testing.assert_allclose(value[0], found[name][number, :length], atol=1e-5)


def test_gradients_are_finite_with_an_empty_sentence_in_the_batch(variant):
    made, whole = variant
    tags = tf.constant(np.random.default_rng(1).integers(0, len(TAGS), whole["word_rows"].shape))
    with tf.GradientTape() as tape:
        loss = made.compute_loss(whole, (tags,), made(whole, training=True))
    weights = [variable.value for variable in made.trainable_variables]
    gradients = tape.gradient(loss, weights)
    assert np.isfinite(loss.numpy()) and loss >= 0
    for variable, gradient in zip(made.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all(), variable.path


def test_tags_are_the_likeliest_and_their_scores_are_marginals(variant):
    made, whole = variant
    found, marginals = tagged(made, whole), marginals_of(made, whole).numpy()
    real = np.arange(9) < whole["lengths"].numpy()[:, None]
    np.testing.assert_array_equal(found["tags"], made.decode(whole)[0]["tags"])
    assert not found["tags"].numpy()[~real].any()
    of_tags = np.take_along_axis(marginals, found["tags"].numpy()[..., None], -1)[..., 0]
    np.testing.assert_allclose(found["scores"].numpy()[real], of_tags[real], atol=1e-5)
    np.testing.assert_allclose(marginals.sum(-1)[real], 1, atol=1e-5)


def test_decoded_tags_keep_the_scheme():
    for head in ("crf", "softmax"):
        made = network(head=head)
        whole = batch([9, 3, 1, 8])
        for tags, length in zip(made.decode(whole)[0]["tags"].numpy(), whole["lengths"].numpy(), strict=True):
            assert not violations([TAGS[n] for n in tags[:length]], "IOBES")


def test_the_loss_is_a_mean_over_tokens():
    made, whole = network(), batch([5, 0, 1, 9])
    tags = tf.constant(np.random.default_rng(1).integers(0, len(TAGS), (4, 9)))
    emissions = made(whole)
    rows = [
        made.head.negative_log_likelihood(emissions[n : n + 1, :length], tags[n : n + 1, :length])
        for n, length in enumerate([5, 0, 1, 9])
        if length
    ]
    np.testing.assert_allclose(made.compute_loss(whole, (tags,), emissions), np.sum(rows) / 15, rtol=1e-5)


def test_dropout_is_for_training_alone():
    made, whole = network(), batch([5, 3])
    np.testing.assert_array_equal(made(whole), made(whole))
    assert np.abs(made(whole, training=True) - made(whole)).max() > 0.01


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_gives_float32_emissions(policy):
    made, whole = network(dtype=policy), batch([5, 0, 1, 9])
    emissions = made(whole)
    assert emissions.dtype == tf.float32
    assert np.isfinite(emissions).all()
    np.testing.assert_allclose(emissions, network()(whole), atol=0.1)
    found = tagged(made, whole)
    assert found["scores"].dtype == tf.float32 and np.isfinite(found["scores"]).all()
    loss = made.compute_loss(whole, (tf.zeros((4, 9), tf.int32),), emissions)
    assert loss.dtype == tf.float32 and np.isfinite(loss)


def test_a_representation_of_columns_needs_them():
    layer = WordRepresentation(**SIZES, column_sizes=(4,))
    layer.build()
    with pytest.raises(KeyError, match="columns"):
        layer(batch([2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "max"}, "expected head to be 'crf' or 'softmax', found 'max'"),
    ],
)
def test_wrong_heads_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        network(**arguments)
