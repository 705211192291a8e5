"""The settings of a fit, for any task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from seqtag.config.duration import Seconds
from seqtag.config.section import AboveZero, Fraction, Positive, Section


class FittingConfig(Section):
    """The keys that the section `training` of every task has."""

    optimizer: Literal["adam", "nadam", "sgd"] = Field("nadam", description="the method of gradient descent")
    learning_rate: AboveZero = Field(2e-3, description="the highest learning rate of the run")
    momentum: Fraction = Field(0.9, description="momentum of sgd")
    epochs: Positive = Field(30, description="passes over the training data, at most")
    l1: Annotated[float, Field(ge=0)] = Field(0.0, description="penalty that makes weights of kernels exactly zero")
    row_l1: Annotated[float, Field(ge=0)] = Field(0.0, description="penalty that makes whole rows of embeddings zero")
    clip_norm: AboveZero | None = Field(5.0, description="greatest global norm of the gradients; null for no clipping")
    warmup_steps: Annotated[int, Field(ge=0)] = Field(
        0, description="updates over which the learning rate rises from zero"
    )
    decay: Literal["none", "linear", "cosine"] = Field(
        "none", description="how the learning rate falls to zero over the run, after the warm-up"
    )
    anneal_factor: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="factor on the learning rate after a plateau; 1 for none"
    )
    anneal_patience: Positive = Field(3, description="epochs without a better dev measure that make a plateau")
    ema: Fraction = Field(0.99, description="momentum of the weight average; 0 for none")
    patience: Positive | None = Field(
        8, description="epochs without a better dev measure after which training ends; null for never"
    )
    budget: Seconds | None = Field(
        None,
        description="most wall-clock time of training, such as 90, '60s' or '1h30m', tracing and scoring counted; one "
        "update of each network is made at least; the result then depends on the machine's speed; null for no limit",
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32", description="Keras's dtype policy of the network"
    )
    tensorboard: bool = Field(True, description="write TensorBoard's files to the run's logs/")
    monitor_every: Positive | None = Field(
        None,
        description="measure the gradients every so many updates: norms to history.csv, all to logs/; null for never",
    )
