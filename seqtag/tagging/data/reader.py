r"""Files of tagged sentences, read so that nothing is lost.

A `SentenceReader` streams `Sentence` objects; each keeps its lines unchanged, with comments, blank lines
and line ends, so that the concatenated `Sentence.raw` of a file is that very file, and `Sentence.with_tags`
changes the tags and nothing else.

>>> import io
>>> reader = SentenceReader(io.StringIO("John\tB-PER\nsleeps\tO\n\n"))
>>> [(sentence.tokens, sentence.tags) for sentence in reader]
[(['John', 'sleeps'], ['B-PER', 'O'])]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError
from seqtag.tagging.data.columns import Reading, read_columns
from seqtag.tagging.data.detection import head_of, layout_of_lines, nothing_found
from seqtag.tagging.data.json_lines import read_json_lines
from seqtag.tagging.data.layouts import Layout, layout_named
from seqtag.tagging.data.line_sentences import read_parallel, read_slashes
from seqtag.tagging.data.notation import Notation
from seqtag.tagging.data.sentences import Sentence
from seqtag.tagging.data.tables import read_table

# How each form of layout is read.
FORMS: dict[str, Callable[[Iterator[str], Layout, Reading], Iterator[Sentence]]] = {
    "columns": read_columns,
    "table": read_table,
    "json": read_json_lines,
    "slashes": read_slashes,
    "parallel": read_parallel,
}


class SentenceReader:
    """Iterates over the sentences of a file, holding one in memory at a time.

    Comments and blank lines before the first token belong to the first sentence, and what follows the last token
    belongs to the last one: no sentence is empty, and nothing of the file is lost. A path can be iterated over again, a
    stream only once.

    Args:
        source: a path, ``"-"`` for standard input, or a text or binary stream.
        layout: a name of `LAYOUTS`, a `Layout`, or ``"auto"`` to detect it from the first lines.
        encoding: of the bytes; a byte order mark is accepted and kept.
        token_column: name or number of the column that holds the tokens; the layout's own if None.
        tag_column: the same for the tags.
        sentence_column: the same for the sentence ids of a table.
        tags_required: whether each row must have all columns. If not, all rows may have the same smaller number of
            columns, down to the token alone (in layouts with word numbers also without the number).
        comment_prefix: how lines start that are kept but not tagged, beside the layout's own comments.
        notation: how tags are spelt that `Sentence.with_tags` is given, for layouts that mark spans otherwise.
        further_notations: the same for further columns of tags, by their names.

    Raises:
        DataError: on iteration, with file and line: unreadable, undecodable, empty, ragged, or without the
            column.
        ConfigError: no such layout or encoding.
    """

    def __init__(
        self,
        source: Source,
        layout: str | Layout = "auto",
        encoding: str = "utf-8",
        token_column: str | int | None = None,
        tag_column: str | int | None = None,
        tags_required: bool = True,
        comment_prefix: str | None = None,
        sentence_column: str | int | None = None,
        notation: Notation | None = None,
        further_notations: Mapping[str, Notation | None] | None = None,
    ) -> None:
        self.source = source
        self.path = source_name(source)
        self.encoding = encoding
        is_name = isinstance(layout, str) and layout != "auto"
        # "auto" or a layout; the one found is in each `Sentence`.
        self.layout: str | Layout = layout_named(str(layout)) if is_name else layout
        self.reading = Reading(
            path=self.path,
            token_column=token_column,
            tag_column=tag_column,
            sentence_column=sentence_column,
            tags_required=tags_required,
            comments=(comment_prefix,) if comment_prefix else (),
            detected=layout == "auto",
            of_earlier_file=isinstance(layout, Layout),
            notation=notation,
            further_notations=further_notations or {},
        )

    def __iter__(self) -> Iterator[Sentence]:
        lines = read_lines(self.source, self.encoding)
        if isinstance(self.layout, Layout):
            return FORMS[self.layout.form](lines, self.layout, self.reading)
        head = head_of(lines)
        layout = layout_of_lines(head, self.reading.comments)
        if layout is None:
            raise DataError(nothing_found(head), self.path)
        return FORMS[layout.form](chain(head, lines), layout, self.reading)
