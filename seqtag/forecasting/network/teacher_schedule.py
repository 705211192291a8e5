"""Scheduled sampling: how often a recursive decoder reads the true value instead of its own forecast."""

from __future__ import annotations

import keras


class TeacherSchedule(keras.callbacks.Callback):
    """Moves the share of true values along a line, from the first epoch to the last (Bengio et al. 2015).

    It depends on the epoch alone, so that a run that goes on has the share of one that was never interrupted. A network
    whose decoder reads no forecast of its own is left as it is.

    Args:
        first: the share in the first epoch.
        last: that in the last.
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
