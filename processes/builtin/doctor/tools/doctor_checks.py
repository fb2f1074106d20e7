"""Try every part of the surroundings, and say of each whether it will do and what mends it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from loom.tools.registry import Effect, Tool, ToolContext, ToolResult

from ._engine import configuration, datastore, metadata, metaflow
from ._finding import Check, Finding, verdict_of
from ._loom import addons, home, journal, leftovers, model, required_addon, runs, secrets, settings
from ._machine import clock, cores, disk, encoding, installation, python, sandbox

CHECKS: tuple[tuple[str, Check, tuple[str, ...]], ...] = (
    ("python", python, ("python",)),
    ("loom", installation, ("installation",)),
    ("settings", settings, ("settings",)),
    ("home", home, ("home",)),
    ("disk", disk, ("disk", "metaflow")),
    ("metaflow", metaflow, ("metaflow", "configuration")),
    ("metaflow-config", configuration, ("configuration", "metaflow")),
    ("datastore", datastore, ("metaflow",)),
    ("metadata", metadata, ("metaflow",)),
    ("journal", journal, ("journal",)),
    ("runs", runs, ("journal",)),
    ("sandbox", sandbox, ("sandbox",)),
    ("model", model, ("model",)),
    ("addons", addons, ("addons",)),
    ("modes", secrets, ("secrets",)),
    ("leftovers", leftovers, ("leftovers",)),
    ("clock", clock, ("clock",)),
    ("cores", cores, ("cores",)),
    ("encoding", encoding, ("encoding",)),
)
"""Each check by name, and the facts it judges by."""

REINSTALL = "pip install --force-reinstall loom"


class DoctorChecks(Tool):
    """Asks for every fact at once, judges each by itself, and never gives up half-way."""

    name = "doctor_checks"
    description = (
        "Check the surroundings of Loom: interpreter, Metaflow with its datastore and metadata, home folder, "
        "sandbox, model provider, addons. Each check says what was found and the one command that mends it."
    )
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "fix": {"type": ["boolean", "null"], "description": "Mend first what can be mended safely."},
            "require_addon": {"type": ["string", "null"], "description": "An addon that has to be there."},
        },
        "additionalProperties": False,
    }
    # the programs it starts are Loom's own, and take back whatever they try
    effects: frozenset[Effect] = frozenset({"reads", "writes"})
    timeout_seconds = 100.0

    def effects_of(self, args: Mapping[str, Any]) -> frozenset[Effect]:
        """Only mending changes what stays."""
        return self.effects if args.get("fix") else self.effects - {"writes"}

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        """One finding or more per check, and the worst of them as the verdict."""
        around, fix, addon = ctx.services["surroundings"], bool(args.get("fix")), args.get("require_addon")
        mended = await asyncio.to_thread(around.mend) if fix else {"done": [], "failed": []}
        checks = CHECKS if addon is None else (*CHECKS, ("addon", required_addon, ("addon",)))
        details = {"metaflow": (fix,), "addon": (addon,)}
        facts = {
            name: asyncio.create_task(asyncio.to_thread(_ask, around, name, *details.get(name, ())))
            for name in dict.fromkeys(name for _, _, needed in checks for name in needed)
        }

        async def judged(check: Check, needed: tuple[str, ...]) -> list[Finding]:
            return list(check(*[await facts[name] for name in needed]))

        outcomes = await asyncio.gather(
            *(judged(check, needed) for _, check, needed in checks), return_exceptions=True
        )
        findings = [Finding("fix", "WARN", said, "loom doctor") for said in mended["failed"]]
        for (name, _, _), outcome in zip(checks, outcomes, strict=True):
            findings += [_broken(name, outcome)] if isinstance(outcome, BaseException) else outcome
        done = [*mended["done"], *_removed(facts["metaflow"])]
        verdict = verdict_of(findings)
        lines = [*(f"mended: {said}" for said in done), *(finding.text() for finding in findings)]
        return ToolResult.ok(
            "\n".join([*lines, f"VERDICT: {verdict}"]),
            {"verdict": verdict, "checks": [each.as_data() for each in findings], "mended": done},
        )


def _ask(around: Any, name: str, *details: Any) -> Any:
    return getattr(around, name)(*details)


def _broken(name: str, error: BaseException) -> Finding:
    """A check that fails says something about Loom; its message may hold anything, so it is not shown."""
    return Finding(name, "WARN", f"the check itself failed with {type(error).__name__}", REINSTALL)


def _removed(metaflow: asyncio.Task[Any]) -> list[str]:
    """What was removed from the datastore while it was tried."""
    store = {} if metaflow.exception() else metaflow.result().get("datastore", {})
    return [f"removed {store['removed']} old probes from {store['place']}"] if store.get("removed") else []
