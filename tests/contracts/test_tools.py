"""What every tool that comes with Loom keeps to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from loom.tools.builtin import builtin_tools
from loom.tools.invoke import MAX_READ_OUTPUT, CallPolicy, call_effects
from loom.tools.registry import (
    EFFECTS,
    Permissions,
    Tool,
    ToolContext,
    ToolRegistry,
    ToolResult,
    shape_errors,
)
from loom.tools.schema import schema_errors
from tests.tools.calls import call, content_of, difference
from tests.tools.site import Site, open_site

TOOLS = {tool.name: tool for tool in builtin_tools()}
DOCUMENTED = {
    *("read_file", "write_file", "search_files", "document_write", "spreadsheet", "calculator", "web_fetch"),
    *("web_search", "shell_execute", "fact_checker", "verification_helper"),
}
SECRET = "nobody-may-see-this"
# the names of arguments that hold a path, in whatever tool
PATH_ARGUMENTS = frozenset({"path", "cwd", "target", "output_path", "screenshot_path"})

Args = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A workspace with something in it, what is attached, what is out of bounds, and a site."""

    workspace: Path
    outside: Path
    attached: Path
    site: Site
    ctx: ToolContext


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    top = tmp_path.resolve()
    workspace, outside, attached = top / "ws", top / "outside", top / "real-place"
    for folder in (workspace / "tests", workspace / "site", outside, attached, top / "ws-secret"):
        folder.mkdir(parents=True)
    (workspace / "notes.md").write_text("# Notes\n\nfirst\n")
    (workspace / "table.csv").write_text("a,b\n1,2\n")
    (workspace / "tests/test_one.py").write_text("def test_one():\n    assert True\n")
    (workspace / "site/index.html").write_text("<title>Site</title><h1>Site</h1>")
    (attached / "numbers.csv").write_text("x,y\n7,attached\n")
    (attached / "page.html").write_text("<title>attached</title><p>attached</p>")
    for folder in (outside, top / "ws-secret"):
        for name in ("secret.csv", "index.html"):
            (folder / name).write_text(f"a,b\n{SECRET},2\n")
        (folder / "tests").mkdir()
    (workspace / "link").symlink_to(outside)
    (workspace / "link.csv").symlink_to(outside / "secret.csv")
    (workspace / "circle").symlink_to("circle")
    with open_site() as site:
        ctx = ToolContext(
            workspace=workspace,
            read_path_map={
                "data": attached,
                "one.csv": attached / "numbers.csv",
                "page.html": attached / "page.html",
            },
            permissions=Permissions(addresses="loopback"),
        )
        yield World(workspace, outside, attached, site, ctx)


def _suite(**more: Any) -> Args:
    return {"helper": "run_test_suite", "command": ["make", "test"], **more}


