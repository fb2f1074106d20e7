"""LM70x, LM71x — tools, what they are called with, credentials and dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from loom.kernel.diagnostics import Edit, KeyPath, suggest
from loom.process.bundled import tools_of
from loom.process.lint.arguments import misfits
from loom.process.lint.requirement import is_requirement
from loom.process.lint.rule import Edits, Finding, rule
from loom.process.spec.iteration import ToolMetricGate

if TYPE_CHECKING:
    from loom.process.package import Package

MAX_SUGGESTED = 100
SELECTORS = ("mcp:", "api_integration:", "tool:")
_FILE_TOOLS = {"read_file", "write_file", "search_files", "document_write", "spreadsheet", "calculator"}
_OTHER_TOOLS = {"web_fetch", "web_search", "shell_execute", "fact_checker", "verification_helper"}
# tools that come with Loom; a package may name them without bundling them
BUILTIN = frozenset(_FILE_TOOLS | _OTHER_TOOLS)
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@rule(
    "LM701",
    "required and excluded tools overlap",
    fix="keep it in one of the lists",
    failing="tools: {required: [calculator], excluded: [calculator]}",
    passing="tools: {required: [calculator], excluded: [web_search]}",
)
def required_and_excluded(package: Package) -> Iterator[Finding]:
    """A run refuses to start without a required tool and never offers an excluded one. No tool can be
    both."""
    tools = package.spec.tools
    required = set(tools.required)
    for index, name in enumerate(tools.excluded):
        if name in required:
            yield Finding(("tools", "excluded", index), f"`{name}` is in both lists")


@rule(
    "LM702",
    "resource_ref is not a known kind of selector",
    fix="write `mcp:<alias>`, `api_integration:<name>` or `tool:<name>`",
    failing="auth: {required: [{provider: notion, source: mcp, resource_ref: notion}]}",
    passing='auth: {required: [{provider: notion, source: mcp, resource_ref: "mcp:notion"}]}',
)
def resource_selector(package: Package) -> Iterator[Finding]:
    """The part before the colon says what kind of thing is selected. Without it a credential cannot be
    matched to its resource before the run."""
    for index, resource in enumerate(package.spec.auth.required):
        ref = resource.resource_ref
        if ref is None or any(ref.startswith(kind) and ref[len(kind) :].strip() for kind in SELECTORS):
            continue
        kind, colon, name = ref.partition(":")
        if not colon:
            detail = f"`{ref}` has no colon"
        else:
            detail = f"`{kind}:` is not a kind" if name.strip() else f"`{ref}` names nothing"
        yield Finding(("auth", "required", index, "resource_ref"), detail)


@rule(
    "LM703",
    "not the name of an environment variable",
    fix="write the variable's name, such as `NOTION_TOKEN`",
    failing="permissions: {env: [NOTION-TOKEN]}",
    passing="permissions: {env: [NOTION_TOKEN]}",
)
def environment_name(package: Package) -> Iterator[Finding]:
    """Variables are passed by exact name. A name that no shell can set would never arrive."""
    names: list[tuple[KeyPath, str]] = []
    for index, resource in enumerate(package.spec.auth.required):
        base = ("auth", "required", index, "required_env_keys")
        names += [((*base, at), name) for at, name in enumerate(resource.required_env_keys)]
    names += [(("permissions", "env", at), name) for at, name in enumerate(package.spec.permissions.env)]
    for path, name in names:
        if not _ENVIRONMENT_NAME.match(name):
            yield Finding(path, f"`{name}` is not letters, digits and underscores")


@rule(
    "LM704",
    "mcp_server is only valid with `source: mcp`",
    fix="write `source: mcp`, or remove mcp_server",
    failing="auth: {required: [{provider: notion, mcp_server: notion}]}",
    passing="auth: {required: [{provider: notion, source: mcp, mcp_server: notion}]}",
)
def server_without_mcp(package: Package) -> Iterator[Finding]:
    """The alias narrows which MCP server may serve the resource. A plain API has no such server, so the
    constraint could never be met."""
    for index, resource in enumerate(package.spec.auth.required):
        if resource.mcp_server is not None and resource.source != "mcp":
            path = ("auth", "required", index, "mcp_server")
            yield Finding(path, f"the source is `{resource.source}`", at_key=True)


@rule(
    "LM705",
    "the auth entry names no resource",
    fix="add `provider`, `resource_ref` or `resource_id`",
    failing="auth: {required: [{modes: [api_key]}]}",
    passing="auth: {required: [{provider: acme, modes: [api_key]}]}",
)
def nameless_resource(package: Package) -> Iterator[Finding]:
    """A credential is looked up by provider, by reference or by id. An entry with none of them can match
    anything or nothing."""
    for index, resource in enumerate(package.spec.auth.required):
        if not (resource.provider or resource.resource_ref or resource.resource_id):
            yield Finding(("auth", "required", index), "provider, resource_ref and resource_id are absent")


@rule(
    "LM706",
    "an excluded tool is used",
    fix="take it off `tools.excluded`, or use another tool",
    failing="""
