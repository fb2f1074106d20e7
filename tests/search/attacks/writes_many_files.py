"""Ten gigabytes in files of one megabyte."""

from pathlib import Path

for number in range(10 << 10):
    Path("working", str(number)).write_bytes(b"x" * (1 << 20))
