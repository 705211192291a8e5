"""Scores of known and unknown words add up to those of all."""

from __future__ import annotations

import numpy as np

from seqtag.tagging.data.corpus import TaggedCorpus, load_corpus
from seqtag.tagging.data.schemes import tagset
from seqtag.tagging.evaluation.entities import read_entities
from seqtag.tagging.evaluation.evaluate import evaluate_model
from seqtag.tagging.evaluation.spans import evaluate_spans
from seqtag.tagging.evaluation.words import KNOWN, UNKNOWN, VECTORS_ONLY, evaluate_words
from seqtag.tagging.model import TaggingModel


def test_an_entity_counts_with_its_least_known_word():
    gold = [["B-A", "I-A", "O", "B-A", "O"]]
    predicted = [["B-A", "I-A", "O", "O", "B-A"]]
    kinds = [[KNOWN, UNKNOWN, KNOWN, VECTORS_ONLY, KNOWN]]
    found = evaluate_words(gold, predicted, kinds, read_entities(gold, predicted, "IOB2"))
    counts = {kind: (scores.tokens, scores.right, *vars(scores.entities).values()) for kind, scores in found.items()}
    assert counts == {"known": (3, 2, 0, 1, 0), "vectors_only": (1, 0, 0, 0, 1), "unknown": (1, 1, 1, 1, 1)}


def test_the_kinds_sum_to_the_whole():
    source, tags = np.random.default_rng(5), tagset(["A", "B"], "IOBES")
    gold, predicted = (source.choice(tags, (40, 7)).tolist() for _ in range(2))
    whole = evaluate_spans(gold, predicted, "IOBES")
    kinds = source.integers(0, 3, (40, 7)).tolist()
    parts = evaluate_words(gold, predicted, kinds, read_entities(gold, predicted, "IOBES")).values()
    assert sum(part.tokens for part in parts) == whole.tokens
    assert sum(part.right for part in parts) / whole.tokens == whole.accuracy
    for name in ("correct", "predicted", "support"):
        assert sum(getattr(part.entities, name) for part in parts) == getattr(whole.overall, name)


def test_a_model_tells_which_words_it_knows(run_folder, job):
    model = TaggingModel.load(run_folder)
    corpus = load_corpus(str(job / "dev.tsv"), model.options)
    known = evaluate_model(model, corpus)
    assert list(known.details.words) == ["known"]
    corpus = TaggedCorpus([["PARIS", "ann", "Zürich"]], [["B-LOC", "O", "O"]])
    report = evaluate_model(model, corpus)
    # No lower form of these is of training; `Ann` in capitals is another word.
    assert {kind: scores.tokens for kind, scores in report.details.words.items()} == {"unknown": 3}
    metrics = report.to_metrics()
    assert metrics["words"]["unknown"]["tokens"] == 3 and metrics["words"]["unknown"]["support"] == 1
    assert set(metrics["errors"]) == {"boundary", "type", "both", "missed", "spurious"}
    assert "unknown words: 3 tokens, accuracy:" in report.to_text() and "\nerrors: boundary " in report.to_text()
