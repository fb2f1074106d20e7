"""docs/reference/verbs.md: every verb that comes with Loom, its inputs and its verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from loom.app.listing import first_sentence
from loom.app.reference.catalogue import builtin_specs
from loom.app.reference.markdown import alternatives, link, page, table
from loom.process.spec.process import ProcessSpec
from loom.process.spec.verb import Input, Verb

_INTRODUCTION = """\
A verb is a package with a `verb:` block; nothing on this page is known to the command line in any other way.
The tier says what a call may do without asking: `read-only`, `workspace-write`, `expensive` or
`irreversible`. Exit 0 means that the verdict is acceptable, 1 that it is not, 2 that the call could not be
carried out."""
_OTHERS = """\
These packages are called by their name. `loom process show NAME` describes one."""


def verbs_page(root: Path) -> str:
    """The page: a table of all verbs, then one section each."""
    return page("Verbs", "`processes/builtin/`", _blocks(builtin_specs(root)))


def _blocks(specs: list[ProcessSpec]) -> Iterator[str]:
    verbs = sorted(((s, s.verb) for s in specs if s.verb), key=lambda pair: pair[1].command)
    yield _INTRODUCTION
    header = ("command", "what it does", "tier", "model", "leaves behind", "exit 0", "exit 1")
    yield table(header, [_row(spec, verb) for spec, verb in verbs])
    for spec, verb in verbs:
        yield from _section(spec, verb)
    others = [spec for spec in specs if not spec.verb]
    if others:
        yield "## Without a command"
        yield _OTHERS
        yield table(
            ("name", "what it does"), [(f"`{s.name}`", first_sentence(s.description)) for s in others]
        )


def _row(spec: ProcessSpec, verb: Verb) -> tuple[str, ...]:
    good, bad = _verdicts(verb)
    left = f"`{verb.flow}/ID`" if verb.flow else "nothing"
    command = link(verb.command, f"`loom {verb.command}`")
    return command, first_sentence(spec.description), verb.tier, verb.model, left, good, bad


def _section(spec: ProcessSpec, verb: Verb) -> Iterator[str]:
    good, bad = _verdicts(verb)
    yield f"## {verb.command}"
    yield " ".join(spec.description.split())
    facts = [f"`loom {verb.command}{''.join(f' {_usage(*each)}' for each in _in_order(verb))}`"]
    if verb.aliases:
        facts.append("also called " + ", ".join(f"`loom {alias}`" for alias in verb.aliases))
    facts += [f"tier: {verb.tier}", f"needs a model: {_NEEDS[verb.model]}", f"exit 0: {good}"]
    facts += [f"exit 1: {bad}"] if bad else []
    yield "\n".join(f"- {fact}" for fact in facts)
    if verb.inputs:
        rows = [(f"`{_option(n, i)}`", _type(i), _default(i), _meaning(i)) for n, i in verb.inputs.items()]
        yield table(("input", "type", "default", "meaning"), rows)


_NEEDS = {"none": "no", "optional": "no, but it uses one that is configured", "required": "yes"}


def _verdicts(verb: Verb) -> tuple[str, str]:
    """Verdicts that exit 0, and those that exit 1."""
    if verb.verdict is None:
        return "finished", ""
    bad = [value for value in verb.verdict.values if value not in verb.verdict.ok]
    return ", ".join(verb.verdict.ok), ", ".join(bad)


def _in_order(verb: Verb) -> list[tuple[str, Input]]:
    """Inputs as a call names them: arguments first, then what is required."""
    return sorted(verb.inputs.items(), key=lambda each: (not each[1].positional, not each[1].required))


def _usage(name: str, given: Input) -> str:
    value = "" if given.type == "flag" or given.positional else f" {given.type.upper()}"
    shown = f"{_option(name, given)}{value}" + ("..." if given.repeat else "")
    return shown if given.required else f"[{shown}]"


def _option(name: str, given: Input) -> str:
    return name.upper() if given.positional else f"--{name.replace('_', '-')}"


def _type(given: Input) -> str:
    if given.type != "choice":
        return given.type
    return alternatives([f"`{choice}`" for choice in given.choices])


def _default(given: Input) -> str:
    if given.required:
        return "required"
    if given.default is None:
        return ""
    return f"`{given.default if isinstance(given.default, str) else json.dumps(given.default)}`"


def _meaning(given: Input) -> str:
    notes = ["may be given several times"] if given.repeat else []
    notes += [f"raises the tier to {given.raises_tier}"] if given.raises_tier else []
    return given.help + (f" ({'; '.join(notes)})" if notes else "")
