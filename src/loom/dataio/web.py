"""Files on the web, fetched to a scratch file first: nothing is read from a half-finished download."""

from __future__ import annotations

import base64
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

from loom.dataio.addresses import Address, format_of
from loom.kernel.errors import LoomError

_TIMEOUT = 30.0
_CHUNK = 1024 * 1024
MAX_BYTES = 64 * 1024**3
_TYPES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.apache.arrow.file": ".arrow",
}


def fetch(address: Address, folder: Path, limit: int = MAX_BYTES) -> Path:
    """Download a file over http(s), whole or not at all; redirects may not leave http(s)."""
    folder.mkdir(parents=True, exist_ok=True)
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(_request(address.text), timeout=_TIMEOUT) as answer:
            path = folder / _name(answer.url, address, answer.headers.get_content_type())
            return _save(answer, path, address, limit)
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection
            why = f"the server answers {error.code} {error.reason[:100]}"
            if 300 <= error.code < 400:  # the reason may quote an address with a secret in it
                why = "it redirects in a circle, or to something that is not http(s)"
            raise _failed(address, why) from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise _failed(
            address, str(getattr(error, "reason", error)).lower() or "the connection broke"
        ) from None
    except ValueError:
        raise _failed(address, "it is not a web address") from None


def _request(text: str) -> urllib.request.Request:
    """What is asked of the server; a login goes to this server and not to where it redirects."""
    parts = urlsplit(text)
    login, _, host = parts.netloc.rpartition("@")
    plain = parts._replace(netloc=host, fragment="").geturl()
    request = urllib.request.Request(plain, headers={"User-Agent": "loom", "Accept-Encoding": "identity"})
    if login:
        user, _, password = login.partition(":")
        packed = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {packed}")
    return request


def _save(answer: http.client.HTTPResponse, path: Path, address: Address, limit: int) -> Path:
    promised = answer.headers.get("Content-Length")
    size = 0
    with path.open("wb") as file:
        while chunk := answer.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise _failed(address, f"it is larger than {limit:,} bytes")
            file.write(chunk)
    if promised is not None and promised.isdigit() and size != int(promised):
        raise _failed(address, f"{size:,} of {int(promised):,} bytes arrived")
    return path


def _name(url: str, address: Address, content_type: str) -> str:
    """A file name whose ending tells the format: that of the address, of where it led, or of the content type."""
    for candidate in (address.text, url):
        name = unquote(urlsplit(candidate).path).rpartition("/")[2]
        try:
            format_of(name)
        except LoomError:
            continue
        return "download" + "".join(Path(name).suffixes[-2:]).lower()
    if content_type in _TYPES:
        return "download" + _TYPES[content_type]
    raise _failed(address, f"neither its name nor its type, {content_type}, tells a format that Loom reads")


def _failed(address: Address, why: str) -> LoomError:
    return LoomError(f"{address.shown} cannot be fetched", why, f"curl -I {address.shown}")