# calls that work; `{site}` is the address of the site
EXAMPLES: dict[str, list[Args]] = {
    "calculator": [{"expression": "1 + a", "variables": {"a": 2}}],
    "document_write": [
        {"path": "new/report.md", "title": "T", "sections": [{"heading": "A", "body": "x"}]},
        {"path": "notes.md", "mode": "update", "sections": [{"heading": "More", "body": "x"}]},
        {"path": "notes.md", "mode": "update", "sections": [{"heading": "Notes", "body": "first"}]},
    ],
    "fact_checker": [
        {
            "claims": [{"id": "c", "type": "numeric", "value": 7, "subject": "Acme", "attribute": "offices"}],
            "evidence": [{"evidence_id": "e", "subject": "Acme", "attribute": "offices", "value": 7}],
        }
    ],
    "read_file": [
        {"path": "notes.md"},
        {"path": "notes.md", "start_line": 2, "end_line": 3},
        {"path": "data/numbers.csv"},
    ],
    "search_files": [{"glob": "*.md"}, {"pattern": "attached"}, {"path": "data"}],
    "shell_execute": [
        {"command": "echo made > made.txt; rm table.csv; echo more >> notes.md; mkdir -p d; echo x > d/e"},
        {"command": ["cat", "notes.md"], "cwd": "."},
    ],
    "spreadsheet": [
        {"operation": "create", "path": "new.csv", "columns": ["a"], "rows": [[1]]},
        {"operation": "create", "path": "table.csv", "columns": ["a", "b"], "rows": [[1, 2]]},
        {"operation": "append", "path": "table.csv", "rows": [[3, 4]]},
        {"operation": "append", "path": "table.csv", "rows": []},
        {"operation": "read", "path": "data/numbers.csv"},
        {"operation": "summary", "path": "table.csv"},
    ],
    "verification_helper": [
        {"helper": "run_build_check"},
        {"helper": "serve_static", "target": "site"},
        {"helper": "http_assert", "target": "{site}/article", "expect": {"contains": ["Looms"]}},
        {
            "helper": "probe_suite",
            "target": "{site}",
            "probes": [{"url": "/data.json", "expect": {"json": {"items[0].id": 7}}}],
        },
        {
            "helper": "browser_assert",
            "target": "site/index.html",
            "steps": [{"action": "assert_text", "value": "Site"}],
        },
        {
            "helper": "browser_session",
            "target": "{site}/form",
            "engine": "static",
            "steps": [{"action": "click", "selector": "button"}],
        },
        {
            "helper": "render_verification_report",
            "results": [{"name": "a", "passed": True}],
            "output_path": "checks.md",
        },
        {"helper": "render_verification_report", "results": []},
    ],
    "web_fetch": [{"url": "{site}/article"}, {"url": "{site}/data.json"}],
    "web_search": [],
    "write_file": [
        {"path": "a/b.txt", "content": "x"},
        {"path": "notes.md", "content": "y", "mode": "append"},
        {"path": "notes.md", "content": "# Notes\n\nfirst\n"},
    ],
}
CALLS = [(name, args) for name, each in EXAMPLES.items() for args in each]

# a call per argument that holds a path, without that argument
PATHS: list[tuple[str, str, Args]] = [
    ("read_file", "path", {}),
    ("write_file", "path", {"content": "forged"}),
    ("write_file", "path", {"content": "forged", "mode": "append"}),
    ("document_write", "path", {"sections": [{"heading": "A", "body": "forged"}]}),
    ("document_write", "path", {"mode": "update", "sections": [{"heading": "A", "body": "forged"}]}),
    ("spreadsheet", "path", {"operation": "read"}),
    ("spreadsheet", "path", {"operation": "summary"}),
    ("spreadsheet", "path", {"operation": "append", "rows": [["forged", 1]]}),
    ("spreadsheet", "path", {"operation": "create", "columns": ["forged"]}),
    ("search_files", "path", {"pattern": "."}),
    ("search_files", "path", {}),
    ("shell_execute", "cwd", {"command": ["cat", "secret.csv"]}),
    ("verification_helper", "target", {"helper": "run_test_suite"}),
    ("verification_helper", "target", {"helper": "run_build_check"}),
    ("verification_helper", "target", {"helper": "serve_static", "expect": {"contains": ["a"]}}),
    ("verification_helper", "target", {"helper": "browser_assert"}),
    ("verification_helper", "target", {"helper": "browser_session", "engine": "static"}),
    ("verification_helper", "output_path", {"helper": "render_verification_report", "results": []}),
    ("verification_helper", "screenshot_path", {"helper": "browser_assert", "target": "site"}),
]
ESCAPES = (
    *(
        "../outside/secret.csv",
        "{top}/outside/secret.csv",
        "link/secret.csv",
        "link.csv",
        "site/../../outside/secret.csv",
    ),
    *(
        "{top}/ws-secret/secret.csv",
        "../ws-secret/secret.csv",
        "circle/../link.csv",
        "notes.md\0",
        "~/secret.csv",
        "/",
    ),
    *("../outside", "link", "data/../../outside/secret.csv", "..\\outside\\secret.csv"),
)

# calls that would take long, or wait for a thread or a program
LONG: dict[str, Args] = {
    "read_file": {"path": "notes.md"},
    "search_files": {"pattern": "x"},
    "shell_execute": {"command": "sleep 60"},
    "spreadsheet": {"operation": "summary", "path": "table.csv"},
    "web_fetch": {"url": "{site}/never"},
    "fact_checker": EXAMPLES["fact_checker"][0],
    "verification_helper": {"helper": "http_assert", "target": "{site}/never"},
    "web_search": {"query": "x"},
}
# bounded by the size of their arguments: they compute, or write what they were given
SHORT = {"calculator", "document_write", "write_file"}


