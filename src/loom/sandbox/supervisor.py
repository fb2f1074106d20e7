"""The process between Loom and a sandboxed program: it starts it, watches it, and ends all of it.

It runs as a program of its own (`-c` with `main`), outside the sandbox at levels `restricted` and `none`, and
as the first process of the new PID namespace at level `isolated`, where nothing inside can signal it. Loom
holds one end of a pipe, the lifeline; when that end closes, because Loom asks for it or is gone, the program
gets TERM and then KILL. What happened is written to the report pipe, one line each:

    started PID
    failed ERRNO WORDS                   the sandbox could not be set up, nothing was run
    unfound                              there is no such program, or it cannot be executed
    ended STATUS REASON STRAYS WALL USER SYSTEM MEMORY TASKS
"""

from __future__ import annotations

import marshal
import os
import resource
import select
import sys
import time

from loom.sandbox import gate, landlock, limits, linux, processes, seccomp

# ruff: noqa: PTH106, PTH123
# This file runs before every sandboxed program: it imports nothing that is slow to import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from loom.sandbox.spec import Spec

_GLANCE_S = 0.02
_TICK_S = 0.05
_SLOWEST_TICK_S = 0.1
_CLEANUP_S = 3.0
_UNFOUND = b"unfound"


def main() -> None:
    """Read the spec, run it to its end, report; the last arguments are the descriptors."""
    told, report, lifeline = (int(argument) for argument in sys.argv[-3:])
    for handle in (report, lifeline):
        os.set_inheritable(handle, False)
    with os.fdopen(told, "rb") as file:
        spec: Spec = marshal.load(file)
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_DUMPABLE, 0)  # the program may not look into its supervisor
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    Supervision(spec, report, lifeline).run()


class Supervision:
    """One program, from its start until none of its processes is left."""

    def __init__(self, spec: Spec, report: int, lifeline: int) -> None:
        self.spec = spec
        self.report = report
        self.lifeline = lifeline
        self.me = os.getpid()
        self.namespaced = spec["level"] == "isolated"
        self.leader = 0
        self.gate: gate.Gate | None = None
        self.status: int | None = None
        self.reason = "-"
        self.kill_at: float | None = None
        self.shut = False
        self.peak_bytes = 0
        self.peak_tasks = 0
        self.looked_at = 0.0
        self.tasks_before = processes.tasks_of_machine()
        self.tick_s = _TICK_S

    def run(self) -> None:
        """Start it, wait for its end or for a reason to stop it, then end what it left behind."""
        begun = time.monotonic()
        self.leader, trouble, self.gate = start(self.spec)
        self._tell(f"started {self.leader}")
        self._watch(begun)
        said = os.read(trouble, 400)
        if said == _UNFOUND:
            self._tell("unfound")
        elif said:
            self._tell(f"failed {said.decode(errors='replace')}")
            return
        strays = self._clean_up()
        wall = time.monotonic() - begun
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        memory = max(self.peak_bytes, limits.peak_bytes(used))
        numbers = f"{wall:.6f} {used.ru_utime:.6f} {used.ru_stime:.6f} {memory} {self.peak_tasks}"
        self._tell(f"ended {self.status} {self.reason} {strays} {numbers}")

    def _tell(self, line: str) -> None:
        try:
            os.write(self.report, (line.replace("\n", " ") + "\n").encode())
        except BrokenPipeError:
            return  # Loom is gone

    def _watch(self, begun: float) -> None:
        poller = select.poll()
        poller.register(self.lifeline, select.POLLIN)
        ends = _end_of(self.leader)
        if ends is not None:
            poller.register(ends, select.POLLIN)
        if self.gate is not None:
            poller.register(self.gate.handle, select.POLLIN)
        wall = self.spec["wall_s"]
        deadline = None if wall is None else begun + wall
        while not self._reaped():
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                self._stop("deadline")
            if self.kill_at is not None and now >= self.kill_at:
                self._send(linux.SIGKILL)
                self.kill_at = now + _TICK_S
            if now >= self.looked_at + self.tick_s:
                self._look()
            else:
                self._glance()
            times = [now + _GLANCE_S, *(at for at in (deadline, self.kill_at) if at is not None and at > now)]
            pause = min(times) - time.monotonic()
            for handle, event in poller.poll(max(pause * 1000, 1)):
                if handle == self.lifeline:
                    poller.unregister(handle)
                    self._stop("request")
                elif self.gate is not None and handle == self.gate.handle:
                    if self.shut or not event & select.POLLIN:
                        poller.unregister(handle)  # or there is nobody left who could ask
                    else:
                        self.gate.open_once()

    def _reaped(self) -> bool:
        """Collect every process that ended; whether the program itself is among them."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self.leader:
                    self.status = status
        except ChildProcessError:
            return self.status is not None
        return self.status is not None

    def _glance(self) -> None:
        """Look at once when so much was started on this machine that it may be a fork bomb."""
        most = self.spec["tasks"]
        if most is not None and not self.shut and processes.tasks_of_machine() - self.tasks_before > most:
            self._look()

    def _look(self) -> None:
        """Compare what the tree holds with what it may; look less often where looking is dear."""
        begun = time.monotonic()
        tree = processes.descendants(self.me, namespaced=self.namespaced)
        most_memory, most_tasks = self.spec["memory_bytes"], self.spec["tasks"]
        memory = processes.resident_bytes(tree, most_memory or 1 << 62)
        tasks = sum(process.tasks for process in tree)
        self.peak_bytes = max(self.peak_bytes, memory)
        self.peak_tasks = max(self.peak_tasks, tasks)
        if most_memory is not None and memory > most_memory:
            self._kill("memory")
        elif most_tasks is not None and tasks > most_tasks:
            self._kill("processes")
        if not self.namespaced and os.getppid() != self.spec["parent"]:
            self._stop("request")
        self.looked_at = time.monotonic()
        self.tick_s = min(max(_TICK_S, 20 * (self.looked_at - begun)), _SLOWEST_TICK_S)

    def _stop(self, reason: str) -> None:
        if self.kill_at is None:
            self.reason = reason
            self.kill_at = time.monotonic() + self.spec["grace_s"]
            self._send(linux.SIGTERM)

    def _kill(self, reason: str) -> None:
        if self.kill_at is None:
            self.reason = reason
        self.kill_at = time.monotonic() + _TICK_S
        self._send(linux.SIGKILL)

    def _send(self, number: int) -> None:
        self.shut = self.shut or number == linux.SIGKILL
        processes.send(self.me, self.leader, number, namespaced=self.namespaced)

    def _clean_up(self) -> int:
        """Kill what outlived the program; how many that were.

        Whoever loses its parent becomes our child. So it is enough to kill our children until there are none,
        and, since nobody else collects them, their numbers cannot come to mean somebody else.
        """
        strays = len(processes.descendants(self.me, namespaced=self.namespaced))
        self._send(linux.SIGKILL)
        give_up = time.monotonic() + _CLEANUP_S
        while (left := processes.children(self.me)) and time.monotonic() < give_up:
            for child in left:
                linux.kill(child, linux.SIGKILL)
            self._reaped()
        if self.spec["scratch"]:
            _remove(self.spec["scratch"])
        return strays


def _remove(folder: str) -> None:
    """Remove the program's own temporary folder; it is empty most of the time."""
    try:
        os.rmdir(folder)
    except OSError:
        import shutil  # noqa: PLC0415 - slow to import

        shutil.rmtree(folder, ignore_errors=True)


