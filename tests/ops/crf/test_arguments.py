"""What the functions on chains say about arguments that do not fit."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from seqtag.ops import crf

TENSORFLOW = keras.config.backend() == "tensorflow"
SCORES = crf.CRFScores(np.zeros(3, "f"), np.zeros((3, 3), "f"), np.zeros(3, "f"))
EMISSIONS = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
TAGS = np.array([[0, 1, 2, 0], [1, 0, 9, -9]])  # masked steps do not matter
BY_TAGS = [crf.negative_log_likelihood, crf.token_losses, crf.path_score, crf.path_probabilities]


@pytest.mark.parametrize("function", BY_TAGS, ids=lambda function: function.__name__)
def test_tags_may_have_an_axis_more_and_any_dtype(function):
    wanted = function(EMISSIONS, TAGS, MASK, SCORES)
    for tags in (TAGS[..., None], TAGS.astype("float32"), TAGS.astype("int8")):
        assert_array_equal(function(EMISSIONS, tags, MASK.astype("int32"), SCORES), wanted)


@pytest.mark.parametrize("function", BY_TAGS, ids=lambda function: function.__name__)
@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (TAGS[:, :1], r"expected tags of shape \(2, 4\) for emissions of shape \(2, 4, 3\), found \(2, 1\)"),
        (np.eye(3)[TAGS % 3], r"found \(2, 4, 3\); np.argmax\(tags, axis=-1\) makes numbers of one-hot tags"),
        (np.where(TAGS == 2, 3, TAGS), r"expected tags from 0 to 2.*, found 3 in row 0, step 2"),
        (np.where(TAGS == 2, 0.5, TAGS), r"expected tags from 0 to 2.*, found 0.5 in row 0, step 2"),
        (np.where(TAGS == 2, np.nan, TAGS), r"expected tags from 0 to 2.*, found nan in row 0, step 2"),
    ],
)
def test_other_tags_are_refused(function, tags, message):
    with pytest.raises(ValueError, match=message):
        function(EMISSIONS, tags, MASK, SCORES)


@pytest.mark.parametrize("function", BY_TAGS[2:], ids=lambda function: function.__name__)
def test_a_path_has_no_unknown_tag(function):
    with pytest.raises(ValueError, match="expected tags from 0 to 2, found -1 in row 1, step 0"):
        function(EMISSIONS, np.array([[0, 1, 2, 0], [-1, 0, 0, 0]]), MASK, SCORES)


def test_other_arguments_are_checked():
    for call, message in (
        (
            lambda: crf.decode(EMISSIONS, MASK, SCORES, forced=TAGS + 3),
            "forced from 0 to 2 .*, found 3 in row 0",
        ),
        (
            lambda: crf.decode(EMISSIONS, MASK, SCORES, ([True],) * 3),
            r"expected constraints of shape \(3,\), found \(1,\)",
        ),
        (lambda: crf.marginals(EMISSIONS > 0, MASK, SCORES._replace(end=np.zeros(1))), r"end scores of shape \(3,\)"),
        (lambda: crf.marginals(EMISSIONS * 1j, MASK, SCORES), "expected emissions to be numbers, found complex"),
        (lambda: crf.n_best(EMISSIONS, 1.5, MASK, SCORES), "expected k to be a whole number from 1, found 1.5"),
        (
            lambda: crf.probability_within(EMISSIONS, MASK, MASK, SCORES),
            r"expected allowed of the shape \(2, 4, 3\) of the emissions, found \(2, 4\)",
        ),
        (lambda: spans([[0], [0]], [[1, 2]] * 2), r"starts and ends of one shape \(2, spans\), found \(2, 1\) and"),
        (lambda: spans([[0], [0]], [[1], [5]]), "expected ends from 0 to the 4 steps of .*, found 5 in row 1, span 0"),
        (lambda: spans([[0], [0]], [[1], [1]], np.ones((2, 2), bool)), r"expected continues of shape \(3, 3\)"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def spans(starts, ends, continues=None):
    return crf.span_probability(EMISSIONS, TAGS, np.array(starts), np.array(ends), MASK, SCORES, continues)


def test_tags_outside_of_spans_do_not_matter_and_no_path_takes_an_unknown_one():
    tags = np.array([[0, 1, -1, 0], [1, -1, 0, 0]])
    found = np.asarray(crf.span_probability(EMISSIONS, tags, [[0, 1], [0, 0]], [[2, 3], [1, 2]], MASK, SCORES))
    assert found[0, 0] > 0 and found[1, 0] > 0
    assert_array_equal([found[0, 1], found[1, 1]], [0, 0])


def test_where_nothing_can_be_raised_a_tag_that_no_path_has_costs_infinity():
    def losses(emissions, tags):
        return crf.negative_log_likelihood(emissions, tags, MASK, SCORES)

    if TENSORFLOW:
        import tensorflow as tf

        compiled = tf.function(losses, jit_compile=True, autograph=False)
    else:
        import jax

        compiled = jax.jit(losses)
    tags = np.array([[0, 1, 3, 0], [1, 0, 9, 9]])
    found = np.asarray(compiled(EMISSIONS, tags))
    assert found[0] == np.inf and np.isfinite(found[1])


@pytest.mark.skipif(not TENSORFLOW, reason="shapes are known on JAX")
def test_a_graph_checks_what_it_learns_late():
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None, 3)), tf.TensorSpec((None, None), "int32")]

    @tf.function(input_signature=signature, autograph=False)
    def losses(emissions, tags):
        return crf.negative_log_likelihood(emissions, tags, tf.ones(tf.shape(emissions)[:2], "bool"), SCORES)

    losses(EMISSIONS, TAGS % 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected tags of shape \(batch, time\)"):
        losses(EMISSIONS, TAGS[:, :1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected tags from 0 to 2"):
        losses(EMISSIONS, TAGS)
