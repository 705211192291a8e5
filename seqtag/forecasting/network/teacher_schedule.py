"""Scheduled sampling: how often a recursive decoder reads the true value instead of its own forecast."""

from __future__ import annotations

import keras


class TeacherSchedule(keras.callbacks.Callback):
    """Changes the share of true values linearly from the first epoch to the last (Bengio et al. 2015).

    It depends on the epoch alone, so that a resumed run has the same shares as an uninterrupted one. It does nothing
    for a decoder that does not read its own forecasts.

    Args:
        first: the share in the first epoch.
        last: the share in the last epoch.
        epochs: how many there are.
    """

    def __init__(self, first: float, last: float, epochs: int) -> None:
        super().__init__()
        self.first = first
        self.last = last
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Sets the epoch's share."""
        share = getattr(self.model.decoder, "teacher_share", None)
        if share is not None:
            share.assign(self.first + (self.last - self.first) * epoch / max(1, self.epochs - 1))
