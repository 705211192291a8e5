"""Thresholds of a wanted precision: against all cuts, on a fitted model, and wrong ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqtag.errors import ConfigError, DataWarning
from seqtag.tagging.calibration import Calibration
from seqtag.tagging.data.corpus import load_corpus
from seqtag.tagging.data.tag_codec import TagCodec
from seqtag.tagging.evaluation.evaluate import evaluate_model
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.thresholds import check_precision, fit_thresholds, lowest_threshold


@pytest.fixture(scope="module")
def model(run_folder):
    return TaggingModel.load(run_folder)


@pytest.mark.parametrize("precision", [0.3, 0.6, 0.8, 1.0])
def test_the_threshold_is_the_lowest_of_all_cuts(precision):
    source = np.random.default_rng(2)
    for _ in range(30):
        # Many have the same probability.
        probabilities = source.integers(0, 10, 12) / 10
        right = source.random(12) < probabilities
        cuts = [cut for cut in sorted({*probabilities}) if right[probabilities >= cut].mean() >= precision]
        found = lowest_threshold(probabilities, right, precision)
        if not cuts:
            assert found is None
            continue
        given = probabilities >= found
        np.testing.assert_array_equal(given, probabilities >= cuts[0])
        assert found == 0 or found not in probabilities
    assert lowest_threshold(np.zeros(0), np.zeros(0, bool), precision) is None


@pytest.fixture
def dev(model, job):
    """The dev sentences, in which the persons that the model doubts most are none."""
    corpus = load_corpus(str(job / "dev.tsv"), model.options)
    scores = [next(e.score for e in tagged.entities if e.type == "PER") for tagged in model.tag(corpus.inputs)]
    for sentence in np.argsort(scores)[:5]:
        corpus.tags[sentence] = ["O" if tag == "B-PER" else tag for tag in corpus.tags[sentence]]
    return corpus


def test_a_type_gets_the_wanted_precision_and_others_stay(model, dev):
    before = evaluate_model(model, dev).per_type
    assert before["PER"].precision < 0.97
    [thresholds] = fit_thresholds(model, dev, model.encode(dev.inputs), {"PER": 0.97})
    limited = model.calibrated([replace(model.calibration, thresholds=thresholds)])
    report = evaluate_model(limited, dev)
    assert report.per_type["LOC"] == before["LOC"]
    assert report.per_type["PER"].precision >= 0.97 and report.per_type["PER"].correct
    assert report.to_metrics()["calibration"]["thresholds"] == thresholds
    assert f"least probability of entities: PER {thresholds['PER']:.3f}" in report.to_text()


def test_what_is_held_back_is_o_and_keeps_its_scores(model):
    limited = model.calibrated([replace(model.calibration, thresholds={"PER": 1.0})])
    sentences = load_corpus([(["Ann", "met", "Bo", "in", "Paris"], ["O"] * 5)]).inputs
    [before], [after] = model.tag(sentences), limited.tag(sentences)
    assert after.entities == [entity for entity in before.entities if entity.type != "PER"] != before.entities
    assert after.tags == [tag if tag.endswith("LOC") else "O" for tag in before.tags] != before.tags
    assert after.scores == before.scores


def test_a_precision_out_of_reach_is_told(model, dev):
    wrong = replace(dev, tags=[["O"] * len(tags) for tags in dev.tags])
    with pytest.warns(DataWarning, match="no threshold gives 'PER' a precision of 0.5 on dev; all are given"):
        assert fit_thresholds(model, wrong, model.encode(wrong.inputs), {"PER": 0.5}) == [{}]


def test_wrong_types_and_numbers_are_told_before_training(job, refused, tmp_path):
    for setting, message in (
        ("PER=1.5", "evaluation.precision.PER: input should be less than or equal to 1, found 1.5"),
        ("PRE=.9", "evaluation.precision: expected types of the training file, found 'PRE', did you mean 'PER'?"),
    ):
        option = f"evaluation.precision.{setting}"
        line = refused(2, "train", job / "job.yaml", "--set", option, "-o", tmp_path / "run")
        assert line.endswith(message)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="expected none for plain labels, found 'NOUN'"):
        check_precision({"NOUN": 0.9}, [TagCodec(None, ["NOUN"])])


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"temperature": float("nan"), "thresholds": {}}, "a temperature above 0, found nan"),
        ({"temperature": 0, "thresholds": {}}, "a temperature above 0, found 0"),
        ({"temperature": 1, "thresholds": {"PER": 2}}, "the threshold of 'PER' from 0 to 1, found 2"),
    ],
)
def test_a_damaged_calibration_is_told(stored, message):
    with pytest.raises(ValueError, match=message):
        Calibration.from_dict(stored)
    assert Calibration.from_dict(None) == Calibration()
