"""LM72x, LM73x — the command a package becomes: its names, its verdict and its summary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from loom.kernel.diagnostics import Edit, KeyPath, Span, suggest
from loom.kernel.document import walk
from loom.process.lint.graph import unknown_phase
from loom.process.lint.rule import Finding, rule
from loom.process.references import BadReference, parse_reference
from loom.tools.plain_schema import is_plainly_valid

if TYPE_CHECKING:
    from loom.process.package import Package
    from loom.process.spec.verb import SummarySource, VerdictSource

RESERVED = frozenset(
    {
        *("install", "uninstall", "process", "package", "runs", "show", "resume", "logs", "events"),
        *("compile", "verbs", "explain", "config", "trust", "auth", "memory", "worker", "router"),
        *("orchestrate", "submit", "bus", "app", "gc", "demo", "serve", "mcp", "agent"),
    }
)
MAX_SCHEMA_NODES = 2_000


def _verb(text: str) -> str:
    return f"verb: {{command: compare, tier: read-only, {text}}}"


@rule(
    "LM720",
    "the command's name is reserved",
    fix="choose another name",
    failing="verb: {command: show, tier: read-only}",
    passing="verb: {command: compare, tier: read-only}",
)
def reserved_command(package: Package) -> Iterator[Finding]:
    """Loom has commands of its own. A package that took one of their names could never be called."""
    verb = package.spec.verb
    if verb is not None and verb.command in RESERVED:
        yield Finding(("verb", "command"), f"`loom {verb.command}` is a command of Loom")


@rule(
    "LM724",
    "an acceptable verdict is not among the values",
    fix="add it to `values`, or correct it",
    failing=_verb("verdict: {from: phases.work.data.verdict, values: [PASS, FAIL], ok: [PASSED]}"),
    passing=_verb("verdict: {from: phases.work.data.verdict, values: [PASS, FAIL], ok: [PASS]}"),
)
def unknown_verdict(package: Package) -> Iterator[Finding]:
    """`ok` divides the verdicts into those that exit 0 and those that exit 1. A verdict that the verb can
    never reach divides nothing."""
    verdict = package.spec.verb.verdict if package.spec.verb else None
    for index, name in enumerate(verdict.ok if verdict else ()):
        if verdict and name not in verdict.values:
            meant = suggest(name, verdict.values)
            fix = f"did you mean `{meant}`?" if meant else ""
            yield Finding(
                ("verb", "verdict", "ok", index), f"`{name}` is not in {', '.join(verdict.values)}", fix
            )


@rule(
    "LM725",
    "the source is not a result of a phase",
    fix="write `phases.ID.data.FIELD`",
    failing=_verb("verdict: {from: phases.wrok.data.verdict, values: [PASS], ok: [PASS]}"),
    passing=_verb("verdict: {from: phases.work.data.verdict, values: [PASS], ok: [PASS]}"),
)
def unknown_source(package: Package) -> Iterator[Finding]:
    """Verdict and summary are read from the result of a phase once the run has ended. A source that leads
    nowhere would turn every finished run into an error."""
    verb = package.spec.verb
    sources = (("verdict", verb.verdict), ("summary", verb.summary)) if verb else ()
    for key, source in sources:
        if source is not None:
            yield from _misread(package, ("verb", key, "from"), source)


def _misread(package: Package, path: KeyPath, source: VerdictSource | SummarySource) -> Iterator[Finding]:
    text = source.from_.strip()
    if text.startswith("${") and text.endswith("}"):
        yield Finding(path, "it is read as a reference already", "write it without `${` and `}`", edits=_bare)
        return
    reference = parse_reference(text)
    if isinstance(reference, BadReference):
        yield Finding(path, f"`{text}`: {reference.why}")
    elif reference.phase is None:
        yield Finding(path, f"`{text}` is not the result of a phase")
    elif reference.phase not in package.phase_names:
        yield unknown_phase(path, reference.phase, package.phase_names)


def _bare(package: Package, span: Span) -> tuple[Edit, ...]:
    inner = re.search(r"\$\{\s*([^{}\s]+)\s*\}", package.source.slice(span))
    return (Edit(span, inner[1]),) if inner else ()


@rule(
    "LM726",
    "summary.schema is not a valid JSON Schema",
    fix="write a schema of the draft 2020-12",
    failing=_verb("summary: {from: phases.work.data, schema: {type: table}}"),
    passing=_verb("summary: {from: phases.work.data, schema: {type: object}}"),
)
def invalid_schema(package: Package) -> Iterator[Finding]:
    """The summary of every run is checked against the schema, because other programs rely on its keys. A
    schema that means nothing would let anything through."""
    summary = package.spec.verb.summary if package.spec.verb else None
    if summary is None or is_plainly_valid(summary.schema_):
        return
    # checking grows faster than the schema does
    if sum(1 for _ in walk(summary.schema_)) > MAX_SCHEMA_NODES:
        problem: tuple[str, KeyPath] | None = (f"it has more than {MAX_SCHEMA_NODES:,} parts", ())
    else:
        problem = _schema_problem(summary.schema_)
    if problem:
        detail, place = problem
        yield Finding(("verb", "summary", "schema", *place), detail[:200])


def _schema_problem(schema: dict[str, Any]) -> tuple[str, KeyPath] | None:
    # slow to import, and few packages declare a schema
    import jsonschema  # noqa: PLC0415

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return error.message, tuple(error.path)
    except (RecursionError, OverflowError):
        return "it is nested too deeply, or holds a pattern that is", ()
    return None


@rule(
    "LM730",
    "the alias cannot be used",
    fix="remove it, or choose another name",
    failing="verb: {command: compare, tier: read-only, aliases: [compare]}",
    passing="verb: {command: compare, tier: read-only, aliases: [diff]}",
)
def unusable_alias(package: Package) -> Iterator[Finding]:
    """An alias is a second name of the command. It must be free, and different from the first."""
    verb = package.spec.verb
    if verb is None:
        return
    seen: set[str] = set()
    for index, alias in enumerate(verb.aliases):
        path = ("verb", "aliases", index)
        if alias == verb.command:
            yield Finding(path, f"`{alias}` is the command itself")
        elif alias in RESERVED:
            yield Finding(path, f"`loom {alias}` is a command of Loom")
        elif alias in seen:
            yield Finding(path, f"`{alias}` is already listed")
        seen.add(alias)


@rule(
    "LM731",
    "the process runs itself",
    fix="name another process, or split this one",
    failing="""
name: compare
phases:
  - {id: again, description: Again., run: {process: compare}}
""",
    passing="""
name: compare
phases:
  - {id: profile, description: Look., run: {process: eda}}
""",
)
def self_run(package: Package) -> Iterator[Finding]:
    """A nested process is a whole run of its own. One that nests itself would start runs without end."""
    for index, phase in enumerate(package.spec.phases):
        if phase.run is not None and phase.run.process == package.name:
            yield Finding(("phases", index, "run", "process"), f"`{package.name}` is this process")
