"""Schemas that are named rather than written: a model's dotted path, imported only from trusted places.

To import is to run code. So the files that an import would run are found first, without running any of
them, and each has to lie below a trusted folder: where packages are installed, Loom's own, and what the
caller adds. The current folder, PYTHONPATH and the standard library are not among them.
"""

from __future__ import annotations

import importlib
import os
import re
import site
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from pydantic import BaseModel, PydanticUserError

from loom.core.contracts import check_schema
from loom.core.plain import shown
from loom.kernel.errors import LoomError

KEYS = (("input_schema", "input_schema_ref"), ("output_schema", "output_schema_ref"))
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")


class ConfigValidationError(LoomError):
    """A configuration that cannot be used as it is."""


def trusted_folders(trusted_roots: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The folders whose code may run for a schema: installed packages, Loom's own, and the given ones."""
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        installed.append(site.getusersitepackages())
    folders = [*map(Path, installed), Path(__file__).parents[1], *trusted_roots]
    return tuple(dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders))


def resolve_schema_refs(config: dict[str, Any], *, trusted_roots: Sequence[Path] = ()) -> dict[str, Any]:
    """Put the schema of the named model beside each `*_schema_ref`, in the config itself, which is returned.

    A schema that is written out takes precedence, and its reference is not looked at.
    """
    for holder in _holders(config):
        for schema_key, ref_key in KEYS:
            if holder.get(ref_key) is not None and schema_key not in holder:
                holder[schema_key] = _schema_of(holder[ref_key], ref_key, trusted_roots)
    return config


def _holders(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every mapping of a configuration that may name a schema."""
    nested = [config.get(key) for key in ("pipeline_stages", "available_workers")]
    items = [item for found in nested if isinstance(found, list) for item in found]
    return [config, *(item for item in items if isinstance(item, dict))]


def _schema_of(reference: Any, key: str, trusted_roots: Sequence[Path]) -> dict[str, Any]:
    if not isinstance(reference, str) or not _DOTTED.fullmatch(reference):
        raise _refusal(reference, key, "it is not a dotted path", "write package.module.Model")
    module, _, name = reference.rpartition(".")
    _check_trust(module, reference, key, trusted_folders(trusted_roots))
    try:
        found = getattr(importlib.import_module(module), name, None)
    except (ImportError, SyntaxError) as error:
        raise _refusal(
            reference, key, f"importing {module} fails: {error}", f'python -c "import {module}"'
        ) from None
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        why = f"{module} has no pydantic model called {name}"
        raise _refusal(reference, key, why, f'python -c "import {module}; print(dir({module}))"')
    try:
        schema = found.model_json_schema()
    except PydanticUserError as error:
        raise _refusal(
            reference, key, str(error.message), "change the model, or write the schema out"
        ) from None
    complaints = check_schema(schema)
    if complaints:
        raise _refusal(reference, key, complaints[0], "change the model, or write the schema out")
    return schema


def _check_trust(module: str, reference: str, key: str, trusted: Sequence[Path]) -> None:
    """Refuse unless every file that importing a module would run lies below a trusted folder."""
    parts = module.split(".")
    search: Sequence[str] | None = None
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        spec = _find(name, search)
        if spec is None:
            why = f"there is no module {name} among the installed packages"
            raise _refusal(reference, key, why, f"check the name, or install the package that has {parts[0]}")
        search = list(spec.submodule_search_locations or ())
        # a package without a file of its own runs nothing
        if spec.origin is None and search:
            continue
        origin = Path(os.path.realpath(spec.origin)) if spec.has_location and spec.origin else None
        if origin is None or not any(origin.is_relative_to(folder) for folder in trusted):
            why = f"{name} is {origin or 'part of Python itself'}, which is not in a trusted folder"
            raise _refusal(
                reference, key, why, f"install the package that has {parts[0]}, or write the schema out"
            )


def _find(name: str, search: Sequence[str] | None) -> ModuleSpec | None:
    """Where a module would come from; nothing is imported to find out."""
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__spec__ is not None:
        return loaded.__spec__
    return PathFinder.find_spec(name, search)


def _refusal(reference: Any, key: str, why: str, fix: str) -> ConfigValidationError:
    return ConfigValidationError(f"{key} {shown(reference)} cannot be used", why, fix)
