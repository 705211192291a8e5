"""What the README and the pages of docs/ show: their Python runs, their commands parse, their links and names exist.

The Python blocks of a page run from top to bottom in one namespace and one empty folder, as the cells of a notebook do.
A block with a title is the file of that name. Shell blocks are parsed, and run where `<!-- executed -->` stands above.
`SMALLER` says what is made smaller, to be quick, and what another page does already.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))

SMALLER = {
    "README.md": {
        "Tagger()": "Tagger(units=4, cell='gru', head='softmax', char_encoder='none', training={'epochs': 1})",
        "horizon=24": "horizon=24, lookback=24, units=4, members=[], training={'epochs': 1}",
        'Seq2Seq(target="symbols")': "Seq2Seq(target='symbols', units=4, cell='simple_rnn', training={'epochs': 1})",
        "PeepholeLSTM(100": "PeepholeLSTM(4",
    },
    "docs/tagging.md": {
        "units: 50": "units: 4\n  cell: gru\n  head: softmax\n  char_encoder: none",
        "epochs: 10": "epochs: 1",
        "units=100": "units=4",
        '"peephole_lstm"': '"gru"',
        '"crf"': '"softmax"',
        '"cnn"': '"none"',
        'tagger.export("exported/ner")': "",
        '"epochs": 20': '"epochs": 1',
    },
    "docs/frames.md": {
        "units: 64": "units: 4\n  cell: gru\n  head: softmax",
        "epochs: 10": "epochs: 1",
        "units=32": "units=4, cell='gru'",
        '"epochs": 20': '"epochs": 1',
    },
    "docs/seq2seq.md": {
        "units: 256": "units: 4\n  cell: simple_rnn",
        "units=256": "units=4, cell='simple_rnn'",
        "epochs: 15": "epochs: 1",
        '"epochs": 15': '"epochs": 1',
        # The README fits one of a file.
        'model.fit("train.tsv")': 'model = Seq2Seq.load("runs/mine")',
    },
    "docs/language_models.md": {
        "units: 256": "units: 4\n  cell: gru",
        "epochs: 10": "epochs: 1",
        'cell="lstm", units=256': 'cell="gru", units=4',
        '"epochs": 10': '"epochs": 1',
        "--length 100": "--length 5",
        "length=200": "length=5",
    },
    "docs/classification.md": {
        "units: 64": "units: 4",
        "epochs: 8": "epochs: 1",
        "units=64": "units=4, word_dim=4",
        "units=32": "units=4",
        '"epochs": 8': '"epochs": 1',
    },
    "docs/layers.md": {"epochs=100": "epochs=1"},
    "docs/forecasting.md": {
        '"gru"': '"gru", units=4',
        'training={"epochs": 2})  #': 'units=4, members=[], training={"epochs": 1})  #',
        '"epochs": 2': '"epochs": 1',
        "units=16": "units=4, members=[]",
        "folds=2": "folds=1",
        'forecaster.export("exported/shops")': "",
    },
}

_FENCE = re.compile(r"(<!-- executed -->\n)?```(\w+)(?: title=\"(.+?)\")?\n(.*?)```", flags=re.DOTALL)


class Block(NamedTuple):
    executed: str
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8"))]


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@pytest.fixture(autouse=True, scope="module")
def files_of_the_page():
    """The pages name files of the folder that they run in; pages that fixtures run, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SEQTAG_DATA", raising=False)
        yield


def run_page(name: str, folder: Path, **names: object) -> dict:
    """Runs the blocks of a page in a folder, and returns the names that its Python left."""
    from seqtag import cli

    with chdir(folder):
        Path("runs").mkdir()
        for block in blocks(ROOT / name):
            text = block.text
            for shown, tried in SMALLER.get(name, {}).items():
                text = text.replace(shown, tried)
            if block.title:
                Path(block.title).write_text(text, encoding="utf-8")
            elif block.language == "python":
                exec(text, names)
            elif block.executed:
                for command in commands(block):
                    assert cli.run(command) == 0, command
    return names


def write_corpus(folder: Path, *names: str) -> None:
    line = "John\tB-PER\nlives\tO\nin\tO\nParis\tB-LOC\n\n"
    for name in names:
        (folder / name).write_text(line * 12, encoding="utf-8")


# Enough words that the rule on sources holds some of them out.
SPELLINGS = "".join(f"{''.join(word)}\t{' '.join(word)}\n" for word in product("ABCY", repeat=3))


