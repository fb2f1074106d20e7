"""Files on the web are fetched whole before anything is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.web import fetch
from loom.kernel.errors import LoomError
from tests.dataio.tables import bring_in, frame_of, refusal

TABLE = b"a,b\nx,1\ny,2\n"


class Answers(BaseHTTPRequestHandler):
    """A site with one table and several ways to get it wrong."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in ("/table.csv", "/download"):
            self._send(200, TABLE, **{"Content-Type": "text/csv; charset=utf-8"})
        elif path == "/closed.csv":
            allowed = self.headers["Authorization"] == "Basic bWU6cEBzcw=="
            self._send(200 if allowed else 401, TABLE)
        elif path == "/leaking":
            self._send(302, Location="/closed.csv")
        elif path == "/latest":
            self._send(302, Location="/table.csv?sig=abc")
        elif path == "/elsewhere.csv":
            self._send(302, Location="file:///etc/passwd")
        elif path == "/circle.csv":
            self._send(302, Location="/circle.csv")
        elif path == "/short.csv":
            self._send(200, TABLE, **{"Content-Length": "1000"})
        elif path == "/page":
            self._send(200, b"<html>", **{"Content-Type": "text/html"})
        else:
            self._send(404)

    def _send(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between a test and its server."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def site() -> Iterator[str]:
    """The address of the site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("path", ["/table.csv", "/table.csv?token=secret", "/download", "/latest"])
def test_a_table_is_found_by_its_name_its_type_or_where_it_leads(
    tmp_path: Path, site: str, path: str
) -> None:
    found = bring_in(tmp_path, site + path)
    assert frame_of(found).to_dict(as_series=False) == {"a": ["x", "y"], "b": [1, 2]}
    assert "secret" not in str(found.schema)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/none.csv", "the server answers 404 Not Found"),
        ("/elsewhere.csv", "redirect"),
        ("/circle.csv", "redirect"),
        ("/short.csv", "12 of 1,000 bytes arrived"),
        ("/page", "neither its name nor its type, text/html"),
    ],
)
def test_what_cannot_be_fetched_is_refused(tmp_path: Path, site: str, path: str, why: str) -> None:
    error = refusal(tmp_path, f"{site}{path}?token=secret")
    assert "cannot be fetched" in error.what
    assert why in error.why
    assert "secret" not in str(error)


def test_a_login_goes_to_the_server_and_not_to_where_it_redirects(tmp_path: Path, site: str) -> None:
    with_login = site.replace("http://", "http://me:p%40ss@")
    assert frame_of(bring_in(tmp_path, f"{with_login}/closed.csv")).height == 2
    (tmp_path / "other").mkdir()
    assert "401" in refusal(tmp_path / "other", f"{with_login}/leaking").why


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, site: str) -> None:
    with pytest.raises(LoomError, match="cannot be fetched"):
        fetch(parse_address(f"{site}/table.csv"), tmp_path, limit=5)


def test_a_server_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "refused" in refusal(tmp_path, "http://127.0.0.1:1/t.csv").why
    assert "not a web address" in refusal(tmp_path, "http://[bad/t.csv").why
