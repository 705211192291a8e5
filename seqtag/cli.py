"""The command line: parse, call, print. TensorFlow is imported by the commands that need it, never by `--help`."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seqtag.errors import SeqtagError

if TYPE_CHECKING:
    from seqtag.pipeline import TrainedRun

app = typer.Typer(
    name="seqtag",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Run = Annotated[Path, typer.Argument(metavar="RUN", help="the directory of a finished run")]
Setting = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a dotted key of the config")
]
SERIES_LAYOUTS = ("long", "wide", "m3")
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]


@app.callback(epilog="Every command takes --debug, which shows tracebacks.")
def common() -> None:
    """Recurrent sequence taggers and forecasters: train, judge, use, export."""


@app.command()
def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="a YAML file")],
    settings: Setting = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="RUN", help="runs/NAME unless set")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="instead of the config's")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with an interrupted run")] = False,
) -> None:
    """Fit a model as CONFIG says and leave a run directory."""
    from seqtag.config import load_config

    overrides = list(settings or [])
    if seed is not None:
        overrides.append(f"seed={seed}")
    loaded = load_config(config, overrides)
    pipeline = _pipeline()
    _show_run(pipeline.train(loaded, output or Path("runs", config.stem), resume))


@app.command()
def evaluate(
    run: Run,
    data: Annotated[str, typer.Argument(metavar="DATA", help="a file of the run's layout, with what is to be found")],
    as_json: AsJson = False,
) -> None:
    """Score a run on a tagged file, or on the last horizons of series."""
    report = _pipeline().evaluate(run, data)
    print(_json(report.to_metrics()) if as_json else report.to_text())


@app.command()
def predict(
    run: Run,
    source: Annotated[str, typer.Argument(metavar="INPUT|-", help="a file, or - for standard input")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="OUT", help="a file")] = None,
    text: Annotated[bool, typer.Option("--text", help="tagger: INPUT is raw text, a paragraph a line")] = False,
    form: Annotated[
        Literal["columns", "jsonl", "text"] | None, typer.Option("--format", help="tagger: columns unless set")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option("--horizon", min=1, help="forecaster: steps; those it was fitted for unless set")
    ] = None,
    future: Annotated[
        str | None, typer.Option("--future", metavar="FILE", help="forecaster: CSV of the known covariates")
    ] = None,
) -> None:
    """Tag a file of the run's layout, or raw text; or forecast the series of a CSV file."""
    pipeline = _pipeline()
    answers = pipeline.predict(run, source, text=text, form=form, horizon=horizon, future=future)
    pipeline.write_output(answers, output)


@app.command()
def backtest(
    source: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help="a YAML file, or a finished run")],
    settings: Setting = None,
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, help="rolling origins; the config's unless set")
    ] = None,
    refit: Annotated[
        bool | None, typer.Option("--refit/--no-refit", help="fit in each fold; a RUN stands as it is unless set")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="tables and figures")] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast from rolling origins and show the scores beside those of naive rules."""
    result, note = _pipeline().backtest(source, settings or [], folds, refit)
    if output is not None:
        result.write(output)
    print(_json(result.to_metrics()) if as_json else result.to_text())
    if note:
        print(f"note: {note}", file=sys.stderr)


@app.command()
def export(run: Run, folder: Annotated[Path, typer.Argument(metavar="DIR", help="a new directory")]) -> None:
    """Write a run's model as a SavedModel that needs TensorFlow alone."""
    _pipeline().export(run, folder)
    print(folder)


@app.command()
def gradients(
    run: Run,
    data: Annotated[str | None, typer.Option("--data", metavar="DATA", help="the config's dev file unless set")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="RUN/gradients unless set")
    ] = None,
) -> None:
    """Show how far gradients reach through time: figures, tables, and a summary on standard output."""
    print(_pipeline().report_gradients(run, data, output).to_text())


