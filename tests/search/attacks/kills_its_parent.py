"""Signals everybody it can think of, and takes away what its parent needs."""

import os
import resource
import signal

parent = os.getppid()
reached = 0
for call, *arguments in (
    (os.kill, parent, signal.SIGKILL),
    (os.kill, parent, signal.SIGSTOP),
    (os.kill, 1, signal.SIGKILL),
    (os.kill, -1, signal.SIGKILL),
    (os.killpg, os.getpgid(parent), signal.SIGKILL),
    (resource.prlimit, parent, resource.RLIMIT_CPU, (0, 0)),
    (resource.prlimit, parent, resource.RLIMIT_NOFILE, (0, 0)),
    (os.setpriority, os.PRIO_PROCESS, parent, 19),
    (os.sched_setaffinity, parent, {0}),
    (signal.pidfd_send_signal, os.pidfd_open(parent), signal.SIGKILL),
):
    try:
        call(*arguments)
        reached += 1
    except OSError:
        pass
print(f'{{"reached": {reached}}}', flush=True)
os.killpg(0, signal.SIGKILL)