def _filled(args: Args, world: World) -> Args:
    return json.loads(json.dumps(args).replace("{site}", world.site.address))


def _watched(tool: Tool) -> tuple[Tool, list[Args]]:
    """The tool, and the arguments of every call that was executed."""
    executed: list[Args] = []

    class Watched(type(tool)):  # type: ignore[misc]
        async def execute(self, args: Args, ctx: ToolContext) -> ToolResult:
            executed.append(args)
            return await super().execute(args, ctx)

    Watched.__module__ = type(tool).__module__
    return Watched(), executed


def test_the_documented_tools_are_there_and_every_one_has_a_well_formed_schema() -> None:
    registry = ToolRegistry(TOOLS.values())
    assert set(registry.names()) == DOCUMENTED == set(EXAMPLES)
    for tool in registry:
        assert shape_errors(tool) == [] and schema_errors(tool.parameters) == []
        assert tool.parameters["additionalProperties"] is False
        assert len(tool.description) > 60 and json.loads(json.dumps(tool.parameters)) == tool.parameters


@pytest.mark.parametrize("name", TOOLS)
def test_effects_are_declared_and_agree_with_what_is_said_about_writing(name: str) -> None:
    tool = TOOLS[name]
    assert tool.effects < EFFECTS
    assert tool.is_mutating == ("writes" in tool.effects)
    for args in EXAMPLES[name]:
        assert call_effects(tool, args) <= tool.effects
    assert set(tool.mutation_target_arg_keys) <= set(tool.parameters["properties"])


@pytest.mark.parametrize("name", TOOLS)
def test_arguments_that_do_not_fit_are_refused_without_executing(name: str, world: World) -> None:
    tool = TOOLS[name]
    good = _filled((EXAMPLES[name] or [{"query": "x"}])[0], world)
    bad: list[Args] = [{**good, "unheard_of": 1}]
    bad += [
        {key: value for key, value in good.items() if key != missing}
        for missing in tool.parameters["required"]
    ]
    bad += [
        {**good, key: object_}
        for key in tool.parameters["properties"]
        for object_ in (None, {"x": {"y": []}}, [[[]]])
    ]
    for args in bad:
        if args == good:
            continue
        watched, executed = _watched(tool)
        result = call(watched, args, world.ctx)
        assert (result.success, result.error_kind, executed) == (False, "contract", []), args


