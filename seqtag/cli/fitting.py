"""The commands that fit models: `train`, `backtest`, `curve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtag.cli.app import app
from seqtag.cli.dispatch import command_of_task, command_of_this_run
from seqtag.cli.options import CONFIG_HELP, FILES, SERIES, AsJson, Column, Setting, takes, those_set
from seqtag.cli.output import print_report
from seqtag.errors import escaped
from seqtag.process.streams import OutputConsole, warn


@app.command()
def train(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    settings: Setting = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="RUN", help="runs/NAME unless set")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="instead of the seed in CONFIG")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="continue an interrupted run")] = False,
) -> None:
    """Fit a model as CONFIG says, and write a run directory."""
    from seqtag.tasks import load_config

    overrides = [*(settings or []), *([] if seed is None else [f"seed={seed}"])]
    loaded = load_config(config, overrides)
    folder = output or Path("runs", config.stem)
    is_new = not os.path.lexists(folder)
    try:
        summary = command_of_task(context, loaded.task)(loaded, folder, resume)
        summary.show(OutputConsole(highlight=False, soft_wrap=True))
    except KeyboardInterrupt:
        if not (is_new and folder.exists()):
            raise
        warn(f"interrupted, but the run is finished: {escaped(str(folder))}")


@app.command()
@takes(FILES | SERIES)
def backtest(
    context: typer.Context,
    options: dict[str, Any],
    source: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help=f"{CONFIG_HELP}; or a finished run")],
    settings: Setting = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, help="the number of rolling origins; that of the config unless set")
    ] = None,
    refit: Annotated[
        bool | None, typer.Option("--refit/--no-refit", help="fit a model in each fold; for a RUN not unless set")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="tables and figures")] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast from rolling origins, and compare the scores with those of naive rules."""
    from seqtag.tasks import load_config

    if source.is_dir():
        command = command_of_this_run(context, source, options)
    else:
        command = command_of_task(context, load_config(source, settings or []).task, source, options)
    result, note = command(source, settings or [], folds, refit, output, **options)
    print_report(result, as_json)
    if note:
        warn(f"note: {note}")


@app.command()
def curve(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help=CONFIG_HELP)],
    fractions: Annotated[
        str, typer.Option("--fractions", metavar="F,F,...", help="shares of the training data")
    ] = ".1,.2,.4,.7,1",
    settings: Setting = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="runs/NAME-curve unless set")
    ] = None,
    column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Train on shares of the training data, and draw the dev scores; started again, it goes on where it stopped."""
    from seqtag.tasks import load_config

    loaded = load_config(config, settings or [])
    folder = output or Path("runs", f"{config.stem}-curve")
    options = those_set(fractions=fractions, column=column)
    print_report(command_of_task(context, loaded.task, config, options)(loaded, folder, **options), as_json)
