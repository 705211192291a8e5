"""The command that looks at the machine: `doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from seqtag.cli.app import app
from seqtag.cli.output import print_report


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print the figures as JSON")] = False,
) -> None:
    """Say what seqtag runs on: versions, the processor, and which kernels are in use and why."""
    from seqtag.native.checkup import check_up

    print_report(check_up(), as_json)
