"""The manifest: every part of a deployment by its digest. The same parts give the same manifest, and one digest."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from typing import Any

import loom
from loom.core.index import RunFacts
from loom.kernel.ids import digest_json
from loom.science.serving.bundle import bundle, digest_of, needs
from loom.science.serving.model import Served
from loom.science.serving.model_card import model_card
from loom.tools.registry import ToolContext

from ._parts import lineage_of, metrics_of
from ._target import Target
from ._validation import model_of

FORMAT = 1
_AROUND = ("bundle", "target")
"""What is no part of the bundle itself: where it goes, and its own digest."""


def content_of(
    evidence: Mapping[str, Any], facts: RunFacts, served: Served, target: Target, goal: str
) -> dict[str, Any]:
    """What the bundle says of itself."""
    summary = facts.summary
    notes = [{key: each.get(key) for key in ("code", "severity", "what", "column")} for each in facts.reasons]
    holdout = summary["holdout"]
    return {
        "format": FORMAT,
        "name": evidence["data"][-1]["name"],
        "purpose": goal,
        "model": evidence["model"],
        "transformer": evidence["features"],
        "data": list(reversed(evidence["data"])),
        "holdout": {"digest": holdout["digest"], "rows": holdout["n"], "openings": holdout.get("openings")},
        "lineage": list(lineage_of(evidence)),
        "metrics": list(metrics_of(summary)),
        "validation": {"ref": evidence["validation"], "verdict": evidence["verdict"], "reasons": notes},
        "floor": evidence["floor"],
        "versions": {
            "loom": loom.__version__,
            "python": ".".join(platform.python_version_tuple()[:2]),
            "libraries": needs(served, target.form),
        },
    }


def files_of(
    content: Mapping[str, Any], summary: Mapping[str, Any], served: Served, target: Target
) -> dict[str, bytes]:
    """The files of the bundle, by name."""
    return bundle(served, model_card(content, summary), content, target.form)


def manifest_of(content: Mapping[str, Any], files: Mapping[str, bytes], target: Target) -> dict[str, Any]:
    """The whole manifest: what is deployed, as which files, and where to."""
    listed = [
        {"path": name, "sha256": hashlib.sha256(held).hexdigest(), "bytes": len(held)}
        for name, held in sorted(files.items())
    ]
    return {
        **content,
        "bundle": {"digest": digest_of(files), "files": listed},
        "target": {"form": target.form, "path": str(target.folder)},
    }


def digest_of_plan(manifest: Mapping[str, Any]) -> str:
    """The digest that somebody agrees to: it covers every file and the place."""
    return digest_json(manifest)


def made_again(manifest: Mapping[str, Any], target: Target, ctx: ToolContext) -> dict[str, bytes]:
    """The files that a manifest names, made anew from what it refers to."""
    content = {name: value for name, value in manifest.items() if name not in _AROUND}
    facts: RunFacts = ctx.services["runs"].run(manifest["validation"]["ref"])
    return files_of(content, facts.summary, model_of(manifest["model"]["ref"], ctx), target)
