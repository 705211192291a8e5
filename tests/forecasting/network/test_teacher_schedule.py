"""The share of true values changes linearly, for decoders that read them."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import pytest

from seqtag.forecasting.network.teacher_schedule import TeacherSchedule


@pytest.mark.parametrize(
    ("first", "last", "epochs", "shares"),
    [(1.0, 0.0, 5, [1, 0.75, 0.5, 0.25, 0]), (0.2, 0.8, 3, [0.2, 0.5, 0.8]), (0.7, 0.1, 1, [0.7])],
)
def test_the_share_changes_linearly(first, last, epochs, shares):
    share = keras.Variable(9.0)
    schedule = TeacherSchedule(first, last, epochs)
    schedule.set_model(SimpleNamespace(decoder=SimpleNamespace(teacher_share=share)))
    found = []
    for epoch in range(epochs):
        schedule.on_epoch_begin(epoch)
        found.append(float(share.numpy()))
    assert found == pytest.approx(shares)


def test_other_decoders_are_not_changed():
    decoder = SimpleNamespace()
    schedule = TeacherSchedule(1.0, 0.0, 3)
    schedule.set_model(SimpleNamespace(decoder=decoder))
    schedule.on_epoch_begin(0)
    assert not vars(decoder)
