"""How gradients flow through a tagger: figures and tables of a batch of sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqtag.diagnostics import GradientFlow, gradient_flow
from seqtag.diagnostics.jacobians import by_lag
from seqtag.errors import DataError
from seqtag.files.folders import filled_folder
from seqtag.progress import LiveLine
from seqtag.tagging.data.batches import batch_of, tags_of
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.kept_states import with_states
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.network.ensemble import members_of

if TYPE_CHECKING:
    import pandas as pd

FLOW, JACOBIANS, NORMS, SUMMARY = "flow.png", "jacobians.png", "norms.csv", "summary.csv"
# Long sentences show how far gradients reach, and sentences of similar length show it in every row of the batch.
MOST_SENTENCES = 32
LONGEST = 50
# A step counts as influencing a later state while the norm of the derivative is not below this.
INFLUENCE = 0.01


@dataclass(frozen=True)
class GradientReport:
    """What a batch of sentences shows.

    Attributes:
        flow: the norms.
        summary: a row for each direction of each recurrent layer: the columns of `GradientFlow.summary`, and `reach`,
            the number of steps back until the norm of dh_t/dh_k falls below 1/100 (mean over all t of the longest
            sentence).
        lengths: tokens of the sentences.
    """

    flow: GradientFlow
    summary: pd.DataFrame
    lengths: list[int]

    def to_text(self) -> str:
        """The summary as a table, for people."""
        lengths = f"sentences: {len(self.lengths)}, of {min(self.lengths)} to {max(self.lengths)} tokens"
        table = self.summary.to_string(index=False, float_format=lambda value: f"{value:.3g}", na_rep="-")
        return f"{lengths}; loss {self.flow.loss:.4g} a token\n{table}"

    def write(self, folder: Path) -> None:
        """Writes figures and tables, all or none."""
        with filled_folder(folder) as aside:
            for name, frame in {NORMS: self.flow.to_frame(), SUMMARY: self.summary}.items():
                frame.to_csv(aside / name, index=False)
            self.flow.plot(aside / FLOW)
            self.flow.plot_jacobians(aside / JACOBIANS)


def report_gradients(model: TaggingModel, corpus: TaggedCorpus) -> GradientReport:
    """The gradient flow of up to 32 sentences, the longest that have no more than 50 tokens.

    Of several networks as one it is that of the first.

    Raises:
        DataError: there is no sentence with tokens.
    """
    part = corpus.subset(choose_sentences([len(tokens) for tokens in corpus.tokens]))
    network = members_of(model.network)[0]
    # The layers of a language model that is not trained are left out: no gradient goes through them.
    encoded = with_states(model.encode_corpus(part), network.representation.language_states)
    line = LiveLine()
    try:
        line.show(lambda: f"gradient flow of {len(part)} sentences")
        chosen = np.arange(len(part))
        x, y = batch_of(encoded, chosen), tags_of(encoded, chosen)
        flow = gradient_flow(network, x, y)
        summary = flow.summary()
        summary["reach"] = [_reach(flow, *direction, line) for direction in flow.directions()]
    finally:
        line.close()
    return GradientReport(flow, summary, encoded.lengths.tolist())


def choose_sentences(lengths: list[int]) -> list[int]:
    """Which sentences make the batch, the longest first.

    Raises:
        DataError: all sentences are empty.

    Example:
        >>> choose_sentences([3, 70, 0, 50, 3])
        [3, 0, 4]
    """
    real = [n for n, length in enumerate(lengths) if length]
    if not real:
        raise DataError(f"expected sentences with tokens, found none in {len(lengths)}")
    short = [n for n in real if lengths[n] <= LONGEST] or [min(real, key=lambda n: lengths[n])]
    return sorted(short, key=lambda n: -lengths[n])[:MOST_SENTENCES]


def _reach(flow: GradientFlow, name: str, way: str, index: tuple[int, ...], line: LiveLine) -> int:
    """How many steps back a state still influences later ones."""
    line.show(lambda: f"jacobians of {name}, {way}")
    backward = bool(index and index[0])
    real = np.flatnonzero(flow.real_steps(name))
    norms = flow.jacobian_norms(name, backward=backward)[np.ix_(real, real)]
    below = by_lag(norms, reverse=way == "backward") < INFLUENCE
    return int(np.argmax(below) if below.any() else len(below)) - 1
