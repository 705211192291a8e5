"""Files of tags, of pairs and of series, in every layout, in whatever encoding, with options that fit or do not."""

from __future__ import annotations

import io
import json
import random
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.fuzz.mutation import mutated
from benchmarks.fuzz.pairs import pair_options, pair_seeds, read_pairs
from benchmarks.fuzz.trial import Loss
from seqtag.data.text.paragraphs import tokenize_lines
from seqtag.errors import DataError
from seqtag.forecasting import task as forecasting
from seqtag.forecasting.config import SeriesDataConfig
from seqtag.forecasting.data.sources import errors_in, read_table
from seqtag.tagging.data.corpus import ReadingOptions, TaggedCorpus
from seqtag.tagging.data.inspection import inspect_corpus
from seqtag.tagging.data.layouts import LAYOUTS
from seqtag.tagging.data.samples import sample_path
from seqtag.tagging.data.tag_codec import TagCodec

ENCODINGS = ("utf-8",) * 120 + (
    *("latin-1", "utf-16", "utf-8-sig", "cp1252", "shift_jis", "utf-7", "utf-32", "idna", "hex", "rot13", "undefined"),
    *("punycode", "raw_unicode_escape", "unicode_escape", "mbcs", "", "x" * 500, "utf\n8", "\ud800"),
)
# The share of inputs that are series, of which each takes ten times as long.
SERIES = 0.06
# The share of inputs that are pairs.
PAIRS = 0.25
# What stands in files of each layout; a layout that has none here gets those of all others.
TAGS: dict[str, list[bytes]] = {
    "conll2003": [
        b"EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n",
        b"-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\n",
    ],
    "conll2002": [b"EU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n", b"Ann B-PER\nsaw O\n"],
    "conll2000": [b"EU NNP B-NP\nrejects VBZ B-VP\n\nPeter NNP B-NP\n"],
    "tsv": [
        b"Ann\tB-PER\nsaw\tO\nNew\tB-LOC\nYork\tI-LOC\n\nit\tO\n",
        b"Ann\tS-PER\nin\tO\nNew\tB-LOC\nYork\tE-LOC\n\n",
        b"\n\n".join(sample_path("dev").read_bytes().split(b"\n\n")[:4]),
    ],
    "uner": [b"1\tAnn\tB-PER\t-\tx\n2\tis\tO\t-\tx\n\n"],
    "conllu": [
        b"# sent_id = 1\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\t_\t_\t0\troot\t_\t_\n"
        b"2\tel\tel\tDET\t_\t_\t1\tdet\t_\t_\n\n"
    ],
    "plain": [b"Ann\nsaw\n\nBo\n"],
    "csv": [
        b"Sentence #,Word,POS,Tag\nSentence: 1,Ann,NNP,B-PER\n,saw,VBD,O\nSentence: 2,it,PRP,O\n",
        b'sentence\ttoken\ttag\n1\tAnn\tB-PER\n1\t"sa""w"\tO\n2\tit\tO\n',
    ],
    "conll2012": [
        b"#begin document (a); part 000\na 0 0 Ann NNP (S* - - - x (PERSON)\na 0 1 saw VBD *) - - - x *\n\n"
        b"#end document\n"
    ],
    "jsonl": [
        b'{"tokens": ["Ann", "saw"], "tags": ["B-PER", "O"]}\n{"tokens": ["it"], "tags": ["O"]}\n',
        b'{"text": "Ann saw", "label": [[0, 3, "PER"]]}\n',
        b'["Ann saw", {"entities": [[0, 3, "PER"]]}]\n',
    ],
    "slashes": [b"Ann/NNP saw/VBD ./.\nit/PRP\n"],
    "parallel": [b"Ann saw\tB-PER O\nit\tO\n"],
}  # fmt: skip
ALL_TAGS = [seed for seeds in TAGS.values() for seed in seeds]
TABLES = [
    b"unique_id,ds,y\na,2024-01-01,1\na,2024-01-02,2\na,2024-01-03,4\nb,2024-01-01,5\nb,2024-01-03,\n",
    b"unique_id,ds,y,price,region\na,1,1.5,2,north\na,2,2.5,3,north\nb,1,1,,south\nb,2,2,4,south\n",
    b"date,load,oil\n2016-07-01 00:00:00,5.8,30.5\n2016-07-01 01:00:00,5.6,27.7\n2016-07-01 02:00:00,5.1,27.8\n",
    b"id,period,type,h,n,train,test\nN1,YEARLY,MICRO,2,4,1 2 3 4,5 6\nN2,MONTHLY,MICRO,2,3,1 2 3,5 6\n",
    b"unique_id;ds;y\na;31.01.2024;1,5\na;01.02.2024;2,5\n",
    b"ds,y\n2024-01-31,1\n2024-02-29,2\n2024-03-31,3\n",
    b"unique_id,ds,y\na,2024-10-27 01:00,1\na,2024-10-27 02:00,2\na,2024-10-27 02:00,3\n",
    b"unique_id,ds,y\na,9223372036854775807,1\na,1,2\n",
]