@pytest.fixture(scope="module")
def readme(tmp_path_factory):
    """The folder and the names that the README's blocks leave."""
    from seqtag.forecasting.data.samples import sample_series

    folder = tmp_path_factory.mktemp("readme")
    write_corpus(folder, "train.conll", "dev.conll")
    (folder / "spellings.tsv").write_text(SPELLINGS, encoding="utf-8")
    arrays = {"word_ids": np.array([[3, 4, 5], [6, 0, 0]]), "tag_ids": np.array([[1, 2, 0], [3, 0, 0]])}
    frame = sample_series(series=2, steps=100)[0][["unique_id", "ds", "y"]]
    return folder, run_page("README.md", folder, frame=frame, **arrays)


def test_readme(readme):
    folder, names = readme
    assert (folder / "exported" / "ner" / "saved_model.pb").exists()
    assert len(names["forecaster"].predict()) == 2 * 24
    assert (folder / "flow.png").exists() and (folder / "alignment.png").exists()


def test_tagging(tmp_path):
    write_corpus(tmp_path, "train.tsv", "dev.tsv", "test.tsv", "new.tsv", "all.tsv")
    names = run_page("docs/tagging.md", tmp_path)
    assert [len(tags) for tags in names["tagger"].predict([["John", "sleeps"], []])] == [2, 0]
    first, last = ((tmp_path / name).read_text(encoding="utf-8") for name in ("first.tsv", "last.tsv"))
    assert first and last and first + last == (tmp_path / "all.tsv").read_text(encoding="utf-8")
    assert (tmp_path / "tagged.tsv").exists()


