"""A filter on system calls: no sockets, no new processes, no way around the rest of the sandbox.

AF_UNIX is not opened, not even by a program that may use the network: it leads to the daemons of the host. A
pair of connected sockets is, and so are threads.

The tables hold the numbers of x86_64 and aarch64; on other processors there is no filter, and `install`
says so with OSError. A call that is refused fails with EPERM, so that a program can say what it missed.
"""

from __future__ import annotations

import ctypes
import errno
import struct
import sys

from loom.sandbox import linux

# This file runs before every sandboxed program: it imports nothing that is slow to import.

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (x86_64, aarch64); -1 where the processor has no such call
_ESCAPES: dict[str, tuple[int, int]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "modify_ldt": (154, -1),
    "vhangup": (153, 58),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
_SHARED_MEMORY: dict[str, tuple[int, int]] = {
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
_FORKS = ((57, -1), (58, -1))  # fork, vfork
_GROUPS = ((112, 157), (109, 154))  # setsid, setpgid
_SOCKET, _SOCKETPAIR, _CLONE, _CLONE3, _IOCTL = (41, 198), (53, 199), (56, 220), (435, 435), (16, 29)
_TRUNCATE, _OPEN, _OPENAT, _OPENAT2 = (76, 45), (2, -1), (257, 56), (437, 437)

_AF_INET, _AF_INET6, _AF_NETLINK, _SOCK_STREAM, _SOCK_TYPE = 2, 10, 16, 1, 0xF
_CLONE_THREAD, _CLONE_NAMESPACES = 0x00010000, 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_O_ACCMODE, _O_TRUNC = 0o3, 0o1000

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
ALLOW, _KILL, PRETEND, _ASK = 0x7FFF0000, 0x80000000, 0x00050000, 0x7FC00000
"""Verdicts; PRETEND skips the call and says that it went well."""
REFUSE, REFUSE_UNKNOWN = PRETEND | errno.EPERM, PRETEND | errno.ENOSYS
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3

Step = tuple[int, int, int, int]


def available() -> bool:
    """Whether there is a filter for this system and processor."""
    return sys.platform == "linux" and linux.machine() in _AUDIT


def install(*, network: bool, processes: bool, level: str, guard_truncate: bool, ask: bool) -> int | None:
    """Filter the system calls of this process, and of all it starts, for good.

    At level `none` only the network and new processes are judged. `guard_truncate`: the kernel's Landlock does
    not know truncation. `ask`: whoever leaves its process group waits until the holder of the descriptor that
    is returned says yes (gate.py); None where the kernel has no such thing to give.
    """
    if not available():
        raise OSError(errno.ENOSYS, f"there is no system call filter for {linux.machine()}")
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    for asking in (True, False) if ask else (False,):
        steps = program(
            linux.machine(),
            network=network,
            processes=processes,
            level=level,
            guard_truncate=guard_truncate,
            ask=asking,
        )
        try:
            listener = load(steps, _NEW_LISTENER if asking else 0)
        except OSError as error:
            # an older kernel, or somebody above us listens already
            if asking and error.errno in (errno.EINVAL, errno.EBUSY):
                continue
            raise
        return listener if asking else None
    return None


def load(steps: list[Step], flags: int = 0) -> int:
    """Hand a filter to the kernel, which applies it to this thread for good."""
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = _Program(len(steps), ctypes.addressof(buffer))
    return linux.syscall(_SECCOMP[linux.machine()], _MODE_FILTER, flags, ctypes.byref(header))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def program(
    machine: str, *, network: bool, processes: bool, level: str, guard_truncate: bool, ask: bool
) -> list[Step]:
    """The filter as instructions: each call that is judged ends in a verdict, all others are allowed."""
    column = 0 if machine == "x86_64" else 1
    strict = level != "none"
    # an isolated program has an IPC namespace: its queues are its own, and end with it
    refused = (_ESCAPES if strict else {}) | (_SHARED_MEMORY if level == "restricted" else {})
    steps = beginning(machine)
    for numbers in refused.values():
        steps += always(numbers[column], REFUSE)
    for numbers in _FORKS:
        steps += always(numbers[column], ALLOW if processes else REFUSE)
    if processes:
        steps += judge(_CLONE[column], 0, _CLONE_NAMESPACES, (0,), ALLOW)
    else:
        steps += judge(_CLONE[column], 0, _CLONE_THREAD, (_CLONE_THREAD,), ALLOW)
    for numbers in _GROUPS if ask else ():
        steps += always(numbers[column], _ASK)
    # libc falls back to clone, whose flags a filter can read
    steps += always(_CLONE3[column], REFUSE_UNKNOWN)
    if not network:
        steps += always(_SOCKET[column], REFUSE)
    elif strict:
        steps += judge(_SOCKET[column], 0, None, (_AF_INET, _AF_INET6, _AF_NETLINK), ALLOW)
    if strict:
        # a datagram pair could be pointed at a socket of somebody else's
        steps += judge(_SOCKETPAIR[column], 1, _SOCK_TYPE, (_SOCK_STREAM,), ALLOW)
        steps += judge(_IOCTL[column], 1, None, (_TIOCSTI, _TIOCLINUX), REFUSE, other=ALLOW)
    if guard_truncate:
        steps += always(_TRUNCATE[column], REFUSE)
        steps += always(_OPENAT2[column], REFUSE_UNKNOWN)
        for numbers, position in ((_OPEN, 1), (_OPENAT, 2)):
            read_and_truncate = (_O_TRUNC,)
            mask = _O_TRUNC | _O_ACCMODE
            steps += judge(numbers[column], position, mask, read_and_truncate, REFUSE, other=ALLOW)
    return [*steps, give(ALLOW)]


def beginning(machine: str) -> list[Step]:
    """End whoever calls by another processor's numbers; then load the number of the call."""
    steps: list[Step] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        give(_KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), give(_KILL)]
    return steps


def give(verdict: int) -> Step:
    """The end of a filter."""
    return (_RETURN, 0, 0, verdict)


def always(number: int, verdict: int) -> list[Step]:
    """One call, whatever its arguments."""
    return [] if number < 0 else [(_EQUAL, 0, 1, number), give(verdict)]


def judge(
    number: int,
    position: int,
    mask: int | None,
    values: tuple[int, ...],
    verdict: int,
    *,
    other: int = REFUSE,
) -> list[Step]:
    """One call, judged by one argument: the verdict for these values, the other one for the rest."""
    if number < 0:
        return []
    body: list[Step] = [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * position)]
    if mask is not None:
        body.append((_AND, 0, 0, mask))
    for value in values:
        body += [(_EQUAL, 0, 1, value), give(verdict)]
    body.append(give(other))
    return [(_EQUAL, 0, len(body), number), *body]
