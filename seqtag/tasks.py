"""The tasks by name, each imported when it is first used. This is the only list of tasks there is.

A task is a module `seqtag.<name>.task` with the names of `Task`. It imports TensorFlow inside its functions, after the
data were read, so that a fault of a file is told within a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from seqtag.config.section import TaskConfig
from seqtag.errors import ConfigError, RunError
from seqtag.runs import bundle
from seqtag.runs.config_file import check_config, read_config, with_root
from seqtag.runs.summary import Report, Summary

NAMES = ("tagging", "forecasting")


class Task(Protocol):
    """What the command line needs of a task. A task may have further commands; `OPTIONS` lists all of them.

    Attributes:
        CONFIG: its configuration.
        OPTIONS: its commands, and of each the options that not every task takes, by the names of its arguments.
    """

    CONFIG: type[TaskConfig]
    OPTIONS: Mapping[str, frozenset[str]]

    train: Callable[[Any, Path, bool], Summary]
    evaluate: Callable[[Path, str], Report]
    predict: Callable[..., Iterable[bytes]]
    export: Callable[[Path, Path], None]
    inspect: Callable[..., Report]

    def recognises(self, files: Sequence[str], layout: str | None) -> bool:
        """Whether `inspect` of these files is this task's."""


def task_named(name: str) -> Task:
    """The task of this name, one of `NAMES`."""
    task: Any = import_module(f"seqtag.{name}.task")
    return task


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TaskConfig:
    """The configuration in a YAML file, of whatever task it names.

    Raises:
        ConfigError: see `read_config` and `check_config`; `task` is missing or none of ours.
    """
    return with_root(parse_config(read_config(path, overrides), str(path)))


def parse_config(values: dict[str, Any], source: str = "config") -> TaskConfig:
    """Checks the nested values of a configuration of whatever task they name; `source` names them in errors.

    >>> parse_config({"task": "tagging", "data": {"train": "a", "dev": "b"}, "model": {"unit": 3}})
    Traceback (most recent call last):
    seqtag.errors.ConfigError: config: model.unit: unknown key, did you mean 'units'?
    """
    name = values.get("task")
    if name is None:
        raise ConfigError(f"{source}: task: expected a value, found none")
    if name not in NAMES:
        raise ConfigError(f"{source}: task: input should be {' or '.join(map(repr, NAMES))}, found {name!r}")
    return check_config(values, task_named(name).CONFIG, source)


def task_of_run(run: Path) -> str:
    """The name of a finished run's task.

    Raises:
        RunError: there is no finished run, or one of a task that is none of ours.
    """
    name = bundle.task_of(run)
    if name not in NAMES:
        raise RunError(f"{run / bundle.ENCODERS}: expected task {' or '.join(NAMES)}, found {name!r}")
    return name


def task_of_files(files: Sequence[str], layout: str | None) -> str:
    """The name of the task that inspects these files."""
    return next(name for name in NAMES if task_named(name).recognises(files, layout))


def command_of(name: str, command: str, source: Path | None = None, options: Iterable[str] = ()) -> Callable[..., Any]:
    """A task's function for a command of the command line, once its options are known to be the task's.

    Args:
        name: the task.
        command: the command.
        source: the run or the configuration that is of this task, for messages.
        options: the names of those that were given.

    Raises:
        RunError, ConfigError: the task of this run, or of this configuration, has no such command.
        ConfigError: an option of another task.
    """
    task = task_named(name)
    if command not in task.OPTIONS and source is not None and not source.is_dir():
        raise ConfigError(f"{source}: task: expected {_takers(command)!r}, found {name!r}")
    if command not in task.OPTIONS:
        raise RunError(f"{source}: expected a run of {_takers(command)}, found one of {name}")
    for option in options:
        if option not in task.OPTIONS[command]:
            flag = "--" + option.replace("_", "-")
            raise ConfigError(f"{flag}: expected a run of {_takers(command, option)}, found one of {name}")
    return getattr(task, command)


def _takers(command: str, option: str | None = None) -> str:
    """The tasks that have a command, or take an option of it."""
    options = {name: task_named(name).OPTIONS.get(command) for name in NAMES}
    return " or ".join(n for n, taken in options.items() if taken is not None and (option is None or option in taken))
