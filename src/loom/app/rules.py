"""Explain one rule of the checker."""

from __future__ import annotations

import textwrap

from loom.kernel.diagnostics import suggest
from loom.kernel.errors import LoomError
from loom.process.lint import RULES


def complete_codes(incomplete: str) -> list[tuple[str, str]]:
    """Codes that start like this, with their headlines."""
    return [(code, rule.message) for code, rule in RULES.items() if code.startswith(incomplete.upper())]


def explain_rule(code: str) -> str:
    """Why a rule exists, an example that breaks it and one that keeps it."""
    typed = code.strip().upper()
    typed = f"LM{typed}" if typed.isdecimal() else typed
    rule = RULES.get(typed)
    if rule is None:
        meant = suggest(typed, RULES)
        raise LoomError(
            f"no rule has the code {code}",
            "codes look like LM301; `loom process check` prints them",
            f"loom explain {meant or 'LM301'}",
        )
    lines = [
        f"{rule.code}: {rule.message} ({rule.severity})",
        "",
        *textwrap.wrap(" ".join(rule.why.split()), 88),
        "",
    ]
    lines += [
        "Refused:" if rule.severity == "error" else "Reported:",
        "",
        textwrap.indent(rule.failing, "    "),
        "",
    ]
    lines += ["Accepted:", "", textwrap.indent(rule.passing, "    "), "", f"Way out: {rule.fix}"]
    return "\n".join(lines)
