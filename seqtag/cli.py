"""The command line: parse, call, print. TensorFlow is imported by the commands that need it, never by `--help`."""

from __future__ import annotations

import gc
import os
import sys
import traceback
import warnings
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from seqtag.cli_options import CONFIG_HELP, FILES, PAIRS, SERIES, TAGS, AsJson, Column, Run, Setting, takes, those_set
from seqtag.cli_output import print_report
from seqtag.errors import escaped, option_of
from seqtag.process.messages import explain, show_warnings_in_a_line
from seqtag.process.streams import OutputConsole, prepare_process, settle_streams, warn

app = typer.Typer(
    name="seqtag",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog="Every command takes --debug, which shows tracebacks.")
def common() -> None:
    """Recurrent sequence taggers, forecasters and sequence-to-sequence models: train, evaluate, predict, export."""


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
        summary = _command(context, loaded.task)(loaded, folder, resume)
        summary.show(OutputConsole(highlight=False, soft_wrap=True))
    except KeyboardInterrupt:
        if not (is_new and folder.exists()):
            raise
        warn(f"interrupted, but the run is finished: {escaped(str(folder))}")


@app.command()
@takes(FILES | TAGS | PAIRS | SERIES)
def evaluate(
    context: typer.Context,
    options: dict[str, Any],
    run: Run,
    data: Annotated[str, typer.Argument(metavar="DATA", help="a file of the run's layout, with the correct answers")],
    n_best: Annotated[
        int | None, typer.Option("--n-best", min=1, help="tagger: also the score of the best of so many answers")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="tagger: also a page to look at")] = None,
    as_json: AsJson = False,
) -> None:
    """Score a run on a tagged file, on the last horizons of series, or on pairs."""
    options |= those_set(n_best=n_best, html=html)
    print_report(_command_of_run(context, run, options)(run, data, **options), as_json)


@app.command()
@takes(FILES | TAGS | PAIRS | SERIES)
def predict(
    context: typer.Context,
    options: dict[str, Any],
    run: Run,
    source: Annotated[str, typer.Argument(metavar="INPUT|-", help="a file, or - for standard input")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="OUT", help="a file")] = None,
    text: Annotated[bool, typer.Option("--text", help="tagger: INPUT is raw text, a paragraph a line")] = False,
    form: Annotated[
        Literal["columns", "jsonl", "text"] | None,
        typer.Option("--format", help="tagger: columns unless set; seq2seq: text, of CoNLL-U columns"),
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, help="seq2seq: hypotheses of the search, 1 is greedy")
    ] = None,
    n_best: Annotated[
        int | None,
        typer.Option("--n-best", min=1, help="tagger, with jsonl: answers; seq2seq: the same, at most the beam"),
    ] = None,
    forced: Annotated[
        bool, typer.Option("--forced", help="tagger: answers have the tags of INPUT; '?' stands for a free token")
    ] = False,
    attention: Annotated[
        str | None, typer.Option("--attention", metavar="FILE", help="seq2seq: picture of where the first answers look")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option("--horizon", min=1, help="forecaster: steps; those it was fitted for unless set")
    ] = None,
    future: Annotated[
        str | None, typer.Option("--future", metavar="FILE", help="forecaster: CSV of the known covariates")
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option("--levels", metavar="L,L,...", help="forecaster: of the quantiles; those of the run unless set"),
    ] = None,
    hierarchy: Annotated[
        str | None,
        typer.Option("--hierarchy", metavar="FILE", help="forecaster: CSV of the totals that each series is a part of"),
    ] = None,
) -> None:
    """Tag a file of the run's layout, or raw text; forecast the series of a CSV file; or answer a source a line."""
    from seqtag.files.writing import output_file
    from seqtag.runs.places import check_output_file

    options |= those_set(text=text, format=form, horizon=horizon, future=future, levels=levels, hierarchy=hierarchy)
    options |= those_set(beam=beam, n_best=n_best, attention=attention, forced=forced)
    command = _command_of_run(context, run, options)
    if output is not None:
        check_output_file(output)
    with output_file(output) as write:
        answers = command(run, source, **options)
        # Otherwise every garbage collection visits all objects of TensorFlow, which takes a third of the reading time.
        gc.freeze()
        for part in answers:
            write(part)


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
        command = _command_of_run(context, source, options)
    else:
        command = _command(context, load_config(source, settings or []).task, source, options)
    result, note = command(source, settings or [], folds, refit, output, **options)
    print_report(result, as_json)
    if note:
        warn(f"note: {note}")


@app.command()
def export(
    context: typer.Context, run: Run, folder: Annotated[Path, typer.Argument(metavar="DIR", help="a new directory")]
) -> None:
    """Write a run's model as a SavedModel, which needs only TensorFlow."""
    _command_of_run(context, run)(run, folder)
    print(escaped(str(folder)))


@app.command()
@takes(FILES | TAGS)
def gradients(
    context: typer.Context,
    options: dict[str, Any],
    run: Run,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="the dev file of the config unless set")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="RUN/gradients unless set")
    ] = None,
) -> None:
    """Measure how far gradients reach through time: figures, tables, and a summary on standard output."""
    print(_command_of_run(context, run, options)(run, data, output, **options).to_text())


