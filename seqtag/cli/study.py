"""The commands that look into data and runs: `inspect`, `gradients`, `compare`, `doubts`; and `vectors`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtag.cli.app import app
from seqtag.cli.dispatch import command_of_task, command_of_this_run
from seqtag.cli.options import FILES, PAIRS, SERIES, TAGS, TEXTS, AsJson, Column, Run, takes, those_set
from seqtag.cli.output import print_report


@app.command()
@takes(FILES | TAGS | PAIRS | TEXTS | SERIES)
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
        command_of_task(context, task_of_files(data, options.get("layout")), options=options)(data, **options), as_json
    )


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
    print(command_of_this_run(context, run, options)(run, data, output, **options).to_text())


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
    command = command_of_this_run(context, runs_in(runs[0])[0], options)
    print_report(command(runs, data, seed, **options), as_json)


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
    command = command_of_this_run(context, run, options)
    if output is not None:
        check_output_file(output)
    with nullcontext() if output is None else output_file(output) as write:
        report = command(run, data, folds, **options)
        if write is not None:
            write(report.to_csv())
    print_report(report, as_json)


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
