"""Fits a tagger with one seed or with several, and keeps the best one on dev."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seqtag.data.text.vectors.model_vectors import ModelVectors
from seqtag.tagging.config import TASK, TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.evaluation.answers import JudgedTags, judge_columns
from seqtag.tagging.evaluation.columns import ColumnsReport, reports_of
from seqtag.tagging.evaluation.evaluate import Report, mean_score, measures_name, reports_on, resolve_measures
from seqtag.tagging.fit import fit_tagging_model
from seqtag.tagging.model import TaggingModel
from seqtag.training.budget import Budget
from seqtag.training.fit import FitResult
from seqtag.training.recording import Recording


@dataclass(frozen=True)
class SeedRun:
    """What one seed gave: the model, its training, the report on each scored split, and what it answers to dev."""

    seed: int
    model: TaggingModel
    fit: FitResult
    reports: Mapping[str, Report | ColumnsReport]
    judged: list[JudgedTags]


@dataclass(frozen=True)
class SeedRuns:
    """What all seeds gave.

    Attributes:
        runs: one per seed.
        measures: of each column of tags, the score on dev whose mean over the columns chooses the best.
        vectors: the pretrained word vectors, if there were any.
    """

    runs: list[SeedRun]
    measures: list[str]
    vectors: ModelVectors | None = None

    @property
    def best(self) -> SeedRun:
        """The run with the best dev score."""
        return max(self.runs, key=lambda run: mean_score(reports_of(run.reports["dev"]), self.measures))

    def to_metrics(self) -> dict[str, Any]:
        """The contents of `metrics.json`."""
        best = self.best
        metrics: dict[str, Any] = {"task": TASK}
        metrics |= {split: report.to_metrics() for split, report in best.reports.items()}
        metrics["train"] = best.fit.to_metrics() | {"seconds": sum(run.fit.seconds for run in self.runs)}
        metrics["seed"] = best.seed
        if self.vectors is not None:
            metrics["vectors"] = self.vectors.to_metrics()
        if len(self.runs) > 1:
            metrics["seeds"] = {
                "measure": measures_name(self.measures),
                "values": [run.seed for run in self.runs],
                **{split: self._spread(split) for split in best.reports},
            }
        return metrics

    def _spread(self, split: str) -> dict[str, Any]:
        """The scores of all seeds on a split; of several columns of tags also those of each."""
        reports = [run.reports[split] for run in self.runs]
        spread = _spread_of([mean_score(reports_of(report), self.measures) for report in reports])
        first = reports[0]
        if isinstance(first, ColumnsReport):
            by_seed = zip(*map(reports_of, reports), strict=True)
            of_columns = zip(first.columns, self.measures, by_seed, strict=True)
            spread["columns"] = {
                name: _spread_of([getattr(report, measure) for report in of_column])
                for name, measure, of_column in of_columns
            }
        return spread


def _spread_of(scores: list[float]) -> dict[str, Any]:
    return {"mean": statistics.fmean(scores), "min": min(scores), "max": max(scores), "scores": scores}


def fit_seeds(
    config: TaggingConfig,
    corpora: Mapping[str, TaggedCorpus],
    recording: Recording,
    vectors: ModelVectors | None = None,
) -> SeedRuns:
    """Fits a tagger with each seed of a configuration, all within its budget."""
    count, budget = config.training.seeds, Budget(config.training.budget)
    runs = []
    for number in range(count):
        seed = config.seed + number
        part = recording.part(f"seed-{seed}", labelled=count > 1)
        runs.append(_fit_seed(config, corpora, seed, part, budget.part(1 / (count - number)), vectors))
    return SeedRuns(runs, resolve_measures(config.evaluation.measure, runs[0].model.codecs), vectors)


def _fit_seed(
    config: TaggingConfig,
    corpora: Mapping[str, TaggedCorpus],
    seed: int,
    recording: Recording,
    budget: Budget,
    vectors: ModelVectors | None,
) -> SeedRun:
    config = config.model_copy(update={"seed": seed})
    table = None if vectors is None else vectors.table
    model, fit = fit_tagging_model(corpora["train"], corpora["dev"], config, recording, budget, table)
    judged = {split: judge_columns(model, corpora[split]) for split in ("dev", "test") if split in corpora}
    reports = {split: reports_on(model, corpora[split], answers) for split, answers in judged.items()}
    return SeedRun(seed, model, fit, reports, judged["dev"])
