"""A service on loopback that answers as it is told, one step of its script for each request, and remembers what came."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from loom.core.model import ToolCall, Usage

LONGEST_HOLD = 20.0


@dataclass(frozen=True)
class Says:
    """A whole answer; `pieces` of its text are sent one by one."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: str = "end"
    usage: Usage = field(default_factory=lambda: Usage(11, 7))

    def pieces(self) -> Iterator[str]:
        """The text in three parts, where it is long enough."""
        size = max(len(self.text) // 3, 1)
        for start in range(0, len(self.text), size):
            yield self.text[start : start + size]


@dataclass(frozen=True)
class Status:
    """A refusal before any answer."""

    code: int
    name: str = ""
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class FailsMidway:
    """An answer that begins, and then says that something failed."""

    name: str
    message: str = "no"


@dataclass(frozen=True)
class HangsUp:
    """A connection that ends: before any answer, or after this text."""

    after: str | None = None
    politely: bool = False
    """Whether the body ends as a whole one would."""


@dataclass(frozen=True)
class Holds:
    """An answer that begins with this text, and goes on when the event is set or nobody listens any more."""

    until: threading.Event
    text: str | None = ""
    """None: not even the headers come."""


@dataclass(frozen=True)
class Sends:
    """Any bytes as the body."""

    body: bytes
    kind: str = "text/event-stream"
    times: int = 1
    pause: float = 0.0


Step = Says | Status | FailsMidway | HangsUp | Holds | Sends


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ModelServer:
    """Listens on a free port of this machine while it is entered."""

    def __init__(self, script: Iterable[Step] = ()) -> None:
        self.asked: list[Asked] = []
        self.stopped = threading.Event()
        self._steps = list(script)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def then(self, *steps: Step) -> None:
        """Add to the script."""
        self._steps += steps

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for step in self._steps:
            if isinstance(step, Holds):
                step.until.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # what a wire has of its own

    def begin(self, step: Says) -> bytes:
        """What stands before the text."""
        raise NotImplementedError

    def piece(self, text: str) -> bytes:
        """A part of the text."""
        raise NotImplementedError

    def end(self, step: Says) -> bytes:
        """What stands behind the text."""
        raise NotImplementedError

    def refusal(self, name: str, message: str) -> dict[str, Any]:
        """The body of a refusal."""
        raise NotImplementedError

    def failure(self, name: str, message: str) -> bytes:
        """The event that says that something failed."""
        raise NotImplementedError

    def aside(self, asked: Asked) -> dict[str, Any] | None:
        """The answer to a request that is none for the model; it takes no step of the script."""
        return None

    def _next(self, asked: Asked) -> Step:
        with self._lock:
            number = len(self.asked)
            self.asked.append(asked)
        return (
            self._steps[number] if number < len(self._steps) else Status(500, "api_error", "the script ended")
        )

    def _handler(outer) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                self.close_connection = True
                with suppress(ConnectionError):  # who asked may have hung up
                    aside = outer.aside(asked)
                    if aside is not None:
                        self._plain(200, json.dumps(aside).encode(), {})
                    else:
                        self._take(outer._next(asked))

            def _take(self, step: Step) -> None:
                match step:
                    case Says():
                        self._open()
                        self._chunk(outer.begin(step))
                        for text in step.pieces():
                            self._chunk(outer.piece(text))
                        self._chunk(outer.end(step))
                        self._chunk(b"")
                    case Status():
                        body = json.dumps(outer.refusal(step.name, step.message)).encode()
                        self._plain(step.code, body if step.body is None else step.body, step.headers)
                    case FailsMidway():
                        self._open()
                        self._chunk(
                            outer.begin(Says()) + outer.piece("so ") + outer.failure(step.name, step.message)
                        )
                        self._chunk(b"")
                    case HangsUp(after=None):
                        pass
                    case HangsUp():
                        self._open()
                        self._chunk(outer.begin(Says()) + outer.piece(str(step.after)))
                        if step.politely:
                            self._chunk(b"")
                    case Holds():
                        if step.text is not None:
                            self._open()
                            self._chunk(outer.begin(Says()))
                            if step.text:
                                self._chunk(outer.piece(step.text))
                        step.until.wait(LONGEST_HOLD)
                    case Sends():
                        self._open(step.kind)
                        for _ in range(step.times):
                            self._chunk(step.body)
                            if step.pause:
                                outer.stopped.wait(step.pause)
                        self._chunk(b"")

            def _open(self, kind: str = "text/event-stream; charset=utf-8") -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

            def _chunk(self, data: bytes) -> None:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                self.wfile.flush()

            def _plain(self, code: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(code)
                fixed = {"Content-Type": "application/json", "Content-Length": str(len(body))}
                for name, value in {**fixed, **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def arguments(call: ToolCall) -> str:
    """A call's arguments as they are sent; a test may have written them itself."""
    return getattr(call.arguments, "written", None) or json.dumps(call.arguments)


def event(data: object, name: str = "") -> bytes:
    """A server-sent event; anything but a text is written as JSON."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
