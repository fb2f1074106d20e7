"""One connection to a provider: it ends in time whatever the server does, and is tried twice where nobody answers."""

from __future__ import annotations

import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx2

from loom.core.model import ModelError, ModelEvent
from loom.models.party import Party

CONNECT_SECONDS = 10.0
MAX_BYTES = 64 * 1024 * 1024
MAX_LINE = 4 * 1024 * 1024
"""Readers of streams keep a line until it ends, and some search all of it again each time that more has come."""

Conversation = Callable[["Line"], Iterator[ModelEvent]]


class TooMuch(httpx2.TransportError):
    """The server sent more than anybody will read."""


class Line:
    """An HTTP client for one request, and the clock that cuts it off.

    A limit on each wait would not do: a server that sends one byte a second is never late.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = max(seconds, 0.001)
        self.expired = False
        self.timeout = httpx2.Timeout(self.seconds, connect=min(self.seconds, CONNECT_SECONDS))
        hooks: dict[str, list[Callable[..., Any]]] = {"request": [self._watch], "response": [self._bound]}
        self.client = httpx2.Client(timeout=self.timeout, event_hooks=hooks, verify=_trusted())
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._clock = threading.Timer(self.seconds, self._cut)
        self._clock.daemon = True

    def __enter__(self) -> Self:
        self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clock.cancel()
        self.client.close()

    def _watch(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._connected

    def _connected(self, name: str, info: dict[str, Any]) -> None:
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
            if self.expired:
                self._cut()

    def _cut(self) -> None:
        self.expired = True
        with self._lock, suppress(OSError):
            if self._socket is not None:
                # of the plain kind, since another thread is reading: one for TLS would forget its state
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _bound(self, response: httpx2.Response) -> None:
        stream = response.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        response.stream = _Bounded(stream)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates count; reading them takes longer than all else that a client needs."""
    return httpx2.create_ssl_context()


class _Bounded(httpx2.SyncByteStream):
    """A body of which no more than so many bytes are read, in all and without a line break."""

    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        taken = line = 0
        for chunk in self._stream:
            taken += len(chunk)
            last = chunk.rfind(b"\n")
            line = line + len(chunk) if last < 0 else len(chunk) - last - 1
            if taken > MAX_BYTES or line > MAX_LINE:
                raise TooMuch(f"it is longer than {MAX_BYTES if taken > MAX_BYTES else MAX_LINE:,} bytes")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def converse(
    party: Party,
    seconds: float,
    conversation: Conversation,
    caught: tuple[type[Exception], ...] = (),
    understood: Callable[[Exception], ModelError | None] = lambda _: None,
) -> Iterator[ModelEvent]:
    """The events of a conversation over a line; whatever goes wrong on the way is a ModelError.

    A line that breaks before anything has come is opened once more. All other retries are the caller's.
    """
    expected: tuple[type[Exception], ...] = (
        ModelError,
        httpx2.HTTPError,
        ValueError,
        RecursionError,
        *caught,
    )
    deadline = time.monotonic() + seconds
    more = True
    while True:
        begun = False
        with Line(deadline - time.monotonic()) as line:
            try:
                for event in conversation(line):
                    begun = True
                    yield event
                return
            except expected as error:
                known = error if isinstance(error, ModelError) else understood(error)
                failure = party.too_slow(seconds) if line.expired else known or _translated(party, error)
        if begun and failure.kind == "transport":
            failure = party.cut_off()
        if failure.kind != "transport" or not more:
            # outside of the handler: what libraries raise holds headers, and the key is one
            raise failure
        more = False


def _translated(party: Party, error: Exception) -> ModelError:
    match error:
        case httpx2.TimeoutException():
            return party.failure("timeout", "took too long", "nobody answered")
        case TooMuch() | httpx2.SSEError() | httpx2.DecodingError():
            return party.unreadable(str(error))
        case httpx2.RemoteProtocolError() | httpx2.ReadError():
            return party.failure("transport", "hung up", "the connection ended before it was due")
        case httpx2.HTTPError():
            return party.failure("transport", "cannot be reached", str(error) or type(error).__name__)
    return party.unreadable("it is not what this kind of service sends")
