"""Arguments and options that several commands take. Each has its help here, and its meaning in its task."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from seqtag.errors import option_of

CONFIG_HELP = "a YAML file, or the name of a configuration in the package, such as ner_sample"
Run = Annotated[Path, typer.Argument(metavar="RUN", help="the directory of a finished run")]
Column = Annotated[
    str | None,
    typer.Option("--column", metavar="NAME", help="tagger: of several columns of tags; the first unless set"),
]
Setting = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a dotted key of the config")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]

# Options that say how files are read, with their help: keys of the section `data`, the run's unless set.
FILES = {
    "layout": "columns of the files; long, wide and m3 are series, pairs and frames pairs",
    "encoding": "of the files, utf-8 or that of the run unless set",
}
TAGS = {
    "tag_column": "tags: name or 1-based number",
    "token_column": "tags: name or 1-based number",
    "sentence_column": "tags: of a table's sentence ids",
    "comment_prefix": "tags: how lines start that are kept but not tagged",
    "unknown_tag": "tags: what stands in the place of a tag that is not known",
}
PAIRS = {
    "source_column": "pairs: name or 1-based number",
    "target_column": "pairs: name or 1-based number",
}
TEXTS = {
    "text_column": "classifier: name or 1-based number",
    "label_column": "classifier: name or 1-based number",
    "id_column": "classifier, of frames: name or 1-based number",
    "time_column": "classifier, of frames: name or 1-based number",
}
SERIES = {
    "series": "series: column of their names",
    "time": "series: column of the times",
    "target": "series: column of the values",
    "frequency": "series: any offset of pandas, or an integer step",
    "time_zone": "series: time zone of the clocks",
    "date_format": "series: form of times, such as %d.%m.%Y",
    "separator": "series, pairs, classifier: between the fields of a line",
    "decimal": "series: decimal mark of a CSV file",
}


def takes(options: dict[str, str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command these options, with their help; those that are set come to it together, as `options`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**given: Any) -> None:
            reading = those_set(**{name: given.pop(name) for name in options})
            command(**given, options=reading)

        told = signature(command, eval_str=True)
        own = [parameter for name, parameter in told.parameters.items() if name != "options"]
        added = [_option(name, text) for name, text in options.items()]
        # What typer reads.
        called.__signature__ = told.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *added]}
        return called

    return decorate


def _option(name: str, text: str) -> Parameter:
    annotation = Annotated[str | None, typer.Option(option_of(name), help=text, rich_help_panel="How files are read")]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def those_set(**options: Any) -> dict[str, Any]:
    """The options that were set."""
    return {name: value for name, value in options.items() if value is not None and value is not False}
