"""Kills a run at every place where it writes something down, goes on with it, and compares with a quiet run.

python -m tests.app.kill_matrix FOLDER TRANSPORT STEP   prints one JSON line per boundary
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loom.app.call import Call
from loom.app.run import carry_out
from loom.runtime import inline  # noqa: F401  loaded before the first fork
from loom.runtime.journal import Journal
from loom.runtime.tasks import TaskFolder
from tests.packages import DIAMOND, WITH_MARK, write_package

WRITES = {
    Journal: ("begin", "append", "locate", "save", "conclude", "reopen", "dispatch", "complete"),
    TaskFolder: ("keep", "append"),
}


def kill_at(boundary: int) -> Callable[[], int]:
    """From now on, die right before the write of that number; answers with how many there were."""
    count = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == boundary:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(*args, **kwargs)

        return wrapped

    for owner, names in WRITES.items():
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))
    return lambda: count


def in_child(work: Callable[[], dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Do something in a process of its own; its exit status, and what it found."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as file:
            json.dump(work(), file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), json.loads(text or "{}")


def run(package: Path, home: Path, transport: str, *, boundary: int = 0, resume: str = "") -> dict[str, Any]:
    """Run the package, or go on with a run."""
    count = kill_at(boundary) if boundary else lambda: 0
    environ = {**os.environ, "LOOM_HOME": str(home)}
    call = Call(
        str(package),
        {} if resume else {"word": "hi", "mark": str(home / "marks")},
        transport=transport,  # type: ignore[arg-type]
        resume=resume or None,
        workspace=home,
    )
    answer = carry_out(call, environ=environ).as_json()
    return {"writes": count(), **{name: answer[name] for name in ("status", "VERDICT", "summary")}}


def files(home: Path) -> dict[str, str]:
    """What every run of a home left in its workspace."""
    return {p.name: p.read_text() for p in sorted(home.glob("runs/*/workspace/**/*")) if p.is_file()}


def marks(home: Path) -> list[str]:
    """Which phases ran, once per time they did."""
    path = home / "marks"
    return sorted(path.read_text().splitlines()) if path.exists() else []


def finished_before(home: Path) -> set[str]:
    """Phases that had finished when the run was killed."""
    return {path.stem for path in home.glob("runs/*/tasks/*.json")}


def main(folder: Path, transport: str, every: int) -> None:
    """Walk the boundaries, every so many of them."""
    package = write_package(folder, DIAMOND, inputs=WITH_MARK, last="last")
    quiet = folder / "quiet"
    quiet.mkdir()
    status, reference = in_child(lambda: run(package, quiet, transport, boundary=10**9))
    assert status == 0, status
    for boundary in range(1, reference.pop("writes") + 1, every):
        home = folder / f"home-{boundary}"
        home.mkdir()
        killed, _ = in_child(lambda home=home, at=boundary: run(package, home, transport, boundary=at))  # type: ignore[misc]
        before, ran_before = finished_before(home), marks(home)
        known = (home / "journal.db").exists() and Journal(home / "journal.db").runs(10)
        # a run that was never written down is simply asked for again
        again = known[0].run_id if known else ""
        over = bool(known) and known[0].status == "ok"
        found = (
            reference if over else in_child(lambda h=home, a=again: run(package, h, transport, resume=a))[1]
        )  # type: ignore[misc]
        found.pop("writes", None)
        twice = [line.split()[0] for line in set(marks(home)) if marks(home).count(line) > 1]
        print(
            json.dumps(
                {
                    "boundary": boundary,
                    "killed": killed == -signal.SIGKILL,
                    "same": found == reference,
                    "files": files(home) == files(quiet),
                    "finished_and_ran_again": sorted(set(twice) & before),
                    "ran_before": len(ran_before),
                    "data": sorted(path.name for path in home.glob("**/entry.json")),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
