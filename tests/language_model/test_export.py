"""The SavedModel: it gives the model's own answers without seqtag and Keras."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from seqtag.language_model.data.texts import Texts
from seqtag.language_model.export import export_saved_model
from seqtag.language_model.generation import Generation
from seqtag.language_model.network.cache import Cache

TEXTS = ["the cat", "", "a dog sat on the mat.", "x"]
KINDS = {
    "characters": {},
    "lines": {"documents": "lines", "cell": "gru", "layers": 2},
    "words": {"symbols": "words", "cutoffs": (3, 6), "cache": Cache(4, 0.2, 0.5)},
    "window": {"cell": "window", "context": 3},
}


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def both(request, random_model, tmp_path_factory):
    model = random_model(**request.param)
    path = tmp_path_factory.mktemp("exported") / "model"
    export_saved_model(model, path)
    return model, tf.saved_model.load(str(path)).signatures


@pytest.mark.filterwarnings("ignore::seqtag.errors.DataWarning")
def test_scores_are_those_of_the_model(both):
    model, signatures = both
    found = signatures["score"](tf.constant(TEXTS))
    ends = model.has_ends
    for number, text in enumerate(TEXTS):
        length = int(found["lengths"][number])
        if not text and not ends:
            assert length == 0
            continue
        [scored] = model.score(Texts([text], ends))
        assert length == len(scored.symbols)
        np.testing.assert_allclose(found["log_probability"][number, :length], scored.log_probabilities, atol=1e-5)
        assert [s.decode() for s in found["symbols"][number, :length].numpy()] == scored.symbols
        assert not found["log_probability"][number, length:].numpy().any()


@pytest.mark.filterwarnings("ignore::seqtag.errors.DataWarning")
def test_texts_are_those_of_the_model(both):
    model, signatures = both
    for how in (Generation(length=12, seed=4), Generation(length=5, temperature=0.5, top_k=3, top_p=0.9)):
        for prompt in ("the ca", ""):
            limits = {"temperature": how.temperature, "top_p": how.top_p or 1.0}
            found = signatures["generate"](
                prompt=tf.constant([prompt]),
                length=tf.constant(how.length),
                top_k=tf.constant(how.top_k or 0),
                seed=tf.constant(how.seed, tf.int64),
                **{name: tf.constant(value, tf.float32) for name, value in limits.items()},
            )
            assert found["text"].numpy()[0].decode() == model.generate(prompt, how)


def test_no_text_at_all_has_no_scores(both):
    found = both[1]["serving_default"](tf.constant([], tf.string))
    assert found["lengths"].shape == (0,)


def test_a_process_without_seqtag_and_keras_reads_it(random_model, tmp_path):
    export_saved_model(random_model(), tmp_path / "model")
    program = (
        "import sys, tensorflow as tf; sys.modules['seqtag'] = sys.modules['keras'] = None;"
        f"found = tf.saved_model.load({str(tmp_path / 'model')!r}).signatures['score'](tf.constant(['cat']));"
        "print(found['lengths'].numpy().tolist())"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[3]"]
