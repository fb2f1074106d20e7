"""What may be installed beside Loom, whether it is there, and who asks for it."""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.dataio.connections import Connections
from loom.kernel.errors import LoomError


@dataclass(frozen=True, slots=True)
class Addon:
    """Something that Loom uses where it is there."""

    module: str
    distribution: str
    gives: str
    install: str
    names: tuple[str, ...] = ()
    """Other words for it."""


ADDONS = {
    "browser": Addon(
        "playwright",
        "playwright",
        "checks of pages in a real browser",
        "pip install playwright",
        ("playwright", "chromium"),
    ),
    "duckdb": Addon("duckdb", "duckdb", "DuckDB files as sources", "pip install duckdb"),
    "kubernetes": Addon("kubernetes", "kubernetes", "steps on a cluster", "pip install kubernetes", ("k8s",)),
    "nats": Addon("nats", "nats-py", "workers over NATS", "pip install nats-py", ("nats-py",)),
    "openpyxl": Addon("openpyxl", "openpyxl", "Excel workbooks", "pip install openpyxl", ("excel", "xlsx")),
    "psycopg": Addon(
        "psycopg",
        "psycopg",
        "PostgreSQL as a source",
        'pip install "psycopg[binary]"',
        ("postgres", "postgresql"),
    ),
    "s3": Addon("boto3", "boto3", "a datastore on S3", "pip install boto3", ("boto3",)),
}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SEARCHED = (
    "chromium-*/*/chrome",
    "chromium_headless_shell-*/*/*headless*shell*",
    "chromium-*/*/*/*/Chromium",
)
_GET_BROWSER = "playwright install chromium"
_IMPORT_SECONDS = 20.0


def addons(environ: Mapping[str, str], asked_by: Mapping[str, str]) -> dict[str, Any]:
    """Every addon: whether it is installed, in which version, what it is for, how to get it, who needs it."""
    return {name: {**_look_at(name, environ), "asked_by": asked_by.get(name, "")} for name in ADDONS}


def addon(name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """One addon, by any of its names, tried by importing it where that cannot harm us."""
    known = {other: key for key, each in ADDONS.items() for other in (key, *each.names)}
    key = known.get(name.strip().lower())
    if key is None:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        return {"name": name, "known": sorted(ADDONS), "near": known[near[0]] if near else ""}
    facts = {"name": key, "known": sorted(ADDONS), **_look_at(key, environ)}
    if facts["lacks"]:
        return facts
    problem = _import(ADDONS[key].module, environ)
    return {**facts, "lacks": problem, "installed": not problem}


def asked_for(home: Path | None, settings: Mapping[str, Any]) -> dict[str, str]:
    """Which addons the configuration and the saved connections cannot do without, and which of them it is."""
    asked = {}
    if settings.get("METAFLOW_DEFAULT_DATASTORE") == "s3":
        asked["s3"] = "the Metaflow configuration"
    if any(name.startswith("METAFLOW_KUBERNETES_") for name in settings):
        asked["kubernetes"] = "the Metaflow configuration"
    with suppress(LoomError):  # a file that cannot be read is the matter of whoever opens it
        for saved in Connections(home).saved() if home is not None else ():
            scheme = saved.address.partition(":")[0].lower()
            for name in ("psycopg", "duckdb"):
                if scheme in (name, *ADDONS[name].names):
                    asked[name] = f"the connection `{saved.name}`"
    return asked


def _look_at(name: str, environ: Mapping[str, str]) -> dict[str, Any]:
    found = ADDONS[name]
    lacks, install = "", found.install
    if importlib.util.find_spec(found.module) is None:
        lacks = f"{found.distribution} is not installed"
    elif name == "browser" and not _has_browser(environ):
        lacks, install = "Playwright is there, Chromium is not", _GET_BROWSER
    version = None
    with suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version(found.distribution)
    return {
        "installed": not lacks,
        "lacks": lacks,
        "version": version,
        "gives": found.gives,
        "install": install,
    }


def _has_browser(environ: Mapping[str, str]) -> bool:
    if any(shutil.which(name, path=environ.get("PATH")) for name in _BROWSERS):
        return True
    chosen, home = environ.get("PLAYWRIGHT_BROWSERS_PATH"), environ.get("HOME", "/")
    cache = Path(environ.get("XDG_CACHE_HOME") or Path(home, ".cache"))
    folders = (
        [Path(chosen)] if chosen else [cache / "ms-playwright", Path(home, "Library/Caches/ms-playwright")]
    )
    with suppress(OSError):
        return any(any(folder.glob(pattern)) for folder in folders for pattern in _SEARCHED)
    return False


def _import(module: str, environ: Mapping[str, str]) -> str:
    """Why a module cannot be imported; nothing when it can."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", f"import {module}"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"importing it took more than {_IMPORT_SECONDS:g} s"
    if done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"it cannot be imported: {said[-1][:300] if said else done.returncode}"
