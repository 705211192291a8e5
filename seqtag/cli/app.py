"""The command line itself: parse, call, exit with a code. The commands are in the other files of this folder."""

from __future__ import annotations

import sys
import traceback
import warnings

import typer

from seqtag.process.messages import explain, show_warnings_in_a_line
from seqtag.process.streams import prepare_process, settle_streams, warn

app = typer.Typer(
    name="seqtag",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog="Every command takes --debug, which shows tracebacks.")
def common() -> None:
    """Recurrent taggers, forecasters, sequence-to-sequence and language models: train, evaluate, predict, export."""


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
