"""The task of classification: what the command line calls.

TensorFlow is imported inside the functions, after the data were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.classification.config import TASK, ClassificationConfig, DataConfig
from seqtag.classification.data.detection import recognises as recognises_files
from seqtag.classification.data.examples import Examples, Kind
from seqtag.classification.data.inputs import read_inputs
from seqtag.classification.data.inspection import ExamplesReport, inspect_examples
from seqtag.classification.data.labels import LabelCodec
from seqtag.classification.data.load import files_of, load_examples, load_splits, with_layout
from seqtag.classification.data.reading import READING, reading_for, with_options
from seqtag.classification.stored_sizes import stored_sizes
from seqtag.errors import ConfigError, did_you_mean, shown
from seqtag.process.quiet_tensorflow import import_tensorflow
from seqtag.runs import bundle
from seqtag.runs.directory import CHECKPOINTS, LOGS, run_directory, write_figures
from seqtag.runs.places import check_new_folder
from seqtag.runs.summary import Report

if TYPE_CHECKING:
    from seqtag.classification.model import ClassificationModel
    from seqtag.classification.summary import ClassifierSummary, Example
    from seqtag.demo.page import Demo

CONFIG = ClassificationConfig
OPTIONS = {
    "train": frozenset[str](),
    "evaluate": READING,
    "predict": READING | {"format", "explain"},
    "export": frozenset[str](),
    "demo": frozenset[str](),
    "inspect": READING,
}


def train(config: ClassificationConfig, output: Path, resume: bool = False) -> ClassifierSummary:
    """Fits a classifier as `config` says and writes its run directory.

    Everything is written to `OUTPUT.partial`, which takes the name `output` when all of it is there.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: a path is missing, a setting does not fit the data, or `resume` with another configuration.
        DataError: a file is at fault.
    """
    with run_directory(config, output, resume) as folder:
        kind = kind_of(config)
        splits = load_splits(config.data, kind)
        check_labels(splits, config)
        import_tensorflow()
        from seqtag.classification.evaluation.evaluate import evaluate_model
        from seqtag.classification.fit import fit_classifier
        from seqtag.classification.summary import ClassifierSummary
        from seqtag.classification.vectors import CACHE, load_vectors
        from seqtag.training.recording import Recording

        logs = folder / LOGS if config.training.tensorboard else None
        settled = config.model_copy(update={"data": with_layout(config.data, kind)})
        recording = Recording(folder / CHECKPOINTS, logs, resume)
        vectors = load_vectors(config, splits, output.parent / CACHE)
        table = None if vectors is None else vectors.table
        model, fit = fit_classifier(splits["train"], splits["dev"], settled, recording, vectors=table)
        reports: dict[str, Report] = {
            split: evaluate_model(model, splits[split]) for split in ("dev", "test") if split in splits
        }
        metrics: dict[str, Any] = {"task": TASK, **{split: report.to_metrics() for split, report in reports.items()}}
        metrics["train"] = fit.to_metrics()
        if vectors is not None:
            metrics["vectors"] = vectors.to_metrics()
        model.save(folder)
        write_figures(folder, fit.history, metrics)
    return ClassifierSummary(output, metrics, reports, _examples(model, splits["dev"], config.evaluation.show_examples))


def kind_of(config: ClassificationConfig) -> Kind:
    """What a configuration classifies."""
    return Kind(config.model.source, config.model.labels == "several")


def check_labels(splits: Mapping[str, Examples], config: ClassificationConfig) -> None:
    """Finds faults before TensorFlow is imported, and warns of labels that the training data do not have.

    Raises:
        DataError: one label alone.
        ConfigError: the weight of a label that training does not have.
    """
    codec = LabelCodec.fit(splits["train"], config.model.labels == "several")
    weights = config.training.class_weights
    for name in weights if isinstance(weights, dict) else ():
        if not codec.knows(name):
            hint = did_you_mean(name, codec.names, "labels")
            raise ConfigError(f"training.class_weights: expected labels of the data, found {shown(name)}{hint}")
    for split, examples in splits.items():
        if split != "train":
            codec.warn_of_unknown(examples)


def _examples(model: ClassificationModel, dev: Examples, count: int) -> list[Example]:
    """The first texts of dev with their answers."""
    from seqtag.classification.summary import Example

    chosen = dev.subset(range(min(count, len(dev))))
    if not len(chosen):
        return []
    rows = zip(chosen.sources, model.answer(chosen.sources), chosen.labels, strict=True)
    return [Example(source, answer.labels, answer.score, gold) for source, answer, gold in rows]


def evaluate(run: Path, data: str, **reading: Any) -> Report:
    """Scores a run on data with labels.

    Args:
        run: the run directory.
        data: a file, a folder of a file for each label, or `LABEL=PATH,LABEL=PATH`.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, DataError: see `load_bundle` and `load_examples`.
    """
    own, codec, kind = _stored(run)
    files = files_of(data) or data
    examples = load_examples(files, reading_for(own, reading, files, kind), kind)
    codec.warn_of_unknown(examples)
    model = _load(run)
    from seqtag.classification.evaluation.evaluate import evaluate_model

    return evaluate_model(model, examples)


def _stored(run: Path) -> tuple[DataConfig, LabelCodec, Kind]:
    """How a run reads files, its labels, and what it classifies."""

    def readers(encoders: dict[str, Any]) -> tuple[DataConfig, LabelCodec, Kind]:
        labels = LabelCodec.from_dict(encoders["labels"])
        kind = Kind("frames" if "frames" in encoders else "text", labels.several)
        return DataConfig(**encoders["options"]), labels, kind

    return bundle.load_encoders(run, TASK, readers, stored_sizes)


def predict(
    run: Path, source: str, *, format: str = "text", explain: str | None = None, **reading: Any
) -> Iterable[bytes]:
    """Answers a file: a text a line, the texts of a table, or frames of numbers.

    Faults in the first part of the file are found before TensorFlow is imported.

    Args:
        run: the run directory.
        source: a file, `-` for standard input.
        format: of the answers: `"text"` or `"jsonl"`.
        explain: how the words are found that spoke for an answer: `"attention"` or `"leave_one_out"`.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle` and `read_inputs`.
    """
    if format not in ("text", "jsonl"):
        raise ConfigError(f"--format: expected text or jsonl, found {format}")
    own, _, kind = _stored(run)
    inputs = read_inputs(source, with_options(own, reading), kind)
    model = _load(run)
    from seqtag.classification.explanation import check_explains
    from seqtag.classification.predict import predict_inputs

    if explain is not None:
        check_explains(model, explain)
    return predict_inputs(model, inputs, format, explain)  # type: ignore[arg-type]  # one of these


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    check_new_folder(folder)
    model = _load(run)
    from seqtag.classification.export import export_saved_model

    export_saved_model(model, folder)


def demo(run: Path) -> Demo:
    """The page of a run; see `seqtag.classification.demo`."""
    data, model = _stored(run)[0], _load(run)
    from seqtag.classification.demo import classifier_demo

    return classifier_demo(model, data)


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether `inspect` of this task is for these files."""
    return recognises_files(files, layout)


def inspect(files: Sequence[str], **reading: Any) -> ExamplesReport:
    """Reports what is in files of texts and labels, read by the options `READING`."""
    return inspect_examples(files, with_options(DataConfig(), reading))


def _load(run: Path) -> ClassificationModel:
    import_tensorflow()
    from seqtag.classification.model import ClassificationModel

    return ClassificationModel.load(run)
