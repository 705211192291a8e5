"""Several tagger networks as one, whose scores of tag sequences are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from seqtag.keras_internals import set_untracked
from seqtag.models.ensemble import Ensemble
from seqtag.ops import crf
from seqtag.tagging.network.decoding import DecodesTags
from seqtag.tagging.network.network import TaggerNetwork
from seqtag.tagging.network.tag_column import ScoredColumn


class MeanColumn(ScoredColumn):
    """One column of tags, whose scores of starts, transitions and ends are the means of those of several networks."""

    def __init__(self, columns: Sequence[ScoredColumn]) -> None:
        super().__init__(columns[0].settings)
        self.columns = list(columns)

    @property
    def scores(self) -> crf.CRFScores:
        """The means."""
        of_members = zip(*(column.scores for column in self.columns), strict=True)
        return crf.CRFScores(*(_mean(list(map(tf.convert_to_tensor, tables))) for tables in of_members))


@keras.saving.register_keras_serializable(package="seqtag")
class TaggerEnsemble(Ensemble, DecodesTags):
    """The mean of the scores that its members give to each tag sequence:

        score(y) = 1/n sum_i score_i(y),

    so that its probabilities are the members' geometric mean, made to sum to one (a product of experts, Hinton 2002).
    A single Viterbi search finds the best sequence, as in one network.

    Args:
        members: networks of the same vocabularies and tags.

    Call arguments:
        batch: see `TaggerNetwork`.

    Returns:
        The mean of the members' emissions.
    """

    members: list[TaggerNetwork]

    def __init__(self, members: Sequence[TaggerNetwork], **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        columns = zip(*(member.columns for member in self.members), strict=True)
        set_untracked(self, "columns", list(map(MeanColumn, columns)))
        set_untracked(self, "_graphs", {})

    @property
    def reads_documents(self) -> bool:
        """Whether what it says of a sentence depends on the other sentences of its document."""
        return self.members[0].reads_documents

    def call(self, batch: dict, training: bool = False) -> tf.Tensor:
        """The mean of the members' emissions."""
        return _mean([member(batch, training=training) for member in self.members])

    def input_shapes(self) -> dict[str, list[int | None]]:
        """The shapes of what a batch must hold."""
        return self.members[0].input_shapes()


def _mean(tensors: Sequence[tf.Tensor]) -> tf.Tensor:
    # Scores that constraints have made minus infinity stay so.
    return tf.add_n([tensor / float(len(tensors)) for tensor in tensors])


def members_of(network: TaggerNetwork | TaggerEnsemble) -> list[TaggerNetwork]:
    """The networks that it is made of: itself alone, if it is no ensemble."""
    return network.members if isinstance(network, TaggerEnsemble) else [network]


def as_one(networks: Sequence[TaggerNetwork]) -> TaggerNetwork | TaggerEnsemble:
    """The network itself where there is one."""
    if len(networks) == 1:
        return networks[0]
    ensemble = TaggerEnsemble(networks)
    ensemble.build()
    return ensemble
