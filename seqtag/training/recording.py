"""Where a fit writes checkpoints, logs and its progress line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Recording:
    """Where a fit keeps its state and its logs, whether it resumes, and how its progress line is labelled.

    Attributes:
        checkpoints: folder of the state after each epoch; None keeps none.
        logs: TensorBoard's folder; None writes none.
        resume: whether to continue from `checkpoints`; the numbers are those of a run that was never interrupted.
        label: the beginning of the progress line.
        verbose: whether there is a progress line.
    """

    checkpoints: Path | None = None
    logs: Path | None = None
    resume: bool = False
    label: str = ""
    verbose: bool = True

    def part(self, name: str, labelled: bool = True) -> Recording:
        """The recording of one of several fits, in separate folders.

        >>> part = Recording(Path("checkpoints"), label="fold 1").part("member-2")
        >>> part.checkpoints, part.logs, part.label
        (PosixPath('checkpoints/member-2'), None, 'fold 1 member-2')
        """
        return replace(
            self,
            checkpoints=self.checkpoints / name if self.checkpoints else None,
            logs=self.logs / name if self.logs else None,
            label=" ".join(filter(None, [self.label, name if labelled else ""])),
        )
