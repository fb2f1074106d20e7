"""Ten gigabytes in one file."""

from pathlib import Path

with Path("working", "large").open("wb") as file:
    for _ in range(10 << 10):
        file.write(b"x" * (1 << 20))
