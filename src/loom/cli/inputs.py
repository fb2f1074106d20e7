"""Inputs that are not typed as options: a file of them, and NAME=VALUE words."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from loom.kernel.errors import LoomError

Item = Mapping[str, Any]
"""One input as the catalogue describes it: its name, its type, and whether it repeats."""

MAX_BYTES = 1024 * 1024
NOT_TEXT = ("integer", "number", "flag", "columns")


def read_inputs(path: Path, items: Iterable[Item], command: str) -> dict[str, Any]:
    """The inputs that a YAML, JSON or TOML file gives, by name; a name that is no input is a LoomError."""
    by_name = {item["name"]: item for item in items}
    given: dict[str, Any] = {}
    for written, value in _read(path).items():
        name = _known(str(written), by_name, f"{path}: ", command)
        if name in given:
            raise LoomError(
                f"{path}: `{name}` is given twice",
                "`-` and `_` mean the same in a name",
                f"remove one of them from {path}",
            )
        if value is not None:
            given[name] = value
    return given


def parse_words(words: Sequence[str], items: Iterable[Item], command: str) -> dict[str, Any]:
    """The inputs that NAME=VALUE words give; a name that repeats makes a list where the input takes one."""
    by_name = {item["name"]: item for item in items}
    given: dict[str, Any] = {}
    for word in words:
        written, equals, text = word.partition("=")
        if not equals:
            fix = f"{command} --input {shlex.quote(f'{word}=VALUE')}"
            raise LoomError(f"`{word}` is not an input", "an input is written NAME=VALUE", fix)
        name = _known(written, by_name, "", command)
        value = _typed(by_name[name], text)
        if by_name[name].get("repeat"):
            given.setdefault(name, []).append(value)
        elif name in given:
            raise LoomError(
                f"the input {name} is given twice",
                "it takes one value",
                f"{command} --input {shlex.quote(f'{name}={text}')}",
            )
        else:
            given[name] = value
    return given


def _typed(item: Item, text: str) -> Any:
    """A word as its input means it: JSON where the input is not text, otherwise the text itself."""
    if item["type"] not in NOT_TEXT:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # a column may be called 2024; several may be written as a list
    is_text = isinstance(value, str) or (item["type"] == "columns" and not isinstance(value, list))
    return text if is_text or value is None else value


def _known(written: str, by_name: Mapping[str, Item], place: str, command: str) -> str:
    """The input that is meant; `-` and `_` mean the same."""
    from loom.kernel.diagnostics import suggest

    folded = {name.replace("-", "_"): name for name in by_name}
    name = folded.get(written.replace("-", "_"))
    if name is not None:
        return name
    meant = suggest(written, by_name)
    known = f"the inputs are {', '.join(by_name)}" if by_name else "it takes no inputs"
    why = f"did you mean `{meant}`?" if meant else known
    raise LoomError(f"{place}no input is called `{written}`", why, f"{command} --help")


def _read(path: Path) -> dict[Any, Any]:
    ending = path.suffix.lower()
    read = _toml if ending == ".toml" else _json if ending == ".json" else _yaml
    if not path.exists():
        why = "--config names a YAML, JSON or TOML file of inputs"
        raise LoomError(f"{path} does not exist", why, f"ls {shlex.quote(str(path.parent))}")
    if path.is_dir():
        raise LoomError(
            f"{path} is a folder", "--config names a file of inputs", f"ls {shlex.quote(str(path))}"
        )
    data = read(path)
    if data is None:
        return {}
    if not isinstance(data, dict):
        what = f"{path} holds no inputs"
        raise LoomError(what, "it must hold names and their values", "write `NAME: VALUE`, one per line")
    return data


def _toml(path: Path) -> Any:
    from loom.settings.toml import read_toml

    file = read_toml(path)
    return file.data if file else None


def _json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return json.loads(file.read(MAX_BYTES))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LoomError(f"{path} cannot be read", why, f"ls -l {shlex.quote(str(path))}") from None
    except (ValueError, RecursionError) as error:
        fix = f"python -m json.tool {shlex.quote(str(path))}"
        raise LoomError(f"{path} is not valid JSON", str(error), fix) from None


def _yaml(path: Path) -> Any:
    from loom.kernel.document import read_document

    document, found, _ = read_document(path)
    wrong = next((each for each in found if each.severity == "error"), None)
    if wrong is not None:
        what = f"{path}:{wrong.span.line}:{wrong.span.column}: {wrong.message}"
        raise LoomError(what, wrong.detail or "it is not valid YAML", wrong.fix or f"correct {path}")
    return document.data if document else None
