"""Takes memory of a kind that is not its own data, a bit at a time."""

import mmap

held = mmap.mmap(-1, 10 << 30)
while True:
    held.write(b"x" * (1 << 20))
