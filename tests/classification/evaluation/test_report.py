"""Reports, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from seqtag.classification.data.labels import LabelCodec
from seqtag.classification.evaluation.report import report_on

RNG = np.random.default_rng(5)


def test_one_label_each():
    codec = LabelCodec(["a", "b", "c"])
    probabilities = RNG.dirichlet(np.ones(3), 50)
    gold = [(codec.labels[n],) for n in RNG.integers(0, 3, 50)]
    predicted = codec.decode(probabilities)
    report = report_on(codec, gold, predicted, probabilities)
    true, given = [one for (one,) in gold], [one for (one,) in predicted]
    assert report.accuracy == pytest.approx(metrics.accuracy_score(true, given))
    assert report.f1_macro == pytest.approx(metrics.f1_score(true, given, average="macro"))
    assert report.log_loss == pytest.approx(metrics.log_loss(true, probabilities, labels=codec.labels))
    assert report.confusion["a"]["b"] == metrics.confusion_matrix(true, given)[0, 1]
    assert set(report.to_metrics()) >= {"accuracy", "f1_macro", "log_loss", "ece", "per_label", "examples"}
    assert "accuracy" in report.to_text()


def test_several_labels():
    codec = LabelCodec(["a", "b"], several=True)
    probabilities = RNG.random((40, 2))
    targets = RNG.integers(0, 2, (40, 2))
    gold = [tuple(codec.labels[n] for n in np.flatnonzero(row)) for row in targets]
    report = report_on(codec, gold, codec.decode(probabilities, 0.3), probabilities)
    assert report.accuracy == pytest.approx(metrics.accuracy_score(targets, probabilities >= 0.3))
    assert report.f1_macro == pytest.approx(metrics.f1_score(targets, probabilities >= 0.3, average="macro"))
    of_labels = [metrics.log_loss(targets[:, n], probabilities[:, n]) for n in (0, 1)]
    assert report.log_loss == pytest.approx(np.mean(of_labels))
    assert report.confusion is None


def test_a_label_that_is_not_known_is_a_miss():
    codec = LabelCodec([0, 1])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    report = report_on(codec, [(0,), ("new",)], [(0,), (1,)], probabilities)
    assert report.accuracy == 0.5
    assert report.per_label["new"].support == 1 and report.per_label["new"].correct == 0
    assert np.isfinite(report.log_loss)


def test_nothing_at_all():
    report = report_on(LabelCodec(["a", "b"]), [], [], np.zeros((0, 2)))
    assert (report.accuracy, report.f1_macro, report.log_loss, report.ece) == (0.0, 0.0, 0.0, 0.0)
