"""The conditional random field layer and its loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.layers.crf_loss import CRFLoss
from seqtag.ops.crf import likelihood, spans, viterbi
from seqtag.ops.crf import scores as crf

Tensor = Any

# What breaking a constraint costs where forced tags leave no path that keeps them all.
_BROKEN = -1e4


@keras.saving.register_keras_serializable(package="seqtag")
class CRF(keras.layers.Layer):
    """Linear-chain conditional random field over tags (Lafferty, McCallum and Pereira 2001).

    The layer holds the scores `start (tags,)`, `transitions (tags, tags)` (row: from, column: to) and `end
    (tags,)`. Called on emissions `(batch, time, tags)` it returns them as they are, in float32, in training
    and out of it: the loss, the decoding and the probabilities are methods that take those emissions. For
    `n` real steps

        p(y | x) = exp(start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_n]) / Z

    All is computed in float32 under any dtype policy. Masked steps are skipped wherever they lie: the
    transition links the real steps around them. A row without a real step has the loss 0.

    Args:
        constraints: boolean tables `(start, transitions, end)` of shapes `(tags,)`, `(tags, tags)`,
            `(tags,)`, False where a tag may not start, follow (column) another (row) or end a sequence.
            They hold in the partition, in decoding and in the probabilities, in training too (Papay,
            Klinger and Padó 2022). Where the true path
            breaks them, the loss takes that one path for allowed and stays finite: `log(1 + Z / exp(score))`.
        tag_costs: per tag `(tags,)`, not negative: the cost of missing that tag. The loss becomes the
            softmax-margin (Gimpel and Smith 2010): the partition scores a path higher by the costs of the
            steps that it gets wrong, so that paths which miss costly tags must be kept down by as much.
            Decoding is unchanged.
        initializer: of the three weights.
        regularizer: of the three weights.

    Example:
        >>> import numpy as np
        >>> layer = CRF()
        >>> emissions = layer(np.array([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]], "float32"))
        >>> mask = np.array([[True, True, False]])
        >>> np.asarray(layer.decode(emissions, mask=mask)).tolist()
        [[0, 1, 0]]
        >>> loss = layer.negative_log_likelihood(np.array([[0, 1, 0]]), emissions, mask=mask)
        >>> round(float(loss[0]), 4)
        0.4402
    """

    def __init__(
        self,
        constraints: Sequence[Any] | None = None,
        tag_costs: Sequence[float] | None = None,
        initializer: Any = "zeros",
        regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        # Emissions must arrive as they are: a float16 policy would round them first.
        super().__init__(autocast=False, **kwargs)
        self.constraints = _check_constraints(constraints)
        self.tag_costs = _check_costs(tag_costs)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.supports_masking = True
        self._own_loss(CRFLoss())

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for the number of tags, the last dimension of the emissions."""
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(f"expected emissions of shape (batch, time, tags), found {tuple(input_shape)}")
        self.tags = int(input_shape[-1])
        for name, size in (
            ("constraints", self.constraints and len(self.constraints[0])),
            ("tag_costs", self.tag_costs and len(self.tag_costs)),
        ):
            if size and size != self.tags:
                raise ValueError(f"expected {name} for {self.tags} tags, found them for {size}")
        self.start = self._add_scores("start", (self.tags,))
        self.transitions = self._add_scores("transitions", (self.tags, self.tags))
        self.end = self._add_scores("end", (self.tags,))

    def _add_scores(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        return self.add_weight(
            shape=shape,
            name=name,
            dtype="float32",
            autocast=False,
            initializer=self.initializer,
            regularizer=self.regularizer,
        )

    def call(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the emissions in float32; the mask goes with them."""
        return ops.cast(emissions, "float32")

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """The mask of the emissions."""
        return mask

    def compute_output_spec(self, emissions: Tensor, mask: Tensor | None = None) -> keras.KerasTensor:
        """The emissions, in float32."""
        return keras.KerasTensor(emissions.shape, dtype="float32")

    @property
    def loss(self) -> CRFLoss:
        """The mean negative log-likelihood of a batch, as a Keras loss: `compile(loss=crf.loss)`.

        As a function, `crf.loss(tags, emissions)` is a scalar. The mask is the one that Keras keeps on the
        emissions.
        """
        return self._loss

    def _own_loss(self, loss: CRFLoss) -> None:
        self._loss = loss
        loss.bind(self.negative_log_likelihood)

    def negative_log_likelihood(self, tags: Tensor, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """`-log p(tags | emissions)` of each row, never below 0: `(batch,)`.

        Args:
            tags: `(batch, time)` integers; -1 at a real step says that its tag is not known, and the loss
                is then that of all paths with the known tags (Tsuboi et al. 2008).
            emissions: `(batch, time, tags)`.
            mask: `(batch, time)` bool, the real steps; all of them if None.
        """
        emissions, mask = self._check(emissions, mask)
        return likelihood.negative_log_likelihood(
            emissions,
            tags,
            mask,
            *self._free_scores(),
            constraints=self.constraints,
            tag_costs=self.tag_costs,
        )

    def decode(self, emissions: Tensor, mask: Tensor | None = None, forced: Tensor | None = None) -> Tensor:
        """The best path: `(batch, time)` int32, 0 at masked steps.

        `forced (batch, time)` gives tags that the path must take, -1 where it is free. Where these, or the
        length, leave no path that keeps the constraints, the path breaks as few of them as it can.
        """
        emissions, mask = self._check(emissions, mask)
        if forced is not None:
            emissions = crf.restrict(emissions, crf.known_tags(forced, self.tags))
        tags, score = viterbi.viterbi(emissions, mask, *self._scores())
        if self.constraints is None:
            return tags
        legal = score > -float("inf")

        def break_some() -> Tensor:
            return ops.where(legal[:, None], tags, viterbi.viterbi(emissions, mask, *self._scores(_BROKEN))[0])

        return ops.cond(ops.all(legal), lambda: tags, break_some)

    def marginals(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probability of each tag at each step: `(batch, time, tags)`, 0 at masked steps."""
        emissions, mask = self._check(emissions, mask)
        return crf.marginals(emissions, mask, *self._scores())

    def path_probabilities(self, tags: Tensor, emissions: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Probability of each step of the path `tags`, alone and given the step before: both `(batch, time)`.

        The probability of a span's tags is the first at its first step times the second at its other steps.
        """
        emissions, mask = self._check(emissions, mask)
        return spans.path_probabilities(emissions, tags, mask, *self._scores())

    def n_best(self, emissions: Tensor, k: int, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The `k` best paths, best first, and their scores: `(batch, k, time)` int32 and `(batch, k)`.

        Where fewer than `k` paths are allowed, the scores after the last one are `-inf`, the tags 0.
        """
        emissions, mask = self._check(emissions, mask)
        return viterbi.n_best(emissions, k, mask, *self._scores())

    def probability_within(self, emissions: Tensor, allowed: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probability that the path stays within `allowed (batch, time, tags)` bool: `(batch,)`."""
        emissions, mask = self._check(emissions, mask)
        return spans.probability_within(emissions, allowed, mask, *self._scores())

    def span_probability(
        self,
        tags: Tensor,
        emissions: Tensor,
        starts: Tensor,
        ends: Tensor,
        mask: Tensor | None = None,
        continues: Tensor | None = None,
    ) -> Tensor:
        """Probability that the path takes the very `tags` in each span, from `starts` to before `ends`.

        Args:
            tags: `(batch, time)`, such as the decoded ones; those outside of spans do not matter.
            emissions: `(batch, time, tags)`.
            starts, ends: `(batch, spans)` steps; a span without a real step has probability 1.
            mask: `(batch, time)` bool.
            continues: bool `(tags, tags)`, True where a span whose last tag is the row's goes on with the
                column's; the probability is then that of the span which stops where it does. By default
                what follows is free.

        Returns:
            `(batch, spans)`.
        """
        emissions, mask = self._check(emissions, mask)
        return spans.span_probability(emissions, tags, starts, ends, mask, *self._scores(), continues=continues)

    def _check(self, emissions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Emissions in float32 and a mask that is there."""
        if not self.built:
            raise ValueError(f"expected layer '{self.name}' to have been called on emissions first, found no weights")
        emissions = ops.cast(emissions, "float32")
        if emissions.shape[-1] != self.tags:
            raise ValueError(f"expected emissions of {self.tags} tags, found shape {tuple(emissions.shape)}")
        if mask is None:
            mask = ops.ones(ops.shape(emissions)[:2], dtype="bool")
        return emissions, ops.cast(mask, "bool")

    def _free_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        start, transitions, end = map(crf.as_scores, (self.start, self.transitions, self.end))
        return start, transitions, end

    def _scores(self, forbidden: float = -float("inf")) -> tuple[Tensor, Tensor, Tensor]:
        """Start, transition and end scores under the constraints."""
        start, transitions, end = crf.constrain(self._free_scores(), self.constraints, forbidden)
        return start, transitions, end

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and the loss as an object that a compiled model may share."""
        # Keras marks an object as shared when it meets it a second time. It must do so here, since a model
        # copies the configs of its layers before it comes to its loss.
        keras.saving.serialize_keras_object(self._loss)
        return {
            **super().get_config(),
            "constraints": self.constraints,
            "tag_costs": self.tag_costs,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "loss": keras.saving.serialize_keras_object(self._loss),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CRF:
        """A layer from the config of another, with the loss of the model that is being loaded."""
        arguments = {name: value for name, value in config.items() if name != "loss"}
        layer = super().from_config(arguments)
        layer._own_loss(keras.saving.deserialize_keras_object(config["loss"]))
        return layer


def _check_constraints(constraints: Sequence[Any] | None) -> list[Any] | None:
    """The three tables as nested lists."""
    if constraints is None:
        return None
    if len(constraints) != 3:
        raise ValueError(f"expected constraints (start, transitions, end), found {len(constraints)} tables")
    start, transitions, end = (np.asarray(table) for table in constraints)
    tags = len(start)
    for name, table, shape in (
        ("start", start, (tags,)),
        ("transition", transitions, (tags, tags)),
        ("end", end, (tags,)),
    ):
        if table.dtype != bool or table.shape != shape:
            found = f"{table.dtype} of shape {table.shape}"
            raise ValueError(f"expected the {name} constraints to be bool of shape {shape}, found {found}")
    return [start.tolist(), transitions.tolist(), end.tolist()]


def _check_costs(tag_costs: Sequence[float] | None) -> list[float] | None:
    if tag_costs is None:
        return None
    costs = np.asarray(tag_costs, "float64")
    if costs.ndim != 1 or not (costs >= 0).all():
        raise ValueError(f"expected tag_costs to be one number per tag, none negative, found {tag_costs}")
    return costs.tolist()
