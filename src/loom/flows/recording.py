"""Runs that Metaflow keeps without having carried them out: what was done elsewhere gets its place, once it is over.

A search tries hundreds of candidates a minute; starting an engine for each would cost more than trying it. What is
kept looks as any run of one step does, to Metaflow's client and to Loom.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from loom.dataio.metaflow_client import explained
from loom.flows.engine import number_runs
from loom.settings.engine import is_embedded

STEP = "end"
"""Where Metaflow's client looks for the end of a run that does not say where it ends."""

_ATTEMPT = 0
_LOG = "task"


def keep_run(flow: str, artifacts: Mapping[str, Any], logs: Mapping[str, bytes]) -> str:
    """Keep a run that is over, with what it left and what it wrote (`stdout`, `stderr`); returns its pathspec."""
    with explained("what Metaflow keeps"):
        metadata, datastore = _places(flow)
        run_id = str(metadata.new_run_id())
        task_id = str(metadata.new_task_id(run_id, STEP))
        task = datastore.get_task_datastore(run_id, STEP, task_id, attempt=_ATTEMPT, mode="w")
        task.init_task()
        task.save_artifacts(iter({**artifacts, "_task_ok": True, "_success": True}.items()))
        for stream, content in logs.items():
            task.save_logs(_LOG, {stream: _in_order(content)})
        _tell(metadata, datastore, run_id, task_id)
        task.save_metadata({"task_end": {}})
        task.done()
    return f"{flow}/{run_id}"


def _tell(metadata: Any, datastore: Any, run_id: str, task_id: str) -> None:
    """Write down where the task keeps what it left, and that it ended well."""
    datum = _part("metadata_provider").MetaDatum
    facts = {
        "attempt": str(_ATTEMPT),
        "ds-type": datastore.TYPE,
        "ds-root": datastore.datastore_root,
        "attempt_ok": "True",
        "attempt-done": str(_ATTEMPT),
    }
    tags = [f"attempt_id:{_ATTEMPT}"]
    told = [
        datum(
            field=name,
            value=value,
            type="internal_attempt_status" if name == "attempt_ok" else name,
            tags=tags,
        )
        for name, value in facts.items()
    ]
    metadata.register_metadata(run_id, STEP, task_id, told)


def _in_order(content: bytes) -> bytes:
    """What was written, each line with its moment and its number: the client would sort them by their words."""
    decorate, now = _part("mflog.mflog").decorate, datetime.now(UTC)
    written = content.removesuffix(b"\n").split(b"\n") if content else []
    return b"".join(
        decorate(_LOG, line, now=now, lineid=b"%08d" % at) + b"\n" for at, line in enumerate(written)
    )


def _places(flow: str) -> tuple[Any, Any]:
    """The metadata provider and the datastore that are configured, for a flow."""
    if is_embedded(os.environ):
        number_runs()
    plugins, config = _part("plugins"), _part("metaflow_config")
    environment = _part("metaflow_environment").MetaflowEnvironment(None)
    event_logger, monitor = _part("event_logger").NullEventLogger(), _part("monitor").NullMonitor()
    provider = next(each for each in plugins.METADATA_PROVIDERS if each.TYPE == config.DEFAULT_METADATA)
    metadata = provider(environment, SimpleNamespace(name=flow), event_logger, monitor)
    storage = next(each for each in plugins.DATASTORES if each.TYPE == config.DEFAULT_DATASTORE)
    root = storage.datastore_root or storage.get_datastore_root_from_config(lambda *_, **__: None)
    store = _part("datastore").FlowDataStore(
        flow, environment, metadata, event_logger, monitor, storage_impl=storage, ds_root=root
    )
    return metadata, store


def _part(name: str) -> Any:
    return importlib.import_module(f"metaflow.{name}")
