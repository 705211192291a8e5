"""The conditional random field layer and its loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seqtag.layers.crf_loss import CRFLoss
from seqtag.ops import crf
from seqtag.ops.crf.arguments import check_emissions

Tensor = Any


@keras.saving.register_keras_serializable(package="seqtag")
class CRF(keras.layers.Layer):
    """Linear-chain conditional random field over tags (Lafferty, McCallum and Pereira 2001).

    The layer holds the scores `start (tags,)`, `transitions (tags, tags)` (row: from, column: to) and `end (tags,)`.
    Called on emissions `(batch, time, tags)` it returns them unchanged, in float32, in training and in inference: the
    loss, the decoding and the probabilities are methods that take those emissions. For `n` real steps

        p(y | x) = exp(start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_(t-1), y_t] + end[y_n]) / Z

    All is computed in float32 under any dtype policy. Masked steps are skipped wherever they are: the transition joins
    the real steps around them. A row without a real step has the loss 0.

    The methods take their arguments in the order of `seqtag.ops.crf`: emissions, what is asked about, mask, options.

    Args:
        constraints: boolean tables `(start, transitions, end)` of shapes `(tags,)`, `(tags, tags)`, `(tags,)`, False
            where a tag may not start, follow (column) another (row) or end a sequence. They hold in the partition, in
            decoding and in the probabilities, in training too (Papay, Klinger and Padó 2022). Where the true path
            breaks them, the loss counts that path as allowed and stays finite: `log(1 + Z / exp(score))`.
        tag_costs: `(tags,)`, not negative: the cost of missing each tag. The loss becomes the softmax-margin (Gimpel
            and Smith 2010): the partition scores a path higher by the costs of the steps that it gets wrong, so that
            training pushes paths that miss costly tags further down. Decoding does not change.
        initializer: of the three weights.
        regularizer: of the three weights.
        loss_reduction: how `loss` makes one number of a batch: `"sum_over_batch_size"`, the mean over rows, or another
            reduction of Keras, or `"token_mean"`, the mean over real steps.

    Raises:
        ValueError: in the constructor, constraints, costs or a reduction that are none; called, emissions without
            tags, of another rank, or of another number of tags than before.

    Example:
        >>> import numpy as np
        >>> layer = CRF()
        >>> emissions = layer(np.array([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]], "float32"))
        >>> mask = np.array([[True, True, False]])
        >>> np.asarray(layer.decode(emissions, mask=mask)).tolist()
        [[0, 1, 0]]
        >>> loss = layer.negative_log_likelihood(emissions, np.array([[0, 1, 0]]), mask=mask)
        >>> round(float(loss[0]), 4)
        0.4402
    """

    def __init__(
        self,
        constraints: Sequence[Any] | None = None,
        tag_costs: Sequence[float] | None = None,
        initializer: Any = "zeros",
        regularizer: Any = None,
        loss_reduction: str | None = "sum_over_batch_size",
        **kwargs: Any,
    ) -> None:
        # Emissions must arrive unchanged: a float16 policy would round them.
        super().__init__(autocast=False, **kwargs)
        self.constraints = check_constraints(constraints)
        self.tag_costs = check_costs(tag_costs)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.supports_masking = True
        self._set_loss(CRFLoss(reduction=loss_reduction))

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Creates the weights for as many tags as the last dimension of the emissions has."""
        self.tags = _count_tags(input_shape)
        for name, table in (("constraints", self.constraints and self.constraints[0]), ("tag_costs", self.tag_costs)):
            if table is not None and len(table) != self.tags:
                raise ValueError(f"expected {name} for {self.tags} tags, found them for {len(table)}")
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
        """The emissions in float32, with their mask."""
        self._check_tags(emissions)
        return ops.cast(emissions, "float32")

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """The mask of the emissions."""
        return mask

    def compute_output_spec(self, emissions: Tensor, mask: Tensor | None = None) -> keras.KerasTensor:
        """The emissions, in float32."""
        self._check_tags(emissions)
        return keras.KerasTensor(emissions.shape, dtype="float32")

    @property
    def loss(self) -> CRFLoss:
        """The mean negative log-likelihood of a batch, as a Keras loss: `compile(loss=crf.loss)`.

        As a function, `crf.loss(tags, emissions)` is a scalar; the order is Keras's. It reads the mask that Keras keeps
        on the emissions. See `seqtag.layers.crf_loss.CRFLoss` for sample weights.
        """
        return self._loss

    def _set_loss(self, loss: CRFLoss) -> None:
        self._loss = loss
        loss.bind(self.negative_log_likelihood, self.token_losses)

    def negative_log_likelihood(self, emissions: Tensor, tags: Tensor, mask: Tensor | None = None) -> Tensor:
        """`-log p(tags | emissions)` of each row, never below 0: `(batch,)`.

        Args:
            emissions: `(batch, time, tags)`.
            tags: `(batch, time)` or `(batch, time, 1)`, whole numbers; a negative one at a real step says that its tag
                is not known, and the loss is then that of all paths with the known tags (Tsuboi et al. 2008).
            mask: `(batch, time)` bool, the real steps; all of them if None.

        Raises:
            ValueError: shapes do not fit one another, tags are one-hot, or a tag at a real step is not one of the
                model's. Where XLA or `jax.jit` compile, nothing can be raised: such a tag has the loss infinity.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.negative_log_likelihood(
            emissions, tags, mask, self.scores, constraints=self.constraints, tag_costs=self.tag_costs
        )

    def loss_within(self, emissions: Tensor, allowed: Tensor, mask: Tensor | None = None) -> Tensor:
        """`-log p(every tag is allowed)` of each row, never below 0: `(batch,)`.

        `allowed (batch, time, tags)` bool says what the tag of each step may be: one tag where it is known, several
        where less is known of it, all where nothing is.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.loss_within(
            emissions, allowed, mask, self.scores, constraints=self.constraints, tag_costs=self.tag_costs
        )

    def token_losses(self, emissions: Tensor, tags: Tensor, mask: Tensor | None = None) -> Tensor:
        """`-log p(tag | emissions, the known tags before it)` of each step: `(batch, time)`, 0 at masked steps.

        Their sum over time is `negative_log_likelihood`, whose arguments and errors these are.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.token_losses(
            emissions, tags, mask, self.scores, constraints=self.constraints, tag_costs=self.tag_costs
        )

    def decode(self, emissions: Tensor, mask: Tensor | None = None, forced: Tensor | None = None) -> Tensor:
        """The best path: `(batch, time)` int32, 0 at masked steps; the layer `CRFDecoder` gives it in a model.

        `forced (batch, time)` gives tags that the path must take, -1 where it is free. Where no path keeps the
        constraints, because of the forced tags or the length, the path breaks as few of them as possible.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.decode(emissions, mask, self.scores, self.constraints, forced)

    def marginals(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probability of each tag at each step: `(batch, time, tags)`, 0 at masked steps."""
        emissions, mask = self._check(emissions, mask)
        return crf.marginals(emissions, mask, self.legal_scores)

    def path_probabilities(self, emissions: Tensor, tags: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Probability of each step of the path `tags`, alone and given the step before: both `(batch, time)`.

        The probability of a span's tags is the first at its first step times the second at its other steps.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.path_probabilities(emissions, tags, mask, self.legal_scores)

    def n_best(self, emissions: Tensor, k: int, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The `k` best paths, best first, and their scores: `(batch, k, time)` int32 and `(batch, k)`.

        Where fewer than `k` paths are allowed, the scores after the last one are `-inf`, the tags 0.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.n_best(emissions, k, mask, self.legal_scores)

    def probability_within(self, emissions: Tensor, allowed: Tensor, mask: Tensor | None = None) -> Tensor:
        """Probability that the path stays within `allowed (batch, time, tags)` bool: `(batch,)`."""
        emissions, mask = self._check(emissions, mask)
        return crf.probability_within(emissions, allowed, mask, self.legal_scores)

    def span_probability(
        self,
        emissions: Tensor,
        tags: Tensor,
        starts: Tensor,
        ends: Tensor,
        mask: Tensor | None = None,
        continues: Tensor | None = None,
    ) -> Tensor:
        """Probability that the path takes exactly `tags` in each span, from `starts` up to but without `ends`.

        Args:
            emissions: `(batch, time, tags)`.
            tags: `(batch, time)`, such as the decoded ones; those outside of spans do not matter.
            starts, ends: `(batch, spans)` steps; a span without a real step has probability 1.
            mask: `(batch, time)` bool.
            continues: bool `(tags, tags)`, True where the column's tag continues a span whose last tag is the row's.
                The probability is then that of a span that ends at its end. Without it any tag may follow.

        Returns:
            `(batch, spans)`.
        """
        emissions, mask = self._check(emissions, mask)
        return crf.span_probability(emissions, tags, starts, ends, mask, self.legal_scores, continues=continues)

    def _check(self, emissions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Emissions in float32, and the mask, all True if None."""
        if not self.built:
            raise ValueError(f"expected layer '{self.name}' to have been called on emissions first, found no weights")
        emissions = check_emissions(emissions)
        self._check_tags(emissions)
        emissions = ops.cast(emissions, "float32")
        return emissions, mask_or_ones(emissions, mask)

    def _check_tags(self, emissions: Tensor) -> None:
        if _count_tags(emissions.shape) != self.tags:
            raise ValueError(f"expected emissions of {self.tags} tags, found shape {tuple(emissions.shape)}")

    @property
    def scores(self) -> crf.CRFScores:
        """The weights: the scores without constraints."""
        return crf.CRFScores(*map(ops.convert_to_tensor, (self.start, self.transitions, self.end)))

    @property
    def legal_scores(self) -> crf.CRFScores:
        """The scores under the constraints: `-inf` where forbidden."""
        return crf.constrain(self.scores, self.constraints)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and the loss as an object that the layer may share with a compiled model."""
        # Keras marks an object as shared when it serializes it a second time. That must happen here: a model copies the
        # configs of its layers before it serializes its loss.
        keras.saving.serialize_keras_object(self._loss)
        return {
            **super().get_config(),
            "constraints": self.constraints,
            "tag_costs": self.tag_costs,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "loss_reduction": self._loss.reduction,
            "loss": keras.saving.serialize_keras_object(self._loss),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CRF:
        """A layer from a config, with the loss of the model that is being loaded."""
        arguments = {name: value for name, value in config.items() if name != "loss"}
        layer = super().from_config(arguments)
        layer._set_loss(keras.saving.deserialize_keras_object(config["loss"]))
        return layer


def _count_tags(shape: Sequence[int | None]) -> int:
    """The number of tags of emissions of a shape."""
    shape = tuple(shape)
    if len(shape) != 3 or shape[-1] is None:
        raise ValueError(f"expected emissions of shape (batch, time, tags), found {shape}")
    if shape[-1] < 1:
        raise ValueError(f"expected emissions of at least one tag, found shape {shape}")
    return int(shape[-1])


def mask_or_ones(emissions: Tensor, mask: Tensor | None) -> Tensor:
    """The mask `(batch, time)`; all True if None."""
    return ops.ones(ops.shape(emissions)[:2], dtype="bool") if mask is None else mask


def check_constraints(constraints: Sequence[Any] | None) -> list[Any] | None:
    """The tables `(start, transitions, end)` of legal starts, transitions and ends as nested lists.

    Raises:
        ValueError: if they are not three boolean tables of the same number of tags.
    """
    if constraints is None:
        return None
    if len(constraints) != 3:
        raise ValueError(f"expected constraints (start, transitions, end), found {len(constraints)} tables")
    start, transitions, end = (_as_array("constraints", table) for table in constraints)
    tags = len(start) if start.ndim else 0
    if not tags:
        raise ValueError("expected constraints for at least one tag, found none")
    for name, table, shape in (
        ("start", start, (tags,)),
        ("transition", transitions, (tags, tags)),
        ("end", end, (tags,)),
    ):
        if table.dtype != bool or table.shape != shape:
            found = f"{table.dtype} of shape {table.shape}"
            raise ValueError(f"expected the {name} constraints to be bool of shape {shape}, found {found}")
    return [start.tolist(), transitions.tolist(), end.tolist()]


def check_costs(tag_costs: Sequence[float] | None) -> list[float] | None:
    """The costs of missing each tag as a list of floats.

    Raises:
        ValueError: they are no finite numbers from 0 on.
    """
    if tag_costs is None:
        return None
    costs = _as_array("tag_costs", tag_costs)
    numbers = costs.dtype.kind in "iuf" and costs.ndim == 1 and len(costs)
    if not numbers or not (np.isfinite(costs) & (costs >= 0)).all():
        raise ValueError(f"expected tag_costs to be one finite number per tag, none negative, found {tag_costs}")
    return costs.astype("float64").tolist()


def _as_array(name: str, table: Any) -> np.ndarray:
    try:
        return np.asarray(table)
    except ValueError:
        raise ValueError(f"expected {name} of rows of one length, found rows of several") from None
