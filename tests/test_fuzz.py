"""A short form of `python -m benchmarks.fuzz`, in a process of its own: workers fork before TensorFlow has run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Bundles and kills take TensorFlow: those of `tests/runs` and `tests/test_files.py` are chosen by hand.
SHORT = ["--inputs", "1200", "--configs", "100", "--workers", "1", "--seed", "7"]


@pytest.mark.skipif(sys.platform != "linux", reason="workers limit their memory as Linux does")
def test_nothing_is_found(tmp_path):
    command = [sys.executable, "-m", "benchmarks.fuzz", *SHORT, "--keep", str(tmp_path / "findings")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()[1:3]}
    for name, inputs in (("readers", 1200), ("configs", 100)):
        count, _, accepted, refused = (int(cell.replace(",", "")) for cell in rows[name][1:5])
        assert count == inputs == accepted + refused
        assert accepted > inputs / 20, "what is refused at once finds nothing"
