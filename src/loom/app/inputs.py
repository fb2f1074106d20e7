"""From what somebody typed to the values of a verb's inputs, or an error that names the input."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loom.core.durations import seconds_of
from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.kernel.ids import parse_pathspec
from loom.process.spec.verb import Input

_FLAGS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def read_inputs(
    given: Mapping[str, Any], declared: Mapping[str, Input], *, process: str, folder: Path
) -> dict[str, Any]:
    """Every declared input with its value; absent ones are None, absent flags are off."""
    for name in given:
        if name not in declared:
            raise _unknown(name, declared, process)
    values: dict[str, Any] = {}
    for name, declaration in declared.items():
        value = given.get(name)
        if value is None or value == () or value == []:
            value = declaration.default
        if value is None:
            if declaration.required:
                raise _missing(name, declaration, process)
            values[name] = False if declaration.type == "flag" else None
            continue
        values[name] = _typed(name, value, declaration, folder)
    return values


def _typed(name: str, value: Any, declaration: Input, folder: Path) -> Any:
    if not declaration.repeat:
        return _single(name, value, declaration, folder)
    several = value if isinstance(value, list | tuple) else [value]
    found = [_single(name, each, declaration, folder) for each in several]
    return [each for part in found for each in part] if declaration.type == "columns" else found


def _single(name: str, value: Any, declaration: Input, folder: Path) -> Any:
    kind = declaration.type
    if kind == "columns":
        return _columns(name, value)
    if kind == "flag":
        found = value if isinstance(value, bool) else _FLAGS.get(str(value).lower())
        if found is None:
            raise _wrong(name, value, "it is true or false", "true")
        return found
    if kind in ("integer", "number"):
        return _number(name, value, kind)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise _wrong(name, value, "it takes text, and the text is not empty", "TEXT")
    if kind == "choice" and value not in declaration.choices:
        meant = suggest(value, declaration.choices)
        choices = ", ".join(declaration.choices)
        raise _wrong(name, value, f"it is one of {choices}", meant or declaration.choices[0])
    if kind == "pathspec":
        return str(parse_pathspec(value))
    if kind == "duration" and seconds_of(value) is None:
        raise _wrong(name, value, "it is a number and a unit: s, m, h or d", "5m")
    if kind == "path":
        return str((folder / Path(value).expanduser()).absolute())
    return value


def _columns(name: str, value: Any) -> list[str]:
    several = value if isinstance(value, list | tuple) else str(value).split(",")
    names = [str(each).strip() for each in several]
    if not names or not all(names):
        raise _wrong(name, value, "it is names of columns, with commas between them", "COL,COL")
    return names


def _number(name: str, value: Any, kind: str) -> int | float:
    if not isinstance(value, bool):
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        whole = kind == "integer"
        if math.isfinite(found) and (not whole or found == int(found)):
            return (
                int(value)
                if whole and isinstance(value, str) and value.strip("+-").isdigit()
                else (int(found) if whole else found)
            )
    raise _wrong(name, value, f"it is {'a whole number' if kind == 'integer' else 'a number'}", "1")


def _flag(name: str) -> str:
    return f"--{name}"


def _wrong(name: str, value: Any, why: str, example: str) -> LoomError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return LoomError(f"{_flag(name)} cannot be {shown}", why, f"{_flag(name)} {shlex.quote(example)}")


def _unknown(name: str, declared: Mapping[str, Input], process: str) -> LoomError:
    meant = suggest(name, declared)
    known = ", ".join(declared) or "none at all"
    why = f"did you mean `{meant}`? " if meant else ""
    return LoomError(
        f"{process} has no input `{name}`",
        f"{why}its inputs are {known}",
        f"loom process show {shlex.quote(process)}",
    )


def _missing(name: str, declaration: Input, process: str) -> LoomError:
    what = declaration.help or f"{process} cannot go without it"
    how = name.upper() if declaration.positional else f"{_flag(name)} {declaration.type.upper()}"
    return LoomError(f"{process} needs {name}", what, f"loom {process} {how}")
