"""Taggers through the pipeline: a configuration becomes a run, a run scores and tags files."""

from __future__ import annotations

import codecs
import gc
import os
import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqtag import gradient_report
from seqtag.config import DataConfig, TaggingConfig, load_config, resolve_path
from seqtag.data.corpus import SAMPLE_PREFIX, TaggedCorpus, load_corpus
from seqtag.data.sentences import Sentence
from seqtag.data.text import TextLine, read_text
from seqtag.errors import ConfigError
from seqtag.export import bundle
from seqtag.export.saved_model import export_saved_model
from seqtag.gradient_report import GradientReport
from seqtag.models.tagging_model import Item, TaggingModel
from seqtag.pipeline.runs import TrainedRun, run_directory, write_run
from seqtag.progress import metered
from seqtag.rendering import to_columns, to_json, to_text
from seqtag.training.tagging import Report, corpus_items, fit_tagging_model, reading_options, resolve_measure, score
from seqtag.training.trainer import FitResult

SPLITS = ("train", "dev", "test")
GRADIENTS = "gradients"
FORMS = {"columns": to_columns, "jsonl": to_json, "text": to_text}


@dataclass(frozen=True)
class _SeedRun:
    seed: int
    model: TaggingModel
    fit: FitResult
    reports: dict[str, Report]


def train(config: TaggingConfig, output: Path, resume: bool = False) -> TrainedRun:
    """Fits a tagger as `config` says and writes its run directory; see `seqtag.pipeline.train`."""
    with run_directory(config, output, resume) as folder:
        corpora = load_splits(config.data)
        runs = [_train_seed(config, corpora, folder, seed, resume) for seed in _seeds(config)]
        measure = resolve_measure(config.evaluation.measure, runs[0].model)
        best = max(runs, key=lambda run: getattr(run.reports["dev"], measure))
        metrics = _metrics(runs, best, measure)
        write_run(folder, best.model, best.fit, metrics)
    sentences = corpora["dev"].subset(_most_tagged(corpora["dev"], config.evaluation.show_sentences))
    return TrainedRun(
        output,
        metrics,
        best.reports,
        best.fit.sparsity,
        measure=measure,
        shown=best.model.tag(corpus_items(sentences)),
        types=best.model.codec.symbols,
    )


def load_splits(data: DataConfig) -> dict[str, TaggedCorpus]:
    """The corpora that a configuration names.

    Raises:
        ConfigError: the path of `train` or `dev` is missing.
        DataError: a file is at fault.
    """
    options = reading_options(data)
    corpora = {}
    for split in SPLITS:
        path = getattr(data, split)
        if path is not None:
            corpora[split] = load_corpus(_locate(path, data), options)
        elif split != "test":
            raise ConfigError(f"data.{split}: expected a path, found none")
    return corpora


def _locate(path: str, data: DataConfig) -> str:
    return path if path.startswith(SAMPLE_PREFIX) else str(resolve_path(path, data.root))


def _seeds(config: TaggingConfig) -> list[int]:
    return [config.seed + n for n in range(config.training.seeds)]


def _train_seed(
    config: TaggingConfig, corpora: dict[str, TaggedCorpus], folder: Path, seed: int, resume: bool
) -> _SeedRun:
    name = f"seed-{seed}"
    model, fit = fit_tagging_model(
        corpora["train"],
        corpora["dev"],
        config.model,
        config.training,
        reading_options(config.data),
        scheme=config.data.scheme,
        measure=config.evaluation.measure,
        seed=seed,
        checkpoints=folder / "checkpoints" / name,
        log_folder=folder / "logs" / name if config.training.tensorboard else None,
        resume=resume,
        label=name if config.training.seeds > 1 else "",
    )
    reports: dict[str, Report] = {split: score(model, corpora[split]) for split in ("dev", "test") if split in corpora}
    return _SeedRun(seed, model, fit, reports)


def _metrics(runs: list[_SeedRun], best: _SeedRun, measure: str) -> dict[str, Any]:
    metrics: dict[str, Any] = {"task": "tagging"}
    metrics |= {split: report.to_metrics() for split, report in best.reports.items()}
    metrics["train"] = best.fit.to_metrics() | {"seconds": sum(run.fit.seconds for run in runs)}
    metrics["seed"] = best.seed
    if len(runs) > 1:
        metrics["seeds"] = {
            "measure": measure,
            "values": [run.seed for run in runs],
            **{split: _spread([getattr(run.reports[split], measure) for run in runs]) for split in best.reports},
        }
    return metrics


