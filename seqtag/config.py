"""The YAML configuration as pydantic models: every key has a type, a default and a meaning; an unknown key is an error.

The same models are the training settings of the Python estimators. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seqtag.errors import ConfigError

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Column = str | int

MAX_CONFIG_BYTES = 1_000_000


class Section(BaseModel):
    """A block of the configuration: immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Section)


class DataConfig(Section):
    """Where the files are and how they are read."""

    root: str | None = Field(None, description="folder that relative paths start from; SEQTAG_DATA unless set")
    train: str | None = Field(None, description="training file; 'sample:train' is of the corpus inside the package")
    dev: str | None = Field(None, description="file that chooses the epoch and every setting")
    test: str | None = Field(None, description="file that is scored once, at the end")
    layout: Literal["auto", "conll2003", "conll2002", "conll2000", "tsv", "uner", "conllu", "plain"] = "auto"
    token_column: Column | None = Field(None, description="name or 1-based number; the layout's own unless set")
    tag_column: Column | None = Field(None, description="name or 1-based number; the layout's own unless set")
    features: tuple[Column, ...] = Field((), description="further columns that the model reads")
    encoding: str = "utf-8"
    scheme: Literal["auto", "IOB1", "IOB2", "IOBES", "BILOU", "IO", "none"] = "auto"


class ModelConfig(Section):
    """The network of a tagger."""

    cell: Literal["simple_rnn", "peephole_lstm", "lstm", "gru"] = "peephole_lstm"
    units: Positive = Field(100, description="units of each direction")
    layers: Positive = 1
    char_encoder: Literal["cnn", "birnn", "none"] = "cnn"
    spelling: bool = Field(True, description="hashed prefixes, suffixes and word shape")
    window_features: bool = Field(True, description="words around a token and its spelling also score tags straight")
    head: Literal["crf", "softmax"] = "crf"
    entity_cost: Annotated[float, Field(ge=0)] = Field(
        0.0, description="what missing a tag of an entity costs a crf in training: more finds more entities"
    )
    word_dim: Positive = 100
    min_count: Positive = Field(1, description="words seen less often are unknown")
    dropout: Fraction = 0.5
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    word_dropout: Fraction = Field(0.05, description="share of words read as unknown while training")
    singleton_dropout: Fraction = Field(0.5, description="the same for words that occur once")


class TrainingConfig(Section):
    """How a network is fitted."""

    optimizer: Literal["adam", "nadam", "sgd"] = "nadam"
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    momentum: Fraction = Field(0.9, description="of sgd")
    epochs: Positive = 30
    batch_tokens: Positive = Field(500, description="the most tokens in a batch, padding counted")
    l1: Annotated[float, Field(ge=0)] = Field(0.0, description="penalty that makes weights of kernels exactly zero")
    row_l1: Annotated[float, Field(ge=0)] = Field(0.0, description="the same for whole rows of the embeddings")
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(5.0, description="global norm; null for none")
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    decay: Literal["none", "linear", "cosine"] = "none"
    anneal_factor: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="on a plateau; 1 for never")
    anneal_patience: Positive = 3
    ema: Fraction = Field(0.99, description="momentum of the weight average; 0 for none")
    patience: Positive | None = Field(8, description="epochs without a better dev measure; null for never")
    seeds: Positive = Field(1, description="how many runs, with seed, seed + 1, ...")
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    tensorboard: bool = True
    monitor_every: Positive | None = Field(
        None,
        description="measure the gradients every so many updates: norms to history.csv, all to logs/; null for never",
    )


class EvaluationConfig(Section):
    """What is measured and shown."""

    measure: Literal["auto", "f1", "f1_strict", "accuracy"] = "auto"
    show_sentences: Annotated[int, Field(ge=0)] = Field(3, description="tagged dev sentences printed at the end")


class Config(Section):
    """One job."""

    task: Literal["tagging"]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


def load_config(path: str | os.PathLike[str], overrides: list[str] | None = None) -> Config:
    """Reads a YAML file and applies `key=value` overrides with dotted keys.

    `data.root` is the environment's SEQTAG_DATA unless set.

    Raises:
        ConfigError: the file is missing or no YAML mapping, a key is unknown (the nearest one is named), or a value
            has the wrong type.
    """
    values = _read_yaml(path)
    for override in overrides or []:
        _apply_override(values, override)
    config = parse_config(values, source=os.fspath(path))
    # Settled here, so that the configuration in a run directory repeats the run wherever that is done.
    root = config.data.root or os.environ.get("SEQTAG_DATA")
    return config.model_copy(update={"data": config.data.model_copy(update={"root": root})})


def parse_config(values: dict[str, Any], source: str = "config") -> Config:
    """Validates nested values; `source` names them in errors.

    >>> parse_config({"task": "tagging", "data": {"train": "a", "dev": "b"}, "model": {"unit": 3}})
    Traceback (most recent call last):
    seqtag.errors.ConfigError: config: model.unit: unknown key, did you mean 'units'?
    """
    return validate_section(Config, values, source)


def validate_section(section: type[S], values: Any, source: str) -> S:
    """Validates one section on its own, with errors in seqtag's form."""
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_first_problem(section, error)}") from None


def dump_config(config: Config) -> str:
    """The resolved configuration as YAML."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def resolve_path(path: str, root: str | None) -> Path:
    """A data file's place: below `root`; where there is none, or for an absolute path, as it stands.

    >>> resolve_path("a/train.conll", "/data").as_posix(), resolve_path("train.conll", None).as_posix()
    ('/data/a/train.conll', 'train.conll')
    """
    return Path(root, path) if root else Path(path)


def _read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        if os.path.getsize(path) > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path}: expected a config of at most {MAX_CONFIG_BYTES} bytes")
        text = Path(path).read_text(encoding="utf-8")
        values = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"{path}: expected a config file, found {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected a config in utf-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{place}: expected YAML, found {getattr(error, 'problem', 'a syntax error')}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, found {type(values).__name__}")
    return values


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"--set {override}: expected KEY=VALUE with a dotted key")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    *sections, last = key.split(".")
    for name in sections:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override}: {name} is a value, not a section")
    values[last] = value


def _first_problem(section: type[BaseModel], error: ValidationError) -> str:
    problem = error.errors()[0]
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location) or "config"
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key{_nearest(section, location)}"
        case "missing":
            return f"{key}: expected a value, found none"
        case _:
            found = problem.get("input")
            message = problem["msg"][0].lower() + problem["msg"][1:]
            return f"{key}: {message}, found {found!r}"


def _nearest(section: type[BaseModel], location: list[str]) -> str:
    for name in location[:-1]:
        annotation = section.model_fields[name].annotation if name in section.model_fields else None
        candidates = [annotation, *get_args(annotation)]
        section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    names = list(section.model_fields)
    close = difflib.get_close_matches(location[-1], names, n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else f"; known keys: {', '.join(names)}"
