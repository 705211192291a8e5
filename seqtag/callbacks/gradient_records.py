"""The measurements of `GradientMonitor`: the figures of an update by weight, by layer and for all, and the files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram.metadata import create_summary_metadata

from seqtag.callbacks.gradient_table import COLUMNS, EDGES
from seqtag.callbacks.update_hook import Weight

CSV_NAME = "history.csv"
FIGURES = ("norm", "clipped_norm", "zeros", "non_finite", "weight_norm", "update_norm", "update_ratio")
HEADER = ("epoch", "step", "scope", "name", *FIGURES)


@dataclass(frozen=True)
class Sample:
    """The measurement of one update.

    Attributes:
        epoch: 1-based.
        step: 1-based number of the update.
        weights: the weights that were measured.
        table: their figures, `(weights, COLUMNS)`.
    """

    epoch: int
    step: int
    weights: list[Weight]
    table: np.ndarray

    def of_all(self) -> dict[str, float]:
        """The figures of all weights together."""
        return _figures(self.table)

    def of_layers(self) -> dict[str, dict[str, float]]:
        """The figures of each layer, in the model's order."""
        rows: dict[str, list[np.ndarray]] = {}
        for weight, row in zip(self.weights, self.table, strict=True):
            rows.setdefault(weight.layer, []).append(row)
        return {layer: _figures(np.array(part)) for layer, part in rows.items()}

    def of_weights(self) -> dict[str, dict[str, float]]:
        """The figures of each weight."""
        return {w.name: _figures(row[None]) for w, row in zip(self.weights, self.table, strict=True)}


def _figures(table: np.ndarray) -> dict[str, float]:
    """The figures of several weights together: squares of norms and counts are summed.

    `zeros` is a share; `update_ratio` is ‖Δw‖ / ‖w‖.
    """
    columns = dict(zip(COLUMNS, table.T, strict=True))
    norms = {name: float(np.linalg.norm(columns[name])) for name in COLUMNS if name.endswith("norm")}
    size, weight_norm = columns["size"].sum(), norms["weight_norm"]
    return {
        **norms,
        "zeros": float(columns["zeros"].sum() / size) if size else 0.0,
        "non_finite": int(columns["non_finite"].sum()),
        "update_ratio": norms["update_norm"] / weight_norm if weight_norm else np.nan,
    }


class SampleLog:
    """Writes measurements to `history.csv` and for TensorBoard.

    Args:
        folder: where the files go; None writes none.
        append: whether to append to an existing `history.csv`.
    """

    def __init__(self, folder: Path | None, append: bool) -> None:
        self.file: TextIO | None = None
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CSV_NAME
        fresh = not (append and path.exists())
        self.file = path.open("w" if fresh else "a", newline="", encoding="utf-8")
        self.rows = csv.DictWriter(self.file, fieldnames=HEADER)
        if fresh:
            self.rows.writeheader()
        self.board = tf.summary.create_file_writer(str(folder))

    def write(self, sample: Sample) -> None:
        """Writes one measurement."""
        if self.file is None:
            return
        layers = sample.of_layers()
        scopes = {"all": {"": sample.of_all()}, "layer": layers, "weight": sample.of_weights()}
        place = {"epoch": sample.epoch, "step": sample.step}
        for scope, named in scopes.items():
            self.rows.writerows({**place, "scope": scope, "name": name, **row} for name, row in named.items())
        with self.board.as_default(step=sample.step):
            tf.summary.scalar("grad_norm", scopes["all"][""]["norm"])
            tf.summary.scalar("grad_norm_clipped", scopes["all"][""]["clipped_norm"])
            for name, row in layers.items():
                tf.summary.scalar(f"grad_norm/{name}", row["norm"])
                tf.summary.scalar(f"update_ratio/{name}", row["update_ratio"])
                tf.summary.scalar(f"grad_zeros/{name}", row["zeros"])

    def write_histograms(self, sample: Sample, counts: np.ndarray) -> None:
        """Writes the histograms `(weights, EDGES - 1)` of the gradients of an update."""
        if self.file is None:
            return
        metadata = create_summary_metadata(display_name=None, description=None)
        with self.board.as_default(step=sample.step):
            for weight, bars in zip(sample.weights, counts, strict=False):
                filled = np.flatnonzero(bars)
                if len(filled):
                    kept = slice(filled[0], filled[-1] + 1)
                    triples = np.stack([EDGES[:-1][kept], EDGES[1:][kept], bars[kept]], axis=1)
                    tf.summary.write(f"gradients/{weight.name}", tf.constant(triples, tf.float64), metadata=metadata)

    def flush(self) -> None:
        """Writes buffered rows to the files."""
        if self.file is not None:
            self.file.flush()
            self.board.flush()

    def close(self) -> None:
        """Closes the files."""
        if self.file is not None:
            self.file.close()
            self.board.close()