def _spread(values: list[float]) -> dict[str, Any]:
    return {"mean": statistics.fmean(values), "min": min(values), "max": max(values), "each": values}


def _most_tagged(corpus: TaggedCorpus, count: int) -> list[int]:
    """Sentences of readable length with the most tags worth a look, in the order of the file."""
    readable = [n for n, tokens in enumerate(corpus.tokens) if 5 <= len(tokens) <= 25]
    readable.sort(key=lambda n: -len(set(corpus.tags[n])))
    return sorted(readable[:count])


def evaluate(run: Path, data: str) -> Report:
    """Scores a run on a file of the run's own layout.

    Raises:
        RunError, DataError: see `load_model` and `load_corpus`; a tag that the training data did not have.
    """
    model = bundle.load_model(run, TaggingModel)
    return score(model, load_corpus(data, model.options))


def _load_for_prediction(run: Path) -> TaggingModel:
    """The model of a run, with all that is in memory by now out of the garbage collector's sight.

    A collection would walk TensorFlow's hundred thousands of objects again and again: a third of the time of reading.
    """
    model = bundle.load_model(run, TaggingModel)
    gc.freeze()
    return model


def predict_columns(run: Path, source: Any, form: str) -> Iterator[bytes]:
    """Tags a column file sentence by sentence; memory does not grow with the file.

    Columns come in the encoding of the run's files, the other forms in UTF-8.
    """
    model = _load_for_prediction(run)
    # One encoder for all, so that a byte order mark is written once.
    encode = codecs.getincrementalencoder(model.options.encoding)().encode
    reader = model.options.reader(source, tags_required=False)
    waiting: deque[Sentence] = deque()

    def items() -> Iterator[Item]:
        watched = metered(reader, lambda s: len(s.tokens), lambda s: sum(map(len, s.lines)), _size(source))
        for sentence in watched:
            waiting.append(sentence)
            yield Item(sentence.tokens, [sentence.column(name) for name in model.options.features])

    for tagged in model.tag_stream(items()):
        sentence = waiting.popleft()
        if form == "columns":
            yield encode(sentence.with_tags(tagged.tags))
        else:
            yield FORMS[form](tagged).encode()


def predict_text(run: Path, source: Any, form: str, encoding: str = "utf-8") -> Iterator[bytes]:
    """Tags raw text, a paragraph a line; the output is UTF-8."""
    model = _load_for_prediction(run)
    if model.column_vocabularies:
        raise ConfigError("--text: expected a run that reads tokens alone, found one that reads further columns")
    waiting: deque[TextLine] = deque()

    def items() -> Iterator[Item]:
        watched = metered(
            read_text(source, encoding), lambda line: len(line.tokens), lambda line: len(line.text) + 1, _size(source)
        )
        for line in watched:
            waiting.append(line)
            yield Item(line.tokens)

    for tagged in model.tag_stream(items()):
        line = waiting.popleft()
        yield (to_json(tagged, line) if form == "jsonl" else FORMS[form](tagged)).encode()


def _size(source: Any) -> int | None:
    """The bytes of a file, near enough its characters; None for a stream."""
    is_file = isinstance(source, str | os.PathLike) and os.path.isfile(source)
    return os.path.getsize(source) if is_file else None


def report_gradients(run: Path, data: str | None = None, folder: Path | None = None) -> GradientReport:
    """How gradients flow through a run's network, written to `folder`, `gradients` in the run unless given.

    Args:
        run: the run directory.
        data: a file of the run's own layout; the dev data of its configuration by default.
        folder: where figures and tables go.

    Raises:
        RunError, ConfigError, DataError: see `load_model`, `load_config` and `seqtag.gradient_report`.
    """
    model = bundle.load_model(run, TaggingModel)
    if data is None:
        config = load_config(run / bundle.CONFIG).data
        if not isinstance(config, DataConfig) or config.dev is None:
            raise ConfigError(f"{run / bundle.CONFIG}: expected data.dev to be a path, found none; use --data")
        data = _locate(config.dev, config)
    report = gradient_report.report_gradients(model, load_corpus(data, model.options))
    report.write(folder or run / GRADIENTS)
    return report


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    export_saved_model(bundle.load_model(run, TaggingModel), folder)
