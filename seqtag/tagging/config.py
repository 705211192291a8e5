"""The configuration of a tagger."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from seqtag.config.fitting import FittingConfig
from seqtag.config.section import AboveZero, Cell, FilesConfig, Fraction, Positive, Section, TaskConfig
from seqtag.errors import shown

TASK = "tagging"
Column = str | int
Head = Literal["crf", "softmax"]
# What only sentences of tokens have; a tagger of frames takes it where it is as nobody has set it, or asks for nothing.
FOR_TOKENS = {
    "data": ("token_column", "tag_columns", "comment_prefix", "documents", "vector_dims", "vector_cache"),
    "model": (
        *("char_encoder", "spelling", "context_features", "document_context", "word_dim", "vectors", "keep_vectors"),
        *(
            "tune_vectors",
            "language_model",
            "tune_language_model",
            "gazetteers",
            "min_count",
            "word_dropout",
            "singleton_dropout",
        ),
    ),
}


class DataConfig(FilesConfig):
    """Where the files are and how they are read."""

    train: str | None = Field(None, description="training file; 'sample:train' is of the corpus inside the package")
    dev: str | None = Field(None, description="file that chooses the epoch and every setting")
    fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="share of the training sentences that is used, drawn by the seed; a larger share has the same ones",
    )
    test: str | None = Field(None, description="file that is scored once, at the end")
    layout: Literal[
        "auto",
        "conll2003",
        "conll2002",
        "conll2000",
        "tsv",
        "uner",
        "conllu",
        "plain",
        "conll2012",
        "csv",
        "jsonl",
        "slashes",
        "parallel",
        "frames",
    ] = Field("auto", description="the columns of the files and what separates them; auto detects it")
    token_column: Column | None = Field(None, description="name or 1-based number; the layout's own unless set")
    tag_column: Column | None = Field(None, description="name or 1-based number; the layout's own unless set")
    tag_columns: tuple[Column, ...] = Field(
        (), description="several columns of tags, all learned at once, in place of tag_column"
    )
    sentence_column: Column | None = Field(
        None, description="of a table, the column that says which sentence a row is of; found by its name unless set"
    )
    time_column: Column | None = Field(
        None, description="of frames: what orders the rows of a sequence; 'time' where there is such a column"
    )
    features: tuple[Column, ...] = Field(
        (), description="further columns that the model reads; of frames the columns of numbers, all unless set"
    )
    encoding: str = Field("utf-8", description="of the files, as Python names it")
    comment_prefix: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="how lines start that are kept but not tagged, such as '# id'"
    )
    documents: Literal["auto", "marked", "sections"] | Positive = Field(
        "auto",
        description="what is one document for model.document_context: what files mark, what stands between two blank "
        "lines or more, or so many sentences in a row; auto: what the training file has of the first two",
    )
    unknown_tag: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="what stands in the place of a tag that is not known, such as '?'; none unless set"
    )
    vector_dims: tuple[Positive, ...] = Field(
        (), description="widths that the files of model.vectors must have, in their order; any unless set"
    )
    vector_cache: str | None = Field(
        None, description="folder for word vectors as they are used, read once; beside the run unless set"
    )
    scheme: Literal["auto", "IOB1", "IOB2", "IOBES", "BILOU", "IO", "none"] = Field(
        "auto", description="how tags mark spans; none for labels such as parts of speech; auto detects it"
    )

    @model_validator(mode="after")
    def _several_columns(self) -> DataConfig:
        names = list(map(str, self.tag_columns))
        if names and self.tag_column is not None:
            raise ValueError("expected tag_column or tag_columns, found both")
        if len(names) == 1 or len(set(names)) < len(names):
            raise ValueError(f"expected two different columns or more in tag_columns, found {', '.join(names)}")
        return self


class ModelConfig(Section):
    """The network of a tagger."""

    source: Literal["tokens", "frames"] = Field(
        "tokens", description="what is tagged: the tokens of sentences, or frames of numbers"
    )
    cell: Cell = Field("peephole_lstm", description="of the recurrent layers")
    units: Positive = Field(100, description="units of each direction")
    layers: Positive = Field(1, description="bidirectional layers")
    char_encoder: Literal["cnn", "birnn", "none"] = Field(
        "cnn", description="network that reads the characters of each word"
    )
    spelling: bool = Field(True, description="hashed prefixes, suffixes and word shape")
    context_features: bool = Field(
        True, description="the words around a token and its spelling also score tags, without recurrent layers"
    )
    document_context: bool = Field(
        False, description="what the same word is elsewhere in its document scores tags too; see data.documents"
    )
    head: Head = Field("crf", description="crf scores whole tag sequences, softmax each tag alone")
    heads: dict[str, Head] | None = Field(
        None, description="of some of data.tag_columns: another head, as in {feats: softmax}"
    )
    loss_weights: dict[str, AboveZero] | None = Field(
        None, description="of some of data.tag_columns: how much their loss counts; 1 unless set"
    )
    entity_cost: Annotated[float, Field(ge=0)] = Field(
        0.0, description="what missing a tag of an entity costs a crf in training: more finds more entities"
    )
    tag_costs: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = Field(
        None,
        description="what missing some types or tags costs either head in training, such as {PER: 2, B-LOC: 1}; for "
        "these instead of entity_cost",
    )
    word_dim: Positive = Field(100, description="width of the word embedding")
    vectors: tuple[str, ...] = Field((), description="files of pretrained word vectors, whose vectors are concatenated")
    keep_vectors: Literal["all", "seen"] = Field(
        "all", description="all: of every word of the files; seen: of the words of train and dev alone"
    )
    tune_vectors: StrictBool | Positive = Field(
        False, description="whether word vectors are trained along; a number: after so many epochs"
    )
    language_model: str | None = Field(
        None,
        description="finished run of a language model of characters, whose states at the words the network reads; none "
        "unless set",
    )
    tune_language_model: StrictBool = Field(False, description="whether the language model is trained along")
    gazetteers: tuple[str, ...] = Field(
        (), description="files of lines 'type TAB phrase'; the network reads where phrases stand in a sentence"
    )
    min_count: Positive = Field(1, description="words seen less often are unknown")
    dropout: Fraction = Field(0.5, description="of the token vectors and of each recurrent layer's output")
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    input_noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="deviation of normal noise that frames, standardised, get while training"
    )
    ensemble_size: Positive = Field(
        1, description="networks, each of another seed, whose scores of tag sequences are averaged"
    )
    word_dropout: Fraction = Field(0.05, description="share of words read as unknown while training")
    singleton_dropout: Fraction = Field(0.5, description="the same for words that occur once")

    @model_validator(mode="after")
    def _tunes_what_is_there(self) -> ModelConfig:
        if self.tune_language_model and self.language_model is None:
            raise ValueError("expected a language_model for tune_language_model, found none")
        return self


class TrainingConfig(FittingConfig):
    """How a tagger is fitted."""

    batch_tokens: Positive = Field(500, description="the most tokens in a batch, padding counted")
    seeds: Positive = Field(1, description="how many runs, with seed, seed + 1, ...")


class EvaluationConfig(Section):
    """What is measured, and what is printed at the end."""

    measure: Literal["auto", "f1", "f1_strict", "accuracy"] = Field(
        "auto", description="the dev score that chooses the epoch; auto: f1 of spans, accuracy of plain labels"
    )
    precision: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        {},
        description="for some entity types a wanted precision on dev, such as {PER: 0.95}: less probable entities are "
        "not given",
    )
    show_sentences: Annotated[int, Field(ge=0)] = Field(3, description="tagged dev sentences printed at the end")


class TaggingConfig(TaskConfig):
    """One job of tagging."""

    task: Literal["tagging"] = Field(description="the name of the task")
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _columns_are_known(self) -> TaggingConfig:
        names = list(map(str, self.data.tag_columns))
        for key in ("heads", "loss_weights"):
            unknown = [name for name in getattr(self.model, key) or () if name not in names]
            if unknown:
                expected = f"expected columns of data.tag_columns ({', '.join(names) or 'none'}) in model.{key}"
                raise ValueError(f"{expected}, found {shown(unknown[0])}")
        return self

    @model_validator(mode="after")
    def _source_is_read(self) -> TaggingConfig:
        """Refuses what makes no sense for frames, or for tokens; the layout of frames follows from the source."""
        layout = self.data.layout
        if self.model.source == "tokens":
            asked = {
                "data.layout": layout == "frames",
                "data.time_column": self.data.time_column is not None,
                "model.input_noise": self.model.input_noise > 0,
            }
            for key in filter(asked.__getitem__, asked):
                raise ValueError(f"expected model.source frames for {key}, found tokens")
            return self
        if layout not in ("auto", "frames"):
            raise ValueError(f"expected auto or frames in data.layout for model.source frames, found {layout}")
        for name, keys in FOR_TOKENS.items():
            section = getattr(self, name)
            for key in keys:
                value, default = getattr(section, key), type(section).model_fields[key].default
                if value and value not in ("none", default):
                    expected = f"expected no {name}.{key}, which reads words, for model.source frames"
                    raise ValueError(f"{expected}, found {shown(value)}")
        return self.model_copy(update={"data": self.data.model_copy(update={"layout": "frames"})})
