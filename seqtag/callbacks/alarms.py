"""What alarms have in common: the warning that they give and the record that they keep."""

from __future__ import annotations

import warnings
from dataclasses import dataclass


class GradientWarning(UserWarning):
    """Something is wrong with the gradients of a training."""


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        step: 1-based number of the update; of the epoch's last, where an epoch was judged.
        layers: the names of the layers where it shows.
        message: what a user is told.
    """

    step: int
    layers: tuple[str, ...]
    message: str

    def warn(self) -> None:
        """Tells the user."""
        # The message names the update, so that Python takes no two for the same and drops one.
        warnings.warn(self.message, GradientWarning, stacklevel=2)
