"""Small packages with real tools, and a way to run their tests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loom.app.package_tests.report import Report
from loom.app.package_tests.run import Options, run_tests
from loom.process.loader import ProcessLoader

TOOLS = '''\
"""Tools that do what their arguments say."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any, ClassVar

from loom.tools.registry import Tool, ToolContext, ToolResult

ANY: dict[str, Any] = {"type": "object"}


class Say(Tool):
    name = "say"
    description = "Answers with its arguments."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        print("said", args)
        return ToolResult.ok(str(args.get("text", "said")), args)


class Read(Tool):
    name = "read_number"
    description = "The number in a file."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        return ToolResult.ok("read", {"number": int(Path(args["file"]).read_text())})


class Write(Tool):
    name = "put"
    description = "Writes a file."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"writes"})
    is_mutating = True

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        path = ctx.resolve(args["path"])
        path.write_text(args["text"])
        return ToolResult.ok("written", {"path": args["path"]}, files_changed=[args["path"]])


class Fail(Tool):
    name = "give_up"
    description = "Fails."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        return ToolResult.fail(args.get("text", "no luck"), kind=args.get("kind", "tool"))


class Count(Tool):
    name = "count"
    description = "Says how often it was called."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        file = Path(os.environ["LOOM_HOME"]) / "calls"
        calls = len(file.read_text()) + 1 if file.exists() else 1
        file.write_text("x" * calls)
        if calls < args.get("works_from", 1):
            return ToolResult.fail("not yet", kind="io")
        return ToolResult.ok(f"call {calls}", {"calls": calls})


class Crash(Tool):
    name = "crash"
    description = "Ends its process."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"reads"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        print("the last words", flush=True)
        os._exit(7)


class Hang(Tool):
    name = "hang"
    description = "Never ends, and neither does the program it starts."
    parameters: ClassVar[dict[str, Any]] = ANY
    effects = frozenset({"reads", "process"})

    async def execute(self, args: dict[str, Any], ctx: ToolContext) -> ToolResult:
        started = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        Path(args["pid_file"]).write_text(str(started.pid))
        if args.get("only_start"):
            return ToolResult.ok("started")
        threading.Event().wait()
        return ToolResult.ok("never said")
'''


def make_package(
    folder: Path,
    phases: list[dict[str, Any]],
    tests: list[dict[str, Any]],
    *,
    data: Mapping[str, str] | None = None,
    **more: Any,
) -> Path:
    """A package in a folder: its phases, its tests, the files of `tests/data`, and whatever else it declares."""
    declared = {"name": folder.name, "schema_version": 2, "risk_level": "low", "phase_mode": "strict"}
    phases = [{"description": "Does its part.", **phase} for phase in phases]
    tests = [{"mode": "deterministic", "goal": "See what happens.", **test} for test in tests]
    (folder / "tools").mkdir(parents=True)
    content = {**declared, "phases": phases, "tests": tests, **more}
    # JSON is YAML, and has no anchors
    (folder / "process.yaml").write_text(json.dumps(content, indent=1, ensure_ascii=False))
    (folder / "tools" / "small.py").write_text(TOOLS)
    for name, text in (data or {}).items():
        path = folder / "tests" / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def verb(phase: str, values: tuple[str, ...] = ("OK", "FAIL"), **inputs: Any) -> dict[str, Any]:
    """A `verb:` block whose verdict a phase gives."""
    verdict = {"from": f"phases.{phase}.data.verdict", "values": list(values), "ok": ["OK"]}
    summary = {"from": f"phases.{phase}.data"}
    return {
        "command": "small",
        "tier": "workspace-write",
        "inputs": inputs,
        "verdict": verdict,
        "summary": summary,
    }


def run(package: Path, *cases: str, environ: Mapping[str, str] | None = None, **options: Any) -> Report:
    """Run its tests as somebody with an empty home would."""
    home = package.parent / "home"
    environ = {**os.environ, "LOOM_HOME": str(home), **(environ or {})}
    chosen = Options(cases=cases, environ=environ, **{"workers": 2, **options})
    return run_tests(str(package), ProcessLoader(package.parent, home=home), chosen)


def statuses(report: Report) -> dict[str, str]:
    """What each case came to."""
    return {case.id: case.status for case in report.cases}


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for another process, and no longer than that."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except FileNotFoundError:
        return False


def number_in(file: Path) -> int:
    """The number in a file, 0 before it is there."""
    text = file.read_text() if file.exists() else ""
    return int(text or 0)


def as_plain(report: Report) -> Any:
    """The report as somebody else's program reads it."""
    return json.loads(json.dumps(report.as_json()))
