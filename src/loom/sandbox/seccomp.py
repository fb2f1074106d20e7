"""A filter on system calls: no sockets, no new processes, no way around the rest of the sandbox.

The tables hold the numbers of x86_64 and aarch64; on other processors there is no filter, and `install`
says so with OSError. A call that is refused fails with EPERM, so that a program can say what it missed.
"""

from __future__ import annotations

import ctypes
import errno
import struct

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
_FORKS: dict[str, tuple[int, int]] = {"fork": (57, -1), "vfork": (58, -1)}
_SOCKET, _SOCKETPAIR, _CLONE, _CLONE3, _IOCTL = (41, 198), (53, 199), (56, 220), (435, 435), (16, 29)
_TRUNCATE, _OPEN, _OPENAT, _OPENAT2 = (76, 45), (2, -1), (257, 56), (437, 437)

_AF_INET, _AF_INET6, _AF_NETLINK, _SOCK_STREAM, _SOCK_TYPE = 2, 10, 16, 1, 0xF
_CLONE_THREAD, _CLONE_NAMESPACES = 0x00010000, 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_O_ACCMODE, _O_TRUNC = 0o3, 0o1000

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000

Step = tuple[int, int, int, int]


def available() -> bool:
    """Whether there is a filter for this processor."""
    return linux.machine() in _AUDIT


def install(*, network: bool, processes: bool, own_ipc: bool, guard_truncate: bool) -> None:
    """Filter the system calls of this process, and of all it starts, for good.

    `own_ipc`: it has an IPC namespace, so that System V and POSIX queues are its own. `guard_truncate`: the
    kernel's Landlock does not know truncation.
    """
    if not available():
        raise OSError(errno.ENOSYS, f"there is no system call filter for {linux.machine()}")
    steps = program(
        linux.machine(), network=network, processes=processes, own_ipc=own_ipc, guard_truncate=guard_truncate
    )
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = _Program(len(steps), ctypes.addressof(buffer))
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.byref(header))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def program(
    machine: str, *, network: bool, processes: bool, own_ipc: bool, guard_truncate: bool
) -> list[Step]:
    """The filter as instructions: each call that is judged ends in a verdict, all others are allowed."""
    column = 0 if machine == "x86_64" else 1
    refused = _ESCAPES | ({} if own_ipc else _SHARED_MEMORY) | ({} if processes else _FORKS)
    steps: list[Step] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        _give(_KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), _give(_KILL)]
    for numbers in refused.values():
        steps += _refuse(numbers[column], errno.EPERM)
    # threads still start: libc falls back to clone, whose flags a filter can read
    steps += _refuse(_CLONE3[column], errno.ENOSYS)
    if network:
        steps += _judge(_SOCKET[column], 0, None, allow=(_AF_INET, _AF_INET6, _AF_NETLINK))
    else:
        steps += _refuse(_SOCKET[column], errno.EPERM)
    # a datagram pair could be pointed at a socket of somebody else's
    steps += _judge(_SOCKETPAIR[column], 1, _SOCK_TYPE, allow=(_SOCK_STREAM,))
    if processes:
        steps += _judge(_CLONE[column], 0, _CLONE_NAMESPACES, allow=(0,))
    else:
        steps += _judge(_CLONE[column], 0, _CLONE_THREAD, allow=(_CLONE_THREAD,))
    steps += _judge(_IOCTL[column], 1, None, refuse=(_TIOCSTI, _TIOCLINUX))
    if guard_truncate:
        steps += _refuse(_TRUNCATE[column], errno.EPERM) + _refuse(_OPENAT2[column], errno.ENOSYS)
        for numbers, position in ((_OPEN, 1), (_OPENAT, 2)):
            steps += _judge(numbers[column], position, _O_TRUNC | _O_ACCMODE, refuse=(_O_TRUNC,))
    return [*steps, _give(_ALLOW)]


def _give(verdict: int) -> Step:
    return (_RETURN, 0, 0, verdict)


def _refuse(number: int, code: int) -> list[Step]:
    if number < 0:
        return []
    return [(_EQUAL, 0, 1, number), _give(_ERRNO | code)]


def _judge(
    number: int, position: int, mask: int | None, *, allow: tuple[int, ...] = (), refuse: tuple[int, ...] = ()
) -> list[Step]:
    """One call, judged by one argument: only the values in `allow`, or all but those in `refuse`."""
    if number < 0:
        return []
    body: list[Step] = [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * position)]
    if mask is not None:
        body.append((_AND, 0, 0, mask))
    listed, other = (_ALLOW, _ERRNO | errno.EPERM) if allow else (_ERRNO | errno.EPERM, _ALLOW)
    for value in allow or refuse:
        body += [(_EQUAL, 0, 1, value), _give(listed)]
    body.append(_give(other))
    return [(_EQUAL, 0, len(body), number), *body]
