"""The run of a language model that a tagger's configuration names.

TensorFlow is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from seqtag.data.text.vocabulary import FIRST_SYMBOL, Vocabulary
from seqtag.errors import ConfigError, RunError
from seqtag.models.language_network.sizes import network_sizes
from seqtag.runs.bundle import load_bundle, load_encoders
from seqtag.runs.reading import as_texts
from seqtag.tagging.config import ModelConfig

if TYPE_CHECKING:
    from seqtag.models.language_network.network import LanguageNetwork

# The name of the runs' task.
TASK = "language_model"
CHARACTERS = "characters"
SPACE = " "


class LanguageModelRun(NamedTuple):
    """What a tagger takes of a language model: its networks, forward first, and its characters."""

    networks: list[LanguageNetwork]
    characters: Vocabulary

    def states_config(self, tuned: bool) -> dict[str, Any]:
        """The arguments of `WordStates`."""
        import keras

        networks = [keras.saving.serialize_keras_object(network) for network in self.networks]
        return {"networks": networks, "space": self.characters.index(SPACE), "tuned": tuned}


def check_language_model(config: ModelConfig) -> None:
    """Checks the run that a configuration names, if it names one; this is quick, since it needs no TensorFlow.

    Raises:
        ConfigError: there is no finished run, it is damaged or of another task, or its symbols are words.
    """
    if config.language_model is not None:
        with _named():
            load_encoders(Path(config.language_model), TASK, lambda encoders: _characters(config, encoders), _sizes)


def load_language_model(config: ModelConfig) -> LanguageModelRun | None:
    """The run that a configuration names, if it names one.

    Raises:
        ConfigError: see `check_language_model`.
    """
    if config.language_model is None:
        return None
    # Keras builds classes that are imported.
    from seqtag.models.language_network.directed import DirectedNetworks

    def built(networks: DirectedNetworks, encoders: dict[str, Any]) -> LanguageModelRun:
        return LanguageModelRun(list(networks.members), _characters(config, encoders))

    with _named():
        return load_bundle(config.language_model, TASK, built, _sizes)


@contextmanager
def _named() -> Iterator[None]:
    """Turns what is wrong with a run into an error about the setting that names it."""
    try:
        yield
    except RunError as error:
        raise ConfigError(f"model.language_model: {error}") from None


def _characters(config: ModelConfig, encoders: dict[str, Any]) -> Vocabulary:
    coder = encoders["coder"]
    if coder["kind"] != CHARACTERS:
        found = f"one of {coder['kind']}, {config.language_model}"
        raise ConfigError(f"model.language_model: expected a run of a language model of characters, found {found}")
    return Vocabulary.from_dict(coder)


def _sizes(networks: dict[str, Any], encoders: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield from network_sizes(networks["members"], FIRST_SYMBOL + len(as_texts(encoders["coder"]["symbols"])))
