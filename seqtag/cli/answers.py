"""The commands that put a run to use: `evaluate`, `predict`, `generate`, `export`, `demo`."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from seqtag.cli.app import app
from seqtag.cli.dispatch import command_of_this_run
from seqtag.cli.options import FILES, PAIRS, SERIES, TAGS, TEXTS, AsJson, Run, takes, those_set
from seqtag.cli.output import print_report
from seqtag.errors import escaped
from seqtag.process.streams import standard_output


@app.command()
@takes(FILES | TAGS | PAIRS | TEXTS | SERIES)
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
    """Score a run on a tagged file, on the last horizons of series, on pairs, or on a text."""
    options |= those_set(n_best=n_best, html=html)
    print_report(command_of_this_run(context, run, options)(run, data, **options), as_json)


@app.command()
@takes(FILES | TAGS | PAIRS | TEXTS | SERIES)
def predict(
    context: typer.Context,
    options: dict[str, Any],
    run: Run,
    source: Annotated[str, typer.Argument(metavar="INPUT|-", help="a file, or - for standard input")],
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="OUT", help="a file")] = None,
    text: Annotated[bool, typer.Option("--text", help="tagger: INPUT is raw text, a paragraph a line")] = False,
    form: Annotated[
        Literal["columns", "jsonl", "text"] | None,
        typer.Option(
            "--format",
            help="tagger and language model: columns unless set; seq2seq: text, of CoNLL-U columns; classifier: text",
        ),
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
    explain: Annotated[
        Literal["attention", "leave_one_out"] | None,
        typer.Option("--explain", help="classifier: the words that spoke for an answer"),
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
    """Tag a file of the run's layout, or raw text; forecast the series of a CSV file; answer a source a line; or
    say how likely each symbol of a text is."""
    from seqtag.files.writing import output_file
    from seqtag.runs.places import check_output_file

    options |= those_set(text=text, format=form, horizon=horizon, future=future, levels=levels, hierarchy=hierarchy)
    options |= those_set(explain=explain)
    options |= those_set(beam=beam, n_best=n_best, attention=attention, forced=forced)
    command = command_of_this_run(context, run, options)
    if output is not None:
        check_output_file(output)
    with output_file(output) as write:
        answers = command(run, source, **options)
        # Otherwise every garbage collection visits all objects of TensorFlow, which takes a third of the reading time.
        gc.freeze()
        for part in answers:
            write(part)


@app.command()
def generate(
    context: typer.Context,
    run: Run,
    prompt: Annotated[str, typer.Option("--prompt", metavar="TEXT", help="the beginning of the text")] = "",
    length: Annotated[int | None, typer.Option("--length", help="symbols after the prompt, 200 unless set")] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="below 1 likely symbols come more often; 1 unless set")
    ] = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", help="how many of the likeliest symbols are drawn from")
    ] = None,
    top_p: Annotated[float | None, typer.Option("--top-p", help="what share of the probability is drawn from")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="take the likeliest symbol each time")] = False,
    stop: Annotated[str | None, typer.Option("--stop", metavar="TEXT", help="end before this text")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="gives the same text each time")] = 1,
) -> None:
    """Write a text that begins with a prompt, symbol by symbol."""
    options = those_set(prompt=prompt, length=length, temperature=temperature, top_k=top_k, top_p=top_p)
    options |= those_set(greedy=greedy, stop=stop)
    text = command_of_this_run(context, run, options)(run, seed, **options)
    standard_output()
    print(escaped(text, keep="\n\t"))


@app.command()
def export(
    context: typer.Context, run: Run, folder: Annotated[Path, typer.Argument(metavar="DIR", help="a new directory")]
) -> None:
    """Write a run's model as a SavedModel, which needs only TensorFlow."""
    command_of_this_run(context, run)(run, folder)
    print(escaped(str(folder)))


@app.command()
def demo(
    context: typer.Context,
    run: Run,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="of this machine; 0 for a free one")] = 8000,
) -> None:
    """Serve a page on this machine, where one types or uploads, and the run answers."""
    from seqtag.demo.serving import check_web, open_port, serve

    command = command_of_this_run(context, run)
    check_web()
    with open_port(port) as listener:
        serve(command(run), listener)
