"""YAML as configurations need it: plain values alone, each key once, numbers as they look.

PyYAML's parser gives the events; what they mean is decided here, since its own reading is of YAML 1.1: `010` would be
8, `1:30` would be 90, `1e-3` a text, `2024-13-45` an error of Python's, and a few lines of aliases gigabytes of lists.
The numbers and words here are those of YAML 1.2; all else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, NoReturn

import yaml

from seqtag.errors import shown

DEEPEST = 16
_LINE_ENDS = set("\x85\u2028\u2029")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE = re.compile(r"[-+]?\d+|0x[\da-fA-F]+|0o[0-7]+")
_DECIMAL = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class YAMLFault(ValueError):
    """A text is no YAML, or more than plain values.

    Attributes:
        line: the 1-based number of the line.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_yaml(text: str) -> Any:
    """The value of a YAML text: dicts with text as keys, lists, text, numbers, booleans, None.

    Raises:
        YAMLFault: there are several documents, aliases, anchors, tags, a key twice or one that is no text, numbers that
            are not finite or need more than 64 bits, a nesting deeper than `DEEPEST`; or it is no YAML.

    >>> read_yaml("model: {units: 010, cell: gru}\\nsince: 2024-13-45")
    {'model': {'units': 10, 'cell': 'gru'}, 'since': '2024-13-45'}
    >>> read_yaml("units: 1\\nunits: 2")
    Traceback (most recent call last):
    seqtag.config.yaml_text.YAMLFault: expected each key once, found 'units' again
    """
    try:
        loader = yaml.SafeLoader(text)
        return _document(iter(loader.get_event, None))
    except YAMLFault:
        raise
    except (ValueError, OverflowError) as error:  # of a number in an escape or a directive, which PyYAML reads
        raise YAMLFault(f"expected YAML, found a fault: {error}", loader.line + 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise YAMLFault(f"expected YAML, found a fault: {error.problem or 'of syntax'}", line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YAMLFault(f"expected YAML, found the character {shown(text[error.position])}", line) from None


def write_yaml(values: Any) -> str:
    """Values as YAML, which `read_yaml` and readers of YAML 1.1 read as the same values."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Quotes text that is a number here, such as `1e5`; what is more than text in YAML 1.1 it quotes already."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Readers fold these line ends into blanks unless they are escaped, which only double quotes allow.
    style = '"' if _LINE_ENDS.intersection(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{_WHOLE.pattern}|{_DECIMAL.pattern})$"), None)


def _document(events: Iterator[yaml.Event]) -> Any:
    value = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            value = _value(next(events), events, 0)
        elif isinstance(event, yaml.DocumentEndEvent):
            break
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            _refuse(event, "one document", "a second one")
    return value


def _value(event: Any, events: Iterator[yaml.Event], depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent):
        _refuse(event, "YAML of plain values", f"the alias *{event.anchor}")
    if event.anchor is not None:
        _refuse(event, "YAML of plain values", f"the anchor &{event.anchor}")
    if event.tag is not None:
        _refuse(event, "YAML of plain values", f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')}")
    if depth > DEEPEST:
        _refuse(event, f"at most {DEEPEST} levels", "more")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event) if event.implicit[0] else _text(event)
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(item, events, depth + 1) for item in _until(yaml.SequenceEndEvent, events)]
    return _mapping(events, depth)


def _until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    """The events up to the end of a collection; who takes one takes the others of its value from `events`."""
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in _until(yaml.MappingEndEvent, events):
        key = _value(event, events, depth + 1)
        if not isinstance(key, str):
            _refuse(event, "a name as key", shown(key))
        if key in found:
            _refuse(event, "each key once", f"{shown(key)} again")
        found[key] = _value(next(events), events, depth + 1)
    return found


def _scalar(event: yaml.ScalarEvent) -> Any:
    """The value of text without quotes."""
    text = event.value
    word = text if text in (text.lower(), text.upper(), text.capitalize()) else None
    if word is not None and word.lower() in _WORDS:
        return _WORDS[word.lower()]
    if _WHOLE.fullmatch(text):
        return _whole(event)
    if _DECIMAL.fullmatch(text):
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return number if isfinite(number) else _refuse(event, "a finite number", shown(text))
    return _text(event)


def _whole(event: yaml.ScalarEvent) -> int:
    text = event.value
    # Python refuses to read very many digits.
    number = int(text, 0 if text[:2] in ("0x", "0o") else 10) if len(text) < 100 else None
    if number is None or not -(2**63) <= number < 2**63:
        _refuse(event, "a whole number of at most 64 bits", shown(text))
    return number


def _text(event: yaml.ScalarEvent) -> str:
    """Text as it stands; escaped halves of surrogate pairs are put together, as JSON writes them."""
    text = event.value
    try:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        _refuse(event, "text", f"half of a surrogate pair in {shown(text)}")
    return text if "\0" not in text else _refuse(event, "text", f"a NUL character in {shown(text)}")


def _refuse(event: Any, expected: str, found: str) -> NoReturn:
    raise YAMLFault(f"expected {expected}, found {found}", event.start_mark.line + 1)
