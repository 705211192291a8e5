"""The page of a classifier: texts in, labels with their probabilities out, and the words that spoke for them."""

from __future__ import annotations

from collections.abc import Mapping

from seqtag.classification.config import DataConfig
from seqtag.classification.data.inputs import read_inputs
from seqtag.classification.explanation import explain
from seqtag.classification.formats import to_json
from seqtag.classification.model import ClassificationModel
from seqtag.demo.page import Answer, Demo, Field, Table, TypedFile

MOST_CHARACTERS, MOST_OF_FRAMES = 20_000, 1_000_000
# So many of the texts are explained, with so many words each.
EXPLAINED, MOST_SHOWN = 5, 8


def classifier_demo(model: ClassificationModel, data: DataConfig) -> Demo:
    """The page of a model that reads files as `data` says."""
    is_frames = model.kind.is_frames
    reading = data.model_copy(update={"encoding": "utf-8"})

    def answer(texts: Mapping[str, str], numbers: Mapping[str, int]) -> Answer:
        sources = [item.source for item in read_inputs(TypedFile(texts["source"]), reading, model.kind).items]
        answers = model.answer(sources)
        names = model.labels.names
        shown = [
            one if isinstance(one, str) else f"sequence {n}: {len(one)} frames" for n, one in enumerate(sources, 1)
        ]
        rows = [
            [", ".join(map(str, answer.labels)), *(f"{score:.4f}" for score in answer.scores), text]
            for answer, text in zip(answers, shown, strict=True)
        ]
        tables = [Table(["label", *names, "sequence" if is_frames else "text"], rows)]
        if not is_frames:
            for why in explain(model, sources[:EXPLAINED]):
                words = sorted(zip(why.tokens, why.weights, strict=True), key=lambda pair: -abs(pair[1]))[:MOST_SHOWN]
                tables.append(
                    Table(["word", why.label], [[word, f"{weight:+.4f}"] for word, weight in words], why.text)
                )
        lines = b"".join(to_json(answer, names, model.labels.several) for answer in answers).decode()
        return Answer(tables, {"labels.jsonl": lines})

    label = "Frames, as CSV" if is_frames else "Texts, one a line"
    field = Field("source", label, MOST_OF_FRAMES if is_frames else MOST_CHARACTERS, is_file=is_frames)
    about = "A classifier: each sequence gets its label, and words say how much less probable it is without them."
    return Demo("Classification", about, [field], [], [], answer)
