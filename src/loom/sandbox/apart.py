"""A filter for one of many processes of the same user: whatever would reach another of them is refused.

seccomp.py keeps a program in; this keeps programs that were started side by side from each other, and from the
process that started them. It comes on top of the other filter. Landlock does most of it where it is new enough;
what it never judges (limits and priorities of other processes, modes and owners of files) is judged here.
"""

from __future__ import annotations

import errno
import sys

from loom.sandbox import linux
from loom.sandbox.seccomp import ALLOW, PRETEND, REFUSE, Step, always, available, beginning, give, judge, load

# name: (x86_64, aarch64); -1 where the processor has no such call
_REFUSED: dict[str, tuple[int, int]] = {
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "pidfd_send_signal": (424, 424),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "execve": (59, 221),
    "execveat": (322, 281),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    # memory that no process maps is counted nowhere
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
# a program that copies a file sets its mode too, and would end where that is an error
_PRETENDED: dict[str, tuple[int, int]] = {
    "chmod": (90, -1),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "lchown": (94, -1),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "removexattrat": (466, 466),
}
# the first argument names a process: its own number, and where that means itself, 0
_OWN = ((62, 129), (234, 131), (297, 240), (302, 261), (203, 122))
"""kill, tgkill, rt_tgsigqueueinfo, prlimit64, sched_setaffinity"""
_FCNTL, _IOCTL, _PRCTL = (72, 25), (16, 29), (157, 167)
_F_SETOWN, _F_SETOWN_EX, _FIOSETOWN, _SIOCSPGRP = 8, 15, 0x8901, 0x8902


def keep_apart(me: int) -> None:
    """Apply the filter to the calling process, whose number is `me`, for good; OSError where there is none."""
    if not available():
        raise OSError(errno.ENOSYS, f"there is no system call filter for {sys.platform}")
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    load(program(linux.machine(), me))


def program(machine: str, me: int) -> list[Step]:
    """The filter as instructions; what it does not name is allowed."""
    column = 0 if machine == "x86_64" else 1
    steps = beginning(machine)
    for numbers in _REFUSED.values():
        steps += always(numbers[column], REFUSE)
    for numbers in _PRETENDED.values():
        steps += always(numbers[column], PRETEND)
    for own in _OWN:
        steps += judge(own[column], 0, None, (me, 0), ALLOW)
    # who is signalled when a file has news
    steps += judge(_FCNTL[column], 1, None, (_F_SETOWN, _F_SETOWN_EX), REFUSE, other=ALLOW)
    steps += judge(_IOCTL[column], 1, None, (_FIOSETOWN, _SIOCSPGRP), REFUSE, other=ALLOW)
    # whoever watches it must be able to look into it
    steps += judge(_PRCTL[column], 0, None, (linux.PR_SET_DUMPABLE,), REFUSE, other=ALLOW)
    return [*steps, give(ALLOW)]
