"""Several networks as one, whose scores are averaged, and a linear model beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from seqtag.classification.network.network import ClassifierNetwork
from seqtag.classification.network.ngram_scores import NgramScores
from seqtag.models.ensemble import Ensemble


@keras.saving.register_keras_serializable(package="seqtag")
class ClassifierEnsemble(Ensemble):
    """The mean of the scores of its members, and the sum of the n-grams' scores:

        score = ngrams + share / n Σ_i member_i.

    Args:
        members: networks of the same labels.
        ngrams: arguments of `NgramScores`; None for none.
        share: the factor on the members' scores, which calibrates them; see `seqtag.classification.calibration`.

    Call arguments:
        batch: see `ClassifierNetwork`, and `ngrams (batch, most)` where there are n-grams.

    Returns:
        `(batch, num_labels)` in float32.
    """

    members: list[ClassifierNetwork]

    def __init__(
        self,
        members: Sequence[ClassifierNetwork],
        ngrams: Mapping[str, Any] | None = None,
        share: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(members, **kwargs)
        self.share = share
        self.ngrams = None if ngrams is None else NgramScores(**ngrams, name="ngrams")

    def build(self, batch_shape: Any = None) -> None:
        """Builds what is not built yet."""
        super().build()
        if self.ngrams is not None and not self.ngrams.built:
            self.ngrams.build()

    def call(self, batch: dict, training: bool = False) -> Any:
        """The scores."""
        scores = self.share * self.mean_score(batch)
        return scores if self.ngrams is None else scores + self.ngrams(batch["ngrams"])

    def mean_score(self, batch: dict) -> Any:
        """The mean of the members' scores."""
        return sum(member(batch) for member in self.members) / float(len(self.members))

    def attention(self, batch: dict) -> Any:
        """How much each step weighs, the mean over the members, `(batch, time)`."""
        return ops.mean(ops.stack([member.attention(batch) for member in self.members]), axis=0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        ngrams = None
        if self.ngrams is not None:
            config = self.ngrams.get_config()
            ngrams = {key: config[key] for key in ("num_rows", "num_labels", "kept_rows")}
        return {**super().get_config(), "ngrams": ngrams, "share": self.share}
