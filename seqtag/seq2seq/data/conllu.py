r"""CoNLL-U files: a pair for each word, its form and UPOS to its lemma unless other columns are chosen.

Comments, ranges of words (`8-9`) and empty nodes (`8.1`) hold no pair. A file to be answered is read in blocks of lines
that keep all of it, so that answers can be filled in and all else stays as it was.

>>> block = next(read_blocks(["1\truns\t_\tVERB\t_\t_\t0\troot\t_\t_\n", "\n"], DataConfig()))
>>> block.sources, block.features
(['runs'], [('VERB',)])
>>> block.filled(["run"])
'1\truns\trun\tVERB\t_\t_\t0\troot\t_\t_\n\n'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from seqtag.data.text.lines import Source, read_lines, source_name
from seqtag.errors import DataError, shown
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.columns import CONLLU_FEATURES, Columns, columns_of
from seqtag.seq2seq.data.pairs import Row

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
# What stands where there is no value.
NOTHING = "_"
# The most words of a block; it bounds memory where no blank line ends a sentence.
BLOCK_WORDS = 1_000
_NO_WORD = re.compile(r"\d+[-.]\d+")
_BREAKS = re.compile(r"[\t\r\n]+")


@dataclass(frozen=True)
class ConlluBlock:
    """Successive lines of a file, and the words in them.

    Attributes:
        lines: the lines with their ends.
        words: which of them hold words.
        sources: the source of each word.
        features: the further columns of each word.
        target: the 0-based column of targets.
    """

    lines: list[str]
    words: list[int]
    sources: list[str]
    features: list[tuple[str, ...]]
    target: int

    def filled(self, targets: Sequence[str]) -> str:
        """The text of the lines with these targets, one a word; where one is empty, `_` stands as CoNLL-U says.

        A break inside a target becomes a space, so that columns stay columns.
        """
        lines = list(self.lines)
        for number, target in zip(self.words, targets, strict=True):
            content, end = _content_and_end(lines[number])
            fields = content.split("\t")
            fields[self.target] = _BREAKS.sub(" ", target) or NOTHING
            lines[number] = "\t".join(fields) + end
        return "".join(lines)


def read_conllu(file: Source, data: DataConfig) -> Iterator[Row]:
    """Yields the pairs of a file, one a word.

    Raises:
        DataError: the file cannot be read, a word's line does not have ten columns, no such column, or a form is empty.
    """
    path = source_name(file)
    columns = conllu_columns(data)
    for number, line in enumerate(read_lines(file, data.encoding), 1):
        fields = _word(line, path, number)
        if fields is None:
            continue
        source, target = fields[columns.source].strip(), fields[columns.target].strip()
        if not source or not target:
            name = COLUMNS[columns.target if source else columns.source]
            raise DataError(f"expected a value in column {name}, found nothing", path, number)
        key = None if columns.key is None else fields[columns.key]
        yield Row(number, source, target, tuple(fields[n].strip() for n in columns.features), key)


def read_blocks(lines: Iterable[str], data: DataConfig, path: str | None = None) -> Iterator[ConlluBlock]:
    """Yields the lines of a file in blocks, each up to a blank line or to `BLOCK_WORDS` words.

    Raises:
        DataError: as `read_conllu`; an empty form is an empty source.
    """
    columns = conllu_columns(data)
    block = _empty(columns)
    for number, line in enumerate(lines, 1):
        fields = _word(line, path, number)
        if fields is not None:
            block.words.append(len(block.lines))
            block.sources.append(fields[columns.source].strip())
            block.features.append(tuple(fields[n].strip() for n in columns.features))
        block.lines.append(line)
        if not line.strip() or len(block.words) >= BLOCK_WORDS:
            yield block
            block = _empty(columns)
    if block.lines:
        yield block


def conllu_columns(data: DataConfig) -> Columns:
    """The columns that a configuration chooses, by their names in CoNLL-U or by number.

    Raises:
        DataError: CoNLL-U has no such column.
    """
    given = {
        "source_column": data.source_column or "form",
        "target_column": data.target_column or "lemma",
        "features": CONLLU_FEATURES if data.features is None else data.features,
    }
    columns = columns_of(data.model_copy(update=given), COLUMNS)
    if columns.needed > len(COLUMNS):
        raise DataError(f"expected a column of the {len(COLUMNS)} of CoNLL-U, found column {columns.needed}")
    return columns


def _empty(columns: Columns) -> ConlluBlock:
    return ConlluBlock([], [], [], [], columns.target)


def _word(line: str, path: str | None, number: int) -> list[str] | None:
    """The columns of a word's line; None for a line of another kind."""
    content, _ = _content_and_end(line.removeprefix("\ufeff"))
    if not content.strip() or content.startswith("#"):
        return None
    fields = content.split("\t")
    if len(fields) != len(COLUMNS):
        found = f"{len(fields)} in {shown(content, 40)}"
        raise DataError(f"expected a word in {len(COLUMNS)} columns separated by TABs, found {found}", path, number)
    if _NO_WORD.fullmatch(fields[0]):
        return None
    if not fields[0].isdecimal():
        raise DataError(f"expected the number of a word in column 1, found {shown(fields[0])}", path, number)
    return fields


def _content_and_end(line: str) -> tuple[str, str]:
    content = line.rstrip("\r\n")
    return content, line[len(content) :]
