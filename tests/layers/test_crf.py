"""The CRF layer: its methods, its loss in compiled models, saving and dtype policies."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from seqtag.layers import CRF
from seqtag.ops import crf as ops_crf

TAGS = 3
# O, B, I: I follows B or I, and never starts.
CONSTRAINTS = (
    [True, True, False],
    [[True, True, False], [True, True, True], [True, True, True]],
    [True, True, True],
)


@pytest.fixture(autouse=True)
def restore_policy():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


def _layer(**arguments) -> CRF:
    layer = CRF(initializer=keras.initializers.RandomNormal(stddev=1.0, seed=3), **arguments)
    layer.build((None, None, TAGS))
    return layer


def _emissions(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(*shape, TAGS)).astype("float32")


def _model(**arguments) -> keras.Model:
    ids = keras.Input((None,), dtype="int32")
    hidden = keras.layers.Embedding(20, 8, mask_zero=True)(ids)
    crf = CRF(name="crf", **arguments)
    model = keras.Model(ids, crf(keras.layers.Dense(TAGS)(hidden)))
    model.compile(keras.optimizers.Adam(0.05), loss=crf.loss)
    return model


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 20, size=(32, 7))
    ids[::2, 4:] = 0
    return ids.astype("int32"), (ids % 2).astype("int32")


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("decode", ()),
        ("marginals", ()),
        ("n_best", (2,)),
        ("negative_log_likelihood", (np.zeros((1, 2), int),)),
        ("token_losses", (np.zeros((1, 2), int),)),
        ("path_probabilities", (np.zeros((1, 2), int),)),
        ("span_probability", (np.zeros((1, 2), int), np.array([[0]]), np.array([[1]]))),
        ("probability_within", (np.ones((1, 2, TAGS), bool),)),
    ],
)
def test_every_method_checks_its_emissions_and_mask(method: str, arguments: tuple):
    call = getattr(_layer(), method)
    call(_emissions(1, 2), *arguments)
    for emissions, mask, message in (
        (keras.KerasTensor((None, None, TAGS)), None, r"symbolic tensor of a model: the layer CRFDecoder\(crf\)"),
        (_emissions(2), None, r"expected emissions of shape \(batch, time, tags\), found \(2, 3\)"),
        (_emissions(1, 2), np.ones((2, 2), bool), r"expected a mask of shape \(1, 2\) for emissions .* found \(2, 2\)"),
        (_emissions(1, 2), np.array([2]), r"found \(1,\); lengths make a mask by np.arange"),
    ):
        with pytest.raises(ValueError, match=message):
            call(emissions, *arguments, mask=mask)


def test_one_tag_is_a_chain_without_a_choice():
    layer = CRF(initializer="ones")
    emissions = layer(np.ones((2, 3, 1), "float32"))
    assert_array_equal(layer.decode(emissions), np.zeros((2, 3)))
    assert_array_equal(layer.negative_log_likelihood(emissions, np.zeros((2, 3, 1), int)), [0, 0])
    assert_array_equal(layer.marginals(emissions), np.ones((2, 3, 1)))
    assert_array_equal(layer.n_best(emissions, 2)[1], [[7, -np.inf]] * 2)


def test_call_returns_the_emissions_in_training_and_out_of_it():
    emissions = _emissions(2, 4)
    for training in (False, True):
        found = _layer()(emissions, training=training)
        assert_array_equal(found, emissions)


def test_loss_is_the_mean_of_the_rows_with_the_mask_of_keras():
    layer, emissions = _layer(), _emissions(4, 6)
    mask = np.arange(6) < np.array([[6], [3], [1], [0]])
    tags = np.random.default_rng(1).integers(TAGS, size=(4, 6))
    padded = np.where(mask[..., None], emissions, 0)
    found = layer.loss(tags, layer(keras.layers.Masking()(padded)))
    rows = layer.negative_log_likelihood(emissions, tags, mask=mask)
    assert_allclose(found, np.mean(rows), rtol=1e-6)
    weights = np.array([1.0, 0.0, 2.0, 5.0], "float32")
    weighted = layer.loss(tags, layer(keras.layers.Masking()(padded)), sample_weight=weights)
    assert_allclose(weighted, np.mean(weights * np.asarray(rows)), rtol=1e-6)


def test_row_without_a_real_step_costs_nothing():
    rows = _layer().negative_log_likelihood(_emissions(1, 3), np.zeros((1, 3), int), mask=np.zeros((1, 3), bool))
    assert_array_equal(rows, [0.0])


def test_decoding_keeps_the_constraints():
    layer = _layer(constraints=CONSTRAINTS)
    emissions = _emissions(50, 9) + np.float32([0, 0, 3])  # the forbidden starter is the best
    tags = np.asarray(layer.decode(emissions))
    assert np.all(tags[:, 0] != 2)
    assert not np.any((tags[:, :-1] == 0) & (tags[:, 1:] == 2))
    marginals = np.asarray(layer.marginals(emissions))
    assert_array_equal(marginals[:, 0, 2], 0)
    many, _ = layer.n_best(emissions, 3)
    assert_array_equal(np.asarray(many)[:, 0], tags)
    assert np.all(np.asarray(many)[:, :, 0] != 2)


def test_forced_tags_are_taken_and_the_rest_is_the_best_around_them():
    layer, emissions = _layer(constraints=CONSTRAINTS), _emissions(20, 6)
    forced = np.full((20, 6), -1)
    forced[:, 2] = 2  # so that step 1 must be B or I
    tags = np.asarray(layer.decode(emissions, forced=forced))
    assert_array_equal(tags[:, 2], 2)
    assert np.all(tags[:, 1] != 0) and np.all(tags[:, 0] != 2)
    lifted = emissions.copy()
    lifted[:, 2, 2] += 1000
    assert_array_equal(tags, layer.decode(lifted))


def test_forced_tags_that_break_constraints_break_as_few_as_they_can():
    layer = _layer(constraints=CONSTRAINTS)
    forced = np.array([[2, -1, 0, 2, -1, -1], [-1, -1, 1, 2, -1, -1]])
    emissions = _emissions(2, 6)
    emissions[:, 4:, 2] += 9
    tags = np.asarray(layer.decode(emissions, forced=forced))
    assert_array_equal(tags[0, [0, 2, 3]], [2, 0, 2])
    assert_array_equal(tags[:, 4:], 2)
    breaks = (tags[0, :-1] == 0) & (tags[0, 1:] == 2)
    assert breaks.sum() == 1  # the forced one
    assert_array_equal(tags[1], np.asarray(layer.decode(emissions[1:], forced=forced[1:]))[0])


def test_a_true_path_that_breaks_constraints_keeps_the_loss_finite_and_is_learnt():
    layer, emissions = _layer(constraints=CONSTRAINTS), _emissions(1, 2)
    illegal = np.array([[0, 2]])
    loss = float(layer.negative_log_likelihood(emissions, illegal)[0])
    legal = ops_crf.constrain(layer.scores, layer.constraints)
    mask = np.ones((1, 2), bool)
    total = float(ops_crf.log_partition(emissions, mask, legal)[0])
    path = float(ops_crf.path_score(emissions, illegal, mask, layer.scores)[0])
    assert_allclose(loss, np.log1p(np.exp(total - path)), rtol=1e-5)
    emissions[0, 1, 2] += 50
    assert float(layer.negative_log_likelihood(emissions, illegal)[0]) < loss


def test_unknown_tags_cost_no_more_than_any_tag():
    layer, emissions = _layer(), _emissions(5, 4)
    tags = np.random.default_rng(2).integers(TAGS, size=(5, 4))
    unknown = tags.copy()
    unknown[:, 1] = -1
    some = np.asarray(layer.negative_log_likelihood(emissions, unknown))
    each = []
    for tag in range(TAGS):
        unknown[:, 1] = tag
        each.append(np.exp(-np.asarray(layer.negative_log_likelihood(emissions, unknown))))
    assert_allclose(np.exp(-some), np.sum(each, axis=0), rtol=1e-5)
    nothing = layer.negative_log_likelihood(emissions, np.full((5, 4), -1))
    assert_allclose(nothing, 0, atol=1e-6)


def test_costs_of_a_tag_raise_the_loss_where_it_is_true():
    emissions, tags = _emissions(1, 3), np.array([[1, 1, 1]])
    plain = float(_layer().negative_log_likelihood(emissions, tags)[0])
    costly = float(_layer(tag_costs=[0.0, 2.0, 0.0]).negative_log_likelihood(emissions, tags)[0])
    other = float(_layer(tag_costs=[5.0, 0.0, 5.0]).negative_log_likelihood(emissions, tags)[0])
    assert plain < costly < plain + 6
    assert_allclose(other, plain, rtol=1e-6)


def test_span_and_path_probabilities_agree_with_each_other():
    layer, emissions = _layer(constraints=CONSTRAINTS), _emissions(2, 6)
    mask = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], bool)
    tags = layer.decode(emissions, mask=mask)
    alone, given = map(np.asarray, layer.path_probabilities(emissions, tags, mask=mask))
    starts, ends = np.array([[1, 0]] * 2), np.array([[3, 3]] * 2)
    spans = layer.span_probability(emissions, tags, starts, ends, mask=mask)
    assert_allclose(np.asarray(spans)[:, 0], alone[:, 1] * given[:, 2], rtol=1e-4)
    allowed = np.eye(TAGS, dtype=bool)[np.asarray(tags)]
    allowed[:, 3:] = True
    within = layer.probability_within(emissions, allowed, mask=mask)
    assert_allclose(np.asarray(spans)[:, 1], within, rtol=1e-4)
    stops = layer.span_probability(emissions, tags, starts, ends, mask=mask, continues=np.ones((3, 3), bool))
    assert_allclose(np.asarray(stops)[:, 1], [0, within[1]], rtol=1e-4, atol=1e-7)  # only the end may follow


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float64"])
def test_scores_are_float32_under_any_policy(policy: str):
    reference, emissions = _layer(), _emissions(2, 40)
    tags = np.random.default_rng(1).integers(TAGS, size=(2, 40))
    expected = reference.negative_log_likelihood(emissions, tags)
    keras.config.set_dtype_policy(policy)
    layer = _layer()
    layer.set_weights(reference.get_weights())
    assert {keras.backend.standardize_dtype(w.dtype) for w in layer.weights} == {"float32"}
    found = layer(emissions)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert layer(keras.Input((None, TAGS), dtype="bfloat16")).dtype == "float32"
    assert_array_equal(found, emissions)  # not rounded on the way
    assert_array_equal(layer.negative_log_likelihood(found, tags), expected)
    assert_array_equal(layer.decode(found), reference.decode(emissions))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_compiled_model_saves_and_trains_on_after_loading(policy: str, tmp_path):
    keras.config.set_dtype_policy(policy)
    ids, tags = _data()
    model = _model(constraints=CONSTRAINTS, tag_costs=[0.0, 0.5, 0.5])
    first = model.fit(ids, tags, epochs=2, verbose=0).history["loss"]
    assert first[-1] < first[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    crf = loaded.get_layer("crf")
    assert loaded.loss is crf.loss
    for before, after in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert_array_equal(before, after)
    assert_allclose(loaded.evaluate(ids, tags, verbose=0), model.evaluate(ids, tags, verbose=0), rtol=1e-5)
    transitions = crf.get_weights()[1].copy()
    later = loaded.fit(ids, tags, epochs=2, verbose=0).history["loss"]
    assert later[-1] < first[-1]
    assert np.abs(crf.get_weights()[1] - transitions).max() > 1e-3


def test_a_sequential_model_is_saved_with_its_loss(tmp_path):
    crf = CRF(name="crf")
    model = keras.Sequential([keras.layers.Embedding(20, 8, mask_zero=True), keras.layers.Dense(TAGS), crf])
    model.compile("adam", loss=crf.loss)
    ids, tags = _data()
    model.fit(ids, tags, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss is loaded.get_layer("crf").loss
    assert_allclose(loaded.evaluate(ids, tags, verbose=0), model.evaluate(ids, tags, verbose=0), rtol=1e-5)


def test_a_loss_that_lost_its_layer_says_so():
    loss = keras.losses.deserialize(keras.losses.serialize(_layer().loss))
    with pytest.raises(ValueError, match=r"expected the loss of a CRF layer, found one without a layer"):
        loss(np.zeros((1, 2), int), _emissions(1, 2))


def test_config_round_trip():
    layer = CRF(
        constraints=tuple(map(np.array, CONSTRAINTS)),
        tag_costs=np.array([0.0, 1.0, 2.0]),
        initializer="glorot_uniform",
        regularizer=keras.regularizers.L2(0.1),
        loss_reduction="token_mean",
    )
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.get_config() == layer.get_config()
    copy.build((None, None, TAGS))
    assert len(copy.losses) == 3


def test_training_learns_the_transitions():
    """Emissions say nothing; tags alternate."""
    model = _model()
    ids = np.full((640, 6), 5, "int32")
    tags = np.tile([0, 1], (640, 3)).astype("int32")
    model.fit(ids, tags, batch_size=16, verbose=0)
    crf = model.get_layer("crf")
    assert_array_equal(crf.decode(model(ids[:2])), tags[:2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"constraints": [[True]]}, r"expected constraints \(start, transitions, end\), found 1 tables"),
        (
            {"constraints": [[True, True], [[True, True]], [True, True]]},
            r"expected the transition constraints to be bool of shape \(2, 2\), found bool of shape \(1, 2\)",
        ),
        (
            {"constraints": [[1, 0], [[1, 0]] * 2, [1, 0]]},
            r"expected the start constraints to be bool of shape \(2,\), found int64",
        ),
        ({"constraints": [[], [], []]}, "expected constraints for at least one tag, found none"),
        ({"constraints": [[True], [[True], [True, False]], [True]]}, "expected constraints of rows of one length"),
        ({"loss_reduction": "tokens"}, "expected reduction to be one of .*token_mean, found 'tokens'"),
        ({"tag_costs": [np.inf]}, "expected tag_costs to be one finite number per tag, none negative"),
        ({"tag_costs": [1.0, -1.0]}, "expected tag_costs to be one finite number per tag, none negative"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        CRF(**arguments)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expected emissions of shape \(batch, time, tags\), found \(2, 3\)"):
        CRF().build((2, 3))
    with pytest.raises(ValueError, match="expected constraints for 4 tags, found them for 3"):
        CRF(constraints=CONSTRAINTS).build((None, None, 4))
    with pytest.raises(ValueError, match="expected tag_costs for 4 tags, found them for 2"):
        CRF(tag_costs=[1, 2]).build((None, None, 4))
    with pytest.raises(ValueError, match=r"expected emissions of at least one tag, found shape \(1, 2, 0\)"):
        CRF()(np.zeros((1, 2, 0)))
    with pytest.raises(ValueError, match=r"expected emissions of shape \(batch, time, tags\), found \(2, 3\)"):
        _layer()(_emissions(2))
    with pytest.raises(ValueError, match="called on emissions first, found no weights"):
        CRF().decode(_emissions(1, 2))
    with pytest.raises(ValueError, match=r"expected emissions of 3 tags, found shape \(1, 2, 5\)"):
        _layer().decode(np.zeros((1, 2, 5), "float32"))
