"""docs/reference/rules.md: every rule of the checker, with both of its examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from loom.app.reference.markdown import fence, link, page, table
from loom.process.lint import RULES, Rule

FAMILIES = {
    "LM1": "Reading the file",
    "LM2": "Keys, types and choices",
    "LM3": "Phases, deliverables and references",
    "LM4": "Policy floors",
    "LM5": "Loops and gates",
    "LM6": "Verification",
    "LM7": "Tools, credentials and verbs",
    "LM8": "Tests of the package",
    "LM9": "Advice",
}
LANGUAGES = {".py": "python", ".md": "markdown", ".yaml": "yaml"}

_INTRODUCTION = """\
`loom process check` prints these codes and `loom explain CODE` prints one of the entries below. A code keeps
its meaning for ever. Errors refuse a package; warnings do not.

An example shows only the keys that matter; imagine a small sound package around it. Where an example has
more than one file, the others carry their name."""
_FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)


def rules_page(_root: Path) -> str:
    """The page, family by family and code by code."""
    return page("Rules", "`src/loom/process/lint/`", _blocks())


def _blocks() -> Iterator[str]:
    yield _INTRODUCTION
    families: dict[str, list[Rule]] = {}
    for code in sorted(RULES):
        families.setdefault(code[:3], []).append(RULES[code])
    headings = {prefix: f"{prefix}xx: {FAMILIES[prefix]}" for prefix in families}
    rows = [(link(headings[prefix]), str(len(rules))) for prefix, rules in families.items()]
    yield table(("family", "rules"), rows)
    for prefix, rules in families.items():
        yield f"## {headings[prefix]}"
        yield table(("code", "message", "severity"), [(link(r.code), r.message, r.severity) for r in rules])
        for rule in rules:
            yield from _entry(rule)


def _entry(rule: Rule) -> Iterator[str]:
    yield f"### {rule.code}"
    yield f"**{rule.message}** ({rule.severity})"
    yield " ".join(rule.why.split())
    yield f"Way out: {rule.fix}."
    yield "Refused:" if rule.severity == "error" else "Reported:"
    yield from _example(rule.failing)
    yield "Accepted:"
    yield from _example(rule.passing)


def _example(fragment: str) -> Iterator[str]:
    """The declaration and each file after it, or the words that stand for what no text can show."""
    if fragment.startswith("("):
        yield fragment
        return
    declaration, *files = _FILE.split(fragment + "\n")
    if declaration.strip():
        yield fence(declaration.rstrip("\n"), "yaml")
    for name, text in zip(files[::2], files[1::2], strict=True):
        yield f"`{name}`:"
        yield fence(text.rstrip("\n"), LANGUAGES.get(Path(name).suffix, "text"))
