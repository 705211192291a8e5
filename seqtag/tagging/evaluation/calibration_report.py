"""The calibration of a tagger on a file, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqtag.errors import escaped
from seqtag.measures.reliability import Reliability
from seqtag.tagging.calibration import Calibration


@dataclass(frozen=True)
class CalibrationReport:
    """The calibration of a tagger on a file.

    Attributes:
        calibration: of the model: its temperature and thresholds.
        tags: of each token's tag.
        entities: of the entities that were given; None for plain labels.
    """

    calibration: Calibration
    tags: Reliability
    entities: Reliability | None

    def to_metrics(self) -> dict[str, Any]:
        """The report as an entry of ``metrics.json``."""
        kinds = {"tags": self.tags} | ({} if self.entities is None else {"entities": self.entities})
        return {**self.calibration.to_dict(), **{name: kind.to_metrics() for name, kind in kinds.items()}}

    def to_text(self) -> str:
        """The report in a line, and the thresholds in another."""
        kinds = {"tags": self.tags, "entities": self.entities}
        told = [
            f"{name} {kind.error:.4f} (before {kind.error_before:.4f}, by chance {kind.by_chance:.4f})"
            for name, kind in kinds.items()
            if kind is not None
        ]
        text = f"calibration error: {'; '.join(told)}; temperature {self.calibration.temperature:.3f}"
        thresholds = [f"{escaped(name)} {least:.3f}" for name, least in self.calibration.thresholds.items()]
        return f"{text}\nleast probability of entities: {', '.join(thresholds)}" if thresholds else text
