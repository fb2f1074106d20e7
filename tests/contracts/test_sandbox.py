"""What each level of the sandbox promises, asked of programs that mean harm."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loom.sandbox import launch, roots
from loom.sandbox.policy import LEVELS, Level, Limits, Policy
from loom.sandbox.run import run
from tests.sandbox.here import PYTHON, QUICK, SCOPES, at_most, lines, need, nobody_holds, python

MIB = 1024 * 1024
HOLD = """
import fcntl, os, signal, sys, time
held = open(sys.argv[1], "rb")
fcntl.flock(held, fcntl.LOCK_SH)
"""


@pytest.fixture(autouse=True)
def outer_limit() -> Iterator[None]:
    with at_most(60):
        yield


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> Level:
    chosen: Level = request.param
    need(chosen)
    return chosen


@pytest.fixture(params=[name for name in LEVELS if name != "none"])
def closed(request: pytest.FixtureRequest) -> Level:
    """The levels that keep a program in."""
    chosen: Level = request.param
    need(chosen)
    return chosen


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "lock").touch()
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret")
    return folder


def may(inside: Path, **changes: object) -> Policy:
    return replace(Policy(write=(inside,), limits=QUICK), **changes)  # type: ignore[arg-type]


# ---------------------------------------------------------------- how it ends, and what it says


def test_a_program_that_ends_well_is_a_result_with_all_it_said(level: Level, inside: Path) -> None:
    code = """
        import sys
        print(sys.stdin.read().upper()); print("aside", file=sys.stderr)
    """
    done = python(level, may(inside), code, stdin=b"in")
    assert (done.exit_code, done.signal, done.stopped_by) == (0, None, None)
    assert (done.stdout, done.stderr, done.truncated) == (b"IN\n", b"aside\n", False)
    assert done.level == level
    assert done.usage.wall_s > 0
    assert done.usage.peak_memory_bytes > MIB


def test_stdin_is_empty_when_none_is_given(level: Level, inside: Path) -> None:
    assert lines(python(level, may(inside), "import sys; print(repr(sys.stdin.read()))")) == ["''"]


def test_an_exit_code_and_a_signal_are_never_confused(level: Level, inside: Path) -> None:
    left = python(level, may(inside), "raise SystemExit(137)")
    shot = python(level, may(inside), "import os; os.kill(os.getpid(), 9)")
    assert (left.exit_code, left.signal) == (137, None)
    assert (shot.exit_code, shot.signal) == (None, 9)


def test_a_program_that_is_not_there_and_one_that_cannot_run_end_as_in_a_shell(
    level: Level, inside: Path
) -> None:
    (inside / "text").write_text("no program")
    absent = run(["no-such-program"], may(inside), level=level)
    text = run([str(inside / "text")], may(inside), level=level)
    assert (absent.exit_code, text.exit_code) == (127, 126)
    assert (absent.found, text.found) == (False, False)
    assert b"no-such-program" in absent.stderr
    in_a_shell = run(["/bin/sh", "-c", "no-such-program"], may(inside, processes=True), level=level)
    assert (in_a_shell.exit_code, in_a_shell.found) == (127, True)


def test_signals_have_their_default_effect(level: Level, inside: Path) -> None:
    code = "import os, signal; print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    assert lines(python(level, may(inside), code)) == ["True"]
    broken = run(["/bin/sh", "-c", "kill -PIPE $$; echo still here"], may(inside), level=level)
    assert broken.signal == 13


# ---------------------------------------------------------------- time and resources


def test_an_endless_loop_ends_at_its_deadline(level: Level, inside: Path) -> None:
    done = python(level, may(inside, limits=replace(QUICK, wall_s=0.3)), "while True: pass")
    assert done.timed_out
    assert done.signal == 15
    assert done.usage.wall_s >= 0.3


def _stopped_when_ready(level: Level, policy: Policy, code: str) -> int:
    """Ask a program to end once it has said that it is ready; its wait status."""
    launched = launch.start([*PYTHON, code], policy, level, stderr=None)
    try:
        assert launched.process.stdout is not None
        assert launched.process.stdout.readline() == b"ready\n"
    finally:
        launched.finish()
    status, reason, *_ = launched.lines["ended"]
    assert reason == "request"
    return int(status)


def test_a_program_that_ignores_term_is_killed_after_the_grace(level: Level, inside: Path) -> None:
    code = """
import signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
print("ready", flush=True)
while True: signal.pause()
"""
    assert os.waitstatus_to_exitcode(_stopped_when_ready(level, may(inside), code)) == -9


def test_a_program_may_put_things_in_order_when_it_gets_term(level: Level, inside: Path) -> None:
    code = """
