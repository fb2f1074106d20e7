"""bubblewrap: a program sees a machine of its own, made of what it was given and nothing else.

Its root is empty but for the system's and Python's folders, read-only. /tmp, /dev/shm, /proc, the host name,
the process ids, the IPC objects and, unless it may use the network, the network are its own. What it was given
lies at the paths it has outside.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from loom.sandbox import roots

_SIZED = (0, 7)
"""The first version that can bound a tmpfs."""


def find() -> str | None:
    """The path of the program, if it is installed."""
    return shutil.which("bwrap")


@lru_cache(maxsize=8)
def version(program: str) -> tuple[int, ...]:
    """The version of a bubblewrap; (0,) when it does not say."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    found = re.search(r"(\d+(?:\.\d+)+)", said.stdout)
    return tuple(int(part) for part in found[1].split(".")) if found else (0,)


def prefix(
    program: str, *, read: Iterable[Path], write: Iterable[Path], network: bool, scratch_bytes: int | None
) -> list[str]:
    """The arguments before the program that is to be the first process inside."""
    sized = scratch_bytes is not None and version(program) >= _SIZED
    size = ["--size", str(scratch_bytes)] if sized else []
    return [
        program,
        # root needs no user namespace to make the others, and may be in a place that allows none
        "--unshare-user-try" if os.geteuid() == 0 else "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-cgroup-try",
        *([] if network else ["--unshare-net"]),
        *("--cap-drop", "ALL"),
        *("--hostname", "sandbox"),
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
        *_mounts(read, write, network, size),
        *("--remount-ro", "/dev"),
        *("--remount-ro", "/"),
        *("--chdir", "/"),
        "--",
    ]


def _mounts(read: Iterable[Path], write: Iterable[Path], network: bool, size: list[str]) -> list[str]:
    """Every mount, those nearer to the root first, so that none covers one that lies below it."""
    own: list[tuple[str, list[str]]] = [
        ("/dev", ["--dev", "/dev"]),
        ("/dev/shm", [*size, "--tmpfs", "/dev/shm"]),
        ("/proc", ["--proc", "/proc"]),
        ("/tmp", [*size, "--tmpfs", "/tmp"]),
    ]
    system = [
        (path, _system_mount(path)) for path in dict.fromkeys((*roots.needed(network), *roots.own_code()))
    ]
    given = [(str(path), ["--ro-bind", os.path.realpath(path), str(path)]) for path in read]
    given += [(str(path), ["--bind", os.path.realpath(path), str(path)]) for path in write]
    mounts = sorted((*system, *own, *given), key=lambda mount: len(Path(mount[0]).parts))
    return [argument for _, arguments in mounts for argument in arguments]


def _system_mount(path: str) -> list[str]:
    if Path(path).is_symlink() and path.count("/") == 1:
        return ["--symlink", str(Path(path).readlink()), path]  # /bin, /lib, ... on a merged /usr
    return ["--ro-bind", os.path.realpath(path), path]