@app.command()
@takes(FILES | TAGS)
def compare(
    context: typer.Context,
    options: dict[str, Any],
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN ...", help="finished runs, or folders of the runs of several seeds")
    ],
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="the test file of the first run's config unless set")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the samples of the tests")] = 1,
    column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Score runs on the same sentences, and test how they differ from the first: paired bootstrap, randomisation."""
    from seqtag.runs.directory import runs_in

    options |= those_set(column=column)
    command = _command_of_run(context, runs_in(runs[0])[0], options)
    print_report(command(runs, data, seed, **options), as_json)


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
    print_report(_command(context, loaded.task, config, options)(loaded, folder, **options), as_json)


@app.command()
@takes(FILES | TAGS)
def doubts(
    context: typer.Context,
    options: dict[str, Any],
    run: Run,
    data: Annotated[str, typer.Argument(metavar="DATA", help="a file of the run's layout, with tags")],
    folds: Annotated[
        int, typer.Option("--folds", min=0, help="models to train, each without a part of DATA; 0 asks the run's own")
    ] = 5,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="how many are shown, 50 unless set")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="CSV of all of them")] = None,
    column: Column = None,
    as_json: AsJson = False,
) -> None:
    """List likely errors of gold tags, worst first: what models think wrong that were trained on the other folds."""
    from seqtag.files.writing import output_file
    from seqtag.runs.places import check_output_file

    options |= those_set(limit=limit, column=column)
    command = _command_of_run(context, run, options)
    if output is not None:
        check_output_file(output)
    with nullcontext() if output is None else output_file(output) as write:
        report = command(run, data, folds, **options)
        if write is not None:
            write(report.to_csv())
    print_report(report, as_json)


@app.command()
def demo(
    context: typer.Context,
    run: Run,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="of this machine; 0 for a free one")] = 8000,
) -> None:
    """Serve a page on this machine, where one types or uploads, and the run answers."""
    from seqtag.demo.serving import check_web, open_port, serve

    command = _command_of_run(context, run)
    check_web()
    with open_port(port) as listener:
        serve(command(run), listener)


@app.command()
@takes(FILES | TAGS | PAIRS | SERIES)
def inspect(
    context: typer.Context,
    options: dict[str, Any],
    data: Annotated[
        list[str], typer.Argument(metavar="DATA", help="one or more files; several are splits of one corpus")
    ],
    vectors: Annotated[
        list[str] | None, typer.Option("--vectors", metavar="FILE", help="tags: word vectors, how they cover the words")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report a corpus: layout, scheme, counts, illegal sequences, duplicates, sentences shared between splits; of CSV
    files, series: lengths, frequency, gaps, season, suspicious values; or, of pairs, lengths, symbols, duplicates."""
    from seqtag.tasks import task_of_files

    options |= those_set(vectors=vectors)
    print_report(
        _command(context, task_of_files(data, options.get("layout")), options=options)(data, **options), as_json
    )


@app.command()
def vectors(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="a file of raw text, a paragraph a line")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="the vectors, in word2vec's text form")
    ],
    width: Annotated[int, typer.Option("--width", min=1, help="numbers of a vector")] = 100,
    window: Annotated[int, typer.Option("--window", min=1, help="how far words are predicted, to both sides")] = 5,
    min_count: Annotated[int, typer.Option("--min-count", min=1, help="words that occur less often are left out")] = 2,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="passes over the text")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="with one worker it repeats the vectors")] = 1,
    workers: Annotated[int, typer.Option("--workers", min=1, help="threads")] = 1,
    encoding: Annotated[str, typer.Option("--encoding", help="of TEXT")] = "utf-8",
) -> None:
    """Make word vectors from raw text by gensim's word2vec (skip-gram), for model.vectors of a configuration."""
    from seqtag.data.text.vectors.training import SkipGram, train_vectors
    from seqtag.files.writing import output_file
    from seqtag.runs.places import check_output_file

    check_output_file(output)
    settings = SkipGram(width, window, min_count, epochs, seed, workers)
    with output_file(output) as write:
        for part in train_vectors(text, settings, encoding):
            write(part)


def main() -> None:
    """Runs the command line, and exits with its code."""
    prepare_process()
    code = run(sys.argv[1:])
    settle_streams()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs one command; every error is one line and an exit code.

    The code is 0 for success, 1 if the data or the run is wrong, 2 if the command line or the config is.
    """
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    options: set[str] = set()
    try:
        with warnings.catch_warnings():
            show_warnings_in_a_line(options)
            return _invoke(arguments, options)
    except BrokenPipeError:
        # The reader of our output has closed it, as `head` does, which is no error.
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        message, code = explain(error, options, command="".join(arguments[:1]))
        if message:  # Of a command line without a command, typer shows the help and says no more.
            warn(f"error: {message}")
        return code


def _invoke(arguments: list[str], options: set[str]) -> int:
    """Parses and calls. Typer's own main would exit with codes of its own after interruptions and broken pipes.

    The options that the command has for its task are added to `options`.
    """
    command = typer.main.get_command(app)
    try:
        with command.make_context(app.info.name, arguments, obj=options) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    if sys.stdout is not None:
        sys.stdout.flush()
    return 0


def _command_of_run(context: typer.Context, run: Path, options: Iterable[str] = ()) -> Any:
    """The function of the command under way for the task of a run."""
    from seqtag.tasks import task_of_run

    return _command(context, task_of_run(run), run, options)


def _command(context: typer.Context, task: str, source: Path | None = None, options: Iterable[str] = ()) -> Any:
    """The function of the command under way for a task; see `command_of`."""
    from seqtag.tasks import command_of, options_of

    name = str(context.info_name)
    command = command_of(task, name, source, options)
    flags = {flag for parameter in context.command.params for flag in parameter.opts}
    context.obj.update({"--set"} & flags | set(map(option_of, options_of(task, name))))
    return command
