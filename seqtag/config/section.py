"""Sections of a configuration as closed pydantic models, whose errors are one line that names the dotted key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seqtag.errors import ConfigError, did_you_mean, shown

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1, lt=2**31)]
AboveZero = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Cell = Literal["simple_rnn", "peephole_lstm", "lstm", "gru"]


class Section(BaseModel):
    """A block of the configuration: immutable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FilesConfig(Section):
    """The keys that every `data` section has."""

    root: str | None = Field(None, description="folder that relative paths start from; SEQTAG_DATA unless set")


class TaskConfig(Section):
    """The top of every task's configuration."""

    task: str = Field(description="the name of the task")
    seed: Seed = Field(1, description="decides every random draw of a run; the option --seed sets it")
    data: FilesConfig = FilesConfig()


S = TypeVar("S", bound=Section)


def validate_section(section: type[S], values: Any, source: str) -> S:
    """Checks the values of one section.

    Raises:
        ConfigError: a value is wrong; the message begins with `source` and the dotted key, its `reason` does not.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        location = [str(part) for part in problem["loc"]]
        reason = _reason(section, problem, location)
        raise ConfigError(f"{source}: {'.'.join(location) or 'config'}: {reason}", reason=reason) from None


def _reason(section: type[BaseModel], problem: Mapping[str, Any], location: list[str]) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return f"unknown key{_nearest(section, location)}"
        case "missing":
            return "expected a value, found none"
        case "value_error" if "found" in str(problem["ctx"]["error"]):
            return str(problem["ctx"]["error"])
        case _:
            message = problem["msg"][0].lower() + problem["msg"][1:]
            return f"{message}, found {shown(problem.get('input'))}"


def _nearest(section: type[BaseModel], location: list[str]) -> str:
    for name in location[:-1]:
        annotation = section.model_fields[name].annotation if name in section.model_fields else None
        candidates = [annotation, *get_args(annotation)]
        section = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return did_you_mean(location[-1], section.model_fields, "known keys")
