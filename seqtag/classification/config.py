"""The configuration of a classifier."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, field_validator, model_validator

from seqtag.config.fitting import FittingConfig
from seqtag.config.section import AboveZero, Cell, FilesConfig, Fraction, Positive, Section, TaskConfig

TASK = "classification"
Column = str | int
# A file or a folder; or a file for each label, by the label.
Files = str | dict[str, str]
Pooling = Literal["last", "mean", "max", "mean_max", "attention"]
Measure = Literal["accuracy", "f1_macro", "log_loss"]
# The keys of the section `data` that say how a file is laid out.
LAYOUT = (
    "layout",
    "text_column",
    "label_column",
    "id_column",
    "time_column",
    "features",
    "separator",
    "label_separator",
    "encoding",
)


class DataConfig(FilesConfig):
    """Where the files are and how they are read."""

    train: Files | None = Field(
        None, description="file of texts and labels; or a file of texts for each label, as in {neg: a.txt, pos: b.txt}"
    )
    dev: Files | None = Field(None, description="data that choose the epoch; held out of train unless set")
    test: Files | None = Field(None, description="data that are scored once, at the end")
    layout: Literal["auto", "table", "fasttext", "classes", "frames"] = Field(
        "auto",
        description="of the files: columns, lines that begin with __label__, a file for each label, frames of numbers; "
        "auto detects it",
    )
    text_column: Column | None = Field(
        None, description="of a table, name or 1-based number; 'text' where there is such a column, else the first"
    )
    label_column: Column | None = Field(
        None,
        description="of a table or of frames, name or 1-based number; 'label' where there is such a column, else 2",
    )
    id_column: Column | None = Field(
        None, description="of frames: which sequence a row is of, name or 1-based number; 'id' unless set"
    )
    time_column: Column | None = Field(
        None, description="of frames: what orders the rows of a sequence; 'time' where there is such a column"
    )
    features: tuple[Column, ...] | None = Field(
        None, description="of frames: the columns of numbers; all others unless set"
    )
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="between the columns of a table; a TAB unless set, of a file .csv a comma or a semicolon"
    )
    label_separator: Annotated[str, Field(min_length=1)] = Field(
        ",", description="between the labels of a text that may have several"
    )
    vector_dims: tuple[Positive, ...] = Field(
        (), description="widths that the files of model.vectors must have, in their order; any unless set"
    )
    vector_cache: str | None = Field(
        None, description="folder for word vectors as they are used, read once; beside the run unless set"
    )
    encoding: str = Field("utf-8", description="of the files, as Python names it")
    dev_share: Fraction = Field(0.1, description="share of train, of each label, that dev gets where it has no file")

    @field_validator("separator")
    @classmethod
    def _named(cls, value: str | None) -> str | None:
        # A TAB has a name, since nobody can type one on a command line.
        return "\t" if value in ("tab", "\\t") else value


class ModelConfig(Section):
    """The network of a classifier, and what scores the labels beside it."""

    source: Literal["text", "frames"] = Field("text", description="what is classified: texts, or frames of numbers")
    labels: Literal["one", "several"] = Field("one", description="one label for each sequence, or any number of them")
    cell: Cell = Field("gru", description="of the recurrent layers")
    units: Positive = Field(64, description="units of each direction")
    layers: Positive = Field(1, description="bidirectional layers")
    pooling: Pooling = Field("attention", description="what is made of the states of all steps")
    char_encoder: Literal["cnn", "birnn", "none"] = Field(
        "none", description="network that reads the characters of each word"
    )
    spelling: bool = Field(False, description="the recurrent layers read hashed prefixes, suffixes and word shape")
    word_dim: Positive = Field(100, description="width of the word embedding")
    vectors: tuple[str, ...] = Field((), description="files of pretrained word vectors, whose vectors are concatenated")
    keep_vectors: Literal["all", "seen"] = Field(
        "all", description="all: of every word of the files; seen: of the words of train and dev alone"
    )
    tune_vectors: StrictBool = Field(False, description="whether word vectors are trained along")
    min_count: Positive = Field(1, description="words seen less often are unknown")
    max_length: Positive = Field(
        1000, description="the recurrent layers read so many words of a text, its first ones; n-grams are of all"
    )
    word_ngrams: Annotated[int, Field(ge=0, le=5)] = Field(
        2, description="words and sequences of up to so many also score the labels straight; 0 for none"
    )
    char_ngrams: Annotated[int, Field(ge=0, le=8)] = Field(
        6, description="the same of two and more characters of a word, up to so many; 0 for none"
    )
    dropout: Fraction = Field(
        0.5, description="of the word vectors, of each recurrent layer's output and of the pooled vector"
    )
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    input_noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="deviation of normal noise that frames, standardised, get while training"
    )
    word_dropout: Fraction = Field(0.05, description="share of words read as unknown while training")
    singleton_dropout: Fraction = Field(0.5, description="the same for words that occur once")
    ensemble_size: Positive = Field(1, description="networks, with seed, seed + 1, ..., whose scores are averaged")

    @model_validator(mode="after")
    def _fits(self) -> ModelConfig:
        if self.source == "frames" and self.vectors:
            raise ValueError("vectors: expected none for frames, found some")
        if self.source == "text" and self.input_noise:
            raise ValueError(f"input_noise: expected 0 for texts, found {self.input_noise}")
        return self


class TrainingConfig(FittingConfig):
    """How a classifier is fitted."""

    epochs: Positive = Field(12, description="passes over the training data, at most")
    patience: Positive | None = Field(
        4, description="epochs without a better dev measure after which training ends; null for never"
    )
    batch_tokens: Positive = Field(1000, description="the most words or frames in a batch, padding counted")
    class_weights: Literal["balanced"] | dict[str, AboveZero] | None = Field(
        None,
        description="how much sequences of a label count, 1 unless named; balanced: each label as much as any other",
    )


class EvaluationConfig(Section):
    """What is measured, and what is printed at the end."""

    measure: Measure = Field("accuracy", description="the dev measure that chooses the epoch")
    show_examples: Annotated[int, Field(ge=0)] = Field(5, description="dev data with their answers, printed at the end")


class ClassificationConfig(TaskConfig):
    """One job of classification."""

    task: Literal["classification"] = Field(description="the name of the task")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
