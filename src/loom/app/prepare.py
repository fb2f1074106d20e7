"""From a call to a run that may start: the package found, its inputs read, what it needs there."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from loom.app.call import Call
from loom.app.inputs import read_inputs
from loom.app.toolbox import missing_tools, toolbox
from loom.kernel.errors import LoomError
from loom.kernel.ids import digest, is_experiment_id, new_experiment_id
from loom.kernel.treehash import tree_hash
from loom.process.check import FILE_NAME
from loom.process.loader import ProcessLoader, builtin_root
from loom.process.package import Package
from loom.process.plan import Plan, plan
from loom.process.resolve import ResolvedProcess
from loom.runtime.dispatch import RunRequest
from loom.runtime.lookup import NothingThereError, Scope, fill
from loom.sandbox import ladder
from loom.settings.layers import Settings, default_settings, load_settings, loom_home
from loom.settings.model import SETTINGS
from loom.tools.registry import ToolRegistry

# what phases may need to know of the settings, wherever they are carried out
CARRIED = tuple(key for key in SETTINGS if key.startswith("execution."))


@dataclass(frozen=True)
class Prepared:
    """Everything about a run that is known before it starts."""

    process: ResolvedProcess
    plan: Plan
    request: RunRequest
    home: Path
    settings: Settings

    @property
    def package(self) -> Package:
        """The package that runs."""
        return self.process.package

    @cached_property
    def tools(self) -> ToolRegistry:
        """The tools that its phases may call."""
        return toolbox(self.package)

    def with_request(self, request: RunRequest) -> Prepared:
        """The same with another request; the tools that were loaded stay loaded."""
        other = replace(self, request=request)
        other.__dict__.update({name: value for name, value in self.__dict__.items() if name == "tools"})
        return other

    @property
    def command(self) -> str:
        """What the run is called where people read it: its verb, otherwise its process."""
        verb = self.package.spec.verb
        return verb.command if verb else self.package.name

    @property
    def leaves_a_run(self) -> bool:
        """Whether the run is written down: all are but those of verbs without a flow."""
        verb = self.package.spec.verb
        return verb is None or verb.flow is not None


def prepare(call: Call, environ: Mapping[str, str], *, key: str) -> Prepared:
    """Look everything up that a call needs; whatever is missing is a LoomError before anything has happened."""
    folder = (call.workspace or Path.cwd()).absolute()
    loader = ProcessLoader(folder, home=loom_home(environ))
    process = loader.load(call.package)
    planned = plan(process.package)
    refuse_what_cannot_run(planned, loader)
    verb = process.package.spec.verb
    inputs = read_inputs(call.inputs, verb.inputs if verb else {}, process=process.name, folder=folder)
    settings = _settings(process.package, folder, environ)
    request = RunRequest(
        key=key,
        process=identity(process.package),
        digest=package_digest(process.package),
        inputs=inputs,
        goal=call.goal,
        experiment_id=_experiment(call),
        seed=call.seed,
        attached={alias: str(path) for alias, path in call.attached.items()},
        cwd=str(folder),
        transport=call.transport,
        caller=call.caller,
        settings={name: settings.get(name) for name in CARRIED},
    )
    return Prepared(process, planned, request, loader.home, settings)


def again(request: RunRequest, call: Call, environ: Mapping[str, str]) -> Prepared:
    """The same run once more: everything as it was asked for, with the package as it is now."""
    asked = replace(
        call,
        package=request.process,
        inputs=request.inputs,
        goal=request.goal,
        experiment_id=request.experiment_id,
        seed=request.seed,
        attached={alias: Path(path) for alias, path in request.attached.items()},
        workspace=Path(request.cwd) if request.cwd else None,
        transport=request.transport,
    )
    return prepare(asked, environ, key=request.key)


def prepared_from(request: RunRequest, environ: Mapping[str, str]) -> Prepared:
    """A run that was prepared before, in another process: nothing is asked or refused again."""
    folder = Path(request.cwd) if request.cwd else Path.cwd()
    home = loom_home(environ)
    process = ProcessLoader(folder, home=home).load(request.process)
    return Prepared(process, plan(process.package), request, home, load_settings(folder, environ, {}))


def refuse_models_out_of_reach(prepared: Prepared, environ: Mapping[str, str]) -> None:
    """A run whose tools ask a model by themselves does not start where there is none, or no key for it."""
    scope = Scope(prepared.request.inputs)
    for step in prepared.plan.steps:
        run = step.phase.run
        tool = prepared.tools.get(run.tool) if run is not None and run.tool else None
        if run is None or tool is None:
            continue
        try:
            asked = tool.model_of({name: fill(value, scope) for name, value in run.args.items()})
        except NothingThereError:
            continue  # what it asks for is known only when it runs
        if asked is not None:
            check = importlib.import_module("loom.models.tiers").check_model
            check(asked[0], prepared.settings, environ, provider=asked[1])


def identity(package: Package) -> str:
    """How another process finds the package: a builtin one by its name, any other by its path."""
    if package.folder is None:
        return str(Path(package.source.name).absolute())
    folder = package.folder.absolute()
    return folder.name if folder.parent == builtin_root() else str(folder)


def package_digest(package: Package) -> str:
    """The digest of everything the package consists of."""
    if package.folder is None or not (package.folder / FILE_NAME).is_file():
        return digest(package.source.text.encode())
    return tree_hash(package.folder)


def _settings(package: Package, folder: Path, environ: Mapping[str, str]) -> Settings:
    try:
        return load_settings(folder, environ, {})
    except LoomError:
        verb = package.spec.verb
        if verb is not None and verb.flow is None and verb.tier == "read-only":
            return default_settings()  # whoever asks what is wrong must get an answer
        raise


def _experiment(call: Call) -> str:
    if call.experiment_id is None:
        return new_experiment_id()
    if not is_experiment_id(call.experiment_id):
        raise LoomError(
            f"{call.experiment_id!r} is not an experiment id",
            "an experiment id is `loom-` and six letters or digits",
            f"--experiment-id {new_experiment_id()}",
        )
    return call.experiment_id


def refuse_what_cannot_run(planned: Plan, loader: ProcessLoader, within: tuple[str, ...] = ()) -> None:
    """A run that could not come to its end does not start."""
    package = planned.package
    shown = " > ".join((*within, package.name))
    if package.needs_model:
        phases = ", ".join(step.id for step in planned.steps if step.executor == "model")
        raise LoomError(
            f"{shown} cannot run yet",
            f"a model carries out {phases}, and running phases with a model is not built yet",
            f"loom process plan {shlex.quote(package.name)}",
        )
    if package.spec.auth.required:
        names = ", ".join(
            each.provider or each.resource_ref or each.resource_id or "?"
            for each in package.spec.auth.required
        )
        raise LoomError(
            f"{shown} cannot run yet",
            f"it needs credentials for {names}, and choosing credentials is not built yet",
            f"loom process plan {shlex.quote(package.name)}",
        )
    if package.spec.permissions and package.spec.permissions.sandbox != "none":
        ladder.require(package.spec.permissions.sandbox)
    missing = missing_tools(package)
    if missing:
        raise LoomError(
            f"loom {shown} is not built yet" if not within else f"{shown} is not built yet",
            f"its tools are declared, but this release does not have them: {', '.join(missing)}",
            f"loom process plan {shlex.quote(package.name)}",
        )
    for name in planned.processes:
        if name in (*within, package.name):
            raise LoomError(
                f"{shown} would run itself without end", f"it runs {name} again", f"loom process show {name}"
            )
        inner = plan(loader.load(name).package)
        refuse_what_cannot_run(inner, loader, (*within, package.name))
