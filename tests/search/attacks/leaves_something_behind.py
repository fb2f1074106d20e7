"""Ends, and means to go on in a thread, a child and another session."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

reached = 0
for call, *arguments in (
    (os.fork,),
    (os.setsid,),
    (subprocess.Popen, [sys.executable, "-c", "pass"]),
    (os.posix_spawn, sys.executable, [sys.executable, "-c", "pass"], {}),
    (os.execv, "/bin/true", ["true"]),
):
    try:
        call(*arguments)
        reached += 1
    except OSError:
        pass


def go_on() -> None:
    while True:
        time.sleep(0.05)
        Path("working/beat").touch()


threading.Thread(target=go_on).start()
print(f'{{"reached": {reached}}}')