import signal, sys
def leave(*_): open("left", "w").close(); sys.exit(3)
signal.signal(signal.SIGTERM, leave)
print("ready", flush=True)
while True: signal.pause()
"""
    patient = replace(QUICK, grace_s=20)
    assert os.waitstatus_to_exitcode(_stopped_when_ready(level, may(inside, limits=patient), code)) == 3
    assert (inside / "left").exists()


def test_a_program_that_stops_itself_still_meets_its_deadline(level: Level, inside: Path) -> None:
    done = python(
        level, may(inside, limits=replace(QUICK, wall_s=0.3)), "import os; os.kill(os.getpid(), 19)"
    )
    assert done.timed_out
    assert done.signal in (9, 15)


def test_processor_seconds_are_counted(level: Level, inside: Path) -> None:
    done = python(level, may(inside, limits=replace(QUICK, cpu_s=1)), "while True: pass")
    assert (done.signal, done.stopped_by) == (24, None)
    assert done.usage.user_s + done.usage.system_s > 0.1


def test_ten_gigabytes_are_not_had(level: Level, inside: Path) -> None:
    code = r"""
        held = []
        for _ in range(160): held.append(b"\1" * (64 << 20))
    """
    done = python(level, may(inside, limits=replace(QUICK, memory_bytes=192 * MIB)), code)
    assert (done.stopped_by, done.signal) == ("memory", 9)
    assert done.usage.peak_memory_bytes < 4096 * MIB


def test_ten_gigabytes_of_address_space_are_refused(level: Level, inside: Path) -> None:
    code = """
        try: bytearray(10 << 30)
        except MemoryError: print("refused")
    """
    assert lines(python(level, may(inside, limits=replace(QUICK, address_bytes=1024 * MIB)), code)) == [
        "refused"
    ]


def test_memory_is_summed_over_the_tree(level: Level, inside: Path) -> None:
    code = r"""
        import os, signal
        for _ in range(4):
            if os.fork() == 0:
                held = b"\1" * (64 << 20)
                signal.pause()
        signal.pause()
    """
    done = python(level, may(inside, processes=True, limits=replace(QUICK, memory_bytes=192 * MIB)), code)
    assert done.stopped_by == "memory"


def test_memory_that_a_tree_shares_is_counted_once(level: Level, inside: Path) -> None:
    code = r"""
        import os, time
        held = b"\1" * (96 << 20)
        for _ in range(4):
            if os.fork() == 0: break
        end = time.monotonic() + 0.3
        while time.monotonic() < end: time.sleep(0.01)
        print("done", flush=True)
    """
    done = python(level, may(inside, processes=True, limits=replace(QUICK, memory_bytes=192 * MIB)), code)
    assert done.ok, done


def test_a_file_of_one_gigabyte_is_cut_off(level: Level, inside: Path) -> None:
    code = r"""
        with open("large", "wb", buffering=0) as file:
            try:
                for _ in range(1024): file.write(bytes(1 << 20))
            except OSError as error: print(error.errno)
    """
    done = python(level, may(inside, limits=replace(QUICK, file_bytes=2 * MIB)), code)
    assert lines(done) == ["27"]
    assert (inside / "large").stat().st_size == 2 * MIB


def test_of_a_gigabyte_of_output_both_ends_are_kept(level: Level, inside: Path) -> None:
    code = r"""
        import os
        piece = b"x" * (1 << 20)
        for _ in range(1024):
            at = 0
            while at < len(piece): at += os.write(1, piece[at:])
        os.write(1, b"last")
        os.write(2, b"done")
    """
    done = python(level, may(inside), code)
    assert done.ok
    half = QUICK.output_bytes // 2
    left_out = 1024 * MIB + 4 - 2 * half
    mark = f"\n[... {left_out:,} bytes left out ...]\n".encode()
    assert done.stdout == b"x" * half + mark + b"x" * (half - 4) + b"last"
    assert (done.stdout_truncated, done.stderr_truncated, done.stderr) == (True, False, b"done")


def test_open_files_are_counted(level: Level, inside: Path) -> None:
    code = """
        held = []
        try:
            while True: held.append(open("/dev/null"))
        except OSError as error: print(error.errno, len(held))
    """
    done = python(level, may(inside, limits=replace(QUICK, open_files=32)), code)
    assert lines(done) == ["24 29"]


# ---------------------------------------------------------------- processes


@pytest.mark.parametrize("session", ["", "os.setsid()"], ids=["plain", "new-sessions"])
def test_a_fork_bomb_is_ended_and_leaves_nothing(level: Level, inside: Path, session: str) -> None:
    # eight rounds make 256 processes at most: a sandbox that fails must not take the machine along
    code = f"""{HOLD}
