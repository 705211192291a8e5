"""Several networks as one model, whose answers are combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import keras


class Ensemble(keras.Model):
    """The base of ensembles; a subclass combines what its members say.

    Args:
        members: networks that are built by `build()` alone.
        **kwargs: as of every model.
    """

    def __init__(self, members: Sequence[keras.Model], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = list(members)

    def build(self, batch_shape: Any = None) -> None:
        """Builds the members that are not built yet."""
        for member in self.members:
            if not member.built:
                member.build()
        self.built = True

    def uncompiled(self) -> Self:
        """A copy with the same weights whose members have no optimizer, so that a file stores none of its state."""
        # Not `from_config`: what is serialised of a member has its optimizer.
        own = {name: value for name, value in self.get_config().items() if name != "members"}
        copy = type(self)([type(member).from_config(member.get_config()) for member in self.members], **own)
        copy.build()
        for variable, original in zip(copy.variables, self.variables, strict=True):
            variable.assign(original.value)
        return copy

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        return {**super().get_config(), "members": members}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The ensemble that `get_config` described."""
        members = [keras.saving.deserialize_keras_object(member) for member in config.pop("members")]
        return cls(members, **config)
