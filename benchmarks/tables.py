"""Tables of strings, as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["markdown_table", "text_table"]

Rows = Sequence[Sequence[str]]


def text_table(header: Sequence[str], rows: Rows) -> str:
    """A table in plain text: the first column is aligned at the left, the others at the right.

    >>> print(text_table(["set", "F1"], [["ncbi", "80.07"]]))
    set      F1
    ----  -----
    ncbi  80.07
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(cell.rjust(width) if n else cell.ljust(width) for n, (cell, width) in enumerate(cells)).rstrip()
        for cells in (list(zip(row, widths, strict=True)) for row in (header, rule, *rows))
    )


def markdown_table(header: Sequence[str], rows: Rows) -> str:
    """The same table in Markdown.

    >>> print(markdown_table(["set", "F1"], [["ncbi", "80.07"]]))
    | set | F1 |
    | --- | ---: |
    | ncbi | 80.07 |
    """
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))
