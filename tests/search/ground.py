"""An experiment in a folder: inputs, answers beside them, and candidates to be run."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path

from loom.search.executor import Executor
from loom.search.jobs import Finished, Job

ATTACKS = Path(__file__).parent / "attacks"
ANSWER = "the-answer-of-a-row-that-nobody-was-given"
CELL = "the_cell_of_a_row"
ROWS = f"x,y\n1,{CELL}\n"
PATIENCE_S = 60.0
"""How long a machine may take for what takes a second; a test that waits so long has failed."""


@dataclass(frozen=True)
class Ground:
    """The folders of one experiment."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Ground:
        """Lay out an experiment: two inputs, the answers, and another candidate with its submission."""
        for fold in (0, 1):
            given = root / "inputs" / f"fold-{fold}"
            given.mkdir(parents=True)
            (given / "train.csv").write_text(ROWS)
            (given / "ctx.json").write_text(json.dumps({"port": 9}))
        (root / "answers.csv").write_text(ANSWER)
        ground = cls(root)
        other = ground.folder("other", "print('other')")
        (other / "working" / "submission.csv").write_text(ANSWER)
        return ground

    @property
    def inputs(self) -> Path:
        """What candidates may read."""
        return self.root / "inputs"

    @property
    def nodes(self) -> Path:
        """Where candidates live."""
        return self.root / "nodes"

    def folder(self, name: str, code: str) -> Path:
        """A new candidate in its folder."""
        folder = self.nodes / name / "fold-0"
        (folder / "working").mkdir(parents=True)
        (folder / "solution.py").write_text(textwrap.dedent(code))
        (folder / "input").symlink_to(self.inputs / "fold-0")
        return folder

    def job(self, name: str, code: str, **changes: float) -> Job:
        """A candidate as a job, with bounds that are wide for a test."""
        bounds: dict[str, float] = {"seconds": 30.0, "memory_bytes": 1 << 30} | changes
        return Job(name, self.folder(name, code), **bounds)  # type: ignore[arg-type]


def submission_of(folder: Path) -> bytes | None:
    """The submission that a candidate left as a plain file in its own folder."""
    path = folder / "working" / "submission.csv"
    return (
        path.read_bytes()
        if path.resolve() == folder.resolve() / "working" / path.name and path.is_file()
        else None
    )


def result(executor: Executor, job: Job) -> Finished:
    """Run one job to its end."""
    executor.start(job)
    [finished] = executor.wait(PATIENCE_S)
    assert finished.id == job.id
    return finished
