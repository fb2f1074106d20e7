"""Which packages there are, and one of them at a glance."""

from __future__ import annotations

import json
import shlex
import textwrap
from dataclasses import dataclass
from typing import Any

from loom.kernel.diagnostic_formats import clean
from loom.process.check import check_file
from loom.process.loader import Found, ProcessLoader
from loom.process.plan import plan
from loom.process.resolve import ResolvedProcess
from loom.process.spec.verb import Input


@dataclass(frozen=True, slots=True)
class Listed:
    """A package as the list shows it."""

    found: Found
    version: str
    description: str
    phases: int
    errors: int
    shadowed: bool
    untrusted: bool = False


def list_packages(loader: ProcessLoader) -> list[Listed]:
    """Every package that can be named here; of several with one name, the last one counts."""
    found = list(loader.all())
    by_name: dict[str, list[Found]] = {}
    for item in found:
        by_name.setdefault(item.name, []).append(item)
    refused = {name for name, items in by_name.items() if loader.replaced_without_trust(items)}
    listed = []
    for item in found:
        checked = check_file(item.file)
        spec = checked.package.spec if checked.package else None
        listed.append(
            Listed(
                item,
                spec.version if spec else "?",
                first_sentence(spec.description) if spec else "",
                len(spec.phases) if spec else 0,
                checked.report.errors,
                item is not by_name[item.name][-1],
                item.name in refused and item is by_name[item.name][-1],
            )
        )
    return sorted(listed, key=lambda item: (item.found.name, item.shadowed))


def first_sentence(text: str) -> str:
    """The first sentence of a paragraph."""
    flat = " ".join(text.split())
    end = flat.find(". ")
    return flat if end < 0 else flat[: end + 1]


def list_as_json(packages: list[Listed]) -> dict[str, Any]:
    """The list for machines."""
    return {
        "schema_version": 1,
        "packages": [
            {
                "name": item.found.name,
                "origin": item.found.origin,
                "file": str(item.found.file),
                "version": item.version,
                "description": item.description,
                "phases": item.phases,
                "errors": item.errors,
                "shadowed": item.shadowed,
                "untrusted": item.untrusted,
            }
            for item in packages
        ],
    }


def list_as_text(packages: list[Listed], width: int) -> str:
    """The list for people, one line each."""
    if not packages:
        return "no packages here; `loom process new NAME` starts one"
    name_width = max(len(item.found.name) for item in packages)
    lines = []
    for item in packages:
        note = _note(item)
        head = f"{item.found.name:<{name_width}}  {item.found.origin:<9}  {item.version:<7}  "
        room = max(20, width - len(head) - len(note))
        text = (
            item.description if len(item.description) <= room else item.description[: room - 1].rstrip() + "…"
        )
        lines.append(clean(f"{head}{text}{note}".rstrip()))
    return "\n".join(lines)


def _note(item: Listed) -> str:
    errors = f"{item.errors} error" + ("" if item.errors == 1 else "s")
    notes = ("shadowed", item.shadowed), ("not trusted", item.untrusted), (errors, item.errors)
    said = ", ".join(note for note, applies in notes if applies)
    return f" ({said})" if said else ""


def _mark(item: Input) -> str:
    if item.required:
        return " (required)"
    if item.default is None:
        return ""
    return f" (default {item.default if isinstance(item.default, str) else json.dumps(item.default)})"


def show(resolved: ResolvedProcess, reference: str) -> str:
    """One package at a glance: what it is for, its phases, its inputs and what to type next."""
    spec = resolved.package.spec
    steps = plan(resolved.package).steps
    lines = [f"{spec.name} {spec.version}", "", *textwrap.wrap(" ".join(spec.description.split()), 95), ""]
    lines += [f"risk {resolved.risk} · phases {spec.phase_mode} · {resolved.package.source.name}", ""]
    if spec.verb:
        lines.append(f"loom {spec.verb.command}  ({spec.verb.tier}, model: {spec.verb.model})")
        for name, item in spec.verb.inputs.items():
            name = name.upper() if item.positional else f"--{name.replace('_', '-')}"
            lines.append(f"  {name:<18} {item.help}{_mark(item)}")
        lines.append("")
    width = max(len(step.id) for step in steps)
    for step in steps:
        run = step.phase.run
        by = (
            f"tool {run.tool}"
            if run and run.tool
            else f"process {run.process}"
            if run
            else f"model tier {step.model_tier}"
        )
        after = f"  after {', '.join(step.phase.depends_on)}" if step.phase.depends_on else ""
        lines.append(f"  {step.id:<{width}}  {by}{after}")
    lines += ["", f"next: loom process plan {shlex.quote(reference)}"]
    return "\n".join(map(clean, lines))
