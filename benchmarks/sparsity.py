"""Score, size and speed of the tagger at several strengths of its L1 penalties, which set weights to zero.

    SEQTAG_DATA=... python -m benchmarks.sparsity [SET] [--strengths 0:0 0.1:0.1 ...] [--seeds 1] [--runs DIR]
        [--markdown] [--set KEY=VALUE]

fits `configs/SET.yaml` (`ner_ddt` unless named) with every pair L1:ROW_L1 of `training.l1` and `training.row_l1`, and
prints a line for each as soon as it is done, then a table:

* `dev`, `test`: F1 or accuracy in percent of the seed that dev chose; with several seeds `mean` is that on test.
* `kernels`: the share of the kernels' weights that are zero; `rows`: the share of the embeddings' rows that are zero.
  Hashed rows that training never looked up are zero without a penalty too.
* `left`: parameters that are not zero, in thousands.
* `model.keras`, `SavedModel`: MB of the bundle's network and of the exported folder.
* `words/s`: tokens of test tagged in a second, model loaded and traced; the median of five passes. The strengths
  take turns, so that only the model differs.
* `epoch`: the epoch kept, of those run.

A run stays in DIR/SET-L1-ROW_L1. A finished run there is read, not trained again; an interrupted one is resumed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.finished_runs import metrics_of
from benchmarks.real_data import config_of, load_split
from benchmarks.tables import markdown_table, text_table
from seqtag.callbacks.proximal_l1 import is_kernel
from seqtag.errors import SeqtagError
from seqtag.layers.compact_embedding import nonzero_rows
from seqtag.runs import bundle
from seqtag.tagging.config import TaggingConfig
from seqtag.tagging.data.corpus import TaggerInput
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.network.network import TaggerNetwork
from seqtag.tagging.task import export

STRENGTHS = ("0:0", "0.05:0.03", "0.1:0.1", "0.2:0.3", "0.4:1")
REPEATS = 5
HEADER = (
    *("l1", "row_l1", "dev", "test", "mean", "kernels", "rows", "left", "model.keras", "SavedModel", "words/s"),
    *("epoch", "s"),
)


class Penalties(NamedTuple):
    """One setting of both strengths."""

    l1: str
    row_l1: str


def trained(name: str, penalties: Penalties, options: argparse.Namespace) -> tuple[TaggingConfig, Path]:
    """The run with these penalties, which is trained if it does not exist."""
    settings = [f"training.l1={penalties.l1}", f"training.row_l1={penalties.row_l1}", f"training.seeds={options.seeds}"]
    config = config_of(name, [*options.set, *settings])
    run = options.runs / f"{name}-{penalties.l1}-{penalties.row_l1}"
    metrics_of(config, run)
    return config, run


def zeros(network: TaggerNetwork) -> tuple[str, str, str]:
    """The shares of zeros in kernels and of zero rows in embeddings in percent, and thousands of parameters left."""
    kernels = [variable.numpy() for variable in network.trainable_variables if is_kernel(variable)]
    tables = [table(np.arange(table.input_dim)).numpy() for table in network.tables.values()]
    share = sum((kernel == 0).sum() for kernel in kernels) / sum(kernel.size for kernel in kernels)
    rows = 1 - sum(len(nonzero_rows(table)) for table in tables) / sum(map(len, tables))
    of_tables = {id(variable) for table in network.tables.values() for variable in table.variables}
    others = [variable.numpy() for variable in network.trainable_variables if id(variable) not in of_tables]
    left = sum(np.count_nonzero(values) for values in [*others, *tables])
    return f"{share:.1%}", f"{rows:.1%}", f"{left / 1000:,.0f}"


def exported_megabytes(run: Path) -> float:
    """The size of the run's SavedModel."""
    with tempfile.TemporaryDirectory() as folder:
        export(run, Path(folder, "tagger"))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def row(penalties: Penalties, run: Path, model: TaggingModel, speed: str = "") -> list[str]:
    """One line of the table."""
    metrics = bundle.read_json(run / bundle.METRICS)
    measure = "f1" if "f1" in metrics["test"] else "accuracy"
    mean = metrics["seeds"]["test"]["mean"] if "seeds" in metrics else None
    train = metrics["train"]
    return [
        *penalties,
        *(f"{100 * metrics[split][measure]:.2f}" for split in ("dev", "test")),
        "" if mean is None else f"{100 * mean:.2f}",
        *zeros(model.network),
        f"{(run / bundle.MODEL).stat().st_size / 1e6:.2f}",
        f"{exported_megabytes(run):.2f}",
        speed,
        f"{train['best_epoch']}/{train['epochs']}",
        f"{train['seconds']:.0f}",
    ]


def speeds(models: dict[Penalties, TaggingModel], sentences: list[TaggerInput]) -> dict[Penalties, float]:
    """Median words a second of each model. The models take turns; the first pass of each traces and is not counted."""
    words = sum(len(sentence.tokens) for sentence in sentences)
    seconds: dict[Penalties, list[float]] = {penalties: [] for penalties in models}
    for turn in range(REPEATS + 1):
        for penalties, model in models.items():
            began = time.perf_counter()
            model.tag(sentences)
            if turn:
                seconds[penalties].append(time.perf_counter() - began)
    return {penalties: words / statistics.median(times) for penalties, times in seconds.items()}


def main() -> None:
    """Trains what is missing, strength by strength, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", nargs="?", default="ner_ddt", metavar="SET", help="a configuration, such as ner_ncbi")
    parser.add_argument("--strengths", nargs="+", default=STRENGTHS, metavar="L1:ROW_L1")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/sparsity"), metavar="DIR")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override the configuration")
    options = parser.parse_args()
    if not all(pair.count(":") == 1 for pair in options.strengths):
        parser.error(f"expected strengths as L1:ROW_L1, found {' '.join(options.strengths)}")
    options.runs.mkdir(parents=True, exist_ok=True)
    runs: dict[Penalties, Path] = {}
    models: dict[Penalties, TaggingModel] = {}
    try:
        for pair in options.strengths:
            penalties = Penalties(*pair.split(":"))
            print(f"{options.name} {pair} ...", file=sys.stderr)
            config, runs[penalties] = trained(options.name, penalties, options)
            models[penalties] = TaggingModel.load(runs[penalties])
            cells = zip(HEADER, row(penalties, runs[penalties], models[penalties]), strict=True)
            print("  ".join(f"{name} {cell}" for name, cell in cells if cell), flush=True)
        sentences = load_split(config.data, "test").inputs
        found = speeds(models, sentences)
        rows = [row(penalties, run, models[penalties], f"{found[penalties]:,.0f}") for penalties, run in runs.items()]
    except SeqtagError as error:
        raise SystemExit(f"error: {error}") from None
    print((markdown_table if options.markdown else text_table)(HEADER, rows))


if __name__ == "__main__":
    main()
