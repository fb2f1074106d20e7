"""Put the version before the current one back: python rollback.py

It lies beside the versions and needs nothing but Python. The files of the version are checked before it becomes
the current one; whoever reads `current` sees one version or the other, never a mix.
"""

import fcntl
import hashlib
import json
import sys
from pathlib import Path

CURRENT, VERSIONS, LOCK, SUMS = "current", "versions", ".lock", "SHA256SUMS"


def main(folder: Path) -> int:
    """Switch back. 0 when the version before is the current one, 2 when it could not be."""
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("somebody else is changing this folder right now", file=sys.stderr)
            return 2
        now = (folder / CURRENT).readlink().name
        before = json.loads((folder / VERSIONS / f"{now}.json").read_bytes())["previous"]
        if before is None:
            print(f"{now} is the first version; there is none before it", file=sys.stderr)
            return 2
        wrong = damage(folder / VERSIONS / before)
        if wrong:
            print(f"{before} cannot be put back: {wrong}", file=sys.stderr)
            return 2
        switch(folder, before)
        print(f"{before} is the current version, {now} was")
        return 0


def switch(folder: Path, version: str) -> None:
    """Make a version the current one, in one step."""
    fresh = folder / f".{CURRENT}-new"
    fresh.unlink(missing_ok=True)  # somebody was killed right here
    try:
        fresh.symlink_to(Path(VERSIONS, version), target_is_directory=True)
        fresh.replace(folder / CURRENT)
    finally:
        fresh.unlink(missing_ok=True)


def damage(version: Path) -> str:
    """What is wrong with the files of a version; nothing when they are as they were deployed."""
    try:
        lines = (version / SUMS).read_text(encoding="utf-8").splitlines()
        for line in lines:
            digest, _, name = line.partition("  ")
            if hashlib.sha256((version / name).read_bytes()).hexdigest() != digest:
                return f"{name} was changed"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
