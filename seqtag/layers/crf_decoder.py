"""The layer that gives a CRF's decoded tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from seqtag.layers.crf import CRF

Tensor = Any


@keras.saving.register_keras_serializable(package="seqtag")
class CRFDecoder(keras.layers.Layer):
    """The best path under a `CRF` layer, as the output of a model: emissions in, tags `(batch, time)` int32 out.

    The tags are those of `crf.decode`, 0 at masked steps; the mask goes on to what follows. The weights are those of
    `crf`, which a model trains, stores and loads once however often the layer occurs in it. Tags have no gradient: fit
    a model that ends in the CRF with `crf.loss`, and give the same layers to a second model that ends in the decoder,
    or make one model of both outputs. `keras.models.clone_model` copies layers one by one, and with the decoder a CRF
    of its own; a stored model keeps one CRF for both.

    Args:
        crf: the layer whose weights and constraints decode.

    Raises:
        TypeError: `crf` is no `CRF`.
        ValueError: the emissions do not fit `crf`.

    Example:
        >>> import numpy as np
        >>> inputs = keras.Input((None, 2))
        >>> crf = CRF()
        >>> emissions = crf(keras.layers.Masking()(inputs))
        >>> trained = keras.Model(inputs, emissions)
        >>> trained.compile("sgd", loss=crf.loss)
        >>> tagger = keras.Model(inputs, CRFDecoder(crf)(emissions))
        >>> np.asarray(tagger(np.array([[[1.0, 3.0], [2.0, 0.5], [0.0, 0.0]]]))).tolist()  # the last step is masked
        [[1, 0, 0]]
    """

    def __init__(self, crf: CRF, **kwargs: Any) -> None:
        if not isinstance(crf, CRF):
            raise TypeError(f"expected crf to be a CRF layer, found {type(crf).__name__}")
        # Emissions must arrive unchanged: a float16 policy would round them.
        super().__init__(autocast=False, **kwargs)
        self.crf = crf
        self.supports_masking = True

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights of the CRF, if it was not called yet."""
        if not self.crf.built:
            self.crf.build(input_shape)

    def call(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """The best path of each row: `(batch, time)` int32, 0 at masked steps."""
        return self.crf.decode(emissions, mask=mask)

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """The mask of the emissions."""
        return mask

    def compute_output_spec(self, emissions: Tensor, mask: Tensor | None = None) -> keras.KerasTensor:
        """A tag for each step."""
        return keras.KerasTensor(self.crf.compute_output_spec(emissions).shape[:2], dtype="int32")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with the CRF as an object that the layer shares with the model."""
        return {**super().get_config(), "crf": keras.saving.serialize_keras_object(self.crf)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CRFDecoder:
        """A layer from a config, with the CRF of the model that is being loaded."""
        return cls(**{**config, "crf": keras.saving.deserialize_keras_object(config["crf"])})
