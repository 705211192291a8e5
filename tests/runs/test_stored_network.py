"""Bundles as strangers make them: refused in one line, before anything of their sizes is built."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from seqtag.errors import RunError
from seqtag.forecasting.model import ForecastingModel
from seqtag.runs.bundle import load_encoders
from seqtag.tagging.model import TaggingModel
from seqtag.tagging.stored_sizes import stored_sizes

GOLDEN = Path(__file__).parents[1] / "golden" / "format_2"
MODELS = {"tagging": TaggingModel, "forecasting": ForecastingModel}
NAMES = ("config.json", "metadata.json", "model.weights.h5")
# A network of the golden runs has less than a megabyte of weights.
MEMORY = 300


def copied(tmp_path, task: str = "tagging") -> Path:
    shutil.copytree(GOLDEN / task, tmp_path / "run")
    return tmp_path / "run"


def refusal(run: Path, task: str = "tagging") -> str:
    """The message, in which the run is called RUN; the memory of the process has not grown by more than some."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RunError) as error:
        MODELS[task].load(run)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEMORY
    assert str(error.value).isprintable() and len(str(error.value)) <= 300
    return str(error.value).replace(str(run), "RUN")


def rewrite(run: Path, change: Callable[[dict[str, bytes]], None], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Changes the members of the network's file."""
    path = run / "model.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def reconfigure(run: Path, change: Callable[[dict], None]) -> None:
    def changed(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        change(config)
        members["config.json"] = json.dumps(config).encode()

    rewrite(run, changed)


def resize(**sizes) -> Callable[[dict], None]:
    """A change of a tagger's sizes, in its arguments or those of its representation."""

    def change(config: dict) -> None:
        arguments = config["config"]
        for name, value in sizes.items():
            (arguments if name in arguments else arguments["representation"])[name] = value

    return change


SIZES = "RUN/encoders.json: expected "
BUNDLE = "RUN: expected a bundle that seqtag wrote, found "


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            {"num_tags": 3_000_000, "constraints": None},
            SIZES + "a number of tags of 3000000 as in model.ker",
        ),
        ({"num_words": 15}, SIZES + "a vocabulary of words of size 15 as in model.keras, found 14"),
        ({"num_buckets": 10**12}, SIZES + "num_buckets 1000000000000 as in model.keras, found 65536"),
        ({"units": 3_000_000}, BUNDLE + "a network of more weights than its file has"),
        ({"word_dim": 10**12}, BUNDLE + "a network of more weights than its file has"),
        ({"units": 3}, "RUN/model.keras: expected weights of shape ("),
        ({"layers": 10**9}, BUNDLE + "1000000000 layers"),
        ({"layers": "many"}, BUNDLE),
        ({"units": "4"}, BUNDLE),
        ({"units": -4}, BUNDLE),
        ({"units": 4.5}, BUNDLE),
        ({"units": None}, BUNDLE),
        ({"cell": "os.system"}, BUNDLE),
        ({"dropout": 1e999}, BUNDLE),
        ({"constraints": [[[]]]}, BUNDLE),
        ({"kept_rows": {"word_scores": 10**15}}, BUNDLE),
        ({"representation": []}, BUNDLE),
        ({"name": "a/b"}, BUNDLE),
    ],
    ids=str,
)
def test_sizes_and_types_of_a_tagger(tmp_path, sizes, message):
    run = copied(tmp_path)
    reconfigure(run, resize(**sizes))
    assert refusal(run).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 3_000_000}, BUNDLE + "a network of more weights than its file has"),
        ({"horizon": 2**30}, BUNDLE + "1073741824 steps"),
        ({"dilations": [1] * 10**5}, BUNDLE + "100000 layers"),
        ({"series_width": 10**9}, BUNDLE + "a network of more weights than its file has"),
        ({"inputs": {"series": 10**9}}, SIZES + "a number of series of 1000000000 as in model.keras, found 3"),
        ({"levels": [0.5]}, SIZES + "offsets of levels [0.5] as in model.keras, found [0.1, 0.5, 0.9]"),
        ({"scaling": "mean"}, "RUN/model.keras: expected weights of shape none, found ()"),
    ],
    ids=str,
)
def test_sizes_and_types_of_a_forecaster(tmp_path, change, message):
    run = copied(tmp_path, "forecasting")
    reconfigure(run, lambda config: config["config"]["members"][1]["config"].update(change))
    assert refusal(run, "forecasting").startswith(message)


