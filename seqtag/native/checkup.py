"""What seqtag runs on."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from seqtag.native.library import library, threads
from seqtag.process.quiet_tensorflow import import_tensorflow

PACKAGES = ("seqtag", "tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class CheckUp:
    """Versions, the processor, and the kernels.

    Attributes:
        versions: of Python and of packages.
        processor: its kind.
        cores: those of the machine.
        threads: how many an operation may use.
        devices: what TensorFlow computes on.
        kernels: the instruction set of the compiled kernels; empty where there are none.
        reason: why there are some, or none.
    """

    versions: dict[str, str]
    processor: str
    cores: int
    threads: int
    devices: tuple[str, ...]
    kernels: str
    reason: str

    def to_metrics(self) -> dict[str, Any]:
        """The figures for programs."""
        return asdict(self)

    def to_text(self) -> str:
        """The figures for people."""
        lines = {
            "versions": ", ".join(f"{name} {number}" for name, number in self.versions.items()),
            "processor": f"{self.processor}, {self.cores} cores; {self.threads} threads for an operation",
            "devices": ", ".join(self.devices),
            "kernels": f"compiled ones, for {self.kernels}"
            if self.kernels
            else f"none, TensorFlow's own loops run: {self.reason}",
        }
        width = max(map(len, lines))
        return "\n".join(f"{name:{width}}  {line}" for name, line in lines.items())


def check_up() -> CheckUp:
    """Looks at this process."""
    import_tensorflow()
    import tensorflow as tf

    found = library()
    return CheckUp(
        {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        platform.machine(),
        os.cpu_count() or 1,
        threads(),
        tuple(device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices()),
        found.instructions,
        found.reason,
    )
