"""From the command under way to the function of a task."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from seqtag.errors import option_of


def command_of_this_run(context: typer.Context, run: Path, options: Iterable[str] = ()) -> Any:
    """The function of the command under way for the task of a run."""
    from seqtag.tasks import task_of_run

    return command_of_task(context, task_of_run(run), run, options)


def command_of_task(context: typer.Context, task: str, source: Path | None = None, options: Iterable[str] = ()) -> Any:
    """The function of the command under way for a task; see `command_of`."""
    from seqtag.tasks import command_of, options_of

    name = str(context.info_name)
    command = command_of(task, name, source, options)
    flags = {flag for parameter in context.command.params for flag in parameter.opts}
    context.obj.update({"--set"} & flags | set(map(option_of, options_of(task, name))))
    return command
