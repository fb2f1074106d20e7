"""Ten gigabytes in files that nobody can find."""

from pathlib import Path

kept = []
for number in range(10 << 10):
    path = Path("working", str(number))
    file = path.open("wb")
    path.unlink()
    file.write(b"x" * (1 << 20))
    file.flush()
    kept = [*kept[-100:], file]