@pytest.mark.parametrize(("name", "args"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_a_call_says_it_changed_is_what_changed(name: str, args: Args, world: World) -> None:
    filled = _filled(args, world)
    before, beside = (
        content_of(world.workspace),
        [content_of(each) for each in (world.outside, world.attached)],
    )
    result = call(name, filled, world.ctx)
    assert result.success, result.error
    assert result.files_changed == difference(before, content_of(world.workspace))
    assert [content_of(each) for each in (world.outside, world.attached)] == beside
    if result.files_changed:
        assert TOOLS[name].is_mutating and "writes" in call_effects(TOOLS[name], filled)


@pytest.mark.parametrize(("name", "args"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_no_result_names_the_real_place_of_an_attached_file(name: str, args: Args, world: World) -> None:
    shown = json.dumps(call(name, _filled(args, world), world.ctx).as_json())
    assert str(world.attached) not in shown and "real-place" not in shown


@pytest.mark.parametrize("raw", ESCAPES, ids=ascii)
@pytest.mark.parametrize(
    ("name", "key", "args"), PATHS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_argument_that_holds_a_path_leads_outside(
    name: str, key: str, args: Args, raw: str, world: World
) -> None:
    place = raw.replace("{top}", str(world.outside.parent))
    before = content_of(world.outside.parent)
    result = call(name, {**args, key: place}, world.ctx)
    shown = json.dumps(result.as_json())
    assert not result.success and result.error_kind == "safety", result
    assert SECRET not in shown
    assert content_of(world.outside.parent) == before


@pytest.mark.parametrize("deep", ["", "deep/"])
@pytest.mark.parametrize(
    ("name", "key", "args"), PATHS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_link_that_is_put_in_the_way_after_the_path_was_checked_leads_nowhere(
    name: str, key: str, args: Args, deep: str, world: World
) -> None:
    for folder in (world.workspace, world.outside):
        (folder / f"sub/{deep}tests").mkdir(parents=True)
    (world.workspace / f"sub/{deep}secret.csv").write_text("a,b\n1,2\n")
    (world.outside / f"sub/{deep}secret.csv").write_text(f"a,b\n{SECRET},2\n")
    for shown in ("index.html", f"{SECRET}.csv"):
        (world.outside / f"sub/{deep}{shown}").write_text(f"a{SECRET}")
    before = content_of(world.outside)
    swapped: list[str] = []

    class Racing(ToolContext):
        def resolve(self, raw: str | Path) -> Path:
            return self._swap(super().resolve(raw))

        def resolve_read(self, raw: str | Path) -> Path:
            return self._swap(super().resolve_read(raw))

        def _swap(self, path: Path) -> Path:
            if path.is_relative_to(world.workspace / "sub") and not swapped:
                swapped.append(str(path))
                (world.workspace / "sub").rename(world.workspace / "was")
                (world.workspace / "sub").symlink_to(world.outside / "sub")
            return path

    class Raced(type(TOOLS[name])):  # type: ignore[misc]
        async def execute(self, args: Args, ctx: ToolContext) -> ToolResult:
            return await super().execute(args, Racing(**{f.name: getattr(ctx, f.name) for f in fields(ctx)}))

    Raced.__module__ = type(TOOLS[name]).__module__
    folders = name in ("shell_execute", "search_files") or key == "target"
    place = f"sub/{deep}" if folders else f"sub/{deep}secret.csv"
    result = call(Raced(), {**args, key: place}, world.ctx)
    # a picture is only taken where a page is drawn
    assert swapped or key == "screenshot_path"
    assert SECRET not in json.dumps(result.as_json())
    assert content_of(world.outside) == before


def test_every_argument_that_holds_a_path_is_among_those_that_were_tried() -> None:
    tried = {(name, key) for name, key, _ in PATHS}
    for name, tool in TOOLS.items():
        for key in PATH_ARGUMENTS & set(tool.parameters["properties"]):
            assert (name, key) in tried
        for key, schema in tool.parameters["properties"].items():
            said = schema.get("description", "").lower()
            if key not in PATH_ARGUMENTS:
                assert "path in the workspace" not in said and not said.startswith(("folder", "file ")), (
                    name,
                    key,
                )


@pytest.mark.parametrize(
    ("name", "args", "seen"),
    [
        ("read_file", {"path": "one.csv"}, "7,attached"),
        ("read_file", {"path": "data/numbers.csv"}, "7,attached"),
        ("spreadsheet", {"operation": "read", "path": "one.csv"}, "7,attached"),
        ("spreadsheet", {"operation": "summary", "path": "data/numbers.csv"}, "x: number"),
        ("search_files", {"glob": "numbers.csv"}, "data/numbers.csv"),
        ("search_files", {"pattern": "attached", "path": "data"}, "data/numbers.csv:2"),
        ("search_files", {"pattern": "attached", "path": "one.csv"}, "one.csv:2"),
        (
            "verification_helper",
            {"helper": "serve_static", "target": "data", "probes": [{"url": "/page.html"}]},
            "passed",
        ),
        ("verification_helper", {"helper": "browser_assert", "target": "page.html"}, "attached"),
        (
            "verification_helper",
            {"helper": "browser_session", "engine": "static", "target": "data/page.html"},
            "attached",
        ),
    ],
)
def test_what_is_attached_is_read_under_its_alias(name: str, args: Args, seen: str, world: World) -> None:
    result = call(name, args, world.ctx)
    assert result.success and seen in result.output


@pytest.mark.parametrize(
    "name", [name for name, tool in TOOLS.items() if tool.is_mutating and tool.mutation_target_arg_keys]
)
@pytest.mark.parametrize("target", ["notes.md", "table.csv", "sealed.md"])
def test_sealed_files_are_refused_before_anything_is_executed(name: str, target: str, world: World) -> None:
    args = {
        "write_file": {"path": target, "content": "x"},
        "document_write": {"path": target, "sections": [{"heading": "A", "body": "x"}]},
        "spreadsheet": {"operation": "create", "path": target, "columns": ["a"]},
        "verification_helper": {"helper": "render_verification_report", "output_path": target},
    }[name]
    watched, executed = _watched(TOOLS[name])
    result = call(watched, args, world.ctx, CallPolicy(sealed={"notes.md", "table.csv", "sealed.md"}))
    assert (result.error_kind, executed) == ("safety", []) and "sealed" in (result.error or "")


@pytest.mark.parametrize("name", LONG)
def test_a_call_that_takes_too_long_is_stopped(name: str, world: World) -> None:
    async def never(query: str, limit: int) -> Any:
        await asyncio.Event().wait()

    ctx = replace(world.ctx, services={"web_search": never})
    result = call(name, _filled(LONG[name], world), ctx, CallPolicy(timeout_seconds=0.0))
    assert (result.success, result.error_kind, result.retryable) == (False, "timeout", True)


def test_every_tool_either_can_be_stopped_or_is_bounded_by_its_arguments() -> None:
    assert set(LONG) | SHORT == set(TOOLS) and not set(LONG) & SHORT
    for name in SHORT:
        assert call_effects(TOOLS[name], {}) <= {"reads", "writes"}


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("read_file", {"path": "large.txt"}),
        ("shell_execute", {"command": "head -c 3000000 /dev/zero | tr '\\0' x"}),
        ("web_fetch", {"url": "{site}/large"}),
        ("search_files", {"pattern": "y", "path": "many.txt"}),
        ("spreadsheet", {"operation": "read", "path": "large.csv", "limit": 1000}),
        ("verification_helper", {"helper": "browser_assert", "target": "large.html"}),
    ],
)
def test_large_results_are_cut_and_say_so(name: str, args: Args, world: World) -> None:
    (world.workspace / "large.txt").write_text("word " * 400_000)
    (world.workspace / "large.html").write_text("<p>" + "word " * 100_000)
    (world.workspace / "many.txt").write_text("y\n" * 5_000)
    (world.workspace / "large.csv").write_text("a\n" + ("z" * 900 + "\n") * 2_000)
    result = call(name, _filled(args, world), world.ctx)
    limit = MAX_READ_OUTPUT if name == "read_file" else 256 * 1024
    assert len(result.output.encode()) <= limit
    assert result.truncated or len(result.output) < 5_000
    assert len(json.dumps(result.data)) < 4 * 1024 * 1024


@pytest.mark.parametrize("name", TOOLS)
def test_without_a_workspace_a_call_fails_or_does_not_need_one(name: str, world: World) -> None:
    for args in EXAMPLES[name] or [{"query": "x"}]:
        result = call(name, _filled(args, world), ToolContext(permissions=Permissions(addresses="loopback")))
        assert result.success or result.error_kind in ("safety", "tool"), result


@pytest.mark.parametrize(
    "args", [{"url": "{site}/"}, {"url": "http://localhost:1/"}, {"url": "http://[::1]/"}]
)
def test_private_addresses_are_refused_unless_the_run_allows_them(args: Args, world: World) -> None:
    closed = replace(world.ctx, permissions=Permissions())
    assert call("web_fetch", _filled(args, world), closed).error_kind == "safety"
    assert world.site.asked == []


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("shell_execute", {"command": "true"}),
        ("verification_helper", _suite()),
        ("verification_helper", {"helper": "run_build_check"}),
        (
            "verification_helper",
            {"helper": "http_assert", "target": "http://127.0.0.1:1/", "start": "make serve"},
        ),
    ],
)
def test_a_run_that_may_start_no_programs_starts_none(name: str, args: Args, world: World) -> None:
    closed = replace(world.ctx, permissions=Permissions(processes=False))
    assert call(name, args, closed).error_kind == "safety"


def test_a_run_without_a_network_fetches_nothing(world: World) -> None:
    closed = replace(world.ctx, permissions=Permissions(network=(), addresses="any", processes=False))
    for name, args in (
        ("web_fetch", {"url": "{site}/"}),
        ("verification_helper", {"helper": "http_assert", "target": "{site}/"}),
        ("verification_helper", {"helper": "browser_assert", "target": "{site}/"}),
    ):
        assert call(name, _filled(args, world), closed).error_kind == "safety"
    assert world.site.asked == []
    own = {"helper": "browser_assert", "target": "site"}
    assert call("verification_helper", own, closed).success
