"""Settings of all tests."""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# Two workers share the cores already: more threads in each would only wait for each other.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
if os.environ.get("KERAS_BACKEND") == "jax":
    # Nearly all the time goes into compiling, and what is compiled runs once.
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    # Layers compile the same loops again at each call outside of a graph; workers find here what any of them compiled.
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        COMPILED = tempfile.TemporaryDirectory(prefix="seqtag-jax-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED.name
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

# A graph that is traced is a hundred thousand objects that live: Python need not look for garbage among them so often.
gc.set_threshold(50_000, 20, 20)
# So many MB more than after the last time are looked through for garbage, which takes a third of a second.
WORTH_FREEING = 150

# A shared machine may stall in any example, and TensorFlow traces in the first: slowness is no failure.
settings.register_profile("seqtag", deadline=None)
settings.load_profile("seqtag")


SEED = 1

# Files that take longest come first, so that no worker is left alone with one of them at the end.
LONGEST = ("tests/training/test_fit.py", "tests/integration/", "tests/contract/", "tests/tagging/", "tests/test_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the tests."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Weights and data are the same in every run, so that what fails once fails again.

    A new seed has TensorFlow forget the graphs that it has made ready to run, which takes seconds to do again. Keras,
    whose operations draw from seeds of its own, does not need it: a seed that TensorFlow has already stays.
    """
    import keras

    eager = sys.modules.get("tensorflow.python.eager.context")
    with pytest.MonkeyPatch.context() as patch:
        if eager is not None and eager.global_seed() == SEED:
            patch.setattr("tensorflow.random.set_seed", lambda seed: None)
        keras.utils.set_random_seed(SEED)


def gradient_registry() -> dict[str, Any]:
    """The table of gradients of TensorFlow, where it is imported."""
    framework = sys.modules.get("tensorflow.python.framework.ops")
    return {} if framework is None else framework.gradient_registry._registry


def give_memory_back() -> None:
    """Frees what nobody holds, down to the system."""
    # `seqtag predict` freezes what lives while it runs, its model among it: right for a process that ends with it.
    gc.unfreeze()
    gc.collect()
    if sys.platform == "linux":
        # The C library keeps what was freed between blocks in use, gigabytes after a hundred small graphs.
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def resident() -> float:
    """The memory of this process in MB; on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.fixture
def resident_mb() -> Callable[[], float]:
    """The memory of this process in MB, without what is free already; on Linux."""

    def measure() -> float:
        give_memory_back()
        return resident()

    return measure


@pytest.fixture(scope="session")
def after_freeing() -> dict[str, float]:
    """The memory that this process had when it last freed what nobody holds."""
    return {"resident": 0.0}


@pytest.fixture(autouse=True, scope="module")
def garbage_collected(after_freeing: dict[str, float]) -> Iterator[None]:
    """Frees the models of a module of tests before the next one; graphs and layers hold each other in circles."""
    known = set(gradient_registry())
    yield
    # TensorFlow's loader of SavedModels registers the gradients of what it loads, with their graphs, and for good.
    for name in set(gradient_registry()) - known:
        if not name.startswith("Seqtag"):  # those of the kernels
            del gradient_registry()[name]
    if "jax" in sys.modules:
        # It keeps all that it has compiled; its compiler crashes when a process has too much of it.
        sys.modules["jax"].clear_caches()
    # TensorFlow forgets the graphs that it has made ready to run.
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(SEED)
    if sys.platform != "linux" or resident() > after_freeing["resident"] + WORTH_FREEING:
        give_memory_back()
        after_freeing["resident"] = resident() if sys.platform == "linux" else 0.0


@pytest.fixture
def gradients() -> Callable[..., list[np.ndarray]]:
    """`gradients(f, *arrays)`: of the scalar f in each array, on whichever backend Keras runs."""

    def compute(function: Callable, *arrays: np.ndarray) -> list[np.ndarray]:
        import keras

        tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
        if keras.config.backend() == "jax":
            import jax

            found = jax.jit(jax.grad(function, argnums=tuple(range(len(tensors)))))(*tensors)
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(tensors)
                value = function(*tensors)
            found = tape.gradient(value, tensors, unconnected_gradients="zero")
        return [keras.ops.convert_to_numpy(gradient) for gradient in found]

    return compute


@pytest.fixture
def weight_gradients() -> Callable[..., list[np.ndarray]]:
    """`weight_gradients(layer, loss, *inputs, **call)`: of `loss(layer(*inputs, **call))` in each weight."""

    def compute(layer: Any, loss: Callable, *inputs: Any, **call: Any) -> list[np.ndarray]:
        import keras

        if keras.config.backend() == "jax":
            import jax

            rest = [variable.value for variable in layer.non_trainable_variables]

            def value(weights: list) -> Any:
                return loss(layer.stateless_call(weights, rest, *inputs, **call)[0])

            found = jax.jit(jax.grad(value))([variable.value for variable in layer.trainable_variables])
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                value = loss(layer(*inputs, **call))
            weights = [variable.value for variable in layer.trainable_variables]
            found = tape.gradient(value, weights, unconnected_gradients="zero")
        return [keras.ops.convert_to_numpy(gradient) for gradient in found]

    return compute


CHROMIUM = {"binary": "/usr/bin/chromium", "driver": "/usr/bin/chromedriver"}
BROWSER_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Selenium's driver of a headless Chromium, the system's, with a profile of its own; one for all tests."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    for path in CHROMIUM.values():
        if not Path(path).exists():
            pytest.skip(f"there is no {path}; packages chromium and chromium-driver of Debian have it")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM["binary"]
    for option in (*BROWSER_OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    # What it loads, and what scripts complain of.
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(CHROMIUM["driver"]))
    yield driver
    driver.quit()


@pytest.fixture
def window(browser: Any) -> Iterator[Callable[..., None]]:
    """`window(width, dark)`: sets the width of the page in pixels, and whether the system is set to dark colours."""

    def set_window(width: int = 1200, dark: bool = False) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [colours]})

    set_window()
    yield set_window
    set_window()


