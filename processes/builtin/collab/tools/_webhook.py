"""Hands bytes over by HTTP: bounded in time and in attempts, to the host that was named and to no other."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, quote

SECONDS = 30.0
"""How long one attempt may take as a whole."""

WAITS = (1.0, 2.0, 4.0)
"""Between attempts; there is one more attempt than there are waits."""

LONGEST_WAIT = 30.0
_BUSY = frozenset({408, 425, 429})
_SAFE = "/%:@!$&'()*+,;=~-._"


class NotTakenError(Exception):
    """Why nobody took what was sent. `may_have_arrived` says that it was sent and that no answer came."""

    def __init__(self, why: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(why)
        self.may_have_arrived = may_have_arrived


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer of who took it."""

    status: int
    attempts: int


def post(
    url: SplitResult, body: bytes, headers: Mapping[str, str], sleep: Callable[[float], None] = time.sleep
) -> Taken:
    """Send bytes, again while the other side is busy or broken; NotTakenError unless they were taken."""
    status = 0
    for attempt in range(1, len(WAITS) + 2):
        status, wait = _once(url, body, headers)
        if 200 <= status < 300:
            return Taken(status, attempt)
        if 300 <= status < 400:
            raise NotTakenError("it redirects, and a bundle goes only where somebody agreed that it goes")
        if status not in _BUSY and status < 500:
            break
        if attempt <= len(WAITS):
            sleep(min(WAITS[attempt - 1] if wait is None else wait, LONGEST_WAIT))
    tried = f", after {attempt} attempts" if attempt > 1 else ""
    raise NotTakenError(f"it answered {status}{tried}")


def _once(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
    """One attempt: the status of the answer, and how long to wait if it says so."""
    connection = _connection(url)
    target = quote(url.path or "/", safe=_SAFE) + (
        f"?{quote(url.query, safe=_SAFE + '?')}" if url.query else ""
    )
    has_sent = False
    try:
        connection.connect()
        with _until(connection):
            connection.request("POST", target, body=body, headers=dict(headers))
            has_sent = True
            with connection.getresponse() as answer:
                return answer.status, _seconds(answer.getheader("Retry-After"))
    except TimeoutError:
        raise NotTakenError("it did not answer in time", may_have_arrived=has_sent) from None
    except ssl.SSLError:
        raise NotTakenError("there is no secure connection to it") from None
    except socket.gaierror:
        raise NotTakenError("its host is not known") from None
    except (OSError, http.client.HTTPException) as error:
        why = str(getattr(error, "strerror", None) or "it broke the connection off").lower()
        raise NotTakenError(why, may_have_arrived=has_sent) from None
    finally:
        connection.close()


def _connection(url: SplitResult) -> http.client.HTTPConnection:
    if url.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(str(url.hostname), url.port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(str(url.hostname), url.port, timeout=SECONDS)


@contextmanager
def _until(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Cut the connection at the deadline: a server that sends a byte now and then would hold it for ever."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.strip().isdecimal() else None
