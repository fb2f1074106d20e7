"""What a deployment answers: staged, deployed, or blocked, with the command that makes sense next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from loom.core.commands import command
from loom.tools.card import number

from ._gate import reason
from ._page import plan_page
from ._placing import ROLLBACK, Placed

Answer = dict[str, Any]
_SHORT = 16  # what --confirm takes at least


def plan_command(args: Mapping[str, Any], *flags: str, **more: str | None) -> str:
    """The call that stages what these arguments say."""
    asked = {name: args.get(name) for name in ("validate", "solution", "target", "floor")}
    return command("deploy", *flags, **asked, **more)


def staged(args: Mapping[str, Any], manifest: Mapping[str, Any], digest: str, now: str | None) -> Answer:
    """Nothing has changed; this is what would."""
    short = digest.removeprefix("sha256:")[:_SHORT]
    place = manifest["target"]["path"]
    told = {
        "numbers": [number("target", place, note=f"current there: {now or 'nothing yet'}", tone="calm")],
        "facts": {"digest of the plan": digest, "target": place},
    }
    return {
        **_answer(args, manifest, digest, "staged"),
        "verdict": "STAGED",
        "next": [f"{plan_command(args, 'apply')} --confirm {short}"],
        "card": plan_page(manifest, args.get("gates") or (), told),
    }


def deployed(args: Mapping[str, Any], manifest: Mapping[str, Any], digest: str, placed: Placed) -> Answer:
    """It is in place, or was already."""
    place = manifest["target"]["path"]
    back = f"python {shlex.quote(f'{place}/{ROLLBACK}')}" if placed.previous else None
    look = f"python {shlex.quote(f'{place}/current/predict.py')} --help"
    before = f"before: {placed.previous}" if placed.previous else "the first there"
    told = {
        "numbers": [number("version", placed.version, note=before if placed.is_new else "was there already")],
        "facts": {
            "digest of the plan": digest,
            "target": place,
            "current": f"{place}/current",
            "to go back": back or "there is no version before it",
        },
    }
    return {
        **_answer(args, manifest, digest, "deployed"),
        "verdict": "DEPLOYED",
        "version": placed.version,
        "previous": placed.previous,
        "rollback": back,
        "is_new": placed.is_new,
        "next": [look, *([back] if back else [])],
        "card": plan_page(manifest, args.get("gates") or (), told),
    }


def blocked(
    args: Mapping[str, Any], manifest: Mapping[str, Any], digest: str, code: str, what: str, agreed: str
) -> Answer:
    """Nothing has changed, because it is not what somebody agreed to."""
    told = {
        "numbers": [
            number("target", manifest["target"]["path"], note="nothing has changed there", tone="bad")
        ],
        "facts": {"digest of the plan": digest, "agreed to": agreed or "nothing"},
    }
    return {
        **_answer(args, manifest, digest, "staged"),
        "verdict": "BLOCKED",
        "reasons": [reason(code, what, digest, agreed or None)],
        "next": [plan_command(args)],
        "card": plan_page(manifest, args.get("gates") or (), told),
    }


def _answer(args: Mapping[str, Any], manifest: Mapping[str, Any], digest: str, status: str) -> Answer:
    notes = [{**each, "value": None, "threshold": None} for each in manifest["validation"]["reasons"]]
    notes = [{key: value for key, value in each.items() if key != "column" or value} for each in notes]
    return {
        "manifest": dict(manifest),
        "digest": digest,
        "status": status,
        "target": manifest["target"]["path"],
        "reasons": notes,
    }
