"""The configuration reference: a table of the keys of each section, made from the pydantic models at each build.

A line `{{ configuration seqtag.tagging.config.TaggingConfig }}` of a page becomes these tables.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from typing import Any

_MARK = re.compile(r"^\{\{ configuration (\S+)\.(\w+) \}\}$", flags=re.MULTILINE)
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
}
_TYPES = {
    "integer": "integer",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
}

Schema = dict[str, Any]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replaces the marks of a page; MkDocs calls it."""
    return _MARK.sub(lambda mark: tables(getattr(import_module(mark[1]), mark[2])), markdown)


def tables(config: Any) -> str:
    """The top-level keys of a task's configuration, then a table for each section."""
    schema = config.model_json_schema()
    sections = {name: _definition(field, schema) for name, field in schema["properties"].items()}
    top = {name: field for name, field in schema["properties"].items() if sections[name] is None}
    parts = [_table("", top)]
    for name, section in sections.items():
        if section is not None:
            parts += _section(name, section, schema)
    return "\n\n".join(parts)


def _section(name: str, section: Schema, schema: Schema) -> list[str]:
    """A section under its heading, then the sections within it."""
    inner = {key: _definition(field, schema) for key, field in section["properties"].items()}
    parts = [
        f"### `{name}` {{: #{schema['title'].lower()}-{name.replace('.', '-')} }}",
        section["description"].splitlines()[0],
        _table(f"{name}.", {key: field for key, field in section["properties"].items() if inner[key] is None}),
    ]
    for key, within in inner.items():
        if within is not None:
            parts += _section(f"{name}.{key}", within, schema)
    return parts


def _definition(field: Schema, schema: Schema) -> Schema | None:
    """The section that a field refers to; None for a plain key."""
    reference = field.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else None


def _table(prefix: str, fields: dict[str, Schema]) -> str:
    rows = [
        f"| `{prefix}{name}` | {_type(field)} | {_default(field)} | {_meaning(name, field)} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows])


def _meaning(name: str, field: Schema) -> str:
    if "description" not in field:
        raise ValueError(f"expected a description of the key {name!r} in its pydantic model, found none")
    return field["description"].replace("|", "\\|")


def _default(field: Schema) -> str:
    if field.get("default", ...) is None and not any(kind.get("type") == "null" for kind in field.get("anyOf", [])):
        return "[follows from the data](forecasting.md#defaults)"
    return f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else "none: must be given"


def _type(field: Schema) -> str:
    """A JSON schema in words."""
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field["type"] == "array":
        items = field.get("prefixItems") or [field["items"]]
        return f"list of {_type(items[0])}"
    bounds = [text.format(field[key]) for key, text in _BOUNDS.items() if key in field]
    return ", ".join([_TYPES[field["type"]], *bounds])
