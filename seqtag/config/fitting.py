"""How a network is fitted, whatever its task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from seqtag.config.section import AboveZero, Fraction, Positive, Section


class FittingConfig(Section):
    """What the training of taggers and of forecasters has in common."""

    optimizer: Literal["adam", "nadam", "sgd"] = "nadam"
    learning_rate: AboveZero = 2e-3
    momentum: Fraction = Field(0.9, description="of sgd")
    epochs: Positive = 30
    l1: Annotated[float, Field(ge=0)] = Field(0.0, description="penalty that makes weights of kernels exactly zero")
    row_l1: Annotated[float, Field(ge=0)] = Field(0.0, description="the same for whole rows of the embeddings")
    clip_norm: AboveZero | None = Field(5.0, description="global norm; null for none")
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    decay: Literal["none", "linear", "cosine"] = "none"
    anneal_factor: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="on a plateau; 1 for never")
    anneal_patience: Positive = 3
    ema: Fraction = Field(0.99, description="momentum of the weight average; 0 for none")
    patience: Positive | None = Field(8, description="epochs without a better dev measure; null for never")
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    tensorboard: bool = True
    monitor_every: Positive | None = Field(
        None,
        description="measure the gradients every so many updates: norms to history.csv, all to logs/; null for never",
    )
