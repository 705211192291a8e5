"""CRFsuite with the usual features: the peer that a tagger without pretrained embeddings has to beat.

The features of a word are the word itself, its lower case, its shape and some flags, and its affixes of one to four
characters; and the same without affixes of the two words on either side. L-BFGS, with both penalties at .1 and at most
100 iterations.

    SEQTAG_DATA=... python -m benchmarks.crfsuite_peer wnut17 ncbi

fits it on those sets' training files and scores the test files.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from seqtag.tagging.data.reader import SentenceReader
from seqtag.tagging.evaluation.labels import evaluate_labels
from seqtag.tagging.evaluation.spans import evaluate_spans

__all__ = ["PeerResult", "evaluate", "features", "fit"]

Sentences = Sequence[Sequence[str]]

_DATASETS = {
    "ewt": ("ud_ewt/en_ewt-ud-train.conllu", "ud_ewt/en_ewt-ud-test.conllu", None),
    "ncbi": ("bio_ner/NCBI-disease-IOB/train.tsv", "bio_ner/NCBI-disease-IOB/test.tsv", "IOB2"),
    "chem": ("bio_ner/BC5CDR-chem-IOB/train.tsv", "bio_ner/BC5CDR-chem-IOB/test.tsv", "IOB2"),
    "ddt": ("uner_ddt/da_ddt-ud-train.iob2", "uner_ddt/da_ddt-ud-test.iob2", "IOB2"),
    "wnut17": ("wnut17/wnut17train.conll", "wnut17/emerging.test.annotated", "IOB2"),
}


class PeerResult(NamedTuple):
    """F1 (conlleval's reading) or accuracy, in percent; seconds of training; words a second in use."""

    score: float
    train_seconds: float
    words_per_second: float


def features(tokens: Sequence[str]) -> list[dict[str, Any]]:
    """Features of each word of a sentence, as CRFsuite reads them.

    >>> found = features(["Ann", "ran"])
    >>> found[0]["shape"], found[0]["suffix2"], found[0]["+1:lower"], found[0]["-1:outside"]
    ('Xxx', 'nn', 'ran', True)
    """
    return [{**_of_word(token), **_of_neighbours(tokens, place)} for place, token in enumerate(tokens)]


def fit(sentences: Sentences, tags: Sentences, max_iterations: int = 100) -> Any:
    """A `sklearn_crfsuite.CRF` fitted to tokens and their tags; it predicts from `features` of sentences.

    Raises:
        SystemExit: sklearn-crfsuite is not installed.
    """
    try:
        from sklearn_crfsuite import CRF
    except ImportError:
        raise SystemExit("error: expected sklearn-crfsuite to be installed: pip install 'seqtag[bench]'") from None
    model = CRF(algorithm="lbfgs", c1=0.1, c2=0.1, max_iterations=max_iterations)
    return model.fit([features(sentence) for sentence in sentences], [list(row) for row in tags])


def evaluate(
    train: tuple[Sentences, Sentences], test: tuple[Sentences, Sentences], scheme: str | None = "IOB2"
) -> PeerResult:
    """Fits on train and scores on test; both are `(sentences, tags)`.

    Args:
        train: what to fit on.
        test: what to score.
        scheme: of the spans; None scores each tag by itself (accuracy).

    Returns:
        The score in percent, and times that include the computing of features.
    """
    began = time.perf_counter()
    model = fit(*train)
    fitted = time.perf_counter()
    found = model.predict([features(sentence) for sentence in test[0]])
    seconds = time.perf_counter() - fitted
    score = evaluate_spans(test[1], found, scheme).f1 if scheme else evaluate_labels(test[1], found).accuracy
    return PeerResult(100 * score, fitted - began, sum(map(len, test[0])) / seconds)


def _of_word(token: str) -> dict[str, Any]:
    sizes = range(1, min(4, len(token)) + 1)
    affixes = {f"prefix{n}": token[:n] for n in sizes} | {f"suffix{n}": token[-n:] for n in sizes}
    return {"bias": 1.0, **_shared(token, ""), **affixes}


@lru_cache(maxsize=200_000)
def _shared(token: str, position: str) -> dict[str, Any]:
    """Features of a word that its neighbours have too; a flag is there only if it is true."""
    flags = {
        "title": token.istitle(),
        "upper": token.isupper(),
        "digits": token.isdigit(),
        "has_digit": any(map(str.isdigit, token)),
        "has_hyphen": "-" in token,
    }
    values = {"word": token, "lower": token.lower(), "shape": _shape(token)}
    values |= {name: True for name, is_true in flags.items() if is_true}
    return {position + name: value for name, value in values.items()}


def _of_neighbours(tokens: Sequence[str], place: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for offset in (-2, -1, 1, 2):
        if 0 <= place + offset < len(tokens):
            found |= _shared(tokens[place + offset], f"{offset:+d}:")
        else:
            found[f"{offset:+d}:outside"] = True
    return found


def _shape(token: str) -> str:
    """Each capital, small letter and digit as `X`, `x`, `d`: `Xxxx-dddd` for `Iraq-2003`."""
    return "".join("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in token)


def _read(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    sentences = list(SentenceReader(path))
    return [sentence.tokens for sentence in sentences], [sentence.tags for sentence in sentences]


def main() -> None:
    """Prints a line for each set that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=list(_DATASETS))
    root = os.environ.get("SEQTAG_DATA")
    if root is None:
        parser.error("expected the environment's SEQTAG_DATA to name the folder of the data")
    for name in parser.parse_args().sets:
        train, test, scheme = _DATASETS[name]
        result = evaluate(_read(Path(root) / train), _read(Path(root) / test), scheme)
        print(
            f"{name}: {result.score:.2f}, trained in {result.train_seconds:.0f} s, "
            f"{result.words_per_second:,.0f} words a second",
            flush=True,
        )


if __name__ == "__main__":
    main()
