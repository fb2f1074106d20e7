"""Opens connections."""

import json
import socket
from contextlib import suppress
from pathlib import Path

port = json.loads(Path("input/ctx.json").read_text())["port"]
reached = 0
for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM)):
    try:
        with socket.socket(family, kind) as out:
            out.settimeout(1)
            out.connect(("127.0.0.1", port))
            out.send(b"out")
            reached += 1
    except OSError:
        pass
with suppress(OSError):
    socket.getaddrinfo("localhost", port)
print(f'{{"reached": {reached}}}')
