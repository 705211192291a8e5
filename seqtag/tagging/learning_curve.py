"""The learning curve of a tagger: its dev score by the number of sentences that it is trained on.

Nothing here imports TensorFlow: each point is read from the run directory of one share of the training data.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqtag.errors import ConfigError, RunError, escaped, shown
from seqtag.figures import finish, new_figure, save_figure
from seqtag.files.folders import filled_folder
from seqtag.progress import LiveLine, clock
from seqtag.runs.bundle import CONFIG, METRICS
from seqtag.runs.config_file import load_run_config
from seqtag.runs.reading import read_json
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggedCorpus
from seqtag.tagging.data.tag_codec import TagCodec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"f1": "F1", "f1_strict": "strict F1", "accuracy": "accuracy"}
COLUMNS = ("fraction", "sentences", "tokens", "seeds", "score", "lowest", "highest", "seconds")
TABLE, FIGURE = "curve.csv", "curve.png"
COLOUR = "#1f5a9d"


@dataclass(frozen=True)
class Point:
    """What one share of the training data gave.

    Attributes:
        fraction: the share.
        sentences, tokens: what it holds.
        scores: the dev score of each seed.
        seconds: of the training of all seeds.
    """

    fraction: float
    sentences: int
    tokens: int
    scores: list[float]
    seconds: float

    @property
    def score(self) -> float:
        """The mean of the seeds' scores."""
        return sum(self.scores) / len(self.scores)

    def to_row(self) -> list[Any]:
        """The values of `COLUMNS`."""
        spread = [self.score, min(self.scores), max(self.scores)]
        return [self.fraction, self.sentences, self.tokens, len(self.scores), *spread, self.seconds]


@dataclass
class LearningCurve:
    """The points of a curve, from few sentences to many.

    Attributes:
        measure: the score on dev: `"f1"`, `"f1_strict"` or `"accuracy"`.
        column: the column of tags that is scored, where it is not the first.
        points: one for each share that is trained.
    """

    measure: str
    column: str | None = None
    points: list[Point] = field(default_factory=list)

    def add(self, run: Path, fraction: float, train: TaggedCorpus) -> Point:
        """Adds the point of a finished run, which was trained on these sentences.

        Raises:
            RunError: the run's `metrics.json` is damaged.
        """
        metrics = read_json(run / METRICS)
        try:
            scores = self._scores(metrics)
            seconds = float(metrics["train"]["seconds"])
            point = Point(fraction, len(train), sum(map(len, train.tokens)), list(map(float, scores)), seconds)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{run / METRICS}: expected the scores of a tagger, found a fault: {error!r}") from None
        self.points.append(point)
        return point

    def _scores(self, metrics: dict[str, Any]) -> list[float]:
        """The dev score of each seed, from the figures of a run."""
        if "seeds" not in metrics:
            dev = metrics["dev"]
            return [(dev if self.column is None else dev["columns"][self.column])[self.measure]]
        spread = metrics["seeds"]["dev"]
        columns = spread.get("columns", {})
        if self.column is not None:
            return columns[self.column]["scores"]
        # Of several columns the first stands first.
        return next(iter(columns.values()), spread)["scores"]

    @property
    def name(self) -> str:
        """What is scored, in words."""
        return f"dev {NAMES[self.measure]}" + ("" if self.column is None else f" of {self.column}")

    def to_metrics(self) -> dict[str, Any]:
        """The curve for programs."""
        return {"measure": self.measure, "points": [dict(zip(COLUMNS, p.to_row(), strict=True)) for p in self.points]}

    def to_text(self) -> str:
        """The curve as a table."""
        header = ["fraction", "sentences", "tokens", escaped(self.name), "seconds"]
        rows = [header, *map(_cells, self.points)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)

    def write(self, folder: Path) -> None:
        """Writes `curve.csv` and `curve.png`."""
        with filled_folder(folder) as aside:
            with (aside / TABLE).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(point.to_row() for point in self.points)
            save_figure(self.plot(), aside / FIGURE)

    def plot(self) -> Figure:
        """Draws the score by the number of sentences, which doubles at equal distances; several seeds with their range.

        A curve that still rises at its end says that more data would help.
        """
        figure = new_figure(6, 4)
        axis = figure.subplots()
        sentences, scores = [p.sentences for p in self.points], [p.score for p in self.points]
        below, above = ([abs(p.score - end(p.scores)) for p in self.points] for end in (min, max))
        axis.errorbar(sentences, scores, yerr=[below, above], marker="o", capsize=3, color=COLOUR)
        finish(axis, "Learning curve")
        axis.set_xscale("log", base=2)
        axis.set_xticks(sentences, [f"{count:,}" for count in sentences])
        axis.minorticks_off()
        axis.margins(x=0.08)
        axis.set_xlabel("training sentences")
        axis.set_ylabel(self.name)
        return figure


def _cells(point: Point) -> list[str]:
    low, high = min(point.scores), max(point.scores)
    spread = f" ({low:.4f} to {high:.4f})" if len(point.scores) > 1 else ""
    sizes = [f"{point.fraction:g}", f"{point.sentences:,}", f"{point.tokens:,}"]
    return [*sizes, f"{point.score:.4f}{spread}", f"{point.seconds:.0f}"]


def parse_fractions(text: str) -> list[float]:
    """The shares of a list such as `.1,.3,1`, each once, from the smallest on.

    Raises:
        ConfigError: one is no number above 0 and up to 1.

    >>> parse_fractions("1,.1,.30")
    [0.1, 0.3, 1.0]
    >>> parse_fractions(".1,2")
    Traceback (most recent call last):
    seqtag.errors.ConfigError: --fractions: expected numbers above 0 and up to 1, such as .1,.3,1, found '2'
    """
    fractions = set()
    for part in text.split(","):
        try:
            fraction = float(part)
        except ValueError:
            fraction = 0.0
        if not 0 < fraction <= 1:
            raise ConfigError(
                f"--fractions: expected numbers above 0 and up to 1, such as .1,.3,1, found {shown(part)}"
            )
        fractions.add(fraction)
    return sorted(fractions)


def share_config(config: TaggingConfig, codec: TagCodec, fraction: float) -> TaggingConfig:
    """The configuration of one share: with the scheme of all training data, and without the test file.

    A small share may lack the tags that tell one scheme from another. The test data are for the model that is chosen.
    """
    data = {"fraction": fraction, "scheme": codec.scheme or "none", "test": None}
    return config.model_copy(update={"data": config.data.model_copy(update=data)})


def is_finished(run: Path, config: TaggingConfig) -> bool:
    """Whether the run of a share is there.

    Raises:
        ConfigError: there is one of another configuration.
        RunError: see `load_run_config`.
    """
    if not run.exists():
        return False
    if load_run_config(run, TaggingConfig) != config:
        raise ConfigError(
            f"{run / CONFIG}: expected the configuration of this curve, found another; choose another --output"
        )
    return True


def announce(fractions: Sequence[float], number: int, train: TaggedCorpus) -> None:
    """Says on standard error which share comes now."""
    tokens = sum(map(len, train.tokens))
    share = f"fraction {fractions[number]:g} ({number + 1} of {len(fractions)})"
    with LiveLine() as line:
        line.keep(f"{share}: {len(train):,} sentences, {tokens:,} tokens")


def report(point: Point, measure: str, was_there: bool) -> None:
    """Says on standard error what a share gave."""
    end = "trained before" if was_there else f"in {clock(point.seconds)}"
    with LiveLine() as line:
        line.keep(f"fraction {point.fraction:g}: dev {NAMES[measure]} {point.score:.4f}, {end}")
