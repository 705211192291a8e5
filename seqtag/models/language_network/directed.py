"""The networks of a model as one: forward, and backward where there are both."""

from __future__ import annotations

from typing import Any

import keras

from seqtag.models.ensemble import Ensemble
from seqtag.models.language_network.network import LanguageNetwork


@keras.saving.register_keras_serializable(package="seqtag")
class DirectedNetworks(Ensemble):
    """One network for each direction: the first reads forwards, the second backwards.

    Call arguments:
        symbols: int32 `(rows, steps)`.

    Returns:
        The log-probabilities of the forward network; see `LanguageNetwork`.
    """

    @property
    def forward(self) -> LanguageNetwork:
        """The network that reads forwards."""
        return self.members[0]

    @property
    def backward(self) -> LanguageNetwork | None:
        """The network that reads backwards, if there is one."""
        return self.members[1] if len(self.members) > 1 else None

    def call(self, symbols: Any) -> Any:
        """The forward network's answer."""
        return self.forward(symbols)
