"""However Loom ends, what it started ends too."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.sandbox import bubblewrap, ladder, launch
from loom.sandbox.ladder import Probe, Rung
from loom.sandbox.policy import LEVELS, Level, Limits, Policy
from loom.sandbox.run import run, run_async
from tests.sandbox.here import PYTHON, QUICK, SOURCE, at_most, need, nobody_holds, wait_until_nobody_holds

STAY = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = open(sys.argv[1], "rb")
fcntl.flock(held, fcntl.LOCK_SH)
if os.fork() == 0:
    os.setsid()
open(sys.argv[1] + f".{os.getpid()}.ready", "w").close()
os.write(os.open(sys.argv[2], os.O_WRONLY), b"x")
time.sleep(600)
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


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "lock").touch()
    os.mkfifo(folder / "ready")
    return folder


def _policy(inside: Path) -> Policy:
    return Policy(write=(inside,), processes=True, limits=replace(QUICK, wall_s=None))


def _stay(inside: Path) -> list[str]:
    """A program of two processes that hold the lock, say so, and do not go away."""
    return [*PYTHON, STAY, str(inside / "lock"), str(inside / "ready")]


def _wait_for(ready: int, processes: int) -> None:
    os.set_blocking(ready, True)
    for _ in range(processes):
        assert os.read(ready, 1) == b"x"


@pytest.fixture
def ready(inside: Path) -> Iterator[int]:
    handle = os.open(inside / "ready", os.O_RDWR)
    yield handle
    os.close(handle)


LOOM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from loom.sandbox.policy import Limits, Policy
from loom.sandbox.run import run
policy = Policy(write=(Path(sys.argv[3]),), processes=True, limits=Limits(wall_s=None, grace_s=0.2))
try:
    run(sys.argv[4:], policy, level=sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(130)
"""


