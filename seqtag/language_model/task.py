"""The task of language models: what the command line calls.

TensorFlow is imported inside the functions, after the data were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.data.text.lines import read_lines
from seqtag.data.text.read_ahead import FileInput, file_size, read_ahead
from seqtag.errors import ConfigError, DataError, shown
from seqtag.language_model.config import TASK, DataConfig, LanguageModelConfig
from seqtag.language_model.data.inspection import TextsReport, inspect_texts
from seqtag.language_model.data.texts import Texts, documents_of_lines, load_splits, load_texts
from seqtag.language_model.stored_sizes import stored_sizes
from seqtag.process.quiet_tensorflow import import_tensorflow
from seqtag.runs import bundle
from seqtag.runs.directory import CHECKPOINTS, LOGS, run_directory, write_figures
from seqtag.runs.places import check_new_folder
from seqtag.runs.summary import Report

if TYPE_CHECKING:
    from seqtag.language_model.model import FittedLanguageModel
    from seqtag.language_model.summary import LanguageModelSummary

CONFIG = LanguageModelConfig
READING = frozenset(("encoding",))
OPTIONS = {
    "train": frozenset[str](),
    "evaluate": READING,
    "predict": READING | {"format"},
    "generate": frozenset(("prompt", "length", "temperature", "top_k", "top_p", "greedy", "stop")),
    "export": frozenset[str](),
    "inspect": READING | {"layout"},
}
# What `inspect` is told to know a file of plain text, which may be one of any task.
LAYOUT = "text"
CHARACTERS_AHEAD = 200_000


def train(config: LanguageModelConfig, output: Path, resume: bool = False) -> LanguageModelSummary:
    """Fits a model as `config` says and writes its run directory.

    Everything is written to `OUTPUT.partial`, which takes the name `output` when all of it is there.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: a path is missing, or `resume` with another configuration.
        DataError: a file is at fault, or too short.
    """
    with run_directory(config, output, resume) as folder:
        splits = load_splits(config.data)
        check_texts(splits, config)
        import_tensorflow()
        from seqtag.language_model.evaluation.evaluate import evaluate_model
        from seqtag.language_model.fit import fit_language_model
        from seqtag.language_model.summary import LanguageModelSummary
        from seqtag.training.recording import Recording

        logs = folder / LOGS if config.training.tensorboard else None
        recording = Recording(folder / CHECKPOINTS, logs, resume)
        model, fit = fit_language_model(splits["train"], splits["dev"], config, recording)
        reports: dict[str, Report] = {
            split: evaluate_model(model, splits[split]) for split in ("dev", "test") if split in splits
        }
        metrics: dict[str, Any] = {"task": TASK, **{split: report.to_metrics() for split, report in reports.items()}}
        metrics["train"] = fit.to_metrics()
        model.save(folder)
        write_figures(folder, fit.history, metrics)
    return LanguageModelSummary(output, metrics, reports, _samples(model, config))


def check_texts(splits: Mapping[str, Texts], config: LanguageModelConfig) -> None:
    """Finds what does not fit together before TensorFlow is imported.

    Raises:
        ConfigError: there is nothing that chooses the epoch.
        DataError: the training text is shorter than a window.
    """
    if "dev" not in splits:
        raise ConfigError("data.dev: expected a path, or a dev_share above 0, found neither")
    train, model = splits["train"], config.model
    window = model.context if model.cell == "window" else 1
    count = sum(map(len, train.documents))
    if model.symbols == "words":
        count = sum(len(document.split()) for document in train.documents)
    if count <= window:
        raise DataError(f"expected more than {window} {model.symbols} of training text, found {count}", train.path)


def _samples(model: FittedLanguageModel, config: LanguageModelConfig) -> list[str]:
    """Texts of the model, each from another seed."""
    from seqtag.language_model.generation import Generation

    length = config.evaluation.sample_length
    seeds = range(config.seed, config.seed + config.evaluation.show_samples)
    return [model.generate("", Generation(length=length, temperature=0.8, seed=seed)) for seed in seeds]


def evaluate(run: Path, data: str, **reading: Any) -> Report:
    """Scores a run on a text.

    Args:
        run: the run directory.
        data: the file.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, DataError: see `load_bundle` and `load_texts`.
    """
    texts = load_texts(data, _reading(run, reading))
    model = _load(run)
    from seqtag.language_model.evaluation.evaluate import evaluate_model

    return evaluate_model(model, texts)


def predict(run: Path, source: str, *, format: str | None = None, **reading: Any) -> Iterable[bytes]:
    """The symbols of a text, each with its probability.

    Faults in the first part of the file are found before TensorFlow is imported.

    Args:
        run: the run directory.
        source: a file, `-` for standard input.
        format: `"columns"` unless given, `"jsonl"` or `"text"`; see `seqtag.language_model.formats`.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, DataError: see `load_bundle` and `load_texts`.
    """
    data = _reading(run, reading)
    documents = documents_of_lines(read_lines(source, data.encoding), data.documents)
    ahead = FileInput(read_ahead(documents, len, CHARACTERS_AHEAD), data.encoding, file_size(source))
    model = _load(run)
    from seqtag.language_model.predict import predict_texts

    return predict_texts(model, ahead, format or "columns")


def generate(
    run: Path,
    seed: int = 1,
    *,
    prompt: str = "",
    length: int | None = None,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    greedy: bool = False,
    stop: str | None = None,
) -> str:
    """A text that a run writes, the prompt at its beginning; see `Generation`.

    Raises:
        RunError: see `load_bundle`.
        ConfigError: a setting that cannot be.
    """
    bundle.load_encoders(run, TASK, dict, stored_sizes)
    import_tensorflow()
    from seqtag.language_model.generation import Generation

    own = Generation()
    how = Generation(
        own.length if length is None else length,
        own.temperature if temperature is None else temperature,
        top_k,
        top_p,
        greedy,
        stop,
        seed,
    ).check()
    return _load(run).generate(prompt, how)


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    check_new_folder(folder)
    model = _load(run)
    from seqtag.language_model.export import export_saved_model

    export_saved_model(model, folder)


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether `inspect` of this task is for these files: they are said to be plain text."""
    return layout == LAYOUT


def inspect(files: Sequence[str], *, layout: str = LAYOUT, **reading: Any) -> TextsReport:
    """Reports what is in files of plain text, read by the options `READING`.

    Raises:
        ConfigError: the layout is another one.
    """
    if layout != LAYOUT:
        raise ConfigError(f"expected layout {LAYOUT}, found {shown(layout)}", setting="data.layout")
    return inspect_texts(files, DataConfig().model_copy(update=reading))


def _reading(run: Path, options: Mapping[str, Any]) -> DataConfig:
    """How a run reads a file."""
    stored = bundle.load_encoders(run, TASK, lambda encoders: DataConfig(**encoders["options"]), stored_sizes)
    return stored.model_copy(update=options)


def _load(run: Path) -> FittedLanguageModel:
    import_tensorflow()
    from seqtag.language_model.model import FittedLanguageModel

    return FittedLanguageModel.load(run)
