"""The warning and the record that all alarms about gradients use."""

from __future__ import annotations

import warnings
from dataclasses import dataclass


class GradientWarning(UserWarning):
    """Something is wrong with the gradients of a training."""


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        step: 1-based number of the update; that of the last one, if a whole epoch was judged.
        layers: the names of the layers with the fault.
        message: the text of the warning.
    """

    step: int
    layers: tuple[str, ...]
    message: str

    def warn(self) -> None:
        """Gives the warning."""
        # Python shows equal warnings once; the message names the update, so no two are equal.
        warnings.warn(self.message, GradientWarning, stacklevel=2)
