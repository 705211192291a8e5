"""The command line: parse, call, print. TensorFlow is imported by the commands that need it, never by `--help`."""

from __future__ import annotations

from seqtag.cli import fitting, answers, study, doctor  # noqa: F401  # isort: skip  # the order of the help
from seqtag.cli.app import app, main, run

__all__ = ["app", "main", "run"]
