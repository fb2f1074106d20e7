"""Looks into the memory, the environment and the open files of its parent."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

parent = os.getppid()
reached = 0
for pid in (parent, "self/../" + str(parent), 1):
    for name in ("mem", "environ", "maps", "cmdline", "fd/0", "fd/1", "cwd", "root/etc"):
        path = Path(f"/proc/{pid}", name)
        with suppress(OSError):
            reached += len([*path.iterdir()] if path.is_dir() else path.open("rb").read(64))
libc = ctypes.CDLL(None, use_errno=True)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(ctypes.create_string_buffer(64)), 64)
there = (ctypes.c_void_p * 2)(ctypes.addressof(vector), 16)
reached += libc.process_vm_readv(parent, vector, 1, there, 1, 0) > 0
reached += libc.ptrace(16, parent, 0, 0) == 0
print(f'{{"reached": {reached}}}')
