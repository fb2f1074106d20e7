"""Running other programs."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loom.kernel.errors import LoomError
from loom.sandbox import ladder, roots
from loom.sandbox.ladder import LEVELS, Level, Probe, Rung
from loom.tools import programs
from loom.tools.context import NotPermittedError
from loom.tools.programs import Ended, environment, run_program, running
from loom.tools.registry import Permissions, ToolContext, ToolResult
from tests.sandbox.here import need, nobody_holds
from tests.tools.calls import call

STRONGEST = ladder.probe().level
HOLD = "exec 9>>lock; flock 9; "
"""What a shell says first, so that whoever is alive of it holds the lock."""


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Level:
    """Every level that can be had here, in turn, as the strongest this machine has."""
    need(request.param)
    _only(request.param, monkeypatch)
    found: Level = request.param
    return found


def _only(level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this the strongest level there is."""
    stronger = [each for each in reversed(LEVELS) if ladder.LEVELS.index(each) > LEVELS.index(level)]
    why = "; ".join(f"{each}: it is not installed" for each in stronger)
    rungs = tuple(Rung(each, False, "it is not installed") for each in stronger)
    monkeypatch.setattr(ladder, "probe", lambda: Probe(level, why, rungs))


@pytest.fixture(autouse=True)
def _not_said_yet() -> Iterator[None]:
    programs._say_once.cache_clear()
    yield
    programs._say_once.cache_clear()


def _run(argv: list[str], ctx: ToolContext, seconds: float = 20) -> Ended:
    assert ctx.workspace is not None
    return asyncio.run(run_program(argv, ctx.workspace, ctx, seconds))


def _shell(command: str, ctx: ToolContext, **more: object) -> ToolResult:
    return call("shell_execute", {"command": command, **more}, ctx)


def test_a_program_gives_its_output_its_code_and_its_level(ctx: ToolContext, level: Level) -> None:
    ended = _run(["sh", "-c", "echo out; echo err >&2; exit 3"], ctx)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (3, "out\n", "err\n")
    assert ended.found and not ended.completed.truncated and not ended.timed_out
    assert ended.sandbox == level and ended.why == "exit code 3"
    assert ended.started_at <= ended.finished_at and ended.seconds > 0


