"""What a script may not reach for: modules, calls, names and texts, each with what it is called and how bad it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["note", "suspect", "refuse"]

MODULES: dict[str, tuple[str, Severity]] = {
    **dict.fromkeys(
        ("socket", "ssl", "urllib", "http", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "telnetlib",
         "xmlrpc", "paramiko", "websocket", "websockets", "boto3", "socketserver", "asyncssh"),
        ("network", "refuse"),
    ),
    **dict.fromkeys(("subprocess", "pty", "posix", "_posixsubprocess", "pexpect", "sh"), ("process", "refuse")),
    **dict.fromkeys(("multiprocessing", "_multiprocessing"), ("process", "note")),
    **dict.fromkeys(("ctypes", "_ctypes", "cffi", "ptrace", "pyrasite"), ("memory", "refuse")),
    **dict.fromkeys(("faulthandler", "mmap", "pympler"), ("memory", "note")),
    **dict.fromkeys(("loom", "metaflow"), ("scorer", "refuse")),
    **dict.fromkeys(("signal", "resource"), ("limits", "suspect")),
}  # fmt: skip
CALLS: dict[str, tuple[str, Severity]] = {
    **dict.fromkeys(
        ("os.system", "os.popen", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.setsid", "os.setpgid",
         "os.posix_spawn", "os.posix_spawnp", "os.execv", "os.execve", "os.execl", "os.execle", "os.execlp",
         "os.execvp", "os.execvpe", "os.spawnl", "os.spawnle", "os.spawnlp", "os.spawnv", "os.spawnve",
         "os.spawnvp"),
        ("process", "refuse"),
    ),
    **dict.fromkeys(("multiprocessing.Process", "multiprocessing.Pool"), ("process", "suspect")),
    **dict.fromkeys(("concurrent.futures.ProcessPoolExecutor",), ("process", "suspect")),
    **dict.fromkeys(("gc.get_objects", "gc.get_referrers", "sys._getframe", "sys._current_frames",
                     "inspect.stack", "inspect.currentframe"), ("memory", "suspect")),
    **dict.fromkeys(("os.symlink", "os.link", "os.chdir", "os.chroot", "os.mkfifo", "os.mknod"), ("outside", "suspect")),
    **dict.fromkeys(("pathlib.Path.home", "os.path.expanduser", "os.path.expandvars"), ("outside", "suspect")),
    **dict.fromkeys(("exec", "eval", "compile", "builtins.exec", "builtins.eval", "builtins.compile"), ("built_code", "note")),
}  # fmt: skip
IMPORTERS = ("__import__", "importlib.import_module", "builtins.__import__")
HIDDEN = frozenset(
    {"__subclasses__", "__globals__", "__builtins__", "__code__", "__loader__", "f_back", "f_globals"}
)
THREADS = re.compile(
    r"\w*(?:NUM_THREADS|MAX_THREADS|CPU_COUNT)|PYTHON\w+|OMP_\w+|MKL_\w+|TF_CPP_MIN_LOG_LEVEL"
)
ABSOLUTE = re.compile(
    r"/(?:$|(?:proc|sys|dev|etc|home|root|tmp|var|usr|opt|mnt|media|run|srv|data|input|kaggle|content|work|workspace|app|Users|private)(?:/|$)|[\w.\-]+/[\w.\-]+)|[A-Za-z]:[\\/]"
)
UPWARDS = re.compile(r"(?:^|[/\\])\.\.(?:$|[/\\])")
HOME = re.compile(r"~(?:$|[/\\])")
ADDRESS = re.compile(r"(?:https?|ftps?|s3|gs|gcs|abfss?|hdfs|sftp|file|memory)://", re.IGNORECASE)
PROCESS_FILES = re.compile(r"/proc(?:/|$)")
JUDGES = re.compile(r"(?:score|scorer|loss|error|metric|read_csv|read_parquet|to_csv|open|stat)\w*$")

CODES: dict[str, str] = {
    "no_code": "it holds no script",
    "not_python": "the script is not Python that can be read",
    "too_long": "the script is longer than any model is",
    "fit_on_test": "it learns from rows that are to be predicted",
    "target_from_test": "it looks for the answer in the rows that are to be predicted",
    "outside": "it reaches for files outside its own folder",
    "network": "it reaches for the network",
    "process": "it starts, or ends, processes",
    "memory": "it reaches for the memory of the interpreter, or of another process",
    "environment": "it reads the environment of the process",
    "scorer": "it reaches for what judges it",
    "limits": "it changes its limits, or how it can be stopped",
    "built_code": "it runs code that it puts together itself",
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Smell:
    """Something in a line of a script: a short stable code, what it is in words, and what follows from it."""

    line: int
    code: str
    what: str
    severity: Severity