def _loom(level: Level, inside: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", LOOM, str(SOURCE), level, str(inside), *_stay(inside)]
    environment = os.environ | {"TMPDIR": str(inside.parent)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, env=environment)


def test_ctrl_c_leaves_no_process_behind(level: Level, inside: Path, ready: int) -> None:
    with _loom(level, inside) as loom:
        _wait_for(ready, 2)
        os.killpg(loom.pid, signal.SIGINT)
        said, _ = loom.communicate()
    assert (loom.returncode, said) == (130, b"interrupted\n")
    assert nobody_holds(inside / "lock")
    assert not list(inside.parent.glob("loom-*"))


def test_a_second_ctrl_c_does_not_wait_and_leaves_nothing_either(
    level: Level, inside: Path, ready: int
) -> None:
    with _loom(level, inside) as loom:
        _wait_for(ready, 2)
        while loom.poll() is None:
            os.killpg(loom.pid, signal.SIGINT)
        loom.communicate()
    wait_until_nobody_holds(inside / "lock")


def test_kill_9_of_loom_leaves_no_process_behind(level: Level, inside: Path, ready: int) -> None:
    with _loom(level, inside) as loom:
        _wait_for(ready, 2)
        loom.kill()
        loom.communicate()
    wait_until_nobody_holds(inside / "lock")


def test_cancelling_ends_the_program_first(level: Level, inside: Path, ready: int) -> None:
    async def scenario() -> None:
        job = asyncio.create_task(run_async(_stay(inside), _policy(inside), level=level))
        await asyncio.to_thread(_wait_for, ready, 2)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert nobody_holds(inside / "lock")

    asyncio.run(scenario())


def test_programs_run_at_once_without_holding_up_the_loop(level: Level, inside: Path) -> None:
    """Each waits until the other has begun, and so does the loop."""
    code = (
        "import os, sys; os.write(os.open(sys.argv[1], os.O_WRONLY), b'x'); print(open(sys.argv[2]).read())"
    )
    for name in ("go-0", "go-1", "begun"):
        os.mkfifo(inside / name)

    async def scenario() -> list[bytes]:
        begun = os.open(inside / "begun", os.O_RDWR)
        jobs = [
            asyncio.create_task(
                run_async(
                    [*PYTHON, code, str(inside / "begun"), str(inside / f"go-{i}")],
                    _policy(inside),
                    level=level,
                )
            )
            for i in range(2)
        ]
        await asyncio.to_thread(_wait_for, begun, 2)
        for i in range(2):
            await asyncio.to_thread((inside / f"go-{i}").write_text, str(i))
        os.close(begun)
        return [done.stdout for done in await asyncio.gather(*jobs)]

    assert asyncio.run(scenario()) == [b"0\n", b"1\n"]


def test_an_error_in_a_program_that_runs_beside_the_loop_is_the_callers(inside: Path) -> None:
    with pytest.raises(ValueError, match="first names a program"):
        asyncio.run(run_async([], Policy(write=(inside,)), level="none"))


def test_a_server_keeps_its_streams_until_it_is_told_to_stop(level: Level, inside: Path) -> None:
    code = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
    launched = launch.start(
        [*PYTHON, code], replace(_policy(inside), processes=False), level, stdin=subprocess.PIPE, stderr=None
    )
    try:
        served, answers = launched.process.stdin, launched.process.stdout
        assert served is not None
        assert answers is not None
        for word in (b"one", b"two"):
            served.write(word + b"\n")
            served.flush()
            assert answers.readline() == word.upper() + b"\n"
    finally:
        launched.finish()
    assert launched.process.returncode is not None


NESTED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from loom.sandbox.policy import Limits, Policy
from loom.sandbox.run import run
bomb = "import os, signal\\nsignal.alarm(20)\\nfor _ in range(8):\\n try: os.fork() or signal.alarm(20)\\n except OSError: pass\\nwhile True: signal.pause()"
policy = Policy(write=(Path(sys.argv[2]),), processes=True, limits=Limits(wall_s=20, grace_s=0.2, tasks=24))
done = run([sys.executable, "-I", "-S", "-c", bomb], policy, level="none")
print(done.stopped_by)
"""


def test_a_sandbox_in_a_sandbox_ends_what_is_too_many_without_a_gate_of_its_own(inside: Path) -> None:
    policy = Policy(read=(SOURCE,), write=(inside,), processes=True, limits=replace(QUICK, tasks=None))
    done = run([*PYTHON, NESTED, str(SOURCE), str(inside)], policy, level="none")
    assert done.ok, done
    assert done.stdout == b"processes\n"


def test_a_machine_below_the_minimum_runs_nothing(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Rung("isolated", False, "bubblewrap is not installed")
    monkeypatch.setattr(ladder, "_found", {os.geteuid(): Probe("none", "", (missing,))})
    with pytest.raises(LoomError, match="isolated is needed"):
        run(["touch", str(inside / "ran")], Policy(minimum="isolated", write=(inside,)))
    assert not (inside / "ran").exists()


def test_a_level_below_the_policys_minimum_is_refused(inside: Path) -> None:
    with pytest.raises(ValueError, match="below the policy's minimum"):
        run(["true"], Policy(minimum="restricted", write=(inside,)), level="none")


def test_the_strongest_level_is_taken_and_said(inside: Path) -> None:
    assert run(["true"], Policy(write=(inside,), limits=QUICK)).level == ladder.probe().level


def test_a_path_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LoomError, match="absent cannot be given"):
        run(["true"], Policy(write=(tmp_path / "absent",)), level="none")


def test_a_working_folder_that_is_not_there_is_an_error_and_runs_nothing(level: Level, inside: Path) -> None:
    with pytest.raises(LoomError, match="did not start") as refused:
        run(["true"], _policy(inside), level=level, cwd=inside / "absent")
    assert "folder" in refused.value.why


def test_a_bubblewrap_that_breaks_is_an_error_in_its_words(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inside / "bwrap").write_text("#!/bin/sh\necho 'bwrap: it broke' >&2\nexit 1\n")
    (inside / "bwrap").chmod(0o755)
    monkeypatch.setattr(bubblewrap, "find", lambda: str(inside / "bwrap"))
    with pytest.raises(LoomError) as refused:
        run(["true"], Policy(write=(inside,)), level="isolated")
    assert refused.value.why == "bwrap: it broke"


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_when_the_sandbox_does_not_start(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(inside.parent))
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = _open_files()
    with pytest.raises(LoomError, match="did not start"):
        run(["true"], Policy(write=(inside,)), level="none")
    assert _open_files() == before
    assert [path.name for path in inside.parent.iterdir()] == ["inside"]


def test_no_descriptor_and_no_zombie_is_left_after_a_run(level: Level, inside: Path) -> None:
    run(["true"], _policy(inside), level=level)
    before = _open_files()
    for _ in range(3):
        run(["true"], _policy(inside), level=level)
    assert _open_files() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_command_is_texts(inside: Path) -> None:
    for wrong in ([], [""], ["a\0b"], [b"true"]):
        with pytest.raises(ValueError):
            run(wrong, Policy(write=(inside,)), level="none")  # type: ignore[arg-type]
    assert Limits().output_bytes == 256 * 1024
