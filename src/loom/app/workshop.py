"""Puts together what carries out the phases of a run. The same for every transport."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loom.app.call import Call
from loom.app.executors import Faults, Permit, PhaseExecutor, RunProcess
from loom.app.judging import PackageJudge
from loom.app.prepare import Prepared
from loom.app.services import Keeping, Lender, Services
from loom.process.loader import builtin_root
from loom.process.package import Package
from loom.runtime.dispatch import Emit, PreparedRun, RunRequest
from loom.runtime.driver import PhaseDriver
from loom.runtime.phases import Phases, Tell
from loom.tools.context import Permissions, ToolContext

JUDGE = "validate"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything phases are carried out with, for one prepared run."""

    prepared: Prepared
    environ: Mapping[str, str]
    keeping: Keeping
    permit: Permit
    run_process: RunProcess
    faults: Faults | None = None

    def phases(
        self, run: PreparedRun, tell: Tell, *, pathspec: str | None = None, workers: int = 1
    ) -> Phases:
        """The phases of the run, ready to be carried out."""
        executor = self.executor(run, self.services(run, pathspec, tell))

        def driver_of(_run: PreparedRun, _pathspec: str | None, emit: Emit) -> PhaseDriver:
            judge = PackageJudge(
                self.prepared.process,
                run.workspace,
                executor,
                settings=run.request.settings,
                tools=self.prepared.tools,
                context=executor.context,
                tell=emit,
            )
            return PhaseDriver(
                executor=executor,
                judge=judge,
                publish=judge.published,
                emit=emit,
                sleep=time.sleep,
                settings=run.request.settings,
                seed=run.request.seed,
            )

        return Phases(run, driver_of, tell, pathspec, workers)

    def services(self, run: PreparedRun, pathspec: str | None, tell: Tell | None = None) -> Services:
        """What the tools of the run are lent."""
        verb, cwd = self.prepared.package.spec.verb, run.request.cwd
        return Lender(
            home=run.home,
            environ=self.environ,
            cwd=Path(cwd) if cwd else run.workspace,
            keeping=self.keeping,
            flow=verb.flow if verb else None,
            pathspec=pathspec,
            run=run.request.key,
            staged=run.request.staged,
            may_unseal=_may_unseal(self.prepared.package),
            tell=tell,
        ).services()

    def executor(self, run: PreparedRun, services: Services) -> PhaseExecutor:
        """Who carries out the attempts at phases."""
        request, allowed = run.request, self.prepared.package.spec.permissions
        scratch = run.folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        context = ToolContext(
            workspace=run.workspace,
            read_roots=[*map(Path, request.attached.values()), *self._named_paths(request)],
            read_path_map={alias: Path(path) for alias, path in request.attached.items()},
            scratch_dir=scratch,
            permissions=Permissions(
                network=tuple(allowed.network) if allowed else (),
                env=tuple(allowed.env) if allowed else (),
                processes=bool(allowed and allowed.processes),
                sandbox=allowed.sandbox if allowed else "none",
            ),
            services=services,
        )
        nested = Call(
            package="",
            goal=request.goal,
            experiment_id=request.experiment_id,
            seed=request.seed,
            caller="package",
            clearance=request.clearance,
            parent=request.key,
            transport="local" if self.keeping == "folder" else "metaflow",
            workspace=Path(request.cwd) if request.cwd else None,
        )
        return PhaseExecutor(self.prepared.tools, context, self.permit, self.run_process, nested, self.faults)

    def _named_paths(self, request: RunRequest) -> list[Path]:
        """What the person who called named as a path; naming it is leave to read it."""
        verb = self.prepared.package.spec.verb
        names = [name for name, each in verb.inputs.items() if each.type == "path"] if verb else []
        values = [request.inputs.get(name) for name in names]
        flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
        return [Path(each) for each in flat if isinstance(each, str)]


def _may_unseal(package: Package) -> bool:
    """Only the judge that comes with Loom opens holdouts; a package of the same name from elsewhere does not."""
    folder = package.folder
    return folder is not None and folder.resolve() == (builtin_root() / JUDGE).resolve()
