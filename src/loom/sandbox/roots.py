"""The parts of the machine that programs need to run at all; they are never writable."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/fonts",
    "/sys/devices/system",
)
NETWORK = (
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/cert.pem",
    "/etc/ca-certificates",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
PROCESS = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/version")
"""What may be read of /proc where it is the machine's own."""
TOOLCHAINS = (
    *(".pyenv", ".asdf", ".nvm", ".volta", ".bun", ".deno", ".rustup", ".cargo/bin", "go/bin", "miniconda3"),
    *("anaconda3", "miniforge3", ".local/bin", ".local/share/uv/python", ".local/share/uv/tools"),
)
"""Where people keep programs below their home; none of these holds credentials."""


def toolchains(search_path: str) -> list[Path]:
    """Where programs of this machine and of this person are kept, besides the system's own folders.

    A folder of PATH that holds somebody's home is no such place.
    """
    home = Path(os.path.realpath(os.environ.get("HOME") or "/"))
    on_path = [Path(each) for each in search_path.split(os.pathsep) if each.startswith("/")]
    # a shim only leads to the program: what it needs for that lies beside its folder
    on_path += [path.parent for path in on_path if path.name == "shims"]
    active = [Path(each) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if (each := os.environ.get(name))]
    found = [*(home / name for name in TOOLCHAINS), Path("/opt"), *active, *on_path]
    return [
        path
        for path in dict.fromkeys(Path(os.path.realpath(path)) for path in found)
        if reachable(path)
        and not home.is_relative_to(path)
        and not any(path.is_relative_to(own) for own in SYSTEM)
    ]


def needed(network: bool) -> list[str]:
    """The files and folders of the system, and of this Python, that exist here."""
    python = (sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix)
    real = (str(Path(path).resolve()) for path in python)
    wanted = dict.fromkeys((*SYSTEM, *(NETWORK if network else ()), *python, *real))
    return [path for path in wanted if path not in ("", "/") and reachable(Path(path))]


def reachable(path: Path) -> bool:
    """Whether there is something at a path, and we may know it."""
    try:
        path.stat()
    except OSError:
        return False  # absent, or behind a folder that is not ours to enter
    return True


def own_code() -> list[str]:
    """The files of Loom that the supervisor imports."""
    folder = Path(__file__).absolute().parent
    return [str(folder.parent / "__init__.py"), str(folder)]


def import_root() -> str:
    """The folder that `import loom` is found in."""
    return str(Path(__file__).absolute().parents[2])


def search_path() -> str:
    """PATH for a sandboxed program: this Python's programs, then the system's."""
    own = str(Path(sys.executable).parent)
    return ":".join(dict.fromkeys((own, "/usr/local/bin", "/usr/bin", "/bin")))
