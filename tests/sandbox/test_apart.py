"""The filter between processes that were started side by side, read as the kernel would read it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loom.sandbox import seccomp
from loom.sandbox.apart import program
from tests.sandbox.here import SOURCE
from tests.sandbox.test_seccomp import ALLOW, EPERM, KILL, NUMBERS, verdict

ME, OTHER, NOTHING = 4242, 17, 0x00050000
CALLS = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "setpriority": (141, 140),
    "pidfd_send_signal": (424, 424),
    "fcntl": (72, 25),
    "prctl": (157, 167),
    "memfd_create": (319, 279),
    "execveat": (322, 281),
    "fchmodat": (268, 53),
    "fchownat": (260, 54),
}


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    for call, numbers in CALLS.items():
        monkeypatch.setitem(NUMBERS[name], call, numbers[name != "x86_64"])
    return name


def test_a_process_may_reach_itself_and_nobody_else(machine: str) -> None:
    steps = program(machine, ME)
    for call in ("kill", "tgkill", "prlimit64", "sched_setaffinity"):
        assert [verdict(steps, machine, call, who) for who in (ME, 0)] == [ALLOW, ALLOW]
        assert {verdict(steps, machine, call, who) for who in (OTHER, 1, 2**32 - 1, 2**32 - ME)} == {EPERM}
    for call in ("tkill", "setpriority", "pidfd_send_signal", "execve", "execveat", "setsid", "memfd_create"):
        assert verdict(steps, machine, call, ME) == EPERM


def test_nobody_is_told_of_news_and_nobody_hides(machine: str) -> None:
    steps = program(machine, ME)
    for number, allowed in ((1, True), (8, False), (15, False)):
        assert (verdict(steps, machine, "fcntl", 5, number) == ALLOW) == allowed
    for number, allowed in ((0x5401, True), (0x8901, False), (0x8902, False)):
        assert (verdict(steps, machine, "ioctl", 5, number) == ALLOW) == allowed
    for number, allowed in ((15, True), (4, False)):
        assert (verdict(steps, machine, "prctl", number) == ALLOW) == allowed


def test_a_change_of_a_files_mode_does_nothing_and_says_that_it_went_well(machine: str) -> None:
    steps = program(machine, ME)
    assert {verdict(steps, machine, call) for call in ("fchmodat", "fchownat")} == {NOTHING}


def test_what_is_not_named_is_allowed_but_not_by_another_processors_numbers(machine: str) -> None:
    steps = program(machine, ME)
    assert {verdict(steps, machine, call) for call in ("read", "openat", "clone", "socket")} == {ALLOW}
    assert verdict(steps, machine, "read", arch=0x40000003) == KILL


CODE = """
import os, shutil, sys
sys.path.insert(0, sys.argv[1])
from loom.sandbox import apart
apart.keep_apart(os.getpid())
open(sys.argv[2] + "/one", "w").close()
shutil.copy2(sys.argv[2] + "/one", sys.argv[2] + "/two")
os.kill(os.getpid(), 0)
os.kill(0, 0)
try: os.kill(os.getppid(), 0)
except PermissionError: print("refused")
"""


@pytest.mark.skipif(not seccomp.available(), reason="NOT TESTED: no filter for this processor")
def test_the_kernel_takes_it_and_files_can_be_copied(tmp_path: object) -> None:
    words = [sys.executable, "-c", CODE, str(SOURCE), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "refused\n"
