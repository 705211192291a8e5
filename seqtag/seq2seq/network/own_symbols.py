"""Scheduled sampling: how often the decoder reads symbols of its own in training."""

from __future__ import annotations

import math

import keras


def own_share(schedule: str, share: float, progress: float) -> float:
    """The share of a target's symbols that the decoder replaces by its own.

    With p from 0 at the first epoch to 1 at the last, it is `share` times 1 (`"constant"`), p (`"linear"`),
    (1 - e^(-5p)) / (1 - e^(-5)) (`"exponential"`), or 1 / (1 + e^(6 - 12p)) (`"inverse_sigmoid"`): the four shapes of
    Bengio et al. (2015, section 2.4) for one minus their ε.

    >>> [own_share(name, 0.5, 0.5) for name in ("none", "constant", "linear", "inverse_sigmoid")]
    [0.0, 0.5, 0.25, 0.25]
    """
    match schedule:
        case "none":
            return 0.0
        case "constant":
            return share
        case "linear":
            return share * progress
        case "exponential":
            return share * math.expm1(-5 * progress) / math.expm1(-5)
        case _:
            return share / (1 + math.exp(6 - 12 * progress))


class OwnSymbols(keras.callbacks.Callback):
    """Sets the network's share at every epoch.

    It depends on the epoch alone, so that a resumed run has the shares of an uninterrupted one.

    Args:
        schedule, share: see `own_share`.
        epochs: how many there are.
    """

    def __init__(self, schedule: str, share: float, epochs: int) -> None:
        super().__init__()
        self.schedule = schedule
        self.share = share
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Sets the epoch's share."""
        progress = epoch / max(1, self.epochs - 1)
        self.model.own_share.assign(own_share(self.schedule, self.share, progress))