def test_without_a_sandbox_the_result_the_text_and_the_log_say_so(
    ctx: ToolContext, level: Level, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        results = [_shell("echo out", ctx), _shell("exit 1", ctx)]
    assert [each.sandbox for each in results] == [level, level]
    said = "it ran without a sandbox: isolated: it is not installed"
    assert [said in each.output for each in results] == [level == "none"] * 2
    assert len(caplog.records) == (level == "none")
    assert results[0].data is not None and results[0].data["stdout"] == "out\n"


@pytest.mark.parametrize("minimum", LEVELS)
def test_below_what_the_run_asks_for_nothing_is_started(
    ctx: ToolContext, workspace: Path, minimum: Level, level: Level
) -> None:
    strict = replace(ctx, permissions=replace(ctx.permissions, sandbox=minimum))
    result = _shell("echo ran > ran", strict)
    enough = ladder.at_least(level, minimum)
    assert result.success == enough == (workspace / "ran").exists()
    if not enough:
        assert result.error_kind == "safety" and f"{minimum} is needed" in (result.error or "")
        with pytest.raises(LoomError) as refused:
            _run(["true"], strict)
        assert refused.value.what and refused.value.why and refused.value.fix


def test_a_program_writes_its_workspace_and_its_scratch_folder_and_nothing_else(
    ctx: ToolContext, workspace: Path, tmp_path: Path, level: Level
) -> None:
    scratch, beside = tmp_path / "scratch", tmp_path / "ws-secret"
    scratch.mkdir()
    beside.mkdir()
    script = f"echo a > a; echo b > {scratch}/b; echo c > {beside}/c; echo d > ../d; echo $TMPDIR"
    ended = _run(["sh", "-c", script], replace(ctx, scratch_dir=scratch))
    assert ended.stdout == f"{scratch}\n"
    assert (workspace / "a").exists() and (scratch / "b").exists()
    held_out = level != "none"
    assert [(beside / "c").exists(), (tmp_path / "d").exists()] == [not held_out] * 2


def test_a_program_reads_what_was_attached_and_nothing_else(
    ctx: ToolContext, workspace: Path, tmp_path: Path, level: Level
) -> None:
    attached, own, inside = tmp_path / "attached", tmp_path / "own", workspace / "inside"
    for folder in (attached, own, inside):
        folder.mkdir()
        (folder / "file").write_text(folder.name)
    (workspace / "link").symlink_to(own / "file")
    given = replace(ctx, read_roots=[attached, inside, tmp_path / "gone"], read_path_map={"x": attached})
    ended = _run(["sh", "-c", f"cat {attached}/file inside/file; cat {own}/file link"], given)
    assert ended.stdout == "attachedinside" + ("" if level != "none" else "ownown")
    _run(["sh", "-c", f"echo more >> {attached}/file"], given)
    assert (attached / "file").read_text() == ("attached" if level != "none" else "attachedmore\n")


@pytest.mark.parametrize("hosts", [(), ("api.example.org",), ("*",)])
def test_a_program_has_the_whole_network_or_none(
    ctx: ToolContext, hosts: tuple[str, ...], level: Level
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')"
        granted = replace(ctx, permissions=replace(ctx.permissions, network=hosts))
        said = _run([sys.executable, "-c", code], granted).stdout
    assert said == ("reached\n" if hosts == ("*",) else "")


def test_a_signal_is_a_negative_code(ctx: ToolContext) -> None:
    assert _run(["sh", "-c", "kill -KILL $$"], ctx).exit_code == -signal.SIGKILL


def test_a_program_that_takes_too_long_has_no_code(ctx: ToolContext) -> None:
    ended = _run(["sleep", "60"], ctx, seconds=0.05)
    assert ended.timed_out and ended.exit_code is None and ended.why.startswith("stopped after 0.")


def test_a_group_that_will_not_go_politely_is_ended_all_the_same(
    ctx: ToolContext, workspace: Path, level: Level
) -> None:
    script = HOLD + "trap '' TERM; sleep 60 & echo up > pipe; while :; do sleep 60; done"

    async def main() -> None:
        os.mkfifo(workspace / "pipe")
        async with running(["sh", "-c", script], workspace, ctx):
            await asyncio.to_thread((workspace / "pipe").read_text)
            assert not nobody_holds(workspace / "lock")

    asyncio.run(main())
    assert nobody_holds(workspace / "lock")


def test_what_a_program_leaves_in_the_background_goes_with_it_and_is_not_waited_for(
    ctx: ToolContext, workspace: Path, level: Level
) -> None:
    ended = _run(["sh", "-c", f"{HOLD} sleep 60 & setsid sleep 60 & echo"], ctx)
    assert ended.exit_code == 0 and not ended.timed_out
    assert nobody_holds(workspace / "lock")


def test_giving_up_ends_the_program_first(ctx: ToolContext, workspace: Path, level: Level) -> None:
    async def main() -> None:
        os.mkfifo(workspace / "pipe")
        program = run_program(["sh", "-c", f"{HOLD} echo up > pipe; sleep 60"], workspace, ctx, 60)
        task = asyncio.ensure_future(program)
        await asyncio.to_thread((workspace / "pipe").read_text)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert nobody_holds(workspace / "lock")

    asyncio.run(main())


def test_a_call_that_is_stopped_at_its_deadline_leaves_nothing_of_its_group(
    ctx: ToolContext, workspace: Path, level: Level
) -> None:
    result = _shell(f"{HOLD} sleep 60 & sleep 60", ctx, timeout_seconds=0.3)
    assert result.error_kind == "timeout" and result.sandbox == level
    assert nobody_holds(workspace / "lock")


def test_ctrl_c_leaves_no_process_of_the_group(workspace: Path, level: Level) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from loom.sandbox import ladder; from loom.sandbox.ladder import Probe\n"
        "from loom.tools.registry import ToolContext; from loom.tools.programs import run_program\n"
        "ladder.probe = lambda: Probe(sys.argv[2], '', ())\n"
        "ws = Path(sys.argv[1])\n"
        f"asyncio.run(run_program(['sh', '-c', {HOLD + 'echo up > pipe; sleep 60 & sleep 60'!r}],"
        " ws, ToolContext(ws), 60))"
    )
    os.mkfifo(workspace / "pipe")
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(workspace), level],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    (workspace / "pipe").read_text()
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(20) != 0
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)
    assert nobody_holds(workspace / "lock")


