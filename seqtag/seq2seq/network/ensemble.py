"""One network or several, whose probabilities are averaged at each symbol, and the search for their best targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqtag.data.text.symbols import END
from seqtag.data.text.vocabulary import UNKNOWN
from seqtag.models.ensemble import Ensemble
from seqtag.ops.beam import Beams, Coverage, beam_search
from seqtag.ops.sampling import Samples, sample
from seqtag.seq2seq.network.network import Likelihood, Seq2SeqNetwork, target_mask


class Search(NamedTuple):
    """How targets are searched.

    Attributes:
        beam: hypotheses kept; 1 is greedy search.
        length_penalty: alpha of `beam_search`.
        coverage_penalty: beta of `Coverage`.
    """

    beam: int = 1
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0


GREEDY = Search()


@keras.saving.register_keras_serializable(package="seqtag")
class Seq2SeqEnsemble(Ensemble):
    """The mean of the members' probabilities of each symbol, given the same symbols before it.

    Args:
        members: networks of the same symbols.
        **kwargs: `name`, `dtype` and `trainable`, as in every model.
    """

    members: list[Seq2SeqNetwork]

    @property
    def attends(self) -> bool:
        """Whether there is attention."""
        return self.members[0].decoder.attends

    def call(self, batch: Mapping[str, tf.Tensor], training: bool = False) -> Likelihood:
        """The likelihood of the batch's targets."""
        found = [member(batch, training=training) for member in self.members]
        count = float(len(found))
        mean = tf.reduce_logsumexp(tf.stack([one.log_probabilities for one in found]), axis=0) - tf.math.log(count)
        weights = tf.add_n([one.weights for one in found]) / count if self.attends else None
        return Likelihood(mean, tf.add_n([one.smoothed for one in found]) / count, weights)

    def total_log_probability(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The log probability of each target of a batch, with its end, `(batch,)`."""
        return tf.reduce_sum(tf.where(target_mask(batch), self(batch).log_probabilities, 0.0), axis=1)

    def draw(
        self, batch: Mapping[str, tf.Tensor], steps: tf.Tensor, seed: int, temperature: Any, top_k: Any, top_p: Any
    ) -> Samples:
        """A random target of each source of a batch, of at most `steps (batch,)` symbols, ends counted."""
        step, states = self._stepped(batch)
        rows = tf.shape(batch["source_lengths"])[0]
        limits = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        return sample(step, states, batch=rows, start=END, end=END, steps=steps, seed=seed, **limits)

    def search(
        self, batch: Mapping[str, tf.Tensor], search: Search, steps: tf.Tensor, n_best: int | None = None
    ) -> Beams:
        """The best targets of a batch, `n_best` of the beam, of at most `steps (batch,)` symbols, ends counted."""
        step, states = self._stepped(batch)
        mask = tf.sequence_mask(batch["source_lengths"], tf.shape(states[0].attended)[-1]) if self.attends else None
        return beam_search(
            step,
            states,
            batch=tf.shape(batch["source_lengths"])[0],
            start=END,
            end=END,
            width=search.beam,
            steps=steps,
            n_best=n_best,
            alpha=search.length_penalty,
            coverage=self._coverage(search.coverage_penalty, mask),
        )

    def _stepped(self, batch: Mapping[str, tf.Tensor]) -> tuple[Callable[..., Any], tuple]:
        """The step function of a search over the sources of a batch, and the states before the first symbol."""
        begun = [member.begin(batch) for member in self.members]
        copied = batch.get("copied")

        def step(symbols: tf.Tensor, states: tuple) -> tuple[tf.Tensor, tuple]:
            found = [
                member.step(symbols, state, encoded, memory, copied)
                for member, (encoded, memory, _), state in zip(self.members, begun, states, strict=True)
            ]
            stacked = tf.stack([log_probabilities for log_probabilities, _ in found])
            mean = tf.reduce_logsumexp(stacked, axis=0) - tf.math.log(float(len(found)))
            return _without_unknown(mean), tuple(state for _, state in found)

        return step, tuple(state for _, _, state in begun)

    def _coverage(self, penalty: float, mask: tf.Tensor | None) -> Coverage | None:
        if not penalty or mask is None:
            return None
        count = float(len(self.members))
        return Coverage(lambda states: tf.add_n([state.attended for state in states]) / count, mask, penalty)


def _without_unknown(log_probabilities: tf.Tensor) -> tf.Tensor:
    """No answer has the unknown symbol: the next best one is more use."""
    is_unknown = tf.range(tf.shape(log_probabilities)[1]) == UNKNOWN
    return tf.where(is_unknown, -float("inf"), log_probabilities)
