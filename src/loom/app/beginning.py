"""How a run begins: found again or new, its folder made, and written down before anything is carried out."""

from __future__ import annotations

import json
import secrets
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import loom
from loom.app.call import Call
from loom.app.prepare import Prepared, again, prepare
from loom.app.record import Record
from loom.kernel.atomic import write_atomically
from loom.kernel.errors import LoomError
from loom.runtime.consent import CallPlan
from loom.runtime.dispatch import PreparedRun, RunRequest
from loom.runtime.journal import FILE_NAME, ConflictError, Journal
from loom.runtime.owner import is_alive, owner
from loom.runtime.tasks import TaskFolder
from loom.settings.layers import loom_home

RUNS = "runs"
REQUEST = "request.json"


def opened(call: Call, environ: Mapping[str, str], until: ExitStack) -> tuple[Prepared, Journal | None]:
    """The run a call asks for, and the journal, which a verb that leaves no run behind has to do without."""
    path = loom_home(environ) / FILE_NAME
    if call.resume is not None:
        journal = until.enter_context(closing(Journal(path)))
        return _found(call.resume, call, environ, journal), journal
    prepared = prepare(call, environ, key=f"run-{secrets.token_hex(5)}")
    if not prepared.leaves_a_run:
        return prepared, None
    return prepared, until.enter_context(closing(Journal(path)))


def begin(run: PreparedRun, prepared: Prepared, call: Call, record: Record, would: CallPlan) -> None:
    """Write down that the run starts, or goes on."""
    request = run.request.as_json()
    verb = prepared.package.spec.verb
    if record.journal is not None:
        document = {
            "request": request,
            "owner": owner(),
            "process": {"name": prepared.process.name, "version": prepared.process.version},
            "command": prepared.command,
            "loom": loom.__version__,
            "tier": would.tier,
            "plan": would.short_digest,
            "reads": pathspecs_of(prepared),
            "parent": call.parent or None,
            "folder": str(run.folder),
        }
        if call.resume is None:
            record.journal.begin(run.request.key, prepared.command, document, run.request.experiment_id)
        else:
            _take_over(record.journal, run.request.key, document)
            TaskFolder(run.tasks).go_on()
    run.workspace.mkdir(parents=True, exist_ok=True)
    write_atomically(run.folder / REQUEST, json.dumps(request, sort_keys=True).encode())
    body = {
        "verb": prepared.command,
        "flow": verb.flow if verb else None,
        "phases": list(prepared.plan.order),
        "experiment_id": run.request.experiment_id,
        "tier": would.tier,
        "resumed": call.resume is not None,
    }
    record.emit("run_started", body)


@contextmanager
def folder_of(prepared: Prepared) -> Iterator[Path]:
    """The run's own folder; one that leaves no run behind has it only while it lasts."""
    if prepared.leaves_a_run:
        folder = prepared.home / RUNS / prepared.request.key
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LoomError(f"{folder} cannot be made", why, "loom doctor") from None
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="loom-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def pathspecs_of(prepared: Prepared) -> list[str]:
    """The runs that a run reads from, as far as its inputs name them."""
    verb, inputs = prepared.package.spec.verb, prepared.request.inputs
    named = [name for name, declared in (verb.inputs.items() if verb else ()) if declared.type == "pathspec"]
    values = [inputs.get(name) for name in named]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return [each for each in flat if isinstance(each, str)]


def _found(reference: str, call: Call, environ: Mapping[str, str], journal: Journal) -> Prepared:
    """A run that was cut off or did not end well, as it was asked for."""
    try:
        found = journal.find(reference)
    except KeyError:
        raise LoomError(f"there is no run {reference}", "the journal does not know it", "loom runs") from None
    _refuse_if_alive(found.document, reference, running=found.status == "running")
    if found.status == "ok":
        why = "there is nothing left to carry out"
        raise LoomError(f"{reference} has finished", why, f"loom show {shlex.quote(reference)}")
    return again(RunRequest.from_json(found.document["request"]), call, environ)


def _take_over(journal: Journal, key: str, document: Mapping[str, Any]) -> None:
    """Make the run this process's own; of two that want to go on with it, one does."""
    known = journal.run(key)
    _refuse_if_alive(known.document, key, running=known.status == "running")
    try:
        journal.save(key, {**known.document, **document}, known.version)
    except ConflictError:
        raise LoomError(
            f"{key} is being resumed already", "somebody else was quicker", f"loom logs {key}"
        ) from None
    journal.reopen(key)


def _refuse_if_alive(document: Mapping[str, Any], shown: str, *, running: bool) -> None:
    owned = document.get("owner", {})
    if running and is_alive(owned):
        why = f"process {owned['pid']} carries it out"
        raise LoomError(f"{shown} is still running", why, f"loom logs {shlex.quote(shown)}")
