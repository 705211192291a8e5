"""Configurations in YAML files: read, overridden by `KEY=VALUE`, checked, written.

Nothing here imports TensorFlow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from seqtag.config.section import TaskConfig, validate_section
from seqtag.config.yaml_text import YAMLFault, read_yaml, write_yaml
from seqtag.errors import ConfigError, did_you_mean, reason_of, shown
from seqtag.runs.bundle import CONFIG
from seqtag.runs.reading import check_regular

C = TypeVar("C", bound=TaskConfig)

# Many times what a config needs; reading so much takes a second or two.
MAX_CONFIG_BYTES = 200_000
SUFFIX = ".yaml"


def load_config(path: str | os.PathLike[str], section: type[C], overrides: Sequence[str] = ()) -> C:
    """Reads the configuration of a known task; see `read_config`, `validate_section` and `with_root`."""
    return with_root(validate_section(section, read_config(path, overrides), os.fspath(path)))


def load_run_config(run: Path, section: type[C], overrides: Sequence[str] = ()) -> C:
    """Reads the configuration of a run directory, as `load_config`.

    Raises:
        RunError: there is no such file.
        ConfigError: see `load_config`.
    """
    check_regular(run / CONFIG)
    return load_config(run / CONFIG, section, overrides)


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
    return write_yaml(config.model_dump(mode="json"))


def resolve_path(path: str, root: str | None) -> Path:
    """The path of a data file: below `root`; unchanged if there is no root or the path is absolute.

    >>> resolve_path("a/train.conll", "/data").as_posix(), resolve_path("train.conll", None).as_posix()
    ('/data/a/train.conll', 'train.conll')
    """
    return Path(root, path) if root else Path(path)


def _read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        values = read_yaml(_content(path))
    except YAMLFault as fault:
        raise ConfigError(f"{os.fspath(path)}:{fault.line}: {fault}") from None
    if not isinstance(values, dict):
        found = "nothing" if values is None else type(values).__name__
        raise ConfigError(f"{os.fspath(path)}: expected a mapping of keys, found {found}")
    return values


def _content(path: str | os.PathLike[str]) -> str:
    """The text of a file that is no longer than a config; a device may have no end."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: expected a config file, found {reason_of(error)}") from None
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: expected a config of at most {MAX_CONFIG_BYTES} bytes, found more")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        raise ConfigError(f"{path}:{line}: expected a config in utf-8, found {found}") from None


def _apply_override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"--set {override}: expected KEY=VALUE with a dotted key")
    value = _override_value(key, text)
    *sections, last = key.split(".")
    for name in sections:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {key}: expected a section, found {shown(name)}, which is a value")
    values[last] = value


def _override_value(key: str, text: str) -> Any:
    """The value of an override: as in a file, but text that is no YAML, such as `*.conll`, stays text."""
    try:
        return read_yaml(text)
    except YAMLFault as fault:
        if text.lstrip()[:1] not in ("[", "{"):
            return text
        raise ConfigError(f"--set {key}: {fault}") from None
