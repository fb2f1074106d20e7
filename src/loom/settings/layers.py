"""Defaults < user file < workspace file < environment < flags: who sets a value, and who wins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.settings.model import SETTINGS, Kind, Setting, Value
from loom.settings.toml import read_toml

FILE_NAME = "loom.toml"
PREFIX = "LOOM_"

_TAKES: dict[Kind, str] = {
    "flag": "true or false",
    "integer": "a whole number, 0 or more",
    "text": "text",
    "texts": "a list of texts",
}
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
_TABLES = frozenset(key.rpartition(".")[0] for key in SETTINGS)
_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_INTEGER = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that sets a value; of all that do, the last one wins."""

    name: str
    where: str
    value: Value
    wins: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The value of every setting, and everything that was said about it."""

    layers: Mapping[str, tuple[Layer, ...]]

    def get(self, key: str) -> Value:
        """The value that counts."""
        return self.explain(key)[-1].value

    def explain(self, key: str) -> tuple[Layer, ...]:
        """Every layer that sets this key, the one that wins last."""
        if key not in self.layers:
            raise _unknown(f"no setting is called `{key}`", "nothing has that key", key, SETTINGS)
        return self.layers[key]


def loom_home(environ: Mapping[str, str]) -> Path:
    """The folder of a user's own files: $LOOM_HOME, otherwise ~/.loom."""
    written = environ.get("LOOM_HOME") or "~/.loom"
    if written != "~" and not written.startswith("~/"):
        return Path(written).absolute()
    try:
        home = Path(environ.get("HOME") or Path.home())
    except RuntimeError:
        why = "neither HOME nor LOOM_HOME names one"
        raise LoomError("there is no home folder", why, "export LOOM_HOME=DIR") from None
    return (home / written[2:]).absolute()


def load_settings(workspace: Path, environ: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """Read every layer; an unknown key or a value of the wrong type is a LoomError that names its place."""
    found = {key: [Layer("default", "default", setting.default)] for key, setting in SETTINGS.items()}
    for key, layer in (
        *_file_layers("user", loom_home(environ) / FILE_NAME),
        *_file_layers("workspace", workspace / FILE_NAME),
        *_environment_layers(environ),
        *_flag_layers(flags),
    ):
        found[key].append(layer)
    return Settings({key: (*layers[:-1], replace(layers[-1], wins=True)) for key, layers in found.items()})


def default_settings() -> Settings:
    """Every setting at its default: for what must work although a settings file is broken."""
    return Settings(
        {key: (Layer("default", "default", each.default, True),) for key, each in SETTINGS.items()}
    )


def environment_name(key: str) -> str:
    """The environment variable that sets a key: `models.tier1` is LOOM_MODELS__TIER1."""
    return PREFIX + key.upper().replace(".", "__")


def _file_layers(name: str, path: Path) -> Iterator[tuple[str, Layer]]:
    file = read_toml(path)
    if file is None:
        return
    for parts, value in _leaves(file.data):
        key, where = _written(parts), file.where(parts)
        if key not in SETTINGS:
            raise _not_a_setting(key, where)
        yield key, Layer(name, where, _typed(SETTINGS[key], value, where))


def _leaves(data: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with its path; a table is entered only when a setting lies beneath it."""
    pending: list[tuple[tuple[str, ...], Any]] = [((key,), value) for key, value in reversed(data.items())]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict) and _written(path) in _TABLES:
            pending.extend(((*path, key), inner) for key, inner in reversed(value.items()))
        else:
            yield path, value


def _written(parts: tuple[str, ...]) -> str:
    """A key path as TOML writes it: a part that holds a dot keeps its quotes, and is no setting."""
    return ".".join(part if _BARE.match(part) else json.dumps(part) for part in parts)


def _not_a_setting(key: str, where: str) -> LoomError:
    if key in _TABLES:
        why = "it holds settings and is none itself"
        return LoomError(f"{where}: `{key}` must be a table", why, f"write [{key}] on a line of its own")
    known = (*SETTINGS, *_TABLES)
    return _unknown(f"{where}: unknown setting `{key}`", "nothing in Loom reads that key", key, known)


def _environment_layers(environ: Mapping[str, str]) -> Iterator[tuple[str, Layer]]:
    keys = {environment_name(key): key for key in SETTINGS}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        if variable not in keys:
            raise _unknown(
                f"unknown setting in the environment: {variable}", "no setting has that name", variable, keys
            )
        where = f"environment {variable}"
        setting = SETTINGS[keys[variable]]
        yield setting.key, Layer("environment", where, _parsed(setting, environ[variable], where))


def _flag_layers(flags: Mapping[str, object]) -> Iterator[tuple[str, Layer]]:
    for key, value in flags.items():
        if value is None:
            continue  # the flag was not given
        if key not in SETTINGS:
            raise _unknown(
                f"unknown setting `{key}` on the command line", "no setting has that key", key, SETTINGS
            )
        setting, where = SETTINGS[key], "command line"
        read = _parsed(setting, value, where) if isinstance(value, str) else _typed(setting, value, where)
        yield key, Layer("flags", where, read)


def _typed(setting: Setting, value: object, where: str) -> Value:
    """A value that already has a type: it must be the setting's."""
    kind = setting.kind
    if kind == "flag" and isinstance(value, bool):
        return value
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if kind == "text" and isinstance(value, str):
        return value
    if kind == "texts" and isinstance(value, list | tuple):
        texts = tuple(item for item in value if isinstance(item, str) and item.strip())
        if len(texts) == len(value):
            return texts
    raise _wrong(setting, value, where)


def _parsed(setting: Setting, written: str, where: str) -> Value:
    """A value that arrives as text, read by the setting's type."""
    text = written.strip()
    match setting.kind:
        case "flag" if text.lower() in _FLAGS:
            return _FLAGS[text.lower()]
        case "integer" if _INTEGER.match(text):
            return int(text)
        case "text" if written.isprintable():
            return text
        case "texts" if text.startswith("["):
            try:
                return _typed(setting, json.loads(text), where)
            except (ValueError, RecursionError):
                raise _wrong(setting, written, where) from None
        case "texts" if written.isprintable():
            return tuple(item.strip() for item in text.split(",") if item.strip())
    raise _wrong(setting, written, where)


def _wrong(setting: Setting, value: object, where: str) -> LoomError:
    shown = ascii(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    default = setting.default[:2] if isinstance(setting.default, tuple) else setting.default
    why = f"it takes {_TAKES[setting.kind]}, not {shown}"
    return LoomError(
        f"{where}: wrong type for `{setting.key}`", why, f"write, for example: {json.dumps(default)}"
    )


def _unknown(what: str, why: str, written: str, names: Iterable[str]) -> LoomError:
    near = suggest(written, names)
    return LoomError(
        what, why, f"did you mean `{near}`?" if near else "see every setting: loom config explain"
    )
