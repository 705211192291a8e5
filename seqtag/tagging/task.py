"""The task of tagging: what the command line calls.

TensorFlow is imported inside the functions, after the data were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.data.frames.inspection import FramesReport, inspect_frames
from seqtag.data.text.vectors.reading import read_words
from seqtag.errors import ConfigError
from seqtag.files.asides import remove
from seqtag.process.quiet_tensorflow import import_tensorflow
from seqtag.runs import bundle
from seqtag.runs.config_file import load_run_config
from seqtag.runs.directory import CHECKPOINTS, LOGS, PREPARED, has_state, run_directory, runs_in, write_figures
from seqtag.runs.places import check_new_folder, check_output_folder, new_file
from seqtag.runs.summary import Report
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus, reading_options
from seqtag.tagging.data.detection import is_table_of_tokens
from seqtag.tagging.data.frame_sequences import FRAMES, frame_columns, frames_source, is_frames_file
from seqtag.tagging.data.inputs import read_columns, read_frame_inputs, read_raw
from seqtag.tagging.data.inspection import CorpusReport, inspect_corpus
from seqtag.tagging.data.layouts import LAYOUTS
from seqtag.tagging.data.shares import share_of
from seqtag.tagging.data.tag_codec import fit_codecs
from seqtag.tagging.doubts.folds import fold_config, folds_of
from seqtag.tagging.doubts.kept_folds import KeptFolds
from seqtag.tagging.evaluation.evaluate import evaluate_model, resolve_measure
from seqtag.tagging.language_model import check_language_model
from seqtag.tagging.learning_curve import LearningCurve, announce, is_finished, parse_fractions, report, share_config
from seqtag.tagging.run_files import check_reads_text, forced_tags, load_checked, load_column, run_readers
from seqtag.tagging.splits import check_tags, load_splits, locate, number_of, scored_file
from seqtag.tagging.vectors import CACHE, load_vectors, prepared_vectors

if TYPE_CHECKING:
    from seqtag.demo.page import Demo
    from seqtag.tagging.comparison import ComparisonReport
    from seqtag.tagging.doubts.report import DoubtsReport
    from seqtag.tagging.gradient_report import GradientReport
    from seqtag.tagging.model import TaggingModel
    from seqtag.tagging.summary import TaggerSummary

CONFIG = TaggingConfig
READING = frozenset(
    ("layout", "tag_column", "token_column", "sentence_column", "comment_prefix", "unknown_tag", "encoding")
)
OPTIONS = {
    "train": frozenset[str](),
    "evaluate": READING | {"n_best", "html"},
    "predict": READING | {"text", "format", "n_best", "forced"},
    "export": frozenset[str](),
    "gradients": READING,
    "compare": READING | {"column"},
    "curve": frozenset(("fractions", "column")),
    "doubts": READING | {"limit", "column"},
    "demo": frozenset[str](),
    "inspect": READING | {"vectors"},
}
GRADIENTS = "gradients"


def train(config: TaggingConfig, output: Path, resume: bool = False) -> TaggerSummary:
    """Fits a tagger as `config` says and writes its run directory.

    Everything is written to `OUTPUT.partial`, which takes the name `output` when all of it is there.

    Raises:
        RunError: a finished run is at `output`, or an unfinished one without `resume`.
        ConfigError: a path is missing, or `resume` with another configuration.
        DataError: a file is at fault.
    """
    with run_directory(config, output, resume) as folder:
        corpora = load_splits(config.data)
        corpora["train"] = share_of(corpora["train"], config.data.fraction, config.seed, config.model.document_context)
        check_tags(corpora, config)
        check_language_model(config.model)
        vectors = prepared_vectors(config, corpora, output, folder / PREPARED)
        import_tensorflow()
        from seqtag.tagging.report.page import Findings, render_page
        from seqtag.tagging.seeds import fit_seeds
        from seqtag.tagging.summary import TaggerSummary, tagged_examples
        from seqtag.training.recording import Recording

        logs = folder / LOGS if config.training.tensorboard else None
        seeds = fit_seeds(config, corpora, Recording(folder / CHECKPOINTS, logs, resume), vectors)
        best, metrics = seeds.best, seeds.to_metrics()
        best.model.save(folder)
        write_figures(folder, best.fit.history, metrics)
        # Sentences are those of dev: who looks at those of test begins to choose by them.
        shown = str(config.data.dev), corpora["dev"], best.judged, [codec.scheme for codec in best.model.codecs]
        page = render_page(Findings(str(output), *shown, best.reports, best.fit.history))
        bundle.write_text(folder / bundle.REPORT, page)
        remove(folder / PREPARED)
    sentences = tagged_examples(best.model, corpora["dev"], config.evaluation.show_sentences)
    return TaggerSummary(output, metrics, best.reports, best.fit.sparsity, sentences, best.model.codec.symbols)


def evaluate(run: Path, data: str, *, n_best: int | None = None, html: Path | None = None, **reading: Any) -> Report:
    """Scores a run on a file.

    Args:
        run: the run directory.
        data: the file.
        n_best: how many candidates of each sentence are scored too, up to 1000.
        html: a new file for a page that shows the scores, and the sentences with their tags.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, DataError: see `load_bundle`, `load_corpus` and `TagCodec.check`.
        ConfigError: more than 1000 candidates.
        RunError, OutputError: see `new_file`.
    """
    with nullcontext() if html is None else new_file(html) as aside:
        corpus = load_checked(run, data, reading)
        model = _load(run)
        if aside is None:
            return evaluate_model(model, corpus, n_best or 0)
        from seqtag.tagging.report.page import Findings, render_page

        findings = Findings.of_run(run, data, model, corpus, n_best or 0)
        aside.write_text(render_page(findings), encoding="utf-8")
    return findings.report


def predict(
    run: Path,
    source: str,
    *,
    text: bool = False,
    format: str = "columns",
    n_best: int | None = None,
    forced: bool = False,
    **reading: Any,
) -> Iterable[bytes]:
    """Tags a file; see `seqtag.tagging.predict`, and for frames of numbers `seqtag.tagging.frame_answers`.

    Faults in the first part of the file are found before TensorFlow is imported.

    Args:
        run: the run directory.
        source: a file, `-` for standard input.
        text: whether it is raw text, one paragraph per line.
        format: of the answers: `"columns"`, `"jsonl"` or `"text"`.
        n_best: how many of the likeliest tag sequences a JSON line has, up to 1000.
        forced: whether answers must have the tags that the file has, those of the first of several columns.
        reading: how the file is read, where it is not as the run's own: `READING`; for raw text `encoding` alone, which
            is UTF-8 unless given.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle`, `read_columns` and `read_raw`.
    """
    if n_best is not None and format != "jsonl":
        raise ConfigError(f"--n-best: expected --format jsonl, which has room for several answers, found {format}")
    options, codecs = run_readers(run, reading)
    if options.reads_frames and not text:
        if format == "text":
            raise ConfigError("--format: expected columns or jsonl for frames of numbers, found text")
        header, frames = read_frame_inputs(source, options, forced_tags(options, codecs[0]) if forced else None)
        model = _load(run)
        from seqtag.tagging.frame_answers import predict_frames

        return predict_frames(model, header, frames, format, n_best or 0)
    if text:
        if forced:
            raise ConfigError("--forced: expected a file of columns, found --text, for raw text")
        check_reads_text(options, reading)
        raw = read_raw(source, reading.get("encoding", "utf-8"))
    else:
        columns = read_columns(source, options, forced_tags(options, codecs[0]) if forced else None)
    model = _load(run)
    from seqtag.tagging.predict import predict_columns, predict_text

    count = n_best or 0
    return predict_text(model, raw, format, count) if text else predict_columns(model, columns, format, count)


def export(run: Path, folder: Path) -> None:
    """Writes the run's SavedModel."""
    check_new_folder(folder)
    model = _load(run)
    from seqtag.tagging.export import export_saved_model

    export_saved_model(model, folder)


def gradients(run: Path, data: str | None = None, folder: Path | None = None, **reading: Any) -> GradientReport:
    """Measures how gradients flow through a run's network; figures and tables go to a folder.

    Args:
        run: the run directory.
        data: a file; the dev data of its configuration unless given.
        folder: where figures and tables go; `gradients` in the run unless given.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle`, `load_config` and `seqtag.tagging.gradient_report`.
        RunError, OutputError: see `check_output_folder`.
    """
    output = folder or run / GRADIENTS
    check_output_folder(output)
    if data is None:
        config = load_run_config(run, TaggingConfig).data
        if config.dev is None:
            raise ConfigError(f"{run / bundle.CONFIG}: expected data.dev to be a path, found none; use --data")
        data = locate(config.dev, config)
    corpus = load_checked(run, data, reading)
    model = _load(run)
    from seqtag.tagging.gradient_report import report_gradients

    report = report_gradients(model, corpus)
    report.write(output)
    return report


def compare(
    runs: Sequence[Path], data: str | None = None, seed: int = 1, *, column: str | None = None, **reading: Any
) -> ComparisonReport:
    """Scores runs on the same sentences, and tests how they differ from the first one.

    Args:
        runs: run directories, or folders of the runs of several seeds.
        data: a file; the test data of the first run's configuration unless given, or its dev data.
        seed: of the samples of the tests.
        column: the name of a column of tags; the first unless given.
        reading: how the file is read, where it is not as each run's own: `READING`.

    Raises:
        RunError, ConfigError, DataError: see `load_bundle`, `load_config`, `number_of` and `compare_systems`.
    """
    if len(runs) < 2:
        raise ConfigError(f"expected two runs at least, found {len(runs)}")
    systems = [(path, runs_in(path)) for path in runs]
    file = data or scored_file(systems[0][1][0])
    corpora = {run: load_column(run, file, reading, column) for _, found in systems for run in found}
    asked = {run: (_load(run).columns[number], corpus) for run, (number, corpus) in corpora.items()}
    from seqtag.tagging.comparison import compare_systems

    return compare_systems([(path, [asked[run] for run in found]) for path, found in systems], seed)


def curve(config: TaggingConfig, folder: Path, *, fractions: str, column: str | None = None) -> LearningCurve:
    """Trains a tagger on shares of the training sentences, and scores each on dev; the test data are left alone.

    Each share is a run in `folder`, whose configuration says `data.fraction`. A finished one is not trained again, and
    an interrupted one goes on. `curve.csv` and `curve.png` hold what is known after each of them.

    Args:
        config: of the taggers.
        folder: where runs, table and figure go.
        fractions: see `parse_fractions`.
        column: the name of the column of tags whose scores are drawn; the first unless given.

    Raises:
        ConfigError: see `parse_fractions`, `number_of`, `is_finished` and `train`.
        RunError, OutputError, DataError: see `check_output_folder` and `train`.
    """
    wanted = parse_fractions(fractions)
    check_output_folder(folder)
    of_column = number_of(reading_options(config.data), column, "the configuration")
    corpora = load_splits(config.data)
    codecs = check_tags(corpora, config)
    measure = resolve_measure(config.evaluation.measure, codecs[of_column].scheme)
    found = LearningCurve(measure, column if of_column else None)
    for number, fraction in enumerate(wanted):
        step, run = share_config(config, codecs[0], fraction), folder / f"{fraction:g}"
        part = share_of(corpora["train"], fraction, config.seed, config.model.document_context)
        announce(wanted, number, part)
        was_there = is_finished(run, step)
        if not was_there:
            train(step, run, resume=has_state(bundle.partial_path(run)))
        report(found.add(run, fraction, part), found.measure, was_there)
        found.write(folder)
    return found


def doubts(
    run: Path, data: str, folds: int = 5, *, limit: int = 50, column: str | None = None, **reading: Any
) -> DoubtsReport:
    """Finds gold tags that a model thinks wrong which was not trained on them.

    Folds that are finished are kept beside the run until all are: what was interrupted goes on after them.

    Args:
        run: the run directory, whose configuration trains the models.
        data: a file with tags.
        folds: how many models are trained, each on the sentences outside of one fold; 0 asks the run's own model, which
            is right where it was not trained on the file.
        limit: how many doubts are shown.
        column: the name of the column of tags; the first unless given.
        reading: how the file is read, where it is not as the run's own: `READING`.

    Raises:
        RunError, DataError: see `load_bundle`, `load_corpus` and `TagCodec.fit`.
        ConfigError: one fold, or too few sentences for so many; vectors of the configuration are not there; see
            `number_of`.
    """
    if folds == 1:
        raise ConfigError("--folds: expected 2 at least, or 0 for the model of the run, found 1")
    if folds:
        options, (codec, *_) = run_readers(run, reading)
        number = number_of(options, column, str(run))
        corpus = load_corpus(data, options)
        config = fold_config(load_run_config(run, TaggingConfig), codec)
        fit_codecs(corpus, config.data.scheme)
        check_language_model(config.model)
        parts = folds_of(corpus, folds, config.seed, config.model.document_context)
        vectors = load_vectors(config, {"train": corpus, "dev": corpus}, run.parent / CACHE)
        kept = KeptFolds(run, config, corpus, parts, number)
        import_tensorflow()
        from seqtag.tagging.doubts.cross_validation import cross_validate

        judged = cross_validate(corpus, config, parts, None if vectors is None else vectors.table, number, kept)
        kept.remove()
        corpus = corpus.columns_of_tags[number]
    else:
        number, corpus = load_column(run, data, reading, column)
        model = _load(run).columns[number]
        from seqtag.tagging.doubts.readings import judge_gold

        judged = judge_gold(model, corpus, range(len(corpus)))
    from seqtag.tagging.doubts.report import find_doubts

    return find_doubts(corpus, judged, limit)


def demo(run: Path) -> Demo:
    """The page of a run; see `seqtag.tagging.demo`."""
    options, _ = run_readers(run, {})
    check_reads_text(options, {})
    model = _load(run)
    from seqtag.tagging.demo import tagger_demo

    return tagger_demo(model)


def recognises(files: Sequence[str], layout: str | None) -> bool:
    """Whether files are of tagged tokens: any but CSV, and CSV with a column of tokens, unless the layout is given.

    Frames of numbers are recognised by their layout, or as `is_frames_file` says.
    """
    if layout not in (None, "auto"):
        return layout in (*LAYOUTS, FRAMES)
    if any(map(is_frames_file, files)):
        return True
    return not all(name.endswith(".csv") for name in files) or is_table_of_tokens(files[0])


def inspect(files: Sequence[str], *, vectors: Sequence[str] = (), **reading: Any) -> CorpusReport | FramesReport:
    """Reports what is in a corpus, read by the options `READING`, and which of its words files of vectors have."""
    if reading.get("layout") == FRAMES or all(map(is_frames_file, files)):
        options = ReadingOptions(**reading | {"layout": FRAMES})
        return inspect_frames([frames_source(file) for file in files], frame_columns(options), options.encoding)
    return inspect_corpus(files, ReadingOptions(**reading), vectors=list(map(read_words, vectors)))


def _load(run: Path) -> TaggingModel:
    import_tensorflow()
    from seqtag.tagging.model import TaggingModel

    return TaggingModel.load(run)
