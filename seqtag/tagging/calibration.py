"""What turns a network's probabilities into those that a tagger gives, and decides which entities it gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from seqtag.tagging.data.tag_codec import TagCodec


@dataclass(frozen=True)
class Calibration:
    """What was fitted on dev after the network.

    Attributes:
        temperature: what all scores of tag sequences are divided by, see `seqtag.tagging.temperature`; 1 for the
            network's own probabilities.
        thresholds: for some entity types the probability below which an entity is not given.

    >>> Calibration.from_dict(Calibration(1.25, {"PER": 0.5}).to_dict())
    Calibration(temperature=1.25, thresholds={'PER': 0.5})
    """

    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def of_labels(self, codec: TagCodec) -> np.ndarray:
        """(labels,) the threshold of each label's type, 0 where there is none."""
        of_types = np.array([0.0, *(self.thresholds.get(name, 0.0) for name in codec.symbols)])
        return of_types[codec.types]

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> Calibration:
        """The calibration that `to_dict` described; None, of a bundle without any, for none.

        Raises:
            ValueError: a temperature that is not above zero, or a threshold that is no probability.
        """
        if data is None:
            return cls()
        found = cls(float(data["temperature"]), {str(name): float(p) for name, p in data["thresholds"].items()})
        if not (found.temperature > 0 and math.isfinite(found.temperature)):
            raise ValueError(f"expected a temperature above 0, found {found.temperature}")
        for name, threshold in found.thresholds.items():
            if not 0 <= threshold <= 1:
                raise ValueError(f"expected the threshold of {name!r} from 0 to 1, found {threshold}")
        return found
