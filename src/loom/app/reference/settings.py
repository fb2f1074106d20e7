"""docs/reference/settings.md: every setting, its default and what it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from loom.app.reference.markdown import page, table
from loom.settings.layers import environment_name
from loom.settings.model import SETTINGS, Kind, Setting

_TYPES: dict[Kind, str] = {
    "flag": "true or false",
    "integer": "whole number, 0 or more",
    "text": "text",
    "texts": "list of texts",
}
_INTRODUCTION = """\
Each place below overrides those before it: the default, `~/.loom/loom.toml`, `loom.toml` in the workspace,
the environment variable, the command line. `loom config explain KEY` shows what each of them says and which
one wins. A variable for a list takes its entries between commas, or a JSON list."""


def settings_page(_root: Path) -> str:
    """The page, one section per table of loom.toml."""
    return page("Settings", "`src/loom/settings/model.py`", _blocks())


def _blocks() -> Iterator[str]:
    yield _INTRODUCTION
    tables: dict[str, list[Setting]] = {}
    for setting in SETTINGS.values():
        tables.setdefault(setting.key.rpartition(".")[0], []).append(setting)
    for name, settings in sorted(tables.items()):
        yield f"## {name}"
        yield table(("key", "what it does", "type", "default", "environment variable"), map(_row, settings))


def _row(setting: Setting) -> tuple[str, ...]:
    variable = f"`{environment_name(setting.key)}`"
    return f"`{setting.key}`", setting.description, _TYPES[setting.kind], _default(setting), variable


def _default(setting: Setting) -> str:
    if isinstance(setting.default, tuple):
        return ", ".join(f"`{item}`" for item in setting.default) or "`[]`"
    return f"`{json.dumps(setting.default)}`"
