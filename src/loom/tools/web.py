"""Fetches over HTTP: known addresses only, bounded in size, time and redirects, and never by surprise."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from loom.tools.context import NotPermittedError, Permissions
from loom.tools.threads import Stop

if TYPE_CHECKING:
    from loom.core.messages import ErrorKind

MAX_BYTES = 1024 * 1024
MAX_REDIRECTS = 5
MAX_URL = 8_000
AGENT = "loom/0.1"

_REDIRECT = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(Exception):
    """Why nothing could be fetched."""

    def __init__(self, why: str, kind: ErrorKind = "io") -> None:
        super().__init__(why)
        self.kind: ErrorKind = kind


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch, and how much of it."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    max_bytes: int = MAX_BYTES
    seconds: float = 30.0
    redirects: int = MAX_REDIRECTS


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, from the last address that was asked."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    redirects: tuple[str, ...]
    seconds: float

    @property
    def content_type(self) -> str:
        """The media type, in lower case and without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text, in the encoding that the answer names."""
        _, _, charset = self.headers.get("content-type", "").lower().partition("charset=")
        name = charset.partition(";")[0].strip(" \"'")
        try:
            return self.body.decode(name or "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


def fetch(request: Request, permissions: Permissions, stop: Stop | None = None) -> Answer:
    """Fetch an address and follow its redirects, each checked anew.

    NotPermittedError for a host or an address that may not be reached, FetchError for everything else.
    """
    start, stop = time.monotonic(), stop or Stop()
    url, method, body = request.url, request.method, request.body
    passed: list[str] = []
    while True:
        left = request.seconds - (time.monotonic() - start)
        status, headers, content, more = _once(url, method, body, request, permissions, left, stop)
        target = headers.get("location")
        if status not in _REDIRECT or not target or request.redirects == 0:
            return Answer(url, status, headers, content, more, tuple(passed), time.monotonic() - start)
        passed.append(url)
        if len(passed) > request.redirects:
            raise FetchError(f"more than {request.redirects} redirects")
        url = urljoin(url, target).partition("#")[0]
        if status == 303 or (status in (301, 302) and method == "POST"):
            method, body = "GET", None


def _once(
    url: str,
    method: str,
    body: bytes | None,
    request: Request,
    permissions: Permissions,
    left: float,
    stop: Stop,
) -> tuple[int, dict[str, str], bytes, bool]:
    """One request and its answer, from an address that was checked."""
    parts = _checked(url, permissions)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    sent = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, identity", **request.headers}
    try:
        connection = _connect(parts.scheme, host, port, permissions, left)
        with _until(connection, left, stop):
            connection.request(method, target, body=body, headers=sent)
            with connection.getresponse() as answer:
                headers = {name.lower(): value for name, value in answer.getheaders()}
                content, more = _body(answer, headers, request.max_bytes, stop)
                return answer.status, headers, content, more
    except TimeoutError:
        raise FetchError(f"{host} did not answer in time", "timeout") from None
    except ssl.SSLError as error:
        raise FetchError(f"no secure connection to {host}: {error.reason or 'failed'}") from None
    except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
        stop.check()
        what = getattr(error, "strerror", None) or type(error).__name__
        raise FetchError(f"{host} cannot be read: {str(what).lower()}") from None


def _checked(url: str, permissions: Permissions) -> SplitResult:
    if len(url) > MAX_URL:
        raise FetchError("the address is too long", "contract")
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise FetchError(f"the address is malformed: {error}", "contract") from None
    if parts.scheme not in ("http", "https"):
        raise NotPermittedError(f"only http and https can be fetched, not {parts.scheme or 'nothing'}:")
    if not host:
        raise FetchError("the address names no host", "contract")
    if parts.username is not None or parts.password is not None:
        raise NotPermittedError("an address with a name or password in it is not fetched")
    if not _allowed(host, permissions.network):
        raise NotPermittedError(f"{host} is not among the hosts this run may reach")
    return parts


def _allowed(host: str, hosts: tuple[str, ...]) -> bool:
    name = host.lower().rstrip(".")
    for each in hosts:
        allowed = each.lower().rstrip(".")
        if allowed in ("*", name) or (allowed.startswith("*.") and name.endswith(allowed[1:])):
            return True
    return False


def _connect(
    scheme: str, host: str, port: int, permissions: Permissions, left: float
) -> http.client.HTTPConnection:
    """A connection to an address that was looked at, not to a name that may mean another one next time."""
    if left <= 0:
        raise TimeoutError
    deadline = time.monotonic() + left
    addresses = _resolved(host, port, permissions)
    problem: OSError | None = None
    for address in addresses:
        try:
            plain = socket.create_connection((address, port), max(0.1, deadline - time.monotonic()))
        except OSError as error:
            problem = error
            continue
        connection = http.client.HTTPConnection(host, port)
        connection.sock = plain
        return _secured(connection, plain, host) if scheme == "https" else connection
    raise problem or FetchError(f"{host} has no address")


def _resolved(host: str, port: int, permissions: Permissions) -> list[str]:
    """The addresses of a host; none is answered with unless all may be reached."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise FetchError(f"{host} is not known") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not reachable(address, permissions):
            raise NotPermittedError(f"{host} is at {address}, which is not a public address")
    return addresses


def _secured(
    connection: http.client.HTTPConnection, plain: socket.socket, host: str
) -> http.client.HTTPConnection:
    try:
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise
    connection.default_port = 443
    return connection


def check_address(url: str, permissions: Permissions) -> None:
    """Raise what `fetch` would raise for an address that may not be reached, without reaching it."""
    parts = _checked(url, permissions)
    _resolved(parts.hostname or "", parts.port or 0, permissions)


def reachable(address: str, permissions: Permissions) -> bool:
    """Whether an address may be reached: public ones always, others only where the run says so."""
    if permissions.addresses == "any":
        return True
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # an address of the older kind may hide in one of the newer
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
    if found.is_loopback:
        return permissions.addresses == "loopback"
    return found.is_global and not found.is_multicast


@contextmanager
def _until(connection: http.client.HTTPConnection, seconds: float, stop: Stop) -> Iterator[None]:
    """Close the connection at the deadline, or when nobody waits: a server that drips cannot hold it."""
    late = threading.Event()
    plain = connection.sock

    def close() -> None:
        late.set()
        with suppress(OSError):
            plain.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(seconds, 0.0), close)
    timer.daemon = True
    timer.start()
    stop.wake_with(close)
    try:
        yield
        if late.is_set():
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        stop.check()
        raise TimeoutError if late.is_set() else error from None
    finally:
        timer.cancel()
        connection.close()


def _body(
    answer: http.client.HTTPResponse, headers: Mapping[str, str], limit: int, stop: Stop
) -> tuple[bytes, bool]:
    """The body up to a limit, unpacked, and whether there was more."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise FetchError(f"the answer is packed with {coding[:20]}, which cannot be read")
    unpack = zlib.decompressobj(47) if coding in ("gzip", "x-gzip", "deflate") else None
    kept = bytearray()
    while len(kept) <= limit and (chunk := answer.read1(64 * 1024)):
        stop.check()
        kept += unpack.decompress(chunk, limit + 1 - len(kept)) if unpack is not None else chunk
    return bytes(kept[:limit]), len(kept) > limit