signal.alarm(20)
for _ in range(8):
    try:
        if os.fork() == 0: signal.alarm(20); {session or "pass"}
    except OSError: pass
while True: signal.pause()
"""
    limits = replace(QUICK, tasks=24)
    done = python(level, may(inside, processes=True, limits=limits), code, inside / "lock")
    assert done.stopped_by == "processes"
    assert done.usage.peak_tasks > 24
    assert nobody_holds(inside / "lock")


def test_a_process_that_forks_and_dies_all_the_time_is_caught(level: Level, inside: Path) -> None:
    code = f"""{HOLD}
print("begun", flush=True)
for _ in range(20_000):
    if os.fork(): os._exit(0)
    os.setsid()
"""
    done = python(level, may(inside, processes=True), code, inside / "lock")
    assert lines(done) == ["begun"]
    assert nobody_holds(inside / "lock")


def test_threads_count_as_tasks(level: Level, inside: Path) -> None:
    code = """
        import _thread
        gate = _thread.allocate_lock(); gate.acquire()
        for _ in range(30): _thread.start_new_thread(gate.acquire, ())
        gate.acquire()
    """
    done = python(level, may(inside, limits=replace(QUICK, tasks=24)), code)
    assert done.stopped_by == "processes"
    assert done.usage.peak_tasks == 31


def test_what_a_shell_pipes_together_starts_however_its_children_end(level: Level, inside: Path) -> None:
    """A filter that asked somebody about each fork let the end of one child interrupt the start of the next."""
    script = "for i in 1 2 3 4 5 6 7 8 9; do true | true | echo $i & done; wait"
    done = run(["/bin/sh", "-c", script], may(inside, processes=True), level=level)
    assert sorted(lines(done)) == list("123456789") and done.stderr == b""


def test_processes_are_refused_where_they_are_not_allowed_and_threads_are_not(
    level: Level, inside: Path
) -> None:
    code = """
        import _thread, os
        for start in (os.fork, lambda: os.posix_spawn("/bin/true", ["true"], {}), lambda: os.spawnv(os.P_NOWAIT, "/bin/true", ["true"])):
            try: start(); print("started")
            except OSError as error: print(error.errno)
        done = _thread.allocate_lock(); done.acquire()
        _thread.start_new_thread(done.release, ())
        print(done.acquire(timeout=10))
    """
    assert lines(python(level, may(inside), code)) == ["1", "1", "1", "True"]


def test_a_daemon_does_not_outlive_the_program(level: Level, inside: Path) -> None:
    code = f"""{HOLD}
ready, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(tell, b"x")
        for handle in (0, 1, 2): os.close(handle)
        time.sleep(600)
    os._exit(0)
os.read(ready, 1)
"""
    done = python(level, may(inside, processes=True), code, inside / "lock")
    assert done.ok
    assert done.strays == 1
    assert nobody_holds(inside / "lock")


def test_no_descriptor_of_ours_is_handed_down(level: Level, inside: Path) -> None:
    ours = os.open(inside, os.O_RDONLY)
    os.set_inheritable(ours, True)
    code = """
        import os
        found = []
        for handle in range(256):
            try: os.fstat(handle)
            except OSError: continue
            found.append(handle)
        print(found)
    """
    try:
        assert lines(python(level, may(inside), code)) == ["[0, 1, 2]"]
    finally:
        os.close(ours)


def test_killing_its_supervisor_gets_a_program_nothing(level: Level, inside: Path) -> None:
    code = f"""{HOLD}
