"""Explain settings: every layer's value, and which one wins."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path

from loom.settings.layers import Settings, environment_name, load_settings
from loom.settings.model import SETTINGS, Value

WIDTH = 88


def explain_settings(workspace: Path, environ: Mapping[str, str], key: str | None) -> str:
    """One setting in full, or all of them in a line each."""
    settings = load_settings(workspace, environ, {})
    if key is not None:
        return _in_full(settings, key)
    return "\n".join(_in_a_line(settings, name) for name in SETTINGS)


def complete_keys(incomplete: str) -> list[tuple[str, str]]:
    """Settings whose key starts like this, with what they do."""
    return [(key, setting.description) for key, setting in SETTINGS.items() if key.startswith(incomplete)]


def _in_full(settings: Settings, key: str) -> str:
    """What a setting does, what each layer says, the winner marked, and how to set it."""
    layers = settings.explain(key)
    setting = SETTINGS[key]
    lines = [f"{key} = {_written(settings.get(key))}", "", *textwrap.wrap(setting.description, WIDTH), ""]
    width = max(len(layer.name) for layer in layers)
    for layer in layers:
        place = "" if layer.where == layer.name else f"  ({layer.where})"
        lines.append(f"{'>' if layer.wins else ' '} {layer.name:<{width}}  {_written(layer.value)}{place}")
    table, _, name = key.rpartition(".")
    lines += ["", f"set it: `{name} = ...` below [{table}] in loom.toml, or {environment_name(key)}=..."]
    return "\n".join(lines)


def _in_a_line(settings: Settings, key: str) -> str:
    """The value that counts, and the place it comes from."""
    return f"{key} = {_shortened(_written(settings.get(key)))}  ({settings.explain(key)[-1].where})"


def _written(value: Value) -> str:
    """A value as loom.toml would hold it."""
    return json.dumps(value, ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= WIDTH // 2 else text[: WIDTH // 2 - 1].rstrip() + "…"
