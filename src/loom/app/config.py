"""Explain settings: every layer's value, and which one wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from loom.settings.layers import Settings, load_settings
from loom.settings.model import SETTINGS


def explain_settings(workspace: Path, environ: Mapping[str, str], key: str | None) -> str:
    """One setting in full, or all of them in a line each."""
    settings = load_settings(workspace, environ, {})
    if key is not None:
        return _in_full(settings, key)
    return "\n".join(_in_a_line(settings, name) for name in SETTINGS)