def test_output_without_end_is_drained_and_its_two_ends_are_kept(ctx: ToolContext) -> None:
    script = (
        "import sys; sys.stdout.write('first' + 'x' * 2_000_000 + 'last'); sys.stderr.write('y' * 300_000)"
    )
    ended = _run([sys.executable, "-c", script], ctx)
    assert ended.exit_code == 0 and ended.completed.truncated
    assert ended.stdout.startswith("first") and ended.stdout.endswith("last")
    assert len(ended.stdout) < 270_000 and "bytes left out" in ended.stderr


def test_few_variables_are_passed_on(
    ctx: ToolContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: Level
) -> None:
    monkeypatch.setenv("API_TOKEN", "hidden")
    monkeypatch.setenv("REGION", "north")
    seen = _run(["env"], ctx).stdout
    assert "hidden" not in seen and "REGION" not in seen
    # a home of its own: no credentials lie there, and nothing of ours is spoilt
    assert f"HOME={os.environ.get('HOME')}\n" not in seen and "HOME=" in seen
    granted = ToolContext(ctx.workspace, permissions=Permissions(env=("REGION",)), scratch_dir=tmp_path)
    passed = environment(granted, {"EXTRA": "1"})
    assert passed["REGION"] == "north" and passed["EXTRA"] == "1" and passed["TMPDIR"] == str(tmp_path)
    assert "API_TOKEN" not in passed and passed["PATH"] == os.environ["PATH"]


def test_programs_are_found_where_this_machine_keeps_them_and_no_home_is_given_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    for name in ("bin", ".pyenv/shims", ".ssh", ".cargo/bin"):
        (home / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    found = roots.toolchains(f"{home}/bin:{home}:/:{tmp_path}:relative/bin:/usr/bin:{home}/none")
    assert set(found) - {Path("/opt")} == {home / ".pyenv", home / ".cargo/bin", home / "bin"}


def test_a_program_has_no_input_to_wait_for(ctx: ToolContext) -> None:
    assert _run(["cat"], ctx).stdout == ""


def test_a_run_that_may_start_no_programs_starts_none(ctx: ToolContext) -> None:
    closed = ToolContext(ctx.workspace, permissions=Permissions(processes=False))
    with pytest.raises(NotPermittedError):
        _run(["true"], closed)

    async def serve() -> None:
        async with running(["true"], Path("/"), closed):
            raise AssertionError

    with pytest.raises(NotPermittedError):
        asyncio.run(serve())


def test_the_root_folder_is_no_place_to_run_programs_in() -> None:
    with pytest.raises(NotPermittedError, match="the root folder"):
        _run(["true"], ToolContext(Path("/")))


def test_secrets_in_output_are_taken_out(ctx: ToolContext) -> None:
    secret = "ghp_" + "A1b2" * 9
    ended = _run(["sh", "-c", f"echo {secret}; echo {secret} >&2"], ctx)
    assert secret not in ended.text and ended.text.count("REDACTED") == 2


def test_a_program_that_is_not_there_is_not_found(ctx: ToolContext, level: Level) -> None:
    ended = _run(["surely-not-installed"], ctx)
    assert not ended.found and ended.exit_code == 127
    result = call("shell_execute", {"command": ["surely-not-installed"]}, ctx)
    assert "surely-not-installed cannot be started" in (result.error or "") and result.sandbox == level
    assert "exit code 127" in (_shell("surely-not-installed", ctx).error or "")


def test_a_program_that_takes_too_much_says_what_it_was_stopped_for(
    ctx: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = programs.Limits(memory_bytes=64 << 20)
    monkeypatch.setattr(programs, "Limits", lambda **given: replace(small, wall_s=given["wall_s"]))
    greedy = "held = []\nwhile True: held.append(b'1' * (16 << 20))"
    ended = _run([sys.executable, "-c", greedy], ctx)
    assert ended.why == "stopped: it took too much memory" and ended.exit_code == -signal.SIGKILL
