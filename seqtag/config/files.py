"""Configurations in YAML files: read, overridden by `KEY=VALUE`, validated, written.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from seqtag.config.forecasting import ForecastingConfig
from seqtag.config.section import validate_section
from seqtag.config.tagging import TaggingConfig
from seqtag.errors import ConfigError

Config = TaggingConfig | ForecastingConfig
TASKS: dict[str, type[TaggingConfig] | type[ForecastingConfig]] = {
    "tagging": TaggingConfig,
    "forecasting": ForecastingConfig,
}

MAX_CONFIG_BYTES = 1_000_000


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
    task = values.get("task")
    if task is None:
        raise ConfigError(f"{source}: task: expected a value, found none")
    if not isinstance(task, str) or task not in TASKS:
        raise ConfigError(f"{source}: task: input should be {' or '.join(map(repr, TASKS))}, found {task!r}")
    return validate_section(TASKS[task], values, source)


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