def test_frames(tmp_path):
    names = run_page("docs/frames.md", tmp_path)
    assert names["found"]["tags"].shape == (1, 2)
    header, first, *_ = (tmp_path / "labelled.csv").read_text(encoding="utf-8").splitlines()
    assert header == "id,time,speed,level,label,score"
    assert first.startswith("walk-1,0,0.1,1001.2,")
    assert len((tmp_path / "labelled.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_forecasting(tmp_path):
    names = run_page("docs/forecasting.md", tmp_path)
    assert len(names["forecaster"].predict()) == 4 * 14
    assert names["seller"].audit_leakage().leaking == ()


@pytest.fixture(scope="module")
def spelling(tmp_path_factory):
    """The folder and the names that the blocks of sequence to sequence leave."""
    folder = tmp_path_factory.mktemp("spelling")
    for name in ("train.tsv", "test.tsv"):
        (folder / name).write_text(SPELLINGS, encoding="utf-8")
    (folder / "words.txt").write_text("ABBY\n\nCAB\n", encoding="utf-8")
    return folder, run_page("docs/seq2seq.md", folder)


def test_seq2seq(spelling):
    folder, names = spelling
    answers = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert [len(json.loads(line)["candidates"]) for line in answers] == [3, 1, 3]
    assert names["answer"]["target"].shape == (2, 5)
    found = names["lemmas"].answer([("mice", "NOUN"), ("dice", "NOUN")])
    assert [answer.by for answer in found] == ["dictionary", "network"]
    assert (folder / "attention.png").exists() and (folder / "alignment.png").exists()


def test_language_models(tmp_path):
    (tmp_path / "mine.txt").write_text("The dog saw a cat. The cat sat.\n" * 60, encoding="utf-8")
    names = run_page("docs/language_models.md", tmp_path)
    assert names["scores"]["lengths"].numpy().tolist() == [7, 1]
    assert names["written"].numpy()[0].startswith(b"The")
    bits = [line.split("\t") for line in (tmp_path / "scores.tsv").read_text().splitlines() if line]
    assert len(bits) == 60 * 32


def test_classification(tmp_path):
    words = (("fine", "pos"), ("dull", "neg"))
    rows = "".join(f"{n} {word} films\t{label}\n" for n in "abcdefghijkl" for word, label in words)
    for name in ("train.tsv", "test.tsv"):
        (tmp_path / name).write_text("text\tlabel\n" + rows, encoding="utf-8")
    names = run_page("docs/classification.md", tmp_path)
    assert len(names["why"].weights) == 3
    assert names["sensor"].classes_.tolist() == ["flat", "rising"]


def test_layers(tmp_path):
    names = run_page("docs/layers.md", tmp_path)
    tags = np.asarray(names["tags"])
    assert tags.shape == (2, 3)
    assert (tags[1, 1:] == 0).all(), "padding"
    assert (tmp_path / "model.keras").exists()
    assert names["looked"].shape == (2, 5, 4)
    assert names["beams"].symbols.shape == (2, 3, 8)


def test_gradients(tmp_path):
    names = run_page("docs/gradients.md", tmp_path)
    assert len(names["history"]["grad_norm/gru"]) == 1
    assert names["flow"].norms["gru"].shape == (30,)
    assert (tmp_path / "flow.png").exists() and (tmp_path / "logs" / "history.csv").exists()


def test_serving(readme, spelling, tmp_path):
    folder, others = readme
    others["forecaster"].export(tmp_path / "exported" / "shops")
    for source, name in ((folder, "ner"), (spelling[0], "spelling")):
        (tmp_path / "exported" / name).symlink_to(source / "exported" / name)
    names = run_page("docs/serving.md", tmp_path)
    assert names["answer"]["lengths"].numpy().tolist() == [4, 1]
    assert names["spelt"]["target"].shape == (2, 5)
    assert names["signatures"]["forecast"](state=names["state"])["quantiles"].shape == (1, 24, 3)


def test_what_is_made_smaller_is_there():
    for page, replaced in SMALLER.items():
        text = "".join(block.text for block in blocks(ROOT / page))
        assert [shown for shown in replaced if shown not in text] == []


def test_all_pages_with_python_are_run():
    tested = {name.removeprefix("test_") for name in globals()}
    assert {page.stem.lower() for page in PAGES if any(b.language == "python" for b in blocks(page))} <= tested


def commands(block: Block) -> list[list[str]]:
    """The arguments of each `seqtag` of a shell block, without comments, pipes and the folder of the program."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\|", line):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "seqtag":
                found.append(words[1:])
    return found


@every_page
def test_commands_parse(page):
    import typer

    from seqtag.cli import app
    from seqtag.tasks import load_config

    program = typer.main.get_command(app)
    for name, *arguments in (words for block in blocks(page) if block.language == "sh" for words in commands(block)):
        context = program.commands[name].make_context(name, arguments)
        config = ROOT / "configs" / f"{Path(context.params.get('config', '')).stem}.yaml"
        if config.exists():
            load_config(config, context.params["settings"] or [])


@every_page
def test_configurations_are_valid(page):
    from seqtag.tasks import parse_config

    for block in blocks(page):
        if block.language == "yaml":
            parse_config(yaml.safe_load(block.text), block.title)


def test_the_commands_are_those_of_the_command_line():
    import typer

    from seqtag.cli import app

    shown = {
        words[0] for page in PAGES for block in blocks(page) if block.language == "sh" for words in commands(block)
    }
    assert shown == set(typer.main.get_command(app).commands)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_is_valid_and_in_the_docs(path):
    from seqtag.tasks import load_config

    load_config(path)
    assert any(f"`{path.stem}`" in prose(page) for page in PAGES)


@every_page
def test_dotted_names_exist(page):
    for name in re.findall(r"(?<![\w/.])seqtag(?:\.[A-Za-z]\w*)+", page.read_text(encoding="utf-8")):
        found, attributes = None, []
        while found is None:
            try:
                found = import_module(name)
            except ModuleNotFoundError:
                name, _, attribute = name.rpartition(".")
                attributes.insert(0, attribute)
        for attribute in attributes:
            found = getattr(found, attribute)


@every_page
def test_paths_exist(page):
    folders = "seqtag|configs|benchmarks|notebooks|tests|docs"
    text = page.read_text(encoding="utf-8")
    for path in re.findall(rf"`((?:{folders})(?:/[\w.]+)*)`", text):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"python -m (benchmarks\.\w+)", text):
        assert ROOT.joinpath(*name.split(".")).with_suffix(".py").exists(), name


def test_every_room_of_the_source_is_on_its_page():
    text = (ROOT / "docs" / "source.md").read_text(encoding="utf-8")
    rooms = [path for path in (ROOT / "seqtag").iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    assert [path.name for path in rooms if f"`seqtag/{path.name}`" not in text] == []


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        assert (ROOT / target).exists(), target


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages. `--strict` fails for a link, an anchor or a name that leads nowhere."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_loads_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r"<(?:script|img|iframe)[^>]*src=\"(?:https?:)?//|<link[^>]*stylesheet[^>]*https?://", text
        )


def test_the_reference_has_every_key(site):
    from seqtag.tasks import NAMES, task_named

    text = (site / "configuration.html").read_text(encoding="utf-8")
    for name in NAMES:
        for section, field in task_named(name).CONFIG.model_fields.items():
            keys = getattr(field.annotation, "model_fields", {})
            for key in [f"{section}.{key}" for key in keys] or [section]:
                assert f"<code>{key}</code>" in text, key


@pytest.mark.parametrize(
    "module", ["seqtag", "seqtag.layers", "seqtag.callbacks", "seqtag.diagnostics", "seqtag.training"]
)
def test_the_reference_has_every_public_name(site, module):
    pages = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    for name in import_module(module).__all__:
        if not name.startswith("__"):
            assert f'id="{module}.{name}"' in pages, name
