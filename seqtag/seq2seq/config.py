"""The configuration of a sequence-to-sequence model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from seqtag.config.fitting import FittingConfig
from seqtag.config.section import AboveZero, Cell, FilesConfig, Fraction, Positive, Section, TaskConfig

TASK = "seq2seq"
# The keys of the section `data` that say how a file is laid out.
LAYOUT = ("layout", "source_column", "target_column", "features", "separator", "encoding")
Column = str | int
Files = str | tuple[str, str]
Share = Annotated[float, Field(ge=0, le=1)]
Symbols = Literal["characters", "words", "symbols"]
Attention = Literal["additive", "dot", "general", "scaled", "location"]


class DataConfig(FilesConfig):
    """Where the files are and how they are read."""

    train: Files | None = Field(
        None,
        description="file of pairs, or files of sources and of targets; 'sample:NAME/SPLIT' is of the package",
    )
    dev: Files | None = Field(None, description="pairs that choose the epoch; held out of train unless set")
    test: Files | None = Field(None, description="pairs that are scored once, at the end")
    layout: Literal["auto", "tsv", "parallel", "conllu", "frames"] = Field(
        "auto", description="of the files; auto detects it"
    )
    source_column: Column | None = Field(None, description="name or 1-based number; the layout's own unless set")
    target_column: Column | None = Field(None, description="name or 1-based number; the layout's own unless set")
    features: tuple[Column, ...] | None = Field(
        None, description="further columns of the source that the model reads; the layout's own unless set"
    )
    split_column: Column | None = Field(
        None, description="column whose text decides what is held out of train; that of the source unless set"
    )
    time_column: str | None = Field(
        None, description="of frames: what orders the frames of a source; 'time' where there is such a column"
    )
    separator: Annotated[str, Field(min_length=1)] = Field("\t", description="between the columns of a file of pairs")
    encoding: str = Field("utf-8", description="of the files, as Python names it")
    dev_share: Fraction = Field(0.1, description="share of the sources of train that dev gets where it has no file")
    test_share: Fraction = Field(0.0, description="share of the sources of train that test gets where it has no file")
    test_last: Annotated[int, Field(ge=0)] = Field(
        0, description="the last pairs of train, so many of them, are test where it has no file, whatever their sources"
    )

    @field_validator("separator")
    @classmethod
    def _named(cls, value: str) -> str:
        # A TAB has a name, since nobody can type one on a command line.
        return "\t" if value in ("tab", "\\t") else value


class ModelConfig(Section):
    """The network of a sequence-to-sequence model."""

    source: Literal["characters", "words", "symbols", "frames"] = Field(
        "characters", description="what a source consists of; symbols are separated by spaces, frames are of numbers"
    )
    target: Symbols = Field("characters", description="what a target consists of")
    cell: Cell = Field("lstm", description="of the recurrent layers")
    units: Positive = Field(256, description="of the decoder; each direction of the encoder has half of them")
    layers: Positive = Field(1, description="of the encoder and of the decoder")
    attention: Attention | None = Field(
        "additive", description="how the decoder reads the source at each step; null for the encoder's last state alone"
    )
    input_feeding: bool = Field(True, description="the decoder reads its last output: it knows where it has attended")
    copies: bool = Field(  # type: ignore[assignment]  # pydantic has a deprecated method of this name
        False, description="targets may take symbols from the source that the vocabulary lacks"
    )
    dictionary: bool = Field(
        False,
        description="a source that had one target in more than half of its training pairs gets that one, others the "
        "network's",
    )
    embedding_dim: Positive = Field(128, description="width of the vectors of symbols")
    min_count: Positive | None = Field(
        None, description="symbols seen less often are unknown; 2 for words and 1 for others unless set"
    )
    dropout: Fraction = Field(0.3, description="of embeddings and of each layer's output")
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    ensemble_size: Positive = Field(
        1, description="networks, with seed, seed + 1, ..., whose probabilities are averaged"
    )
    max_length: Positive | None = Field(
        None, description="most symbols of an answer; follows the source's length unless set"
    )


class RiskConfig(Section):
    """Fine-tuning on the measure itself, after the fit."""

    objective: Literal["none", "minimum_risk", "self_critical"] = Field(
        "none", description="expected cost over candidates, or REINFORCE against the greedy answer's cost"
    )
    cost: Literal["error_rate", "mismatch"] = Field(
        "error_rate", description="of a candidate: its token error rate, or 1 unless it is a target"
    )
    candidates: Annotated[int, Field(ge=2, le=100)] = Field(8, description="sampled for each source")
    sharpness: AboveZero = Field(1.0, description="exponent on the probabilities of candidates of minimum_risk")
    epochs: Positive = Field(3, description="passes over the training data, at most")
    learning_rate: AboveZero = Field(1e-4, description="of the fine-tuning")


class TrainingConfig(FittingConfig):
    """How a sequence-to-sequence model is fitted."""

    learning_rate: AboveZero = Field(2e-3, description="the highest learning rate of the run")
    decay: Literal["none", "linear", "cosine"] = Field(
        "cosine", description="how the learning rate falls to zero over the run, after the warm-up"
    )
    epochs: Positive | None = Field(  # type: ignore[assignment]  # a fit has a number of them
        None, description="passes over the training data; as many as 6,000 updates take, from 15 to 100, unless set"
    )
    patience: Positive | None = Field(
        None, description="epochs without a better dev measure after which training ends; null for never"
    )
    batch_symbols: Positive | None = Field(
        None,
        description="the most symbols in a batch, sources, targets and padding counted; a hundredth of the training "
        "data, from 250 to 3000, unless set",
    )
    label_smoothing: Fraction = Field(
        0.0, description="share of each step's probability that is spread over all symbols"
    )
    sampling: Literal["none", "constant", "linear", "exponential", "inverse_sigmoid"] = Field(
        "none", description="how often the decoder reads its own symbols in training instead of the target's"
    )
    sampling_share: Share = Field(
        0.25, description="share of own symbols at the end of the run; the whole run of a constant"
    )
    risk: RiskConfig = RiskConfig()


class EvaluationConfig(Section):
    """What is measured, and how answers are searched."""

    measure: Literal["auto", "exact_match", "token_error_rate", "bleu", "chrf", "perplexity"] = Field(
        "auto", description="dev measure that chooses the epoch; auto: exact_match, for words bleu"
    )
    beam: Positive = Field(5, description="hypotheses of the search; 1 is greedy")
    length_penalty: Annotated[float, Field(ge=0)] = Field(
        0.6, description="alpha of the length normalisation: how much longer answers are preferred; 0 for none"
    )
    coverage_penalty: Annotated[float, Field(ge=0)] = Field(
        0.0, description="beta of the coverage penalty: how much a source that is not read to its end costs"
    )
    show_examples: Annotated[int, Field(ge=0)] = Field(
        5, description="dev sources with their answers, printed at the end"
    )


class Seq2SeqConfig(TaskConfig):
    """One job of sequence to sequence."""

    task: Literal["seq2seq"] = Field(description="the name of the task")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
