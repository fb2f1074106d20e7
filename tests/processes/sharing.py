"""The verb collab as its phases take it, over runs that a test makes up, and a webhook on this machine."""

from __future__ import annotations

import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from loom.app.package_tests.past_runs import read_runs
from loom.core.contracts import validate_output
from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.render.html.page import card_html
from loom.tools.discover import load_tools
from loom.tools.registry import Permissions, Tool, ToolContext, ToolResult
from tests.tools.calls import call

COLLAB = Path(__file__).parents[2] / "processes" / "builtin" / "collab"
SUMMARY = yaml.safe_load((COLLAB / "process.yaml").read_text(encoding="utf-8"))["verb"]["summary"]["schema"]
BESIDE = ("verdict", "reasons", "next", "card")
FIXTURES = read_runs(COLLAB)
_TOOLS = {found.tool.name: found.tool for found in load_tools(COLLAB)}
_PACKAGE = type(_TOOLS["collab_bundle"]).__module__.rpartition(".")[0]
# whoever loads the package anew has modules of their own
_PARTS = {
    name.rpartition(".")[2]: found for name, found in sys.modules.items() if name.startswith(f"{_PACKAGE}.")
}


def tool(name: str) -> Tool:
    """A tool of the verb."""
    return _TOOLS[name]


def part(name: str) -> ModuleType:
    """A module that lies beside the tools."""
    return _PARTS[name]


class Index:
    """Runs that took place, the newest first."""

    def __init__(self, runs: Sequence[RunFacts]) -> None:
        self._runs = sorted(runs, key=lambda run: run.started, reverse=True)

    def runs(
        self, *, flow: str | None = None, experiment: str | None = None, limit: int | None = None
    ) -> list[RunFacts]:
        found = [
            run for run in self._runs if flow in (None, run.flow) and experiment in (None, run.experiment_id)
        ]
        return found[:limit]

    def run(self, pathspec: str) -> RunFacts:
        for run in self._runs:
            if pathspec in (run.name, run.pathspec):
                return run
        raise LoomError(f"no run is called {pathspec}", "there is none", "loom runs")


@dataclass
class Room:
    """A folder with runs in it, and the two phases of the verb."""

    folder: Path
    runs: Sequence[RunFacts] = FIXTURES
    staged: str = ""
    network: tuple[str, ...] = ("*",)

    def use(self, name: str, **args: Any) -> ToolResult:
        """One call of a tool."""
        workspace = self.folder / "run"
        workspace.mkdir(parents=True, exist_ok=True)
        services = {
            "runs": Index(self.runs),
            "home": self.folder / "home",
            "cwd": self.folder,
            "staged": self.staged,
            "page": card_html,
        }
        permissions = Permissions(network=self.network)
        return call(
            tool(name), args, ToolContext(workspace=workspace, services=services, permissions=permissions)
        )

    def built(self, **args: Any) -> dict[str, Any]:
        """A bundle; of the report among the fixtures, unless a test says otherwise."""
        result = self.use("collab_bundle", **({"run": "ReportFlow/1"} | args))
        assert result.success, result.error
        assert result.data is not None
        return result.data

    def ended(self, bundle: Mapping[str, Any], **args: Any) -> dict[str, Any]:
        """What the verb answers, which must fit its summary."""
        result = self.use("collab_delivery", bundle=dict(bundle), **args)
        assert result.success, result.error
        assert result.data is not None
        told = {key: value for key, value in result.data.items() if key not in BESIDE}
        assert validate_output(told, SUMMARY) == []
        return result.data

    def refused(self, name: str, **args: Any) -> str:
        """Why a call does not work."""
        result = self.use(name, **args)
        assert not result.success
        assert result.error is not None
        return result.error


def bytes_of(bundle: Mapping[str, Any]) -> bytes:
    """Everything that a bundle is: its files, their names, its archive packed and unpacked."""
    folder, archive = Path(bundle["folder"]), Path(bundle["archive"])
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    parts = [str(path.relative_to(folder)).encode() + b"\n" + path.read_bytes() for path in files]
    with zipfile.ZipFile(archive) as opened:
        parts += [name.encode() + opened.read(name) for name in opened.namelist()]
    return b"\n".join([*parts, archive.read_bytes(), archive.name.encode()])


@dataclass
class Webhook:
    """A webhook that answers as it was told to, and remembers what it was sent."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    hangs: bool = False


@contextmanager
def webhook(*answers: tuple[int, dict[str, str]], hangs: bool = False) -> Iterator[Webhook]:
    """A webhook on this machine; the last answer is given again and again."""
    hook = Webhook(answers=list(answers) or [(200, {})], hangs=hangs)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append(
                (self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            if hook.hangs:
                hook.hold.wait(10)
                self.close_connection = True
                return
            status, headers = hook.answers[min(len(hook.received), len(hook.answers)) - 1]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield hook
        hook.hold.set()
        server.shutdown()
        thread.join()
