"""Configurations in YAML files: read, overridden by `KEY=VALUE`, checked, written.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml

from seqtag.config.section import TaskConfig, validate_section
from seqtag.errors import ConfigError, did_you_mean

C = TypeVar("C", bound=TaskConfig)

MAX_CONFIG_BYTES = 1_000_000
SUFFIX = ".yaml"


def load_config(path: str | os.PathLike[str], section: type[C], overrides: Sequence[str] = ()) -> C:
    """Reads the configuration of a known task; see `read_config`, `validate_section` and `with_root`."""
    return with_root(validate_section(section, read_config(path, overrides), os.fspath(path)))


def read_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The values of a YAML file after `key=value` overrides with dotted keys; they are not checked yet.

    Args:
        path: the file, or the name of a configuration in the package; see `find_config`.
        overrides: such as `"training.epochs=3"`.

    Raises:
        ConfigError: the file is missing or is no YAML mapping, or an override has another form.
    """
    values = _read_yaml(find_config(path))
    for override in overrides:
        _apply_override(values, override)
    return values


def find_config(path: str | os.PathLike[str]) -> Path:
    """The file of a configuration: `path` itself, or the file in the package, if `path` is a name such as `ner_sample`.

    A name has no folder and no suffix. A file of that name goes before the package.

    Raises:
        ConfigError: a name that the package does not have; the message lists the nearest one, or all.
    """
    given = Path(path)
    if given.exists() or given.name != os.fspath(path) or given.suffix:
        return given
    packaged = packaged_configs()
    if given.name not in packaged:
        hint = did_you_mean(given.name, packaged, "names")
        raise ConfigError(
            f"{given.name}: expected a config file or the name of one in the package, found neither{hint}"
        )
    return packaged[given.name]


def packaged_configs() -> dict[str, Path]:
    """The configurations that come with seqtag, by name: in a wheel inside the package, in a checkout beside it."""
    package = Path(str(resources.files("seqtag")))
    folder = package / "configs"
    if not folder.is_dir() and (package.parent / "pyproject.toml").is_file():
        folder = package.parent / "configs"
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def with_root(config: C) -> C:
    """The configuration with `data.root` set: to SEQTAG_DATA of the environment, unless the file sets it.

    It is set before a run begins, so that the configuration in the run directory repeats the run in any environment.
    """
    root = config.data.root or os.environ.get("SEQTAG_DATA")
    return config.model_copy(update={"data": config.data.model_copy(update={"root": root})})


def dump_config(config: TaskConfig) -> str:
    """The resolved configuration as YAML."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def resolve_path(path: str, root: str | None) -> Path:
    """The path of a data file: below `root`; unchanged if there is no root or the path is absolute.

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
