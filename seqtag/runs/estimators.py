"""Shared functions of the scikit-learn estimators of all tasks: configuration, run directory, pickle."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from seqtag.config.section import Section, TaskConfig, validate_section
from seqtag.errors import ConfigError, shown
from seqtag.runs import bundle
from seqtag.runs.config_file import dump_config, read_config
from seqtag.runs.directory import write_figures
from seqtag.runs.reading import check_regular, read_json

E = TypeVar("E", bound=BaseEstimator)
C = TypeVar("C", bound=TaskConfig)


# The sections of a configuration that are a dict among an estimator's arguments.
SECTIONS = "data", "training", "evaluation"


class Model(Protocol):
    """A fitted model that can be saved."""

    def save(self, folder: Path) -> None:
        """Writes the bundle."""


def config_of(estimator: BaseEstimator, config: type[C], task: str) -> C:
    """The configuration of an estimator's arguments.

    The arguments are the keys of the section `model`, a dict for each of the other sections, and `seed`.

    Raises:
        ConfigError: an argument has the wrong type, or a dict an unknown key.
    """
    name = type(estimator).__name__
    model: type[Section] = _section(config, "model")
    sections = {
        other: validate_section(_section(config, other), getattr(estimator, other) or {}, f"{name}: {other}")
        for other in SECTIONS
    }
    sections["model"] = validate_section(model, {key: getattr(estimator, key) for key in model.model_fields}, name)
    return validate_section(config, {"task": task, "seed": estimator.seed, **sections}, name)


def _section(config: type[TaskConfig], name: str) -> Any:
    return config.model_fields[name].annotation


def check_fitted(estimator: BaseEstimator, now: TaskConfig, others: Collection[str]) -> None:
    """Checks that an estimator is fitted, and that what the fit fixed has not been set to something else since.

    That is every argument of the section `model`, and the named keys of other sections, of which more say how files are
    read or what is scored.

    Args:
        estimator: the estimator, whose `config_` is that of the fit.
        now: the configuration of its arguments.
        others: the keys of other sections that the fit fixed, such as `"data.features"`.

    Raises:
        NotFittedError: it is not fitted.
        ConfigError: an argument has changed.
    """
    check_is_fitted(estimator, "model_")
    then: Any = estimator.config_
    arguments: Any = now
    fixed = [("", "model", name) for name in type(then.model).model_fields]
    fixed += [(f"{section}: ", section, name) for section, name in (key.split(".") for key in others)]
    for shown_section, section, name in fixed:
        before, after = (getattr(getattr(config, section), name) for config in (then, arguments))
        if before != after:
            place = f"{type(estimator).__name__}: {shown_section}{name}"
            raise ConfigError(f"{place}: expected {shown(before)} as in the fit, found {shown(after)}; fit again")


def is_verbose(estimator: BaseEstimator, verbose: int | None) -> bool:
    """Whether a fit prints its progress: as its argument says, or as the estimator does where that is None."""
    return bool(estimator.verbose if verbose is None else verbose)


def write_estimator(folder: Path, estimator: BaseEstimator, config: TaskConfig) -> None:
    """Writes a fitted estimator's model, the whole configuration of its fit and its figures into a run directory."""
    bundle.write_text(folder / bundle.CONFIG, dump_config(config))
    estimator.model_.save(folder)
    write_figures(folder, estimator.history_, estimator.metrics_)


def read_estimator(kind: type[E], run: Path, config: type[TaskConfig], load: Callable[[Path], Model]) -> E:
    """The estimator of a run directory, with `model_`, `config_`, `history_` and `metrics_`.

    Args:
        kind: the class of the estimator.
        run: the run directory.
        config: the configuration of the task.
        load: reads the model.

    Raises:
        RunError, ConfigError: there is no finished run, or one of another task or format version.
    """
    model = load(run)
    path = run / bundle.CONFIG
    check_regular(path)
    settings: Any = validate_section(config, read_config(path), str(path))
    estimator = kind(
        **settings.model.model_dump(),
        **{name: getattr(settings, name).model_dump(exclude_defaults=True) for name in SECTIONS},
        seed=settings.seed,
    )
    estimator.model_, estimator.config_ = model, settings
    estimator.history_ = bundle.read_history(run / bundle.HISTORY)
    estimator.metrics_ = read_json(run / bundle.METRICS)
    return estimator


def pickled_state(estimator: BaseEstimator) -> dict[str, Any]:
    """The state of an estimator for `pickle` and `copy.deepcopy`: its attributes, with the model as a bundle in bytes.

    Graphs and lookup tables of TensorFlow cannot be pickled. The bundle is the one that `save` writes, as a zip file.
    """
    state = dict(vars(estimator))
    if "model_" in state:
        with TemporaryDirectory(prefix="seqtag-") as folder:
            state["model_"].save(Path(folder))
            state["model_"] = _zipped(Path(folder))
    return state


def restore_state(estimator: BaseEstimator, state: dict[str, Any], load: Callable[[Path], Model]) -> None:
    """Gives an estimator the attributes that `pickled_state` took; `load` reads a bundle."""
    vars(estimator).update(state)
    if "model_" in state:
        with TemporaryDirectory(prefix="seqtag-") as folder:
            zipfile.ZipFile(io.BytesIO(state["model_"])).extractall(folder)
            estimator.model_ = load(Path(folder))


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    # Stored as they are: the network's file is compressed already.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return buffer.getvalue()