@pytest.fixture(scope="session")
def sentences() -> list[tuple[list[str], list[str]]]:
    """Generated sentences in IOB2, some with entities that touch, one of a single token."""
    source = random.Random(5)
    made = [(["Ann"], ["B-PER"])]
    while len(made) < 60:
        towns = source.choice([["New", "York"], ["Paris"], ["Ærø"]])
        tokens = [source.choice(["Ann", "Bo", "Cy"]), source.choice(["saw", "met"]), *towns, "Paris", "."]
        tags = ["B-PER", "O", "B-LOC", *["I-LOC"] * (len(towns) - 1), "B-LOC", "O"]
        extra = source.randrange(4)
        made.append((tokens + ["late"] * extra, tags + ["O"] * extra))
    return made


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory, sentences: list) -> Path:
    """A folder with `train.tsv`, `dev.tsv`, `test.tsv` and a `job.yaml` that fits a tiny model on them.

    Its network is one that is traced quickly, for commands treat all networks alike.
    """
    folder = tmp_path_factory.mktemp("job")
    for split, part in {"train": sentences, "dev": sentences[:20], "test": sentences[10:30]}.items():
        rows = ["".join(f"{token}\t{tag}\n" for token, tag in zip(*pair, strict=True)) for pair in part]
        (folder / f"{split}.tsv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "job.yaml").write_text(
        f"""task: tagging
data: {{root: {folder}, train: train.tsv, dev: dev.tsv, test: test.tsv}}
model: {{units: 8, word_dim: 8, head: softmax, char_encoder: none}}
training: {{epochs: 3, batch_tokens: 60, learning_rate: 0.02}}
evaluation: {{show_sentences: 1}}
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def run_folder(job: Path) -> Path:
    """The finished run of `job`."""
    from seqtag.tagging.task import train
    from seqtag.tasks import load_config

    return train(load_config(job / "job.yaml"), job / "run").folder


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.csv`, `later.csv` and a `job.yaml` that fits a tiny forecaster.

    The columns have names of their own. There is one network, for commands treat all alike.
    """
    from seqtag.forecasting.data.samples import sample_series

    folder = tmp_path_factory.mktemp("shop")
    names = {"unique_id": "shop", "ds": "day", "y": "sales"}
    frames = sample_series(series=3, steps=120, horizon=14, seed=5)
    for name, frame in zip(("train", "later"), frames, strict=True):
        frame.rename(columns=names).to_csv(folder / f"{name}.csv", index=False)
    (folder / "job.yaml").write_text(
        f"""task: forecasting
data: {{root: {folder}, train: train.csv, test: later.csv, series: shop, time: day, target: sales,
        known: [promotion, holiday], static: [region]}}
model: {{horizon: 7, lookback: 14, units: 6, dropout: 0.2, scaling: revin, members: []}}
training: {{epochs: 2, windows_per_epoch: 128}}
evaluation: {{folds: 2}}
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def shop_run(shop: Path) -> Path:
    """The finished run of `shop`."""
    from seqtag.forecasting.task import train
    from seqtag.tasks import load_config

    return train(load_config(shop / "job.yaml"), shop / "run").folder


@pytest.fixture(scope="session")
def reversal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.tsv`, `dev.tsv`, `test.tsv` and a `job.yaml` that fits a tiny model of sequence to sequence.

    Sources are all words of up to four letters of three, targets the same backwards.
    """
    folder = tmp_path_factory.mktemp("reversal")
    words = ["".join(word) for length in range(1, 5) for word in product("abc", repeat=length)]
    for split, part in {"train": words, "dev": words[1::6], "test": words[::9]}.items():
        rows = [f"{word}\t{word[::-1]}\n" for word in part]
        (folder / f"{split}.tsv").write_text("".join(rows), encoding="utf-8")
    (folder / "job.yaml").write_text(
        f"""task: seq2seq
data: {{root: {folder}, train: train.tsv, dev: dev.tsv, test: test.tsv}}
model: {{units: 16, cell: gru, embedding_dim: 8, dropout: 0.1, max_length: 6}}
training: {{epochs: 8, batch_symbols: 60, learning_rate: 0.02}}
evaluation: {{beam: 3, show_examples: 1}}
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def reversal_run(reversal: Path) -> Path:
    """The finished run of `reversal`."""
    from seqtag.seq2seq.task import train
    from seqtag.tasks import load_config

    return train(load_config(reversal / "job.yaml"), reversal / "run").folder


@pytest.fixture(scope="session")
def verses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.txt`, `test.txt` and a `job.yaml` that fits a tiny language model."""
    folder = tmp_path_factory.mktemp("verses")
    lines = [f"{a} {verb} the {b}.\n" for a in ("Ann", "Bo", "Cy") for verb in ("saw", "met") for b in ("dog", "cat")]
    (folder / "train.txt").write_text("".join(lines * 12), encoding="utf-8")
    (folder / "test.txt").write_text("".join(lines[::5]), encoding="utf-8")
    (folder / "job.yaml").write_text(
        f"""task: language_model
data: {{root: {folder}, train: train.txt, dev_share: 0.1, test: test.txt}}
model: {{units: 16, cell: gru, embedding_dim: 8, dropout: 0.1}}
training: {{epochs: 4, rows: 8, steps: 16, learning_rate: 0.02}}
evaluation: {{sample_length: 10}}
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def verses_run(verses: Path) -> Path:
    """The finished run of `verses`."""
    from seqtag.language_model.task import train
    from seqtag.tasks import load_config

    return train(load_config(verses / "job.yaml"), verses / "run").folder


# Words that tell of one label, and words that tell nothing.
TELLING, OTHERS = {"pos": ("fine", "moving", "warm"), "neg": ("dull", "long", "cold")}, ("a", "film", "about", "Ann")


def opinions(count: int, seed: int) -> list[tuple[str, str]]:
    """Texts of a few words, with their labels, of which each has the words of its own."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        label = ("pos", "neg")[number % 2]
        words = draw.choices(OTHERS, k=draw.randint(1, 6)) + draw.choices(TELLING[label], k=2)
        draw.shuffle(words)
        found.append((" ".join(words), label))
    return found


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.tsv`, `dev.tsv`, `test.tsv` of texts and labels, and a `job.yaml` that fits a tiny model."""
    folder = tmp_path_factory.mktemp("reviews")
    for seed, (split, count) in enumerate({"train": 60, "dev": 20, "test": 20}.items()):
        rows = [f"{text}\t{label}\n" for text, label in opinions(count, seed)]
        (folder / f"{split}.tsv").write_text("text\tlabel\n" + "".join(rows), encoding="utf-8")
    (folder / "job.yaml").write_text(
        f"""task: classification
data: {{root: {folder}, train: train.tsv, dev: dev.tsv, test: test.tsv}}
model: {{units: 6, word_dim: 8, char_ngrams: 3}}
training: {{epochs: 3, batch_tokens: 60, learning_rate: 0.02}}
evaluation: {{show_examples: 1}}
""",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def reviews_run(reviews: Path) -> Path:
    """The finished run of `reviews`."""
    from seqtag.classification.task import train
    from seqtag.tasks import load_config

    return train(load_config(reviews / "job.yaml"), reviews / "run").folder


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`refused(code, "train", ...)`: the one line that a command fails with, without its first word."""
    from seqtag.cli import run

    def call(code: int, *arguments: object) -> str:
        assert run([str(argument) for argument in arguments]) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        [line] = captured.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    return call
