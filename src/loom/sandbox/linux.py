"""The system calls that Python does not offer; each raises OSError when the kernel refuses."""

from __future__ import annotations

import ctypes
import os

# This file runs before every sandboxed program: it imports nothing that is slow to import.

SIGKILL, SIGTERM, SIGCONT = 9, 15, 18
"""As numbers, because `signal` is slow to import; these three are the same on every Linux that Python runs on."""
_IGNORED_BY_PYTHON = (13, 25)  # SIGPIPE, SIGXFSZ

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def machine() -> str:
    """The kernel's name for this processor."""
    return os.uname().machine


def prctl(option: int, argument: int, second: object = 0) -> None:
    """prctl(2) with the arguments that are left out set to 0."""
    rest = second if not isinstance(second, int) else ctypes.c_ulong(second)
    zero = ctypes.c_ulong(0)
    if _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(argument), rest, zero, zero) != 0:
        raise _failed("prctl")


def syscall(number: int, *arguments: object) -> int:
    """syscall(2); integers are passed as longs."""
    words = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise _failed("syscall")
    return result


def ioctl(handle: int, request: int, argument: object) -> None:
    """ioctl(2)."""
    if _libc.ioctl(ctypes.c_int(handle), ctypes.c_ulong(request), argument) != 0:
        raise _failed("ioctl")


def drop_capabilities() -> None:
    """Give up every capability for good; root keeps its user id and nothing else."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # past the last one; or there was no right to drop any, and so none to lose
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if (number := _CAPSET.get(machine())) is not None:
        syscall(number, header, nothing)


def restore_signals() -> None:
    """Give the signals that Python ignores their default effect again, as a program expects."""
    for number in _IGNORED_BY_PYTHON:
        _libc.signal(ctypes.c_int(number), None)


def kill(pid: int, number: int) -> None:
    """Signal a process; one that is gone, or not ours, is passed over."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def kill_group(leader: int, number: int) -> None:
    """Signal a process group; one that is gone, or not ours, is passed over."""
    try:
        os.killpg(leader, number)
    except OSError:
        return


def _failed(call: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{call}: {os.strerror(code)}")