@pytest.mark.parametrize(
    "part",
    [
        {"module": "keras.layers", "class_name": "Lambda", "config": {}},
        {"module": "keras", "class_name": "Sequential", "config": {"layers": []}},
        {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
        {"module": "seqtag.errors", "class_name": "DataError", "config": {}, "registered_name": None},
        {"class_name": "__lambda__", "config": {"value": "x"}},
        {"class_name": ["a"], "module": "seqtag.x"},
    ],
    ids=lambda part: str(part["class_name"]),
)
def test_classes_of_others(tmp_path, part):
    run = copied(tmp_path)
    reconfigure(run, lambda config: config["config"].update(dtype=part))
    assert refusal(run).startswith("RUN/model.keras: config.json: expected classes of seqtag alone, found ")


def test_another_class_of_ours(tmp_path):
    run = copied(tmp_path)
    reconfigure(run, lambda config: config.update(class_name="GRU", registered_name="seqtag>GRU"))
    assert refusal(run).startswith(BUNDLE)


def swap(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({name: content})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: members.pop("metadata.json"), "RUN/model.keras: expected config.json, metadata.json and"),
        (swap("../escape", b"x"), "RUN/model.keras: expected config.json, metadata.json and model.weights.h5 in it"),
        (swap("config.json", b" " * (65 << 20)), "RUN/model.keras: config.json: expected at most 67108864 bytes"),
        (swap("model.weights.h5", bytes(65 << 20)), "RUN/model.keras: model.weights.h5: expected at most 6710886"),
        (swap("config.json", b"[" * 100_000), "RUN/model.keras: config.json: expected JSON, found "),
        (swap("config.json", b"[" + b"[]," * 5_000_001), "RUN/model.keras: config.json: expected at most 5000000 li"),
        (swap("config.json", b'{"a": ' + b"9" * 5000 + b"}"), "RUN/model.keras: config.json: expected JSON, found a "),
        (swap("config.json", b"\xff"), "RUN/model.keras: config.json: expected JSON in utf-8"),
        (swap("config.json", b"{}"), BUNDLE),
        (swap("model.weights.h5", b"no HDF5"), "RUN/model.keras: expected weights in model.weights.h5, found"),
        (swap("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(1000)), "RUN/model.keras: expected weights in model."),
    ],
)  # fmt: skip
def test_members(tmp_path, change, message):
    run = copied(tmp_path)
    rewrite(run, change)
    assert refusal(run).startswith(message)


def test_other_compressions_expand_at_once(tmp_path):
    run = copied(tmp_path)
    rewrite(run, lambda members: None, zipfile.ZIP_BZIP2)
    assert refusal(run) == "RUN/model.keras: config.json: expected a member stored or deflated, found method 12"


def test_a_member_that_is_longer_than_it_says(tmp_path):
    run = copied(tmp_path)
    content = b"{" + b" " * (300 << 20) + b"}"
    rewrite(run, swap("config.json", content))
    path = run / "model.keras"
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", len(content)), struct.pack("<I", 1000)))
    assert refusal(run).startswith("RUN/model.keras: expected a whole model, found damage in config.json")


def test_one_member_many_times(tmp_path):
    run = copied(tmp_path)
    with zipfile.ZipFile(run / "model.keras", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    assert refusal(run).startswith("RUN/model.keras: expected config.json, metadata.json and model.weights.h5 in it")


def elsewhere(file: h5py.File) -> None:
    del file["emission/vars/0"]
    file["emission/vars/0"] = h5py.ExternalLink("/etc/passwd", "x")


def soft(file: h5py.File) -> None:
    del file["emission/vars/0"]
    file["emission/vars/0"] = h5py.SoftLink("/emission/vars/1")


def circle(file: h5py.File) -> None:
    file["emission/vars/again"] = file["emission"]


def many_times(file: h5py.File) -> None:
    for number in range(100):
        file[f"emission/vars/{number + 2}"] = file["context_features/bucket_scores/vars/0"]


def bomb(file: h5py.File) -> None:
    file.create_dataset("bomb", (10**12,), "f4", chunks=(10**6,), compression="gzip")


def external(file: h5py.File) -> None:
    file.create_dataset("outside", (10,), "f4", external=[("/etc/passwd", 0, 40)])


def objects(file: h5py.File) -> None:
    file.create_dataset("text", data=np.array(["a"], object), dtype=h5py.string_dtype())


def shorter(file: h5py.File) -> None:
    del file["emission/vars/1"]


def another(file: h5py.File) -> None:
    del file["emission/vars/1"]
    file["emission/vars/1"] = np.zeros(10, np.float32)


WEIGHTS = "RUN/model.keras: expected weights in model.weights.h5, found "


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (elsewhere, WEIGHTS + "a link to another place, '0'"),
        (soft, WEIGHTS + "a link to another place, '0'"),
        (circle, WEIGHTS + "the same in several places, 'again'"),
        (many_times, WEIGHTS + "the same in several places, '"),
        (bomb, WEIGHTS + "what is no plain array of numbers, 'bomb'"),
        (external, WEIGHTS + "what is no plain array of numbers, 'outside'"),
        (objects, WEIGHTS + "what is no plain array of numbers, 'text'"),
        (shorter, BUNDLE + "a network of more weights than its file has"),
        (another, "RUN/model.keras: expected weights of shape (9,), found (10,)"),
    ],
    ids=lambda case: getattr(case, "__name__", None),
)
def test_weights(tmp_path, damage, message):
    def change(members: dict[str, bytes]) -> None:
        content = io.BytesIO(members["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            damage(file)
        members["model.weights.h5"] = content.getvalue()

    run = copied(tmp_path)
    rewrite(run, change)
    assert refusal(run).startswith(message)


def edit(run: Path, change: Callable[[dict], object]) -> None:
    path = run / "encoders.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data["words"]["symbols"].append("new"), SIZES + "a vocabulary of words of size 14 as in model"),
        (
            lambda data: data["codec"]["symbols"].append("ORG"),
            SIZES + "a number of tags of 9 as in model.keras, ",
        ),
        (lambda data: data["codec"].update(scheme=None), SIZES + "a number of tags of 9 as in model.keras, found 2"),
        (lambda data: data["codec"].update(symbols=["x"] * 10**6), SIZES + "a number of tags of 9 as in model.keras"),
        (lambda data: data.update(words=7), BUNDLE),
        (lambda data: data.update(options={"layout": "tsv"}), BUNDLE),
        (lambda data: data["words"].update(symbols="abcdefghijkl"), BUNDLE),
        (lambda data: data["words"].update(symbols=list(range(12))), BUNDLE),
        (lambda data: data["words"].update(symbols=["\ud800" * n for n in range(1, 13)]), BUNDLE),
        (lambda data: data["codec"].update(symbols=["a", ["b"]]), BUNDLE),
        (lambda data: data["codec"].update(scheme="XYZ"), BUNDLE),
    ],
)
def test_encoders(tmp_path, change, message):
    run = copied(tmp_path)
    edit(run, change)
    assert refusal(run).startswith(message)