class Given(NamedTuple):
    """A file's content, and how it is read."""

    content: bytes
    options: dict[str, Any]


class Readers:
    """The kind of inputs that files are."""

    name, seconds, memory = "readers", 5.0, 2000

    def start(self) -> None:
        """Makes the file that tables are read from, and wakes the tokeniser of texts."""
        tokenize_lines(["Ann saw it."])
        self.file = Path(tempfile.mkstemp(suffix=".csv")[1])

    def make(self, seed: int, number: int) -> tuple[str, Given]:
        """A file of series in one of sixteen cases, of pairs in one of four, else of tags."""
        rng = random.Random(f"{seed} reader {number}")
        if rng.random() < SERIES:
            layout = rng.choice(("auto", "long", "wide", "m3"))
            return f"series {layout}", Given(mutated(rng, TABLES), _series_options(rng, layout))
        if rng.random() < PAIRS:
            options = pair_options(rng, ENCODINGS)
            return f"pairs {options['layout']}", Given(mutated(rng, pair_seeds(rng, options["layout"])), options)
        layout = rng.choice(("auto", "auto", *LAYOUTS))
        seeds = ALL_TAGS if rng.random() < 0.3 else TAGS.get(layout, ALL_TAGS)
        return f"tags {layout}", Given(mutated(rng, seeds), _tag_options(rng, layout))

    def run(self, target: str, given: Given) -> None:
        """Reads a file in each way in which a command does."""
        if target.startswith("tags"):
            _read_tags(given)
            return
        self.file.write_bytes(given.content)
        if target.startswith("pairs"):
            read_pairs(str(self.file), given.options)
        else:
            _read_series(str(self.file), given.options)

    def keep(self, given: Given, path: Path) -> None:
        """Writes the file and its options."""
        path.with_suffix(".data").write_bytes(given.content)
        path.with_suffix(".json").write_text(json.dumps(given.options), encoding="utf-8")


def _tag_options(rng: random.Random, layout: str) -> dict[str, Any]:
    options: dict[str, Any] = {"layout": layout, "encoding": rng.choice(ENCODINGS)}
    if rng.random() < 0.1:
        options["tag_column"] = rng.choice(
            ("1", "2", "-1", "-2", "99", "9" * 30, "tag", "ner", "Tag", "FEATS", "x" * 500)
        )
    if rng.random() < 0.05:
        options["token_column"] = rng.choice(("1", "2", "token", "Word", "", "\x1b"))
    if rng.random() < 0.05:
        options["comment_prefix"] = rng.choice(("#", "//", "%", "\x1b", " "))
    return options


def _series_options(rng: random.Random, layout: str) -> dict[str, Any]:
    options: dict[str, Any] = {"layout": layout}
    if rng.random() < 0.15:
        options["frequency"] = rng.choice(("D", "h", "MS", "15min", "W-SUN", "BQE", "1", "0", "9" * 30, "nonsense", ""))
    if rng.random() < 0.05:
        options["time_zone"] = rng.choice(("Europe/Berlin", "UTC", "Nowhere/None", ""))
    if rng.random() < 0.05:
        options["target"] = rng.choice(("y", "load", "none", "ds"))
    return options


def _read_tags(given: Given) -> None:
    options = ReadingOptions(**given.options)
    sentences = list(options.reader(io.BytesIO(given.content), tags_required=False))
    text = given.content.decode(options.encoding)
    if "".join(sentence.raw for sentence in sentences).removeprefix("\ufeff") != text.removeprefix("\ufeff"):
        raise Loss("the sentences are not the file")
    with_tags = [sentence for sentence in sentences if sentence.has_tags]
    for sentence in with_tags:
        sentence.with_tags(sentence.tags)
    corpus = TaggedCorpus([s.tokens for s in with_tags], [s.tags for s in with_tags])
    if with_tags:
        TagCodec.fit(corpus, "auto").encode_corpus(corpus)
    report = inspect_corpus([io.BytesIO(given.content)], options)
    if not all(line.isprintable() for line in report.to_text().split("\n")):
        raise Loss("the report is not printable")
    json.dumps(report.to_metrics())


def _read_series(path: str, options: dict[str, Any]) -> None:
    report = forecasting.inspect([path], **options)
    if not all(line.isprintable() for line in report.to_text().split("\n")):
        raise Loss("the report is not printable")
    if options["layout"] == "auto":
        return
    period = {"period": "yearly"} if options["layout"] == "m3" else {}
    named = {key: value for key, value in options.items() if key in ("layout", "frequency", "time_zone", "target")}
    data = SeriesDataConfig(**named, **period)
    with errors_in(path):
        table = read_table(data, path)
    if not len(table):
        raise DataError("no series")
