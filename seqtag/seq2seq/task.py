"""The task of sequence to sequence: what the command line calls.

TensorFlow is imported inside the functions, after the data were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.errors import ConfigError, DataError
from seqtag.files.writing import regular_target
from seqtag.process.quiet_tensorflow import import_tensorflow
from seqtag.runs import bundle
from seqtag.runs.directory import CHECKPOINTS, LOGS, run_directory, write_figures
from seqtag.runs.places import check_new_folder, check_output_file
from seqtag.runs.summary import Report
from seqtag.seq2seq.config import TASK, DataConfig, Seq2SeqConfig
from seqtag.seq2seq.data.detection import recognises as recognises_pairs
from seqtag.seq2seq.data.inputs import read_conllu_blocks, read_sources
from seqtag.seq2seq.data.inspection import PairsReport, inspect_pairs
from seqtag.seq2seq.data.load import load_pairs, load_splits, with_layout
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.data.reading import READING, reading_for, with_options
from seqtag.seq2seq.data.references import grouped
from seqtag.seq2seq.stored_sizes import stored_sizes

if TYPE_CHECKING:
    from seqtag.demo.page import Demo
    from seqtag.seq2seq.model import Seq2SeqModel
    from seqtag.seq2seq.network.ensemble import Search
    from seqtag.seq2seq.summary import Example, Seq2SeqSummary

CONFIG = Seq2SeqConfig
OPTIONS = {
    "train": frozenset[str](),
    "evaluate": READING,
    "predict": READING | {"beam", "n_best", "attention", "format"},
    "export": frozenset[str](),
    "demo": frozenset[str](),
    "inspect": READING,
}
FORMATS = {"text", "jsonl"}


def train(config: Seq2SeqConfig, output: Path, resume: bool = False) -> Seq2SeqSummary:
    """Fits a model as `config` says and writes its run directory.

    Everything is written to `OUTPUT.partial`, which takes the name `output` when all of it is there.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: a path is missing, a setting does not fit the data, or `resume` with another configuration.
        DataError: a file is at fault.
    """
    with run_directory(config, output, resume) as folder:
        splits = load_splits(config.data)
        if "dev" not in splits:
            raise ConfigError("data.dev: expected a path, or a dev_share above 0, found neither")
        check_data(splits["train"], config)
        import_tensorflow()
        from seqtag.seq2seq.evaluation.evaluate import evaluate_model
        from seqtag.seq2seq.fit import fit_seq2seq_model
        from seqtag.seq2seq.summary import Seq2SeqSummary
        from seqtag.training.recording import Recording

        logs = folder / LOGS if config.training.tensorboard else None
        settled = config.model_copy(update={"data": with_layout(config.data)})
        recording = Recording(folder / CHECKPOINTS, logs, resume)
        model, fit = fit_seq2seq_model(splits["train"], splits["dev"], settled, recording)
        reports: dict[str, Report] = {
            split: evaluate_model(model, splits[split]) for split in ("dev", "test") if split in splits
        }
        metrics: dict[str, Any] = {"task": TASK, **{split: report.to_metrics() for split, report in reports.items()}}
        metrics["train"] = fit.to_metrics()
        model.save(folder)
        write_figures(folder, fit.history, metrics)
    examples = _examples(model, splits["dev"], config.evaluation.show_examples)
    return Seq2SeqSummary(output, metrics, reports, examples)


def check_data(train: Pairs, config: Seq2SeqConfig) -> None:
    """Finds what does not fit together before TensorFlow is imported.

    Raises:
        DataError: texts where frames are expected, or the other way round.
        ConfigError: a measure of words for other targets, copying without attention, a dictionary of frames, or a
            number of units that the encoder's directions cannot share.
    """
    from seqtag.seq2seq.evaluation.measure_names import resolve_measure

    model = config.model
    if model.units < 2 or (model.attention == "dot" and model.units % 2):
        expected = "an even number for attention 'dot'" if model.units > 1 else "2 at least, one for each direction"
        raise ConfigError(f"model.units: expected {expected}, found {model.units}")
    if train.has_frames != (model.source == "frames"):
        found = "frames of numbers" if train.has_frames else "texts"
        raise DataError(f"expected sources of {model.source}, found {found}", train.path, setting="model.source")
    if model.copies and (model.attention is None or model.source == "frames"):
        found = "frames" if model.source == "frames" else "no attention"
        raise ConfigError(f"model.copies: expected false for a model with {found}, found true")
    if model.dictionary and model.source == "frames":
        raise ConfigError("model.dictionary: expected false for frames, found true")
    resolve_measure(config.evaluation.measure, model.target)


def _examples(model: Seq2SeqModel, dev: Pairs, count: int) -> list[Example]:
    """The first sources of dev with their answers."""
    from seqtag.seq2seq.summary import Example

    references = grouped(dev)
    chosen = dev.subset(references.first[:count])
    answers = model.answer(chosen)
    rows = zip(chosen.sources, answers, references.targets, strict=False)
    return [Example(source, answer.target, targets) for source, answer, targets in rows]


def evaluate(run: Path, data: str, **reading: Any) -> Report:
    """Scores a run on a file of pairs.

    Args:
        run: the run directory.
        data: the file; of two files, their names with a comma between.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, DataError: see `load_bundle` and `load_pairs`.
    """
    pairs = _load_pairs(run, data, reading)
    model = _load(run)
    from seqtag.seq2seq.evaluation.evaluate import evaluate_model

    return evaluate_model(model, pairs)


def _load_pairs(run: Path, data: str, reading: Mapping[str, Any]) -> Pairs:
    """Pairs read before TensorFlow is imported."""
    options = reading_for(_stored_data(run), reading, data)
    files = data.split(",") if options.layout in ("parallel", "frames") else data
    return load_pairs(files, options)


def _stored_data(run: Path) -> DataConfig:
    """How a run reads files."""
    return bundle.load_encoders(run, TASK, lambda encoders: DataConfig(**encoders["options"]), stored_sizes)


def predict(
    run: Path,
    source: str,
    *,
    beam: int | None = None,
    n_best: int | None = None,
    attention: str | None = None,
    format: str | None = None,
    **reading: Any,
) -> Iterable[bytes]:
    """Answers a file, a source a line; of a CoNLL-U file it fills the column of targets.

    Faults in the first part of the file are found before TensorFlow is imported.

    Args:
        run: the run directory.
        source: a file, `-` for standard input.
        beam: hypotheses of the search; those of the run unless given.
        n_best: how many candidates an answer has, at most the beam.
        attention: a file for a picture of the attention of the first answers.
        format: of the answers: `"text"` or `"jsonl"`; for CoNLL-U `"columns"` as well, which it is unless given.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle`, `read_sources` and `checked_search`.
    """
    data = reading_for(_stored_data(run), reading, source)
    form = format or ("columns" if data.layout == "conllu" else "text")
    picture = None if attention is None else Path(attention)
    _check_output(form, data.layout, picture, n_best)
    if form == "columns":
        blocks = read_conllu_blocks(source, data)
    else:
        sources = read_sources(source, data)
    model = _load(run)
    from seqtag.seq2seq.predict import predict_conllu, predict_sources

    search = checked_search(model, beam, n_best or 1)
    if form == "columns":
        return predict_conllu(model, blocks, search)
    _check_attends(model, picture)
    return predict_sources(model, sources, form, search, n_best or 1, picture)


def _check_output(form: str, layout: str, picture: Path | None, n_best: int | None) -> None:
    if form == "columns" and layout != "conllu":
        raise ConfigError("--format: expected text or jsonl, found columns, which are of CoNLL-U")
    if form in FORMATS and layout == "conllu":
        raise ConfigError(f"--format: expected columns for a file of CoNLL-U, found {form}")
    for option, value in (("--attention", picture), ("--n-best", n_best)):
        if form == "columns" and value is not None:
            raise ConfigError(f"{option}: expected a file of sources, found one of CoNLL-U, whose column is filled")
    if picture is not None:
        check_output_file(picture)
        regular_target(picture)


def _check_attends(model: Seq2SeqModel, picture: Path | None) -> None:
    if picture is not None and not model.network.attends:
        raise ConfigError("--attention: expected a run with attention, found one without")


def checked_search(model: Seq2SeqModel, beam: int | None, n_best: int) -> Search:
    """The search of a model, with another width if one is given.

    Raises:
        ConfigError: a width or a number of candidates below one, or more candidates than the width.
    """
    search = model.search if beam is None else model.search._replace(beam=beam)
    if search.beam < 1:
        raise ConfigError(f"expected a beam of one hypothesis at least, found {search.beam}", setting="evaluation.beam")
    if not 1 <= n_best <= search.beam:
        raise ConfigError(f"expected from 1 to the beam's {search.beam}, found {n_best}", setting="n_best")
    return search


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    check_new_folder(folder)
    model = _load(run)
    from seqtag.seq2seq.export import export_saved_model

    export_saved_model(model, folder)


def demo(run: Path) -> Demo:
    """The page of a run; see `seqtag.seq2seq.demo`."""
    data, model = _stored_data(run), _load(run)
    from seqtag.seq2seq.demo import seq2seq_demo

    return seq2seq_demo(model, data)


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether `inspect` of this task is for these files."""
    return recognises_pairs(files, layout)


def inspect(files: Sequence[str], **reading: Any) -> PairsReport:
    """Reports what is in files of pairs, read by the options `READING`."""
    return inspect_pairs(files, with_options(DataConfig(), reading))


def _load(run: Path) -> Seq2SeqModel:
    import_tensorflow()
    from seqtag.seq2seq.model import Seq2SeqModel

    return Seq2SeqModel.load(run)
