"""A small web site on this machine, for as long as a test runs."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ARTICLE = b"""<!doctype html><html><head><title>On looms</title>
<meta property="article:published_time" content="2024-03-12"></head>
<body><h1>Looms</h1><p>A loom holds the warp &amp; the weft.</p><script>secret()</script>
<a href="/form">form</a></body></html>"""
FORM = b"""<title>Form</title><form action="/echo" method="post"><input name="q" value="a">
<input type="checkbox" name="c" checked><select name="s"><option value="1">one<option value="2" selected>two</select>
<button name="go" value="now">Send</button></form>"""


class Site:
    """Where the site is, and what it was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[str] = []
        self.waiting = threading.Event()
        """Set at the end of the test: until then `/never` does not answer."""

    def url(self, path: str) -> str:
        """The address of a page."""
        return self.address + path


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append(self.path)
        parts = urlsplit(self.path)
        match parts.path:
            case "/article":
                self._send(ARTICLE, "text/html; charset=utf-8")
            case "/form":
                self._send(FORM, "text/html", ("Set-Cookie", "seen=yes; Path=/"))
            case "/data.json":
                self._send(b'{"items": [{"id": 7, "ok": true}]}', "application/json")
            case "/latin":
                self._send("caf\u00e9".encode("latin-1"), "text/plain; charset=iso-8859-1")
            case "/packed":
                self._send(gzip.compress(b"unpacked " * 10), "text/plain", ("Content-Encoding", "gzip"))
            case "/bomb":
                self._send(gzip.compress(b"0" * 20_000_000), "text/plain", ("Content-Encoding", "gzip"))
            case "/large":
                self._send(b"x" * 3_000_000, "text/plain")
            case "/picture":
                self._send(b"\x89PNG\0\0", "image/png")
            case "/missing":
                self._send(b"not here", "text/plain", status=404)
            case "/broken":
                self._send(b"", "text/plain", status=503)
            case "/once":
                self._send(b"", "text/plain", ("Location", "/article"), status=302)
            case "/circle":
                self._send(b"", "text/plain", ("Location", "/circle"), status=302)
            case "/away":
                self._send(b"", "text/plain", ("Location", parse_qs(parts.query)["to"][0]), status=302)
            case "/never":
                self.site.waiting.wait(20)
            case "/drip":
                self._drip()
            case _:
                self._send(b"<p>home</p>", "text/html")

    def do_POST(self) -> None:
        self.site.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cookie = self.headers.get("Cookie", "").encode()
        self._send(b"<title>Echo</title><p>" + body + b"</p><i>" + cookie + b"</i>", "text/html")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _send(self, body: bytes, kind: str, header: tuple[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if header:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        """One byte now and then, for ever."""
        self.send_response(200)
        self.end_headers()
        try:
            while not self.site.waiting.wait(0.02):
                self.wfile.write(b".")
        except OSError:
            pass


@contextmanager
def open_site() -> Iterator[Site]:
    """A site that answers while the block runs."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Handler.site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.waiting.set()
        server.shutdown()
        thread.join()
        server.server_close()
