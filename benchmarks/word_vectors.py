"""What a table of word vectors costs a tagger: to read, to keep and to export.

`python -m benchmarks.word_vectors [--words 400000] [--width 300]` writes files of random vectors, in GloVe's text and
in word2vec's binary form, and prints the processor's seconds and the size of what each step leaves.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.tables import text_table
from seqtag.data.text.vectors.reading import read_vectors
from seqtag.tagging.config import ModelConfig
from seqtag.tagging.data.corpus import ReadingOptions, load_corpus
from seqtag.tagging.export import export_saved_model
from seqtag.tagging.fit import build_tagging_model
from seqtag.tagging.model import TaggingModel

# Lines with numbers of their own; those after them have the same again.
DIFFERENT = 1_000
CORPUS = [(["Ann", "saw", "Bo"], ["B-PER", "O", "B-PER"])] * 10
QUICK = {"units": 8, "cell": "gru", "head": "softmax", "char_encoder": "none", "context_features": False}


class Steps:
    """A table of steps."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    @contextmanager
    def step(self, name: str, left: Path | None = None) -> Iterator[None]:
        """Measures a step, which leaves this file or folder."""
        started = time.process_time()
        yield
        seconds = f"{time.process_time() - started:.1f}"
        self.rows.append([name, seconds, "" if left is None else f"{megabytes(left):,.0f}"])


def megabytes(path: Path) -> float:
    """The size of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def write_files(folder: Path, count: int, width: int) -> None:
    """Writes `vectors.txt` and `vectors.bin`."""
    vectors = np.random.default_rng(1).normal(0, 0.4, (DIFFERENT, width)).astype("<f4")
    texts = [" ".join(f"{number:.5f}" for number in vector) for vector in vectors]
    with (folder / "vectors.txt").open("w") as text, (folder / "vectors.bin").open("wb") as binary:
        binary.write(f"{count} {width}\n".encode())
        for n in range(count):
            text.write(f"word{n:06d} {texts[n % DIFFERENT]}\n")
            # Noise, so that the bundle cannot be compressed more than one of real vectors.
            noise = np.random.default_rng(n).normal(0, 0.01, width).astype("<f4")
            binary.write(f"word{n:06d} ".encode() + (vectors[n % DIFFERENT] + noise).tobytes())


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--width", type=int, default=300)
    options = parser.parse_args()
    steps = Steps()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, options.words, options.width)
        with steps.step("read text", folder / "vectors.txt"):
            read_vectors(folder / "vectors.txt", verbose=False)
        with steps.step("read binary into the cache", folder / "cache"):
            vectors = read_vectors(folder / "vectors.bin", folder / "cache", verbose=False)
        with steps.step("open the cache"):
            vectors = read_vectors(folder / "vectors.bin", folder / "cache", verbose=False)
        with steps.step("build a tagger"):
            model = build_tagging_model(
                load_corpus(CORPUS), ModelConfig.model_validate(QUICK), ReadingOptions(), vectors=vectors
            )
        (folder / "run").mkdir()
        with steps.step("save its bundle", folder / "run"):
            model.save(folder / "run")
        with steps.step("load its bundle"):
            TaggingModel.load(folder / "run")
        with steps.step("export its SavedModel", folder / "exported"):
            export_saved_model(model, folder / "exported")
    print(text_table(["step", "seconds", "MB"], steps.rows))


if __name__ == "__main__":
    main()
