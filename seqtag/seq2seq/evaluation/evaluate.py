"""Scores a model: the final report, and the one figure of each epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from seqtag.data.text.symbols import symbols_of
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.evaluation.measure_names import LOSSES
from seqtag.seq2seq.evaluation.measures import bleu, chrf, exact_match, token_error_rate
from seqtag.seq2seq.evaluation.questions import Questions
from seqtag.seq2seq.evaluation.report import Seq2SeqReport, evaluate_answers
from seqtag.training.measure import Measure

if TYPE_CHECKING:
    from seqtag.seq2seq.data.batches import Symbols
    from seqtag.seq2seq.model import Seq2SeqModel


def evaluate_model(model: Seq2SeqModel, pairs: Pairs) -> Seq2SeqReport:
    """The final report: the model's own search, greedy search beside it, and perplexity.

    The words of CoNLL-U are scored one by one, each against its own target; other sources once, against all theirs.

    Raises:
        DataError: the pairs have no targets.
    """
    questions = questions_of(model, pairs)
    answers = questions.by_row(model.answer(questions.sources))
    sources = questions.by_row(questions.sources.sources)
    greedy = None if model.search.beam == 1 else questions.by_row(model.greedy_targets(questions.sources))
    targets = [answer.target for answer in answers]
    kind = model.coders.target.kind
    return evaluate_answers(
        targets,
        questions.targets,
        sources,
        _symbols_of(kind, chain(targets, greedy or (), *questions.targets)),
        kind,
        length_of=_length_of(model.coders.source_kind, sources),
        greedy=greedy,
        labels=None if model.dictionary is None else [answer.by for answer in answers],
        perplexity=perplexity(model, model.symbols(pairs)),
    )


def questions_of(model: Seq2SeqModel, pairs: Pairs) -> Questions:
    """What a model is asked about pairs."""
    return Questions.of(pairs, one_by_one=model.data.layout == "conllu")


def _symbols_of(kind: str, texts: Iterable[str]) -> Callable[[str], Sequence[str]]:
    """What takes these texts apart: all at once, as one after the other takes a hundred times as long."""
    if kind == "characters":
        return list
    distinct = list(dict.fromkeys(texts))
    rows = symbols_of(kind, distinct).to_list()
    found = {text: [symbol.decode() for symbol in row] for text, row in zip(distinct, rows, strict=True)}
    return found.__getitem__


def _length_of(kind: str, sources: Sequence[Any]) -> Callable[[Any], int]:
    """What counts the symbols or the frames of these sources."""
    if kind == "frames":
        return len
    take_apart = _symbols_of(kind, sources)
    return lambda source: len(take_apart(source))


def perplexity(model: Seq2SeqModel, symbols: Symbols) -> float:
    """exp of the mean negative log probability per symbol of the targets, their ends counted."""
    count = float(np.sum(symbols.targets.row_lengths().numpy() + 1))
    return math.exp(min(-float(np.sum(model.log_probabilities(symbols), dtype=np.float64)) / count, 700.0))


BY_SYMBOL = {"exact_match": exact_match, "token_error_rate": token_error_rate}


class DevMeasure:
    """The figure that chooses the epoch; answers are decoded greedily.

    Args:
        model: around the network that is fitted.
        dev: pairs of other sources.
        name: `"exact_match"`, `"token_error_rate"`, `"bleu"`, `"chrf"` or `"perplexity"`.
    """

    def __init__(self, model: Seq2SeqModel, dev: Pairs, name: str) -> None:
        self.measure = Measure(name, is_loss=name in LOSSES)
        self._model = model
        self._questions = questions_of(model, dev)
        # Taken apart once for all epochs.
        self._symbols = model.symbols(dev) if name == "perplexity" else None
        self._wanted = self._split(*self._questions.targets) if name in BY_SYMBOL else []

    def __call__(self) -> float:
        """The measure of the network with its current weights; BLEU and chrF from 0 to 1."""
        name = self.measure.name
        if self._symbols is not None:
            return perplexity(self._model, self._symbols)
        answers = self._questions.by_row(self._model.greedy_targets(self._questions.sources))
        if name in BY_SYMBOL:
            return BY_SYMBOL[name](self._split(answers)[0], self._wanted)
        return {"bleu": bleu, "chrf": chrf}[name](answers, self._questions.targets).score / 100

    def _split(self, *lists: Sequence[str]) -> list[list[Sequence[str]]]:
        """The symbols of each text of lists."""
        take_apart = _symbols_of(self._model.coders.target.kind, chain(*lists))
        return [list(map(take_apart, texts)) for texts in lists]
