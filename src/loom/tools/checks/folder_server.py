"""Serves one folder on this machine for as long as a check takes, and nothing outside of it."""

from __future__ import annotations

import mimetypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from loom.tools.files import read_bytes
from loom.tools.paths import PathRefusedError

MAX_SERVED = 16 * 1024 * 1024


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address at which a resolved folder is served while the block runs."""

    class Handler(_FolderHandler):
        served = folder

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _FolderHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with the files of a folder."""

    served: Path
    timeout = 10

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send what a file is, without its content."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the answers are what counts."""

    def _answer(self, *, with_body: bool) -> None:
        file = self._file()
        try:
            content, more = read_bytes(file, MAX_SERVED) if file is not None else (b"", True)
        except (OSError, PathRefusedError):
            more = True
        if file is None or more:
            self.send_error(404)
            return
        self.send_response(200)
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        charset = "; charset=utf-8" if kind.startswith("text/") else ""
        self.send_header("Content-Type", kind + charset)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def _file(self) -> Path | None:
        """The file that is asked for; None when it lies outside or there is none."""
        name = unquote(urlsplit(self.path).path).lstrip("/")
        if "\0" in name:
            return None
        path = Path(os.path.realpath(self.served / name))
        if not path.is_relative_to(self.served):
            return None
        return Path(os.path.realpath(path / "index.html")) if path.is_dir() else path
