"""What the training of a tagger prints when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from seqtag.diagnostics.sparsity import SparsityReport
from seqtag.runs.bundle import REPORT
from seqtag.runs.summary import Report, show_part, show_reports, show_text
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.formats import to_rich
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.tagged_sentence import TaggedSentence


@dataclass(frozen=True)
class TaggerSummary:
    """A finished training of a tagger.

    Attributes:
        folder: the run directory.
        metrics: the contents of `metrics.json`.
        reports: the report on each scored split.
        sparsity: the zeros of the weights, if a penalty was to make some.
        sentences: examples from dev, tagged.
        types: the tagger's entity types or labels, for colours.
    """

    folder: Path
    metrics: dict[str, Any]
    reports: Mapping[str, Report]
    sparsity: SparsityReport | None
    sentences: Sequence[TaggedSentence]
    types: list[str]

    def show(self, console: Console) -> None:
        """Prints the reports, the sentences in colour and, for several seeds, the mean and the range."""
        show_reports(console, self.reports)
        for sentence in self.sentences:
            console.print(to_rich(sentence, self.types))
        if self.sparsity is not None:
            show_part(console, "zeros", self.sparsity.to_text())
        seeds = self.metrics.get("seeds")
        if seeds:
            for split in self.reports:
                spread = seeds[split]
                line = f"{spread['mean']:.4f} ({spread['min']:.4f} to {spread['max']:.4f})"
                console.print(f"{split} {seeds['measure']}, mean and range of {len(seeds['values'])} seeds: {line}")
        show_text(console, f"report to look at: {self.folder / REPORT}")
        show_text(console, f"run written to {self.folder}")


def tagged_examples(model: TaggingModel, corpus: TaggedCorpus, count: int) -> list[TaggedSentence]:
    """Tags the sentences of readable length that have the most different tags, in the order of the file."""
    readable = [n for n, tokens in enumerate(corpus.tokens) if 5 <= len(tokens) <= 25]
    readable.sort(key=lambda n: -len(set(corpus.tags[n])))
    return model.tag(corpus.subset(sorted(readable[:count])).inputs)
