"""The design's rules for the source itself: who imports whom, what is forbidden, how long a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import seqtag
from seqtag.tasks import NAMES

ROOT = Path(seqtag.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE = 400

TASKS = set(NAMES) | {"seq2seq"}
BASE = {"errors", "figures", "files", "keras_internals", "process", "progress"}
TOOLKIT = {"ops", "layers", "callbacks", "diagnostics", "training"}
# Rooms, and the rooms that each of them may import beside itself. No task imports another.
MAY_IMPORT = [
    (BASE, {"errors", "files", "keras_internals", "process"}),
    ({"config"}, BASE),
    ({"native"}, BASE),
    ({"ops"}, {"native", "keras_internals"}),
    ({"layers"}, {"ops", "keras_internals"}),
    ({"diagnostics"}, {"ops", "layers"} | BASE),
    ({"callbacks"}, {"ops", "layers", "diagnostics"} | BASE),
    ({"training"}, TOOLKIT | {"config"} | BASE),
    ({"data", "measures"}, BASE),
    ({"models"}, {"ops", "layers", "data"} | BASE),
    ({"runs"}, {"config", "native"} | BASE),
    ({"demo"}, BASE),
    (TASKS, TOOLKIT | {"data", "measures", "models", "runs", "config", "demo"} | BASE),
    ({"tasks"}, TASKS | {"runs", "config"} | BASE),
    ({"cli"}, {"tasks", "runs", "data", "demo", "native"} | BASE),
    ({"__init__"}, TASKS),
]
ALLOWED = {room: allowed for rooms, allowed in MAY_IMPORT for room in rooms}
# Rooms, folders and files without Keras and TensorFlow when they are imported.
LIGHT = (
    "config",
    "data/series",
    "demo",
    "runs",
    "tasks.py",
    "cli/",
    "process/quiet_tensorflow.py",
    *(f"{n}/task.py" for n in NAMES),
)


def part(name: str) -> str:
    """`seqtag.tagging.data.columns` is of the part `data`, `seqtag` of `__init__`."""
    return [*name.split("."), "__init__"][1]


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def imports(path: Path, late: bool = True) -> set[str]:
    """All modules that a file imports; unless `late`, only those at once when it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree) if late else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: expected absolute imports"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {name for name in below if is_module(name)}
            found |= known | ({node.module} if len(known) < len(below) else set())
    return found


def is_module(name: str) -> bool:
    path = ROOT.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] == "seqtag"}


def foreign(path: Path, late: bool = True) -> set[str]:
    """Top-level packages that are neither ours nor Python's."""
    return {name.split(".")[0] for name in imports(path, late)} - sys.stdlib_module_names - {"seqtag"}


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", files, ids=lambda path: str(path.relative_to(ROOT)))


def test_every_room_is_in_the_table():
    assert {part_of(path) for path in FILES} == set(ALLOWED)


@each(FILES)
def test_imports_go_one_way(path):
    assert not {name for name in ours(path) if part(name) not in ALLOWED[part_of(path)] | {part_of(path)}}


def test_the_command_line_imports_little_before_it_knows_the_command():
    files = (ROOT / "cli").glob("*.py")
    found = {name for file in files for name in imports(file, late=False) if name.startswith("seqtag")}
    assert {name for name in found if part(name) != "cli"} <= {
        "seqtag.errors",
        "seqtag.process.messages",
        "seqtag.process.streams",
    }


@each([path for path in FILES if part_of(path) in ("ops", "layers", "keras_internals")])
def test_ops_and_layers_run_on_any_backend(path):
    # Names of TensorFlow's own are imported by the functions that only training calls.
    late = part_of(path) != "keras_internals"
    assert foreign(path, late) <= {"keras", "numpy"}


@each([path for path in FILES if path.relative_to(ROOT).as_posix().startswith(LIGHT)])
def test_what_reads_and_dispatches_imports_tensorflow_late(path):
    assert not {"tensorflow", "keras"} & {name.split(".")[0] for name in imports(path, late=False)}


@pytest.mark.parametrize("name", NAMES)
def test_a_task_is_imported_without_tensorflow(name):
    assert imported_with(f"import seqtag.{name}.task", "tensorflow", "keras") == []


@pytest.mark.parametrize(
    "statement",
    ["import seqtag; seqtag.__version__; dir(seqtag)", "import seqtag.cli; seqtag.cli.run(['--help'])"],
)
def test_importing_and_help_do_not_import_tensorflow(statement):
    assert imported_with(statement, "tensorflow", "keras", "pandas", "sklearn") == []


def imported_with(statement: str, *names: str) -> list[str]:
    """Which of some packages a new process imports with a statement."""
    check = f"import sys; print(*[name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{statement}\n{check}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


def test_every_public_name_is_there():
    for name in seqtag.__all__:
        assert getattr(seqtag, name) is not None
    with pytest.raises(AttributeError, match="module 'seqtag' has no attribute 'Taggr'"):
        _ = seqtag.Taggr


@each(FILES)
def test_nothing_runs_what_a_file_says(path):
    """No pickles, no `eval`, no YAML that builds objects."""
    assert not {"pickle", "dill", "joblib", "marshal", "shelve"} & {name.split(".")[0] for name in imports(path)}
    for node in nodes(path):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called not in ("eval", "exec", "yaml.load", "yaml.unsafe_load", "os.system")
        for keyword in node.keywords:
            said = f"{keyword.arg}={ast.unparse(keyword.value)}"
            assert said not in ("allow_pickle=True", "safe_mode=False", "shell=True")
        if called in ("np.load", "numpy.load"):
            assert "allow_pickle" in {keyword.arg for keyword in node.keywords}


@each(FILES)
def test_files_are_small_and_named_for_what_they_hold(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")


@each([path for path in FILES if path.read_text(encoding="utf-8").strip()])
def test_what_is_public_has_a_docstring(path):
    """Methods too, but for those whose meaning is Keras's: what ruff's D1 rules leave to us."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not is_overload(node):
            assert ast.get_docstring(node), node.name


def is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """A signature alone; what it means is said once, where it is defined."""
    return "overload" in map(ast.unparse, node.decorator_list)