@pytest.mark.parametrize(
    "content", ["[" * 10**6, '{"a":' * 10**5, '{"a": ' + "9" * 5000 + "}", "[" + "[]," * 5_000_001]
)
def test_json_that_costs_too_much(tmp_path, content):
    run = copied(tmp_path)
    (run / "encoders.json").write_text(content)
    assert refusal(run).startswith("RUN/encoders.json: expected ")


@pytest.mark.parametrize("name", ["encoders.json", "model.keras"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file(tmp_path, name, kind):
    run = copied(tmp_path)
    (run / name).unlink()
    if kind == "pipe":
        os.mkfifo(run / name)
    elif kind == "device":
        (run / name).symlink_to("/dev/zero")
    else:
        (run / name).mkdir()
    found = "a folder" if kind == "folder" else "a device, a pipe or a socket"
    assert refusal(run) == f"RUN/{name}: expected a file of the run, found {found}"


def test_a_link_to_a_file_is_one(tmp_path):
    run = copied(tmp_path)
    (run / "encoders.json").rename(tmp_path / "kept.json")
    (run / "encoders.json").symlink_to(tmp_path / "kept.json")
    TaggingModel.load(run)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The golden tagger saved again, whose network knows its encoders."""
    run = tmp_path_factory.mktemp("saved")
    TaggingModel.load(GOLDEN / "tagging").save(run)
    return run


ANOTHER = "RUN/encoders.json: expected what was written together with model.keras, found another run's"


def test_encoders_of_another_run(saved, tmp_path):
    """The same sizes, another order: only the hash tells."""
    shutil.copytree(saved, tmp_path / "run")
    run = tmp_path / "run"
    assert TaggingModel.load(run).to_dict() == TaggingModel.load(saved).to_dict()
    edit(run, lambda data: data["words"]["symbols"].reverse())
    assert refusal(run) == ANOTHER
    with pytest.raises(RunError, match="found another run's"):
        load_encoders(run, "tagging", dict, stored_sizes)


def test_how_files_are_read_may_be_edited(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "run")
    edit(tmp_path / "run", lambda data: data["options"].update(encoding="latin-1"))
    assert TaggingModel.load(tmp_path / "run").options.encoding == "latin-1"


def test_format_2_without_a_hash_goes_on_loading(tmp_path):
    run = copied(tmp_path)
    edit(run, lambda data: data["words"]["symbols"].reverse())
    TaggingModel.load(run)


def test_loading_draws_nothing_more():
    """The shapes of the weights are found without a trace in the global random state of Python."""
    import random

    def state_after() -> tuple:
        random.seed(5)
        ForecastingModel.load(GOLDEN / "forecasting")
        return random.getstate()

    assert state_after() == state_after()
