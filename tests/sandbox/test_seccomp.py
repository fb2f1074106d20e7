"""The filter's verdicts, read by a small interpreter of its instructions, for both processors it knows."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from loom.sandbox import seccomp
from loom.sandbox.seccomp import Step, program
from tests.sandbox.here import SOURCE

ALLOW, ASK, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x00050001, 0x00050026
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {
        "read": 0,
        "socket": 41,
        "socketpair": 53,
        "clone": 56,
        "clone3": 435,
        "setpgid": 109,
        "setsid": 112,
        "ptrace": 101,
        "ioctl": 16,
    }
    | {"fork": 57, "vfork": 58, "shmget": 29, "openat": 257, "truncate": 76, "unshare": 272, "execve": 59},
    "aarch64": {
        "read": 63,
        "socket": 198,
        "socketpair": 199,
        "clone": 220,
        "clone3": 435,
        "setpgid": 154,
        "setsid": 157,
        "ptrace": 117,
        "ioctl": 29,
    }
    | {"shmget": 194, "openat": 56, "truncate": 45, "unshare": 97, "execve": 221},
}
THREAD, SIGCHLD, NEW_USER = 0x3D0F00, 17, 0x10000000


def verdict(steps: list[Step], machine: str, call: str, *arguments: int, arch: int | None = None) -> int:
    """What the kernel would do with one call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack(
        "<iIQ6Q", NUMBERS[machine].get(call, -1), AUDIT[machine] if arch is None else arch, 0, *padded
    )
    at = value = 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        match code:
            case 0x20:
                value = struct.unpack_from("<I", data, operand)[0]
            case 0x54:
                value &= operand
            case 0x15:
                at += yes if value == operand else no
            case 0x35:
                at += yes if value >= operand else no
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def closed(machine: str, **changes: object) -> list[Step]:
    asked: dict[str, object] = {"network": False, "processes": False, "level": "restricted"}
    asked |= {"guard_truncate": False, "ask": False} | changes
    return program(machine, **asked)  # type: ignore[arg-type]


def test_what_is_not_judged_is_allowed(machine: str) -> None:
    for call in ("read", "execve", "openat"):
        assert verdict(closed(machine), machine, call) == ALLOW


def test_calls_of_another_processor_end_the_program(machine: str) -> None:
    assert verdict(closed(machine), machine, "read", arch=0x40000003) == KILL


def test_calls_by_their_x32_numbers_end_the_program() -> None:
    NUMBERS["x86_64"]["x32 socket"] = 0x40000029
    assert verdict(closed("x86_64"), "x86_64", "x32 socket") == KILL


def test_no_socket_is_opened_without_the_network(machine: str) -> None:
    for family in (1, 2, 10, 16, 17, 38):
        assert verdict(closed(machine), machine, "socket", family) == EPERM
        assert verdict(closed(machine, level="none"), machine, "socket", family) == EPERM


def test_only_ip_and_routes_are_opened_with_the_network(machine: str) -> None:
    steps = closed(machine, network=True)
    assert [verdict(steps, machine, "socket", family) == ALLOW for family in (1, 2, 10, 16, 17, 38, 40)] == [
        *(False, True, True, True, False, False, False)
    ]


def test_a_pair_is_a_stream_or_nothing(machine: str) -> None:
    steps = closed(machine)
    assert verdict(steps, machine, "socketpair", 1, 1 | 0o2000000) == ALLOW
    assert verdict(steps, machine, "socketpair", 1, 2) == EPERM


def test_threads_are_allowed_where_processes_are_not(machine: str) -> None:
    steps = closed(machine)
    assert verdict(steps, machine, "clone", THREAD) == ALLOW
    assert verdict(steps, machine, "clone", SIGCHLD) == EPERM
    assert verdict(steps, machine, "clone3") == ENOSYS
    if machine == "x86_64":
        assert verdict(steps, machine, "fork") == verdict(steps, machine, "vfork") == EPERM


def test_new_processes_never_bring_namespaces_along(machine: str) -> None:
    steps = closed(machine, processes=True)
    assert verdict(steps, machine, "clone", SIGCHLD) == ALLOW
    assert verdict(steps, machine, "clone", SIGCHLD | NEW_USER) == EPERM
    assert verdict(steps, machine, "unshare", NEW_USER) == EPERM


def test_only_who_leaves_its_group_asks_when_there_is_a_gate(machine: str) -> None:
    asking, free = closed(machine, processes=True, ask=True), closed(machine, processes=True)
    for call in ("setsid", "setpgid"):
        assert (verdict(asking, machine, call), verdict(free, machine, call)) == (ASK, ALLOW)
    for flags in (SIGCHLD, THREAD):
        assert verdict(asking, machine, "clone", flags) == ALLOW


def test_shared_memory_that_outlives_its_maker_is_refused_unless_it_is_its_own(machine: str) -> None:
    assert verdict(closed(machine), machine, "shmget") == EPERM
    assert verdict(closed(machine, level="isolated"), machine, "shmget") == ALLOW


def test_a_read_only_open_does_not_truncate_where_landlock_would_let_it(machine: str) -> None:
    steps = closed(machine, guard_truncate=True)
    assert verdict(steps, machine, "openat", 0, 0, 0o1000) == EPERM
    assert verdict(steps, machine, "openat", 0, 0, 0o1000 | 0o1) == ALLOW
    assert verdict(steps, machine, "openat", 0, 0, 0o100) == ALLOW
    assert verdict(steps, machine, "truncate") == EPERM
    assert verdict(closed(machine), machine, "openat", 0, 0, 0o1000) == ALLOW


def test_input_is_not_pushed_into_a_terminal(machine: str) -> None:
    assert verdict(closed(machine), machine, "ioctl", 0, 0x5412) == EPERM
    assert verdict(closed(machine), machine, "ioctl", 0, 0x5401) == ALLOW


def test_at_level_none_only_the_network_and_processes_are_judged(machine: str) -> None:
    steps = closed(machine, level="none", network=True, processes=True)
    for call in ("ptrace", "unshare", "socketpair", "ioctl"):
        assert verdict(steps, machine, call, 1, 2) == ALLOW
    assert verdict(steps, machine, "socket", 1) == ALLOW


def test_a_processor_without_a_filter_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp.linux, "machine", lambda: "riscv64")
    assert not seccomp.available()
    with pytest.raises(OSError, match="riscv64"):
        seccomp.install(network=False, processes=False, level="restricted", guard_truncate=False, ask=False)


@pytest.mark.skipif(not seccomp.available(), reason="NOT TESTED: there is no filter here")
def test_a_second_listener_is_done_without() -> None:
    code = """
import os, sys
sys.path.insert(0, sys.argv[1])
from loom.sandbox import seccomp
def install(): return seccomp.install(
    network=False, processes=False, level="restricted", guard_truncate=False, ask=True)
first, second = install(), install()
print(first is not None, second)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(SOURCE)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "True None\n"