try: os.kill(os.getppid(), signal.SIGKILL)
except OSError: pass
try: os.kill(os.getppid(), signal.SIGSTOP)
except OSError: pass
time.sleep(600)
"""
    exposed = level == "none" or (level == "restricted" and not SCOPES)
    limits = QUICK if exposed else replace(QUICK, wall_s=0.5)
    done = python(level, may(inside, limits=limits), code, inside / "lock")
    assert done.stopped_by == ("lost" if exposed else "deadline")
    assert nobody_holds(inside / "lock")


# ---------------------------------------------------------------- what it sees


def test_only_the_allowed_names_of_the_environment_are_seen(
    level: Level, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_TEST_SECRET", "hidden")
    monkeypatch.setenv("LOOM_TEST_ALLOWED", "seen")
    policy = may(inside, env=("LOOM_TEST_ALLOWED", "NO_SUCH_NAME"), set_env=(("OMP_NUM_THREADS", "1"),))
    done = python(level, policy, "import os; print(sorted(os.environ.items()))")
    seen = dict(eval(lines(done)[0]))
    assert seen["LOOM_TEST_ALLOWED"] == "seen"
    assert seen["OMP_NUM_THREADS"] == "1"
    assert set(seen) <= {
        *("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LANG", "LC_CTYPE"),
        *("LOOM_TEST_ALLOWED", "OMP_NUM_THREADS"),
    }


def test_its_temporary_folder_is_its_own_and_goes_with_it(level: Level, inside: Path) -> None:
    code = """
        import os
        folder = os.environ["TMPDIR"]
        os.mkdir(folder + "/deep"); open(folder + "/deep/file", "w").close(); os.chmod(folder + "/deep", 0)
        print(folder, os.listdir(folder))
    """
    folder, listed = lines(python(level, may(inside), code))[0].split(" ", 1)
    seen = set(eval(listed))
    # at level isolated /tmp also holds the way to what may be read or written, wherever the tests stand
    ways = {path.parts[2] for path in (inside, Path(__file__), Path(sys.prefix)) if path.parts[1] == "tmp"}
    assert seen - ways == {"deep"}
    assert not Path(folder, "deep").exists()
    assert level == "isolated" or not Path(folder).exists()


def test_files_of_the_machine_are_not_read(closed: Level, inside: Path, outside: Path) -> None:
    code = """
        import os, sys
        for path in sys.argv[2:]:
            try: open(path, "rb").read(1)
            except OSError: print("refused")
            else: print("read", path)
        try: print(os.listdir(sys.argv[1]))
        except OSError: print([])
    """
    paths = [
        "/etc/passwd",
        "/etc/shadow",
        "/etc/hostname",
        "/proc/1/cmdline",
        "/var/log/dpkg.log",
        outside / "secret",
    ]
    paths = [path for path in paths if closed == "restricted" or "/proc/" not in str(path)]
    *said, listed = lines(python(closed, may(inside), code, Path.home(), *paths))
    assert said == ["refused"] * len(paths)
    given = [Path(path) for path in (*roots.needed(network=False), *roots.own_code(), inside)]
    below_home = {
        path.relative_to(Path.home()).parts[0] for path in given if path.is_relative_to(Path.home())
    }
    assert set(eval(listed)) <= below_home


def test_the_environment_of_others_is_not_read(closed: Level, inside: Path) -> None:
    code = """
        import os, sys
        for process in (sys.argv[1], os.getppid(), 1):
            for name in ("environ", "mem", "maps", "cwd", "root/etc/passwd", "fd/1"):
                try: open(f"/proc/{process}/{name}", "rb").read(1)
                except OSError: continue
                print("read", process, name)
    """
    assert lines(python(closed, may(inside), code, os.getpid())) == []


def test_nothing_is_written_outside(closed: Level, inside: Path, outside: Path, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "data").write_text("data")
    code = """
        import os, sys
        inside, outside, given = sys.argv[1:]
        def attempt(call, *arguments):
            try: call(*arguments)
            except OSError: pass
        def write(path, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
            handle = os.open(path, flags, 0o600)
            os.write(handle, b"changed")
        os.symlink(outside, inside + "/way")
        os.symlink(outside + "/secret", inside + "/file")
        os.symlink("/proc/self/root" + outside, inside + "/magic")
        for folder in (outside, inside + "/way", inside + "/../outside", inside + "/magic", given):
            for name in ("secret", "data", "new"):
                attempt(write, folder + "/" + name)
                attempt(write, folder + "/" + name, os.O_RDONLY | os.O_TRUNC)
                attempt(os.truncate, folder + "/" + name, 0)
                attempt(os.unlink, folder + "/" + name)
            attempt(os.mkdir, folder + "/folder")
            attempt(os.symlink, "/", folder + "/link")
            attempt(os.mkfifo, folder + "/pipe")
            attempt(os.rename, folder + "/secret", inside + "/stolen")
            attempt(os.link, folder + "/secret", inside + "/linked")
            attempt(os.rename, inside + "/lock", folder + "/lock")
            attempt(os.rename, folder, inside + "/folder")
        attempt(write, inside + "/file")
        attempt(write, "/usr/loom-was-here")
        attempt(write, os.path.dirname(os.__file__) + "/loom-was-here")
        print(open(given + "/data").read())
    """
    done = python(closed, may(inside, read=(given,)), code, inside, outside, given)
    assert lines(done) == ["data"]
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret"
    assert [(path.name, path.read_text()) for path in given.iterdir()] == [("data", "data")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given", "inside", "outside"]
    assert not Path("/usr/loom-was-here").exists()
    assert not (inside / "linked").exists()


def test_a_write_path_below_a_read_path_is_the_only_place_to_write(closed: Level, tmp_path: Path) -> None:
    (tmp_path / "working").mkdir()
    (tmp_path / "input").write_text("rows")
    code = """
        open("working/out", "w").write(open("input").read())
        try: open("other", "w")
        except OSError: print("refused")
    """
    policy = Policy(read=(tmp_path,), write=(tmp_path / "working",), limits=QUICK)
    done = run(
        [*PYTHON, "\n".join(line.strip() for line in code.splitlines())], policy, level=closed, cwd=tmp_path
    )
    assert lines(done) == ["refused"]
    assert (tmp_path / "working" / "out").read_text() == "rows"


def test_other_processes_are_neither_traced_nor_signalled(closed: Level, inside: Path) -> None:
    code = """
        import ctypes, os, signal, sys
        libc = ctypes.CDLL(None, use_errno=True)
        for process in (int(sys.argv[1]), os.getppid()):
            for request in (16, 0x4206):
                print(libc.ptrace(request, process, None, None))
            buffer = ctypes.create_string_buffer(8)
            print(libc.process_vm_readv(process, buffer, 1, buffer, 1, 0))
        try: os.kill(int(sys.argv[1]), 0)
        except OSError: print("not signalled")
    """
    said = lines(python(closed, may(inside), code, os.getpid()))
    assert said[:6] == ["-1"] * 6
    assert said[6:] == (["not signalled"] if closed == "isolated" or SCOPES else [])


def test_root_has_no_capabilities_and_nobody_gains_any(closed: Level, inside: Path) -> None:
    code = """
        wanted = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp:")
        for line in open("/proc/self/status"):
            if line.startswith(wanted): print(int(line.split()[1], 16))
    """
    rights = [int(line) for line in lines(python(closed, may(inside), code))]
    assert rights[1:3] == [0, 0]
    assert rights[4:] == [0, 1, 2]


# ---------------------------------------------------------------- the network


CALL = """
    import socket, sys
    def attempt(family, kind, address):
        try:
            with socket.socket(family, kind) as out:
                out.settimeout(5); out.connect(address); out.send(b"x")
        except OSError: print("refused")
        else: print("sent")
    attempt(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(sys.argv[1])))
    attempt(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int(sys.argv[1])))
    attempt(socket.AF_UNIX, socket.SOCK_STREAM, sys.argv[2])
    attempt(socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + sys.argv[3])