def _end_of(pid: int) -> int | None:
    """A descriptor that can be read when a process ends; None where the kernel has none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def start(spec: Spec) -> tuple[int, int, gate.Gate | None]:
    """Fork, close the child in, run the program: its pid, a pipe that says what went wrong, and its gate."""
    trouble, trouble_write = os.pipe()
    ours, theirs = gate.handover()
    pid = os.fork()
    if pid == 0:
        _become(spec, trouble_write, theirs)
    os.close(trouble_write)
    theirs.close()
    return pid, trouble, gate.take(ours)


def _become(spec: Spec, trouble: int, channel: gate.Channel) -> NoReturn:
    """Close this process in and turn it into the program; whatever goes wrong, it never goes on as a supervisor."""
    stage, said = "start", "0 the supervisor has a defect"
    try:
        _leave_the_supervisor((trouble, channel.fileno()))
        stage = "limits"
        limits.apply(spec["rlimits"])
        if spec["tasks"] is not None:
            limits.apply_tasks(spec["tasks"], namespaced=spec["level"] == "isolated")
        stage = "folder"
        os.chdir(spec["cwd"])
        stage = "sandbox"
        listener = close_in(spec)
        if listener is not None:
            gate.hand_over(channel, listener)
        channel.close()
        _execute(spec["argv"], spec["env"], trouble)
    except OSError as error:
        said = f"{error.errno or 0} {stage}: {error.strerror or error}"
    finally:
        os.write(trouble, said.encode())
        os._exit(125)


def _execute(argv: list[str], env: dict[str, str], trouble: int) -> NoReturn:
    try:
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        os.write(trouble, _UNFOUND)
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode(errors="replace"))
        os._exit(127 if isinstance(error, FileNotFoundError | NotADirectoryError) else 126)


def _leave_the_supervisor(keep: tuple[int, int]) -> None:
    """A session of its own, default signals, and no descriptor but the first three and two that exec closes."""
    first, second = min(keep), max(keep)
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, os.sysconf("SC_OPEN_MAX"))
    os.setsid()
    linux.restore_signals()
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        linux.prctl(linux.PR_SET_PDEATHSIG, linux.SIGKILL)
        _be_first_to_go()


def _be_first_to_go() -> None:
    """When the machine runs out of memory, the kernel ends this before anything else."""
    try:
        with open("/proc/self/oom_score_adj", "wb") as file:
            file.write(b"1000")
    except OSError:
        return


def close_in(spec: Spec) -> int | None:
    """Apply, to this process and for good, what the level asks for; the gate's descriptor, if there is one.

    OSError when the kernel cannot.
    """
    level = spec["level"]
    if level != "none":
        linux.drop_capabilities()
    if level == "restricted":
        landlock.restrict(spec["read"], spec["write"], network=spec["network"])
    try:
        return seccomp.install(
            network=spec["network"],
            processes=spec["processes"],
            level=level,
            guard_truncate=level == "restricted" and landlock.abi() < 3,
            ask=spec["processes"],
        )
    except OSError:
        if level == "restricted":
            raise  # without the filter, nothing at this level stops a socket
        return None
