"""The folder of one case: its task, its workspace, its home, and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import site
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom.app.package_tests.objects import Wanted
from loom.app.package_tests.pool import Ended
from loom.core.index import RunFacts
from loom.kernel.errors import LoomError
from loom.process.spec.tests import Case

DATA = "tests/data"
_SAID_BYTES = 4096
_READ_BYTES = 4 * 1024 * 1024
# libraries that would each take all cores; a variable that somebody has set is theirs
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True, slots=True)
class Task:
    """What the process of a case has to know."""

    case: Case
    package: Path
    objects: tuple[Wanted, ...] = ()
    runs: tuple[RunFacts, ...] = ()
    carry_out: str = "loom.app.run:carry_out"
    """What runs packages, as `module:name`."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "case": self.case.model_dump(mode="json"),
            "package": str(self.package),
            "objects": [wanted.model_dump(mode="json") for wanted in self.objects],
            "runs": [run.as_json() for run in self.runs],
            "carry_out": self.carry_out,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        """The task that plain data describes."""
        objects = tuple(Wanted.model_validate(each) for each in data["objects"])
        runs = tuple(RunFacts.from_json(each) for each in data["runs"])
        return cls(Case.model_validate(data["case"]), Path(data["package"]), objects, runs, data["carry_out"])


@dataclass(frozen=True, slots=True)
class Seen:
    """What could be seen of a case when it was over."""

    ended: Ended
    envelope: Mapping[str, Any] | None = None
    """How its run ended, if it came to its end."""

    error: Mapping[str, str] | None = None
    """What kept it from being set up."""

    events: tuple[Mapping[str, Any], ...] = ()
    fired: frozenset[int] = frozenset()
    """The faults that came about, by their place."""

    seconds: float = 0.0
    said: str = ""
    """The end of what its process printed."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """What its deliverables hold, by name."""

    @property
    def is_whole(self) -> bool:
        """Whether it ended by itself and left a result."""
        return self.envelope is not None or self.error is not None


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one case."""

    folder: Path

    @property
    def workspace(self) -> Path:
        """Where it works."""
        return self.folder / "workspace"

    @property
    def home(self) -> Path:
        """Its own $LOOM_HOME."""
        return self.folder / "home"

    @property
    def events(self) -> Path:
        """What happened, one line each."""
        return self.folder / "events.jsonl"

    @property
    def result(self) -> Path:
        """What it came to."""
        return self.folder / "result.json"

    def prepare(self, task: Task, package: Path | None, nested: Mapping[str, Path]) -> None:
        """Lay out the folder: the data of the package, and the packages that it runs inside itself."""
        self.home.mkdir(parents=True)
        for name in ("user", "tmp"):
            (self.folder / name).mkdir()
        data = package / DATA if package is not None else None
        if data is not None and data.is_dir():
            _copy(data, self.workspace)
        else:
            self.workspace.mkdir()
        for name, path in nested.items():
            (self.home / "processes").mkdir(exist_ok=True)
            _copy(path, self.home / "processes" / (name if path.is_dir() else path.name))
        (self.folder / "task.json").write_text(json.dumps(task.as_json()), encoding="utf-8")

    def task(self) -> Task:
        """The task that was laid down here."""
        return Task.from_json(json.loads((self.folder / "task.json").read_bytes()))

    def environment(self, environ: Mapping[str, str], share: int) -> dict[str, str]:
        """What its process finds in the environment: a home of its own, nobody's Metaflow, its share of the cores."""
        kept = {name: value for name, value in environ.items() if not name.startswith("METAFLOW")}
        threads = {name: str(share) for name in _THREADS if name not in environ}
        own = {"LOOM_HOME": self.home, "HOME": self.folder / "user", "TMPDIR": self.folder / "tmp"}
        # with another home, Python would no longer find what the user installed
        own["PYTHONUSERBASE"] = Path(site.getuserbase())
        return kept | threads | {name: str(path) for name, path in own.items()}

    def seen(self, ended: Ended) -> Seen:
        """What the case left behind."""
        try:
            result = json.loads(self.result.read_bytes())
        except FileNotFoundError:
            return Seen(ended, events=self._events(), seconds=ended.seconds, said=self._said())
        return Seen(
            ended,
            envelope=result["envelope"],
            error=result["error"],
            events=self._events(),
            fired=frozenset(result["fired"]),
            seconds=result["seconds"],
            said=self._said(),
            texts=self._texts(result["envelope"]),
        )

    def _events(self) -> tuple[Mapping[str, Any], ...]:
        lines = self.events.read_bytes().splitlines() if self.events.exists() else []
        return tuple(json.loads(line) for line in lines if line.endswith(b"}"))

    def _said(self) -> str:
        path = self.folder / "output.txt"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _SAID_BYTES))
            return file.read().decode("utf-8", "replace").strip()

    def _texts(self, envelope: Mapping[str, Any] | None) -> dict[str, str]:
        if envelope is None:
            return {}
        run = self.home / "runs" / (envelope["run"] or "none") / "workspace"
        texts: dict[str, str] = {}
        for name in (name for phase in envelope["phases"] for name in phase["deliverables"]):
            for folder in (run, self._kept, self.workspace):
                if (folder / name).is_file():
                    texts.setdefault(name, _text(folder / name))
        return texts

    def save_files(self) -> None:
        """Keep the files of runs that are about to be removed."""
        for folder in (self.folder / "tmp").glob("loom-*/workspace"):
            _copy(folder, self._kept)

    @property
    def _kept(self) -> Path:
        return self.folder / "kept"


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_READ_BYTES).decode("utf-8", "replace")


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; links become what they lead to, so that nothing outside can be changed."""
    try:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
    except (OSError, shutil.Error) as error:
        why = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror or str(error)
        raise LoomError(f"{source} cannot be copied", str(why).lower(), f"ls -lR {source}") from None


def remove(folder: Path) -> None:
    """Remove the folder of a case, also what a tool has locked; links are never followed."""
    for root, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(root, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def names_of(texts: Sequence[str]) -> str:
    """A list for a reader."""
    return ", ".join(f"`{text}`" for text in texts)
