"""Norms of gradients for each row of a batch, and their bound from the bound of one step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from seqtag.diagnostics.recording import Trajectory

# Of one call: gradients with respect to the h_t (`total`), the outputs (`direct`) and the c_t (`cell`, may be empty).
Gradients = dict[str, list[tf.Tensor]]


@dataclass(frozen=True)
class RowNorms:
    """Norms over the units, `(rows, time)`, for all calls of a layer in one direction."""

    total: np.ndarray  # dL/dh_t
    direct: np.ndarray  # the part of dL/dh_t that comes through the output of step t
    cell: np.ndarray | None  # dL/dc_t
    mask: np.ndarray
    reverse: bool

    @classmethod
    def of(cls, trajectories: list[Trajectory], gradients: list[Gradients]) -> RowNorms:
        """The norms of all calls as rows of one array; short calls are padded."""
        length = max(trajectory.mask.shape[1] for trajectory in trajectories)

        def rows(name: str) -> np.ndarray:
            return np.concatenate([_padded(_norms(part[name]), length) for part in gradients])

        mask = np.concatenate([_padded(trajectory.mask, length) for trajectory in trajectories])
        cell = rows("cell") if gradients[0]["cell"] else None
        return cls(rows("total"), rows("direct"), cell, mask, trajectories[0].reverse)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """The mean over the real rows of each step, `(time,)`; NaN if a step has none."""
        count = self.mask.sum(axis=0)
        sums = np.where(self.mask, values, 0.0).sum(axis=0)
        return np.divide(sums, count, out=np.full(len(count), np.nan), where=count > 0)

    def bound(self, rate: float) -> np.ndarray:
        """The recursion of `gradient_flow` over real steps, from the step that ran last to the one that ran first."""
        bounds = np.zeros_like(self.total)
        after, begun = np.zeros(len(bounds)), np.zeros(len(bounds), bool)
        steps = range(bounds.shape[1])
        for t in steps if self.reverse else reversed(steps):
            with np.errstate(over="ignore"):
                here = np.where(begun, self.direct[:, t] + rate * after, self.total[:, t])
            after = np.where(self.mask[:, t], here, after)
            begun |= self.mask[:, t]
            bounds[:, t] = after
        return self.mean(bounds)


def _norms(gradients: list[tf.Tensor]) -> np.ndarray:
    """Norms `(rows, time)` of the gradients `(rows, ...)` of each step."""
    # In float64, so that the square of a tiny number is not zero.
    values = np.stack([gradient.numpy().astype(np.float64) for gradient in gradients], axis=1)
    return np.sqrt(np.square(values).reshape(*values.shape[:2], -1).sum(axis=-1))


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.pad(values, [(0, 0), (0, length - values.shape[1])])
