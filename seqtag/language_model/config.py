"""The configuration of a language model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seqtag.config.fitting import FittingConfig
from seqtag.config.section import AboveZero, Cell, FilesConfig, Fraction, Positive, Section, TaskConfig

TASK = "language_model"
# The keys of the section `data` that say how a file is laid out.
LAYOUT = ("documents", "encoding")
Files = str | tuple[str, ...]
AtLeastZero = Annotated[int, Field(ge=0)]


class DataConfig(FilesConfig):
    """Where the texts are and how they are read."""

    train: Files | None = Field(None, description="file of plain text, or several")
    dev: Files | None = Field(None, description="text that chooses the epoch; the end of train unless set")
    test: Files | None = Field(None, description="text that is scored once, at the end")
    documents: Literal["whole", "lines", "paragraphs"] = Field(
        "whole",
        description="where the model starts anew: at each file, at each line, or after blank lines; the ends of lines "
        "and of paragraphs are predicted, too",
    )
    encoding: str = Field("utf-8", description="of the files, as Python names it")
    dev_share: Fraction = Field(0.05, description="share of train, by position, that dev gets where it has no file")
    test_share: Fraction = Field(0.0, description="share of train, by position, that test gets where it has no file")


class CacheConfig(Section):
    """The memory of the symbols before (Grave, Joulin and Usunier 2017), in scoring and in generation."""

    size: AtLeastZero = Field(0, description="how many symbols back it reaches; 0 for none")
    weight: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="its share of the probability")
    flatness: AboveZero = Field(0.3, description="how much likeness of states counts")


class ModelConfig(Section):
    """The network of a language model."""

    symbols: Literal["characters", "words"] = Field("characters", description="what the model predicts one by one")
    directions: Literal["forward", "both"] = Field(
        "forward", description="both has a second network that reads backwards, for taggers that read its states"
    )
    cell: Cell | Literal["window"] = Field(
        "lstm", description="of the recurrent layers; window for a network without memory"
    )
    context: Positive = Field(5, description="how many symbols a window has")
    units: Positive = Field(512, description="of each layer")
    layers: Positive = Field(1, description="one above the other")
    residual: bool = Field(False, description="layers add their inputs to their outputs")
    embedding_dim: Positive = Field(64, description="width of the vectors of symbols")
    tied: bool = Field(False, description="the output has the vectors of symbols as its weights")
    min_count: Positive | None = Field(
        None, description="symbols seen less often in training are unknown; 2 for words and 1 for characters unless set"
    )
    cutoffs: tuple[Positive, ...] = Field(
        (),
        description="adaptive softmax: so many of the most frequent symbols have full width, those up to each further "
        "number a quarter of the width of the group before; empty for none",
    )
    dropout: Fraction = Field(0.3, description="of each layer's output")
    embedding_dropout: Fraction = Field(0.0, description="of the vectors of symbols")
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    weight_dropout: Fraction = Field(0.0, description="of the numbers of the recurrent kernel")

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.tied and self.cutoffs:
            raise ValueError("expected no cutoffs with tied weights, found some")
        if list(self.cutoffs) != sorted(set(self.cutoffs)):
            raise ValueError(f"expected cutoffs that rise, found {list(self.cutoffs)}")
        return self

    @property
    def least_count(self) -> int:
        """How often a symbol must occur to be known."""
        return self.min_count or (2 if self.symbols == "words" else 1)


class TrainingConfig(FittingConfig):
    """How a language model is fitted."""

    epochs: Positive = Field(15, description="passes over the training text, at most")
    learning_rate: AboveZero = Field(3e-3, description="the highest learning rate of the run")
    decay: Literal["none", "linear", "cosine"] = Field(
        "cosine", description="how the learning rate falls to zero over the run, after the warm-up"
    )
    clip_norm: AboveZero | None = Field(1.0, description="greatest global norm of the gradients; null for no clipping")
    ema: Fraction = Field(0.999, description="momentum of the weight average; 0 for none")
    patience: Positive | None = Field(
        3, description="epochs without a better dev measure after which training ends; null for never"
    )
    rows: Positive = Field(64, description="parts of the text that are read side by side")
    steps: Positive = Field(100, description="symbols of a row in an update, which gradients go back through")
    epoch_symbols: Positive | None = Field(
        None,
        description="symbols after which dev is scored and the state is saved, which then counts as an epoch; those of "
        "a whole pass unless set",
    )


class EvaluationConfig(Section):
    """How a fitted model is scored."""

    measure: Literal["auto", "bits_per_character", "perplexity"] = Field(
        "auto", description="chooses the epoch; auto is bits_per_character of characters and perplexity of words"
    )
    cache: CacheConfig = CacheConfig()
    show_samples: AtLeastZero = Field(1, description="how many texts are written after training")
    sample_length: Positive = Field(200, description="symbols of such a text")


class LanguageModelConfig(TaskConfig):
    """One job of a language model."""

    task: Literal["language_model"] = Field(description="the name of the task")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
