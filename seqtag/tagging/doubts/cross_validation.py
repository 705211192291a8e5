"""Judges every sentence of a corpus by a model that was trained on others."""

from __future__ import annotations

from collections.abc import Iterator

from seqtag.data.text.vectors.store import WordVectors
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus, split_off_dev
from seqtag.tagging.doubts.readings import Judgement, judge_gold
from seqtag.tagging.fit import fit_tagging_model
from seqtag.training.recording import Recording


def cross_validate(
    corpus: TaggedCorpus,
    config: TaggingConfig,
    folds: list[list[int]],
    vectors: WordVectors | None = None,
    column: int = 0,
) -> Judgement:
    """Trains a model for each fold on the other ones, and asks it about the gold tags of the fold.

    Every tenth of its sentences chooses the epoch and the temperature.

    Args:
        corpus: sentences with gold tags.
        config: of the models.
        folds: the numbers of the sentences of each fold.
        vectors: pretrained word vectors.
        column: which of the columns of tags is judged.
    """

    def judged() -> Iterator[Judgement]:
        for number, fold in enumerate(folds, start=1):
            inside = set(fold)
            outside = corpus.subset([n for n in range(len(corpus)) if n not in inside])
            recording = Recording(label=f"fold {number}/{len(folds)}")
            model, _ = fit_tagging_model(*split_off_dev(outside), config, recording, vectors=vectors)
            yield judge_gold(model.columns[column], corpus.columns_of_tags[column], fold)

    return Judgement.of(judged())