tools: {excluded: [web_search]}
phases:
  - {id: gather, description: Gather., run: {tool: web_search}}
""",
    passing="""
tools: {excluded: [shell_execute]}
phases:
  - {id: gather, description: Gather., run: {tool: web_search}}
""",
)
def excluded_in_use(package: Package) -> Iterator[Finding]:
    """An excluded tool is not there during a run. A phase that runs it, or a gate that reads its result,
    could never succeed."""
    excluded = frozenset(package.spec.tools.excluded)
    if not excluded:
        return
    for index, phase in enumerate(package.spec.phases):
        if phase.run is not None and phase.run.tool in excluded:
            yield Finding(("phases", index, "run", "tool"), f"`{phase.run.tool}` is excluded")
        if phase.iteration is None or not phase.iteration.enabled:
            continue
        for at, gate in enumerate(phase.iteration.gates):
            if isinstance(gate, ToolMetricGate) and gate.tool in excluded:
                path = ("phases", index, "iteration", "gates", at, "tool")
                yield Finding(path, f"`{gate.tool}` is excluded")


@rule(
    "LM707",
    "the arguments do not fit the tool",
    fix="write what the tool's parameters ask for",
    failing="""
phases:
  - {id: score, description: Score., run: {tool: score_rows, args: {limit: ten}}}
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
    parameters = {"type": "object", "properties": {"limit": {"type": "integer"}}}
""",
    passing="""
phases:
  - {id: score, description: Score., run: {tool: score_rows, args: {limit: 10}}}
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
    parameters = {"type": "object", "properties": {"limit": {"type": "integer"}}}
""",
)
def unfit_arguments(package: Package) -> Iterator[Finding]:
    """A bundled tool says in its source which arguments it takes. What can be compared is compared here,
    without running the tool; a value that is one whole `${...}` may turn out to be anything."""
    schemas = {tool.name: tool.parameters for tool in tools_of(package).tools if tool.parameters}
    if not schemas:
        return
    for index, phase in enumerate(package.spec.phases):
        run = phase.run
        if run is None or run.tool is None or run.tool not in schemas:
            continue
        path: KeyPath = ("phases", index, "run", "args")
        for misfit in misfits(run.args, schemas[run.tool]):
            detail = f"`{run.tool}`: {misfit.detail}"
            if misfit.key is None:
                yield Finding(path, detail, misfit.fix)
            else:
                edits = _rename(misfit.meant) if misfit.meant else None
                yield Finding((*path, misfit.key), detail, misfit.fix, bool(misfit.fix), None, edits)


def _rename(meant: str) -> Edits:
    return lambda _, span: (Edit(span, meant),)


@rule(
    "LM708",
    "a file of the package's tools cannot be read",
    fix="correct the file, or move it out of `tools/`",
    failing="""