"""


@pytest.fixture
def listeners(inside: Path) -> Iterator[tuple[int, str, str]]:
    """A port, a path and an abstract name that somebody listens on, where the program could reach them."""
    abstract = f"loom-test-{os.getpid()}-{inside.parent.name}"
    with (
        socket.create_server(("127.0.0.1", 0)) as stream,
        socket.socket(socket.AF_UNIX) as path,
        socket.socket(socket.AF_UNIX) as hidden,
    ):
        path.bind(os.path.relpath(inside / "socket"))
        hidden.bind("\0" + abstract)
        path.listen()
        hidden.listen()
        yield stream.getsockname()[1], "socket", abstract


def test_no_socket_is_opened_without_the_network(
    level: Level, inside: Path, listeners: tuple[int, str, str]
) -> None:
    assert lines(python(level, may(inside), CALL, *listeners)) == ["refused"] * 4


def test_the_network_is_there_when_it_is_allowed_and_local_daemons_are_not(
    closed: Level, inside: Path, listeners: tuple[int, str, str]
) -> None:
    said = lines(python(closed, may(inside, network=True), CALL, *listeners))
    assert said == ["sent", "sent", "refused", "refused"]


def test_connected_pairs_work_without_the_network_and_datagram_pairs_do_not(
    closed: Level, inside: Path
) -> None:
    code = """
        import socket
        one, other = socket.socketpair()
        one.send(b"x"); print(other.recv(1))
        try: socket.socketpair(type=socket.SOCK_DGRAM)
        except OSError: print("refused")
    """
    assert lines(python(closed, may(inside), code)) == ["b'x'", "refused"]


def test_limits_that_mean_nothing_are_refused() -> None:
    for wrong in ({"wall_s": 0}, {"tasks": -1}, {"memory_bytes": float("nan")}, {"grace_s": -1}):
        with pytest.raises(ValueError):
            Limits(**wrong)  # type: ignore[arg-type]
