"""Judges every sentence of a corpus by a model that was trained on others."""

from __future__ import annotations

from collections.abc import Iterator

from seqtag.data.text.vectors.store import WordVectors
from seqtag.progress import LiveLine
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.shares import split_off_dev
from seqtag.tagging.doubts.kept_folds import KeptFolds
from seqtag.tagging.doubts.readings import Judgement, judge_gold
from seqtag.tagging.fit import fit_tagging_model
from seqtag.training.recording import Recording


def cross_validate(
    corpus: TaggedCorpus,
    config: TaggingConfig,
    folds: list[list[int]],
    vectors: WordVectors | None = None,
    column: int = 0,
    kept: KeptFolds | None = None,
) -> Judgement:
    """Trains a model for each fold on the other ones, and asks it about the gold tags of the fold.

    Every tenth of its sentences chooses the epoch and the temperature.

    Args:
        corpus: sentences with gold tags.
        config: of the models.
        folds: the numbers of the sentences of each fold.
        vectors: pretrained word vectors.
        column: which of the columns of tags is judged.
        kept: the finished folds, for which no model is trained again.
    """

    def judged() -> Iterator[Judgement]:
        for number, fold in enumerate(folds):
            label = f"fold {number + 1}/{len(folds)}"
            found = None if kept is None else kept.read(number)
            if found is not None:
                _tell(f"{label}: judged before")
                yield Judgement.from_dict(found)
                continue
            inside = set(fold)
            outside = corpus.subset([n for n in range(len(corpus)) if n not in inside])
            model, _ = fit_tagging_model(*split_off_dev(outside), config, Recording(label=label), vectors=vectors)
            judgement = judge_gold(model.columns[column], corpus.columns_of_tags[column], fold)
            if kept is not None:
                kept.write(number, judgement.to_dict())
            yield judgement

    return Judgement.of(judged())


def _tell(text: str) -> None:
    with LiveLine() as line:
        line.keep(text)
