"""The page of a sequence-to-sequence model: sources in, candidates with their scores out."""

from __future__ import annotations

from collections.abc import Mapping

from seqtag.demo.page import Answer, Demo, Field, Lines, Number, Table, TypedFile
from seqtag.seq2seq.config import DataConfig
from seqtag.seq2seq.data.inputs import read_conllu_blocks, read_sources
from seqtag.seq2seq.data.pairs import Pairs
from seqtag.seq2seq.formats import to_json, to_text
from seqtag.seq2seq.model import Seq2SeqModel
from seqtag.seq2seq.network.ensemble import Search
from seqtag.seq2seq.predict import predict_conllu

MOST_CHARACTERS, MOST_OF_FRAMES = 5_000, 1_000_000
WIDEST_BEAM = 20


def seq2seq_demo(model: Seq2SeqModel, data: DataConfig) -> Demo:
    """The page of a model that reads files as `data` says."""
    is_conllu, is_frames = data.layout == "conllu", data.layout == "frames"

    def answer(texts: Mapping[str, str], numbers: Mapping[str, int]) -> Answer:
        search = model.search._replace(beam=max(numbers["beam"], numbers.get("n_best", 1)))
        if is_conllu:
            return _columns(model, texts["source"], data, search)
        return _candidates(model, texts["source"], data, search, numbers["n_best"])

    label = "Frames, as CSV" if is_frames else "Columns of CoNLL-U" if is_conllu else "Sources, one a line"
    beam = Number("beam", "Beam", model.search.beam, 1, max(WIDEST_BEAM, model.search.beam))
    candidates = Number("n_best", "Candidates", min(3, beam.most), 1, beam.most)
    field = Field("source", label, MOST_OF_FRAMES if is_frames else MOST_CHARACTERS, is_file=is_frames)
    about = "A sequence-to-sequence model: each source gets its best targets."
    return Demo("Sequence to sequence", about, [field], [beam] if is_conllu else [beam, candidates], [], answer)


def _candidates(model: Seq2SeqModel, text: str, data: DataConfig, search: Search, n_best: int) -> Answer:
    items = list(read_sources(TypedFile(text), data.model_copy(update={"encoding": "utf-8"})).items)
    pairs = Pairs([item.source for item in items], features=[item.features for item in items])
    answers = model.answer(pairs, search, n_best)
    tables = [
        Table(
            ["target", "score"],
            [[candidate.target, f"{candidate.score:.4g}"] for candidate in answer.candidates],
            item.source if isinstance(item.source, str) else f"{item.id}: {len(item.source)} frames",
        )
        for item, answer in zip(items, answers, strict=True)
    ]
    files = {
        "targets.jsonl": "".join(map(to_json, pairs.sources, answers)),
        "targets.txt": "".join(map(to_text, pairs.sources, answers)),
    }
    return Answer(tables, files)


def _columns(model: Seq2SeqModel, text: str, data: DataConfig, search: Search) -> Answer:
    """The lines of CoNLL-U with their column filled."""
    blocks = read_conllu_blocks(TypedFile(text), data.model_copy(update={"encoding": "utf-8"}))
    filled = b"".join(predict_conllu(model, blocks, search)).decode()
    return Answer([Lines(filled)], {"filled.conllu": filled})
