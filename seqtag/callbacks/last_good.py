"""A copy of a model and its optimizer, to be restored after a fault."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seqtag.callbacks.update_hook import inner_optimizer
from seqtag.keras_internals import moment_variables
from seqtag.layers.introspection import kept_states


class LastGood:
    """Keeps the values of a model's variables and states and of its optimizer's moments, in the memory of the host.

    The learning rate and the count of updates are not restored: the same updates would lead to the same fault.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.values: list[np.ndarray] = []

    def keep(self) -> None:
        """Copies the current values."""
        self.values = [np.array(variable.numpy()) for variable in self._variables()]

    def restore(self) -> None:
        """Restores the copied values."""
        for variable, value in zip(self._variables(), self.values, strict=True):
            variable.assign(value)

    def _variables(self) -> list[Any]:
        moments = moment_variables(inner_optimizer(self.model.optimizer))
        variables = [*self.model.variables, *kept_states(self.model), *moments]
        return list({id(variable): variable for variable in variables}.values())
