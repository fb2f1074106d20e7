"""Runs as they are seen when they are over, made up."""

from __future__ import annotations

from typing import Any

from loom.app.package_tests.place import Seen
from loom.app.package_tests.pool import Ended
from loom.process.check import check_text
from loom.process.package import Package
from loom.runtime.outcome import PhaseOutcome, PhaseStatus
from loom.runtime.state import Reason

HEAD = "name: small\nschema_version: 2\nrisk_level: low\nphase_mode: strict\n"


def package_of(text: str) -> Package:
    """A declaration without its folder."""
    checked = check_text((HEAD + text).encode(), "process.yaml", warnings=False)
    assert checked.package is not None
    assert not checked.report.errors, checked.report.diagnostics
    return checked.package


def phase(name: str, status: PhaseStatus = "accepted", *codes: str, **more: Any) -> dict[str, Any]:
    """How a phase ended."""
    reasons = tuple(Reason(code, f"{name} is not good") for code in codes)
    ran = status not in ("blocked", "skipped")
    return PhaseOutcome(name, status, reasons=reasons, **{"attempts": int(ran), **more}).as_json()


def seen(*phases: dict[str, Any], ended: str = "ok", verdict: str = "OK", **more: Any) -> Seen:
    """A run with these phases."""
    texts, events, fired = more.pop("texts", {}), more.pop("events", ()), more.pop("fired", frozenset())
    envelope = {
        "ended": ended,
        "VERDICT": verdict,
        "is_acceptable": verdict == "OK",
        "phases": list(phases),
        "reasons": [],
        "summary": None,
        "error": None,
        "run": None,
        **more,
    }
    return Seen(Ended(0), envelope, events=tuple(events), fired=fired, texts=texts)