# file: tools/score_rows.py
class ScoreRows(Tool
""",
    passing="""
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
""",
)
def unreadable_tool(package: Package) -> Iterator[Finding]:
    """Every `tools/*.py` is loaded when a run starts. A file that cannot even be parsed would stop that
    run, so it is found now."""
    for bad in tools_of(package).bad:
        yield Finding(("name",), f"{bad.file}, line {bad.line}: {bad.why}")


@rule(
    "LM709",
    "the tool may be misspelt",
    severity="warning",
    fix="correct the name, or list the tool in `tools.required`",
    failing="""
phases:
  - {id: score, description: Score., run: {tool: score_row}}
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
""",
    passing="""
phases:
  - {id: score, description: Score., run: {tool: score_rows}}
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
""",
)
def misspelt_tool(package: Package) -> Iterator[Finding]:
    """A phase may run a tool that Loom or another package provides, so an unknown name is no error. A name
    that is almost one of this package's own is more likely a slip."""
    bundled = sorted({tool.name for tool in tools_of(package).tools})
    if not bundled:
        return
    known = BUILTIN.union(bundled, package.spec.tools.required)
    meant: dict[str, str | None] = {}
    for index, phase in enumerate(package.spec.phases):
        if phase.run is None or phase.run.tool is None or phase.run.tool in known:
            continue
        name = phase.run.tool
        if name not in meant:
            meant[name] = suggest(name, bundled) if len(meant) < MAX_SUGGESTED else None
        if meant[name]:
            detail = f"this package bundles no `{name}`"
            yield Finding(("phases", index, "run", "tool"), detail, f"did you mean `{meant[name]}`?")


@rule(
    "LM710",
    "a tool is listed twice",
    severity="warning",
    fix="remove the second one",
    failing="tools: {required: [calculator, spreadsheet, calculator]}",
    passing="tools: {required: [calculator, spreadsheet]}",
)
def repeated_tool(package: Package) -> Iterator[Finding]:
    """It changes nothing, and is usually a slip for another tool."""
    tools = package.spec.tools
    for key, names in (("required", tools.required), ("excluded", tools.excluded)):
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name in seen:
                yield Finding(("tools", key, index), f"`{name}` is already listed")
            seen.add(name)


@rule(
    "LM711",
    "the dependency is not a requirement",
    fix="write a name and a version, such as `requests==2.32.3`",
    failing="dependencies: [requests 2.32]",
    passing="dependencies: [\"requests[socks]==2.32.3; python_version >= '3.11'\"]",
)
def malformed_dependency(package: Package) -> Iterator[Finding]:
    """Dependencies are handed to the installer: a name, optional extras, versions and a condition. An
    address is refused, because what it delivers can change under the same text."""
    for index, text in enumerate(package.spec.dependencies):
        if is_requirement(text):
            continue
        if "://" in text or "@" in text:
            detail = f"`{text[:80]}` is an address"
        elif text.lstrip().startswith("-"):
            detail = f"`{text[:80]}` is an option of an installer"
        else:
            detail = f"`{text[:80]}` is not a name with versions"
        yield Finding(("dependencies", index), detail)


@rule(
    "LM712",
    "two bundled tools share a name",
    fix="rename one of them",
    failing="""
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score"
# file: tools/score_columns.py
class ScoreColumns(Tool):
    name = "score"
""",
    passing="""
# file: tools/score_rows.py
class ScoreRows(Tool):
    name = "score_rows"
# file: tools/score_columns.py
class ScoreColumns(Tool):
    name = "score_columns"
""",
)
def shared_tool_name(package: Package) -> Iterator[Finding]:
    """Tools are called by name. Of two with the same one, the second would silently be left out."""
    first: dict[str, str] = {}
    for tool in tools_of(package).tools:
        here = f"{tool.file}, line {tool.line}"
        other = first.setdefault(tool.name, here)
        if other != here:
            yield Finding(("name",), f"`{tool.name}` is declared in {other} and in {here}")
