"""What a task finds around it, and how it ends: the same, however tasks are started."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import locale
import multiprocessing
import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import threading
import time
import uuid
import warnings
from pathlib import Path

from metaflow import (
    Config,
    FlowSpec,
    JSONType,
    Parameter,
    card,
    catch,
    current,
    environment,
    project,
    retry,
    step,
    timeout,
    user_step_decorator,
)

import __main__

OUT = Path(os.environ["FACTS"])
ENDS = ["raises", "exits_3", "exits_with_words", "leaves", "SIGSEGV", "SIGKILL", "SIGTERM", "SIGABRT"]
UNCHANGED = ["TZ", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "FACTS_EXTRA", "METAFLOW_RUN_ID"]


class Pickled:
    """A class of the main module."""

    def __eq__(self, other):
        return isinstance(other, Pickled)

    __hash__ = None


@user_step_decorator
def counted(step_name, flow, inputs=None, attributes=None):
    note(step_name, "before", None)
    yield
    note(step_name, "after", sorted(flow.__dict__.get("_seen", [])))


def note(step_name, name, value):
    with (OUT / "parents").open("a") as file:
        file.write(f"{step_name} {os.getppid()}\n")
    with (OUT / "facts.jsonl").open("a") as file:
        file.write(json.dumps([step_name, name, value], default=str) + "\n")


def surroundings():
    handlers = {
        name: str(
            getattr(
                signal.getsignal(getattr(signal, name)), "__name__", signal.getsignal(getattr(signal, name))
            )
        )
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGCHLD", "SIGALRM", "SIGUSR1")
    }
    streams = {
        stream.name: [
            type(stream).__name__,
            stream.encoding,
            stream.errors,
            stream.newlines,
            stream.line_buffering,
            stream.write_through,
            stream.isatty(),
            stream.mode,
            type(stream.buffer).__name__,
            stream.fileno(),
            stream is getattr(sys, "__" + stream.name[1:-1] + "__"),
        ]
        for stream in (sys.stdin, sys.stdout, sys.stderr)
    }
    return {
        "argv": sys.argv[:3],
        "path": sys.path[0] == str(Path(__file__).parent),
        "flags": str(sys.flags),
        "name": __name__,
        "main": sorted(name for name in vars(__main__) if not name.startswith("__")),
        "main file": Path(__main__.__file__).name,
        "main spec": __main__.__spec__,
        "main loader": type(__main__.__loader__).__name__,
        "handlers": handlers,
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "streams": streams,
        "environ": {name: os.environ.get(name) for name in UNCHANGED if name != "METAFLOW_RUN_ID"},
        "c environ": os.popen("echo $FACTS_EXTRA $TZ").read(),
        "is own run": os.environ["METAFLOW_RUN_ID"] == current.run_id,
        "hash": hash("a text") if os.environ.get("PYTHONHASHSEED") else "random",
        "zone": [time.tzname, time.localtime(0).tm_hour],
        "locale": [
            locale.getpreferredencoding(),
            locale.setlocale(locale.LC_ALL),
            sys.getfilesystemencoding(),
        ],
        "threads": [threading.active_count(), threading.current_thread() is threading.main_thread()],
        "gc": [gc.isenabled(), gc.get_threshold()],
        "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
        "recursion": sys.getrecursionlimit(),
        "filters": [entry[0] for entry in warnings.filters],
        "cwd": str(Path.cwd()) == os.environ["FACTS_CWD"],
        "umask": os.umask(os.umask(0)),
        "group": os.getpgid(0) == int(os.environ["FACTS_GROUP"]) if "FACTS_GROUP" in os.environ else None,
        "session": os.getsid(0) == os.getpgid(0),
        "open handles": handles(),
        "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__],
        "heavy": sorted({"numpy", "pandas", "polars", "pyarrow", "sklearn", "lightgbm"} & set(sys.modules)),
        "user": [
            current.username,
            current.namespace,
            current.flow_name,
            current.step_name,
            current.is_running_flow,
        ],
        "project": [current.project_name, current.branch_name],
        "parameters": sorted(current.parameter_names),
    }


def handles():
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that the list is read with
            found.append(str(path.readlink()).partition(":")[0])
    return sorted({kind for kind in found if not kind.startswith("/proc/")})


def chances():
    return [random.random(), str(uuid.uuid4()), next(tempfile._get_candidate_names())]


def double(value):
    return 2 * value


@project(name="facts")
class FactsFlow(FlowSpec):
    """Every step notes what it finds."""

    settings = Config("settings", default_value='{"depth": 3}')
    number = Parameter("number", type=int, default=7)
    parts = Parameter("parts", type=JSONType, default='["a"]')

    @step
    def start(self):
        note("start", "surroundings", surroundings())
        note("start", "inputs", [self.number, self.parts, self.settings.depth, dict(self.settings)])
        self.chances = [chances()]
        self.pickled = Pickled()
        self.next(self.elsewhere, self.split)

    @environment(vars={"TZ": "Asia/Tokyo", "FACTS_EXTRA": "extra"})
    @card(type="blank")
    @counted
    @step
    def elsewhere(self):
        note("elsewhere", "surroundings", surroundings())
        note("elsewhere", "pickled", [self.pickled == Pickled(), type(self.pickled).__module__])
        self.chances = [*self.chances, chances()]
        self.next(self.seeded)

    @environment(vars={"PYTHONHASHSEED": "5"})
    @step
    def seeded(self):
        note("seeded", "hash", hash("a text"))
        self.next(self.spawning)

    @timeout(seconds=60)
    @step
    def spawning(self):
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            note("spawning", "spawned", pool.map(double, [1, 2]))
        note("spawning", "copied", pickle.loads(pickle.dumps(Pickled())) == Pickled())
        note("spawning", "alarm", signal.getitimer(signal.ITIMER_REAL)[0] > 0)
        self.next(self.meet)

    @step
    def split(self):
        self.ends = ENDS
        self.next(self.end_somehow, foreach="ends")

    @retry(times=1, minutes_between_retries=0)
    @step
    def end_somehow(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        note(f"end_{self.input}", "attempt", current.retry_count)
        print("to be seen:", self.input)
        if current.retry_count == 0:
            self.end_by(self.input)
        self.next(self.collect)

    def end_by(self, how):
        if how == "raises":
            raise ValueError("of its own accord")
        if how == "exits_with_words":
            sys.exit("some words")
        if how == "leaves":
            os._exit(9)
        if how.startswith("exits_"):
            sys.exit(int(how[-1]))
        os.kill(os.getpid(), getattr(signal, how))
        time.sleep(30)

    @step
    def collect(self, inputs):
        note("collect", "inputs", [each.input for each in inputs])
        self.next(self.caught)

    @catch(var="trouble", print_exception=False)
    @timeout(seconds=1)
    @step
    def caught(self):
        time.sleep(30)
        self.next(self.talk)

    @step
    def talk(self):
        note("caught", "trouble", [type(self.trouble).__name__, str(self.trouble)[:40]])
        line = "x" * 999
        for _ in range(5_200):
            print(line)
        sys.stdout.buffer.write(b"bytes beside\n")
        atexit.register(print, "said at the end")
        threading.Thread(target=late).start()
        self.next(self.meet)

    @step
    def meet(self, inputs):
        self.chances = inputs.spawning.chances
        self.next(self.end)

    @step
    def end(self):
        note("end", "chances differ", len({json.dumps(each) for each in [*self.chances, chances()]}))


def late():
    time.sleep(0.3)
    print("said late")
    atexit.register(print, "said at the very end")


if __name__ == "__main__":
    FactsFlow()
