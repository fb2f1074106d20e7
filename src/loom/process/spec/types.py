"""The small vocabulary the models are written in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, Strict
from pydantic_core import PydanticCustomError

T = TypeVar("T")

# strict models take no list for a tuple; YAML has only lists
Seq = Annotated[tuple[T, ...], Strict(False)]

Tier = Literal["read-only", "workspace-write", "expensive", "irreversible"]
Operator = Literal["gte", "lte", "gt", "lt", "eq", "ne", "contains", "not_contains", "matches"]
Severity = Literal["error", "warning"]
Capability = Literal[
    "artifact_static", "command_execution", "service_runtime", "browser_runtime", "report_rendering"
]

KEBAB = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
TIERS: tuple[Tier, ...] = ("read-only", "workspace-write", "expensive", "irreversible")


def refuse(code: str, message: str, detail: str = "", fix: str = "") -> NoReturn:
    """Reject a value with a diagnostic of its own instead of pydantic's general one."""
    raise PydanticCustomError(code, "{message}", {"message": message, "detail": detail, "fix": fix})


def _not_blank(value: str) -> str:
    if value.strip():
        return value
    refuse(
        "LM209", "the text is empty", "only white space is written here", "write it out, or remove the key"
    )


def _kebab(value: str) -> str:
    if KEBAB.match(value):
        return value
    refuse("LM208", "the id is not kebab-case", f"`{value}`", "use lowercase letters, digits and hyphens")


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _comparable(value: Any) -> Any:
    if value is None or isinstance(value, dict):
        refuse(
            "LM203",
            "wrong type",
            "expected a number, text, true/false or a list of those",
            "write one value to compare with",
        )
    return value


def _argv(value: Any) -> Any:
    return split_command(value) if isinstance(value, str) else value


def split_command(command: str) -> list[str]:
    """Tokens of a command line, split as a shell would; left whole when the quotes do not match."""
    try:
        return shlex.split(command) or [command]
    except ValueError:
        return [command]


def synonyms(names: dict[str, str]) -> Callable[[Any], Any]:
    """A validator that maps accepted spellings to the one the models use."""
    return lambda value: names.get(value, value) if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_not_blank)]
Kebab = Annotated[str, AfterValidator(_kebab), Field(json_schema_extra={"pattern": "^[a-z0-9][a-z0-9-]*$"})]
Ratio = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
PhaseNames = Annotated[Seq[Text], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])]
Argv = Annotated[Seq[Text], BeforeValidator(_argv, json_schema_input_type=str | list[str])]
Comparable = Annotated[JsonValue, AfterValidator(_comparable)]
FreeMapping = dict[str, JsonValue]
