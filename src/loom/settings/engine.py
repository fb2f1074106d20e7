"""Where Metaflow keeps its data: in the place its user has configured, otherwise below Loom's home."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

Kind = Literal["embedded", "yours"]

PREFIX = "METAFLOW_"
CONFIG_FOLDER = Path(__file__).parent / "metaflow"
"""Metaflow's configuration for the embedded engine: only the plugins that a laptop needs."""

_USER_VARIABLES = ("SUDO_USER", "USERNAME", "USER")


def engine_environment(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that keep Metaflow's data below `home`; none when the user has configured Metaflow."""
    if _configured_by_user(environ):
        return {}
    added = {
        "METAFLOW_HOME": str(CONFIG_FOLDER),
        "METAFLOW_DEFAULT_DATASTORE": "local",
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(home),
        # the client's copies of artifacts would otherwise be shared with every user of the machine
        "METAFLOW_CLIENT_CACHE_PATH": str(home / "cache" / "metaflow"),
    }
    if not _names_a_user(environ):
        added["METAFLOW_USER"] = "loom"
    return added


def engine_configuration(home: Path, environ: Mapping[str, str]) -> tuple[Kind, str]:
    """Whose configuration is in force, and what it consists of."""
    found = _configured_by_user(environ)
    if found:
        return "yours", found
    return "embedded", str(home / ".metaflow")


def is_embedded(environ: Mapping[str, str]) -> bool:
    """Whether this environment is one that `engine_environment` has prepared."""
    return environ.get("METAFLOW_HOME") == str(CONFIG_FOLDER)


def engine_root(home: Path, environ: Mapping[str, str]) -> Path | None:
    """The folder that Metaflow has to be started in, so that its client finds the cards; None if any will do."""
    return None if _configured_by_user(environ) else home


def _configured_by_user(environ: Mapping[str, str]) -> str:
    """What of Metaflow's configuration is the user's own, in words; empty when nothing is."""
    # a process that runs inside a run of the embedded engine inherits these variables; they are ours
    if is_embedded(environ):
        return ""
    names = sorted(name for name in environ if name.startswith(PREFIX))
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"environment: {', '.join(names[:3])}{more}"
    try:
        file = Path(environ.get("HOME") or Path.home()) / ".metaflowconfig" / "config.json"
        return str(file) if file.is_file() else ""
    except (OSError, RuntimeError):
        return ""  # what cannot be reached, Metaflow does not read either


def _names_a_user(environ: Mapping[str, str]) -> bool:
    # Metaflow takes the first of these that is set, and refuses to be root
    named = [environ[name] for name in ("METAFLOW_USER", *_USER_VARIABLES) if environ.get(name)]
    return any(name != "root" for name in named)
