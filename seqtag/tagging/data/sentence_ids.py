"""Which rows of a table belong to one sentence, from a column of sentence ids."""

from __future__ import annotations

from seqtag.errors import DataError, shown


class SentenceIds:
    """Says of each row whether it starts a sentence.

    Ids stand on each row, or on the first row of each sentence alone. Which of both it is shows as the rows come: a row
    without an id, or two rows with the same. Where both are seen, rows without an id could belong anywhere. Each
    document may count its sentences anew.

    >>> ids = SentenceIds()
    >>> [ids.starts(text) for text in ("Sentence: 1", "", "", "Sentence: 2", "")]
    [True, False, False, True, False]
    """

    def __init__(self) -> None:
        self._current = "", ""
        self._on_each: bool | None = None

    def starts(self, name: str, document: str = "") -> bool:
        """Whether a row with this id, of this document, starts a sentence; either is "" where there is none.

        Raises:
            DataError: the first row has no id, or some sentences have their id on each row and others do not.
        """
        if not name and not self._current[0]:
            raise DataError("expected a sentence id in the first row, found none")
        if name and (name, document) != self._current:
            self._current = name, document
            return True
        on_each = bool(name)
        if self._on_each is None:
            self._on_each = on_each
        if self._on_each is not on_each:
            found = f"the id {shown(name)} again" if name else "none"
            form = "on each row" if self._on_each else "on the first row of each sentence alone"
            raise DataError(f"expected a sentence id {form}, as in the rows before, found {found}")
        return False
