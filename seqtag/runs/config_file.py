"""Configurations in YAML files: read, overridden by `KEY=VALUE`, checked, written.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from seqtag.config.section import TaskConfig, validate_section
from seqtag.errors import ConfigError

C = TypeVar("C", bound=TaskConfig)

MAX_CONFIG_BYTES = 1_000_000


def load_config(path: str | os.PathLike[str], section: type[C], overrides: Sequence[str] = ()) -> C:
    """Reads the configuration of a known task; see `read_config`, `check_config` and `with_root`."""
    return with_root(check_config(read_config(path, overrides), section, os.fspath(path)))


def read_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The values of a YAML file under `key=value` overrides with dotted keys, not checked yet.

    Raises:
        ConfigError: the file is missing or is no YAML mapping, or an override has another form.
    """
    values = _read_yaml(path)
    for override in overrides:
        _apply_override(values, override)
    return values


def check_config(values: dict[str, Any], section: type[C], source: str = "config") -> C:
    """Checks nested values; `source` names them in errors.

    Raises:
        ConfigError: a key is unknown (the nearest one is named), or a value has the wrong type.
    """
    return validate_section(section, values, source)


def with_root(config: C) -> C:
    """The configuration with `data.root` set: the environment's SEQTAG_DATA unless the file says another.

    It is set before a run begins, so that the configuration in the run directory repeats the run wherever that is done.
    """
    root = config.data.root or os.environ.get("SEQTAG_DATA")
    return config.model_copy(update={"data": config.data.model_copy(update={"root": root})})


def dump_config(config: TaskConfig) -> str:
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