@app.command()
def inspect(
    data: Annotated[list[str], typer.Argument(metavar="DATA", help="one or more files; several are taken as splits")],
    layout: Annotated[str, typer.Option("--layout", help="of the files; long, wide and m3 are series")] = "auto",
    tag_column: Annotated[str | None, typer.Option("--tag-column", help="name or 1-based number")] = None,
    token_column: Annotated[str | None, typer.Option("--token-column", help="name or 1-based number")] = None,
    encoding: Annotated[str, typer.Option("--encoding", help="of the files")] = "utf-8",
    series: Annotated[str, typer.Option("--series", help="column of the series' names")] = "unique_id",
    time: Annotated[str, typer.Option("--time", help="column of the times of series")] = "ds",
    target: Annotated[str, typer.Option("--target", help="column of the values of series")] = "y",
    frequency: Annotated[str | None, typer.Option("--frequency", help="of series; inferred unless set")] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="time zone of the clocks of series")] = None,
    as_json: AsJson = False,
) -> None:
    """Report a corpus: layout, scheme, counts, illegal sequences, duplicates, sentences shared between splits; or, of
    CSV files, series: lengths, frequency, gaps, season, suspicious values."""
    if layout in SERIES_LAYOUTS or (layout == "auto" and all(name.endswith(".csv") for name in data)):
        from seqtag.data.time_series.inspection import SeriesColumns, inspect_series

        columns = SeriesColumns(series, time, target)
        reports = [inspect_series(name, layout, columns, frequency, zone) for name in data]
        print(_json({"files": [r.to_dict() for r in reports]}) if as_json else "\n".join(r.to_text() for r in reports))
        return
    from seqtag.data.inspection import inspect_corpus

    report = inspect_corpus(data, layout=layout, tag_column=tag_column, token_column=token_column, encoding=encoding)
    print(_json(report.to_dict()) if as_json else report.to_text())


def main() -> None:
    """Runs the command line and turns every error into one line and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command; returns the exit code: 0 done, 1 the data or the run at fault, 2 the command line or config."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        return _invoke(arguments)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does: nothing is wrong. Keep Python from flushing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        message, code = _explain(error, resumable=arguments[:1] == ["train"])
        print(f"error: {' '.join(message.splitlines())}", file=sys.stderr)
        return code


def _invoke(arguments: list[str]) -> int:
    """Parses and calls. Typer's own main would turn interruptions and broken pipes into exit codes of its own."""
    command = typer.main.get_command(app)
    try:
        with command.make_context(app.info.name, arguments) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    sys.stdout.flush()
    return 0


def _explain(error: BaseException, resumable: bool) -> tuple[str, int]:
    """The line that tells a user of an error, and the exit code."""
    match error:
        case SeqtagError():
            return str(error), error.exit_code
        case KeyboardInterrupt():
            return "interrupted" + ("; --resume goes on from the last whole epoch" if resumable else ""), 1
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            return f"{place}{(error.strerror or str(error)).lower()}", 1
        case _ if hasattr(error, "format_message"):  # what typer says of a command line
            return error.format_message(), 2
        case _:
            return f"{type(error).__name__}: {error} (--debug shows where)", 1


def _pipeline() -> Any:
    """The pipeline, imported with TensorFlow's chatter kept off the screen."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_silenced():
        from seqtag import pipeline

    return pipeline


@contextmanager
def _native_stderr_silenced() -> Iterator[None]:
    """Keeps what native code writes to standard error off the screen; TensorFlow logs its import before it can be told
    not to. Python's exceptions pass as ever."""
    sys.stderr.flush()
    kept = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silence, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silence)


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1)


def _show_run(trained: TrainedRun) -> None:
    from rich.console import Console

    from seqtag.rendering import to_rich

    console = Console(highlight=False, soft_wrap=True)
    for split, report in trained.reports.items():
        console.print(f"[bold]{split}[/bold]")
        console.print(report.to_text(), markup=False)
    for sentence in trained.shown:
        console.print(to_rich(sentence, trained.types))
    if trained.leakage is not None:
        console.print(trained.leakage.to_text(), markup=False)
        for name in trained.leakage.leaking:
            print(f"warning: known covariate {name!r} holds the target: no forecast will have it", file=sys.stderr)
    if trained.sparsity is not None:
        console.print("[bold]zeros[/bold]")
        console.print(trained.sparsity.to_text(), markup=False)
    seeds = trained.metrics.get("seeds")
    if seeds:
        for split in trained.reports:
            spread = seeds[split]
            line = f"{spread['mean']:.4f} ({spread['min']:.4f} to {spread['max']:.4f})"
            console.print(f"{split} {trained.measure}, mean and range of {len(seeds['values'])} seeds: {line}")
    console.print(f"run written to {trained.folder}")
