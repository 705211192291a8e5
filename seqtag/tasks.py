"""The tasks by name, each imported at its first use. No other file lists the tasks.

A task is a module `seqtag.<name>.task` with the names of `Task`; mypy checks that it has them. It imports TensorFlow
inside its functions, after it has read the data, so that an error in a file is reported within a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from seqtag.config.section import TaskConfig, validate_section
from seqtag.errors import ConfigError, RunError, option_of, shown
from seqtag.runs import bundle
from seqtag.runs.config_file import read_config, with_root
from seqtag.runs.summary import Report, Summary


class Task(Protocol):
    """The names that the command line uses of a task. A task may have further commands: `OPTIONS` lists all."""

    @property
    def CONFIG(self) -> type[TaskConfig]:
        """The task's configuration."""

    @property
    def OPTIONS(self) -> Mapping[str, frozenset[str]]:
        """The task's commands, and for each the names of the arguments that not every task takes."""

    def train(self, config: Any, output: Path, resume: bool = False) -> Summary:
        """Fits a model and writes the run directory `output`."""

    @property
    def evaluate(self) -> Callable[..., Report]:
        """Scores a run on a file, from both and the options of the task."""

    @property
    def predict(self) -> Callable[..., Iterable[bytes]]:
        """Answers a file, from a run, the file and the options of the task."""

    def export(self, run: Path, folder: Path) -> None:
        """Writes the SavedModel of a run."""

    @property
    def inspect(self) -> Callable[..., Report]:
        """Reports what is in files, from the files and the options of the task."""

    def recognises(self, files: Sequence[str], layout: str | None) -> bool:
        """Whether `inspect` of this task is for these files."""


def _tagging() -> Task:
    from seqtag.tagging import task

    return task


def _forecasting() -> Task:
    from seqtag.forecasting import task

    return task


def _seq2seq() -> Task:
    from seqtag.seq2seq import task

    return task


def _classification() -> Task:
    from seqtag.classification import task

    return task


def _language_model() -> Task:
    from seqtag.language_model import task

    return task


TASKS = {
    "tagging": _tagging,
    "forecasting": _forecasting,
    "seq2seq": _seq2seq,
    "language_model": _language_model,
    "classification": _classification,
}
NAMES = tuple(TASKS)
# Tasks that know their files by what stands in them are asked before taggers, which take any text.
FIRST_ASKED = ("classification", "seq2seq", "language_model")


def task_named(name: str) -> Task:
    """The task of this name, one of `NAMES`."""
    return TASKS[name]()


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> TaskConfig:
    """The configuration in a YAML file, of the task that it names; `path` may be a name in the package.

    Raises:
        ConfigError: see `read_config` and `validate_section`; `task` is missing or unknown.
    """
    return with_root(parse_config(read_config(path, overrides), str(path)))


def parse_config(values: dict[str, Any], source: str = "config") -> TaskConfig:
    """Checks the nested values of a configuration, of the task that they name; `source` names them in errors.

    >>> parse_config({"task": "tagging", "data": {"train": "a", "dev": "b"}, "model": {"unit": 3}})
    Traceback (most recent call last):
    seqtag.errors.ConfigError: config: model.unit: unknown key, did you mean 'units'?
    """
    name = values.get("task")
    if name is None:
        raise ConfigError(f"{source}: task: expected a value, found none")
    if name not in NAMES:
        raise ConfigError(f"{source}: task: input should be {' or '.join(map(repr, NAMES))}, found {name!r}")
    return validate_section(task_named(name).CONFIG, values, source)


def task_of_run(run: Path) -> str:
    """The name of a finished run's task.

    Raises:
        RunError: there is no finished run, or its task is unknown.
    """
    name = bundle.task_of(run)
    if name not in NAMES:
        raise RunError(f"{run / bundle.ENCODERS}: expected task {' or '.join(NAMES)}, found {shown(name)}")
    return name


def task_of_files(files: Sequence[str], layout: str | None) -> str:
    """The name of the task whose `inspect` is for these files.

    Raises:
        ConfigError: no task has such a layout.
    """
    for name in (*FIRST_ASKED, *NAMES):
        if task_named(name).recognises(files, layout):
            return name
    raise ConfigError(f"expected auto or the name of a layout, found {shown(layout)}", setting="data.layout")


def command_of(name: str, command: str, source: Path | None = None, options: Iterable[str] = ()) -> Callable[..., Any]:
    """The function of a task for a command of the command line, after a check that the task takes the options.

    Args:
        name: the name of the task.
        command: the name of the command.
        source: the run or the configuration of this task, for messages.
        options: the names of the options on the command line.

    Raises:
        RunError: the task of this run has no such command.
        ConfigError: the task of this configuration has no such command, or does not take an option.
    """
    task = task_named(name)
    if command not in task.OPTIONS and source is not None and not source.is_dir():
        raise ConfigError(f"{source}: task: expected {_takers(command)!r}, found {shown(name)}")
    if command not in task.OPTIONS:
        raise RunError(f"{source}: expected a run of {_takers(command)}, found one of {name}")
    for option in options:
        if option not in task.OPTIONS[command]:
            raise ConfigError(f"{option_of(option)}: expected a run of {_takers(command, option)}, found one of {name}")
    return getattr(task, command)


def options_of(name: str, command: str) -> frozenset[str]:
    """The names of the arguments of a task's command that not every task takes."""
    return task_named(name).OPTIONS[command]


def _takers(command: str, option: str | None = None) -> str:
    """The names of the tasks that have a command, or take an option of it, for messages."""
    options = {name: task_named(name).OPTIONS.get(command) for name in NAMES}
    return " or ".join(n for n, taken in options.items() if taken is not None and (option is None or option in taken))
