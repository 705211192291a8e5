"""What `benchmarks.tagger_speed` measures of tagging files: ours beside CRFsuite."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from benchmarks import crfsuite_peer
from seqtag.files.writing import output_file
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus
from seqtag.tagging.data.inputs import read_columns
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.predict import predict_columns

__all__ = ["prediction_speed", "repeated"]


def prediction_speed(run: Path, train: TaggedCorpus, options: ReadingOptions, folder: Path, repeats: int) -> dict:
    """Median seconds from column file to column file: ours, ours with the model in memory, CRFsuite.

    The file is the one that all were trained on. `seqtag` reads the run, then tags, each time; for `seqtag, model
    loaded` the run is read, and its graph traced, before. CRFsuite is in memory too, and computes its features for
    each sentence again. The first pass of each is not counted; then they take turns.
    """
    source, target = Path(str(train.path)), folder / "tagged"
    loaded = TaggingModel.load(run)
    peer = crfsuite_peer.fit(train.tokens, train.tags)

    def ours() -> None:
        write(TaggingModel.load(run))

    def ours_loaded() -> None:
        write(loaded)

    def write(model: TaggingModel) -> None:
        with output_file(target) as write_part:
            for part in predict_columns(model, read_columns(source, model.options), "columns"):
                write_part(part)

    def crfsuite() -> None:
        with target.open("w", encoding=options.encoding, newline="") as file:
            for sentence in options.reader(source, tags_required=False):
                file.write(sentence.with_tags(peer.predict_single(crfsuite_peer.features(sentence.tokens))))

    passes = {"seqtag": ours, "seqtag, model loaded": ours_loaded, "CRFsuite, model loaded": crfsuite}
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(repeats + 1):
        for name, tag_file in passes.items():
            began = time.perf_counter()
            tag_file()
            if turn:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


def repeated(source: Path, target: Path, megabytes: float) -> int:
    """Writes a file again and again until there are so many MB; returns how often."""
    content = source.read_bytes()
    content = content.rstrip(b"\r\n") + b"\n\n"
    times = max(1, round(megabytes * 1e6 / len(content)))
    with target.open("wb") as file:
        for _ in range(times):
            file.write(content)
    return times
