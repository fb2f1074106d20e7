"""Tries Metaflow in a process of its own, which may hang, crash or print without harm to ours.

Run by its path. It prints one JSON object per line: what was imported, what is configured, and how writing,
reading and removing went. The classes it calls are Metaflow's own, so that what holds here holds for a run.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FOLDER = ".loom-probe"
"""Where probes lie, below the roots of datastore and metadata; Metaflow's client does not look there."""

STALE_SECONDS = 600
SERVICE_SECONDS = 5.0
REMOVE_STALE = "--remove-stale"

Say = Callable[..., None]
"""Told what is known by now, so that it is known even if nothing comes after it."""


def main() -> None:
    """Import Metaflow, try its datastore and its metadata at once, and say how each goes."""
    signal.alarm(int(sys.argv[1]))  # whoever started us may be gone by then
    out = os.dup(1)
    os.dup2(2, 1)  # nothing that Metaflow prints gets between our lines

    def say(name: str, **facts: Any) -> None:
        os.write(out, (json.dumps({"name": name, **facts}) + "\n").encode())

    began = time.perf_counter()
    config = importlib.import_module("metaflow.metaflow_config")
    plugins = importlib.import_module("metaflow.plugins")
    seconds = round(time.perf_counter() - began, 2)
    version = importlib.import_module("metaflow.metaflow_version").get_version()
    knows_user = bool(importlib.import_module("metaflow.util").get_username())
    say("import", version=str(version), seconds=seconds, knows_user=knows_user)
    stores = {each.TYPE: each for each in plugins.DATASTORES}
    providers = {each.TYPE: each for each in plugins.METADATA_PROVIDERS}
    local = importlib.import_module("metaflow.plugins.datastores.local_storage").LocalStorage
    root = _local_root(local)
    with _leaving_no_folders(root), ThreadPoolExecutor(2) as pool:
        running: dict[Future[None], str] = {}
        for name, work, known, chosen in (
            ("datastore", _try_datastore, stores, config.DEFAULT_DATASTORE),
            ("metadata", _try_metadata, providers, config.DEFAULT_METADATA),
        ):
            found = known.get(chosen)
            # a word that Metaflow does not know is not repeated
            say(name, type=found and found.TYPE, known=sorted(known))
            if found is not None:
                running[pool.submit(work, found, config, root, partial(say, name))] = name
        for done in as_completed(running):
            error = done.exception()
            say(running[done], tried=True, error=None if error is None else _words(error))


def _local_root(local: Any) -> str:
    """Where local data is, or would be made, by Metaflow's own rules."""
    root = local.get_datastore_root_from_config(lambda *_, **__: None, create_on_absent=False)
    return str(root or Path.cwd() / local.DATASTORE_DIR)


@contextmanager
def _leaving_no_folders(root: str) -> Iterator[None]:
    """Folders that were not there before the block are gone after it, unless somebody else uses them."""
    folder = Path(root, FOLDER)
    absent = [path for path in (folder, *folder.parents) if _is_absent(path)]
    yield
    for path in absent:
        with suppress(OSError):
            path.rmdir()


def _is_absent(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _key() -> str:
    return f"{int(time.time())}-{os.getpid()}-{secrets.token_hex(4)}"


def _try_datastore(store: Any, config: Any, local_root: str, say: Say) -> None:
    """Write an object, read it back and remove it."""
    say(step="open")
    root = local_root if store.TYPE == "local" else store.get_datastore_root_from_config(print)
    if not root:
        raise LookupError(f"METAFLOW_DATASTORE_SYSROOT_{store.TYPE.upper()} is not set")
    say(place=str(root))
    storage = store(root)
    remove = _REMOVERS.get(store.TYPE)
    # what cannot be removed is overwritten the next time, so that there is never more than one
    path = storage.path_join(FOLDER, _key() if remove else "probe", "object")
    content = secrets.token_bytes(64)
    began = time.perf_counter()
    say(step="write")
    storage.save_bytes([(path, io.BytesIO(content))], overwrite=True)
    say(step="read")
    with storage.load_bytes([path]) as loaded:
        read = [Path(file).read_bytes() for _, file, _ in loaded if file]
    if read != [content]:
        raise ValueError("what was read back is not what was written")
    if remove is None:
        say(stays=path)
        return
    say(step="remove")
    remove(storage, path)
    if storage.is_file([path])[0]:
        raise ValueError("the object is still there after it was removed")
    say(seconds=round(time.perf_counter() - began, 3), step="look for stale probes")
    _look_for_stale(storage, remove, say)


def _look_for_stale(storage: Any, remove: Callable[[Any, str], None], say: Say) -> None:
    """Count what probes that were killed have left behind, or remove it."""
    stale = removed = 0
    for folder in storage.list_content([FOLDER]):
        written = storage.basename(folder.path.rstrip("/")).partition("-")[0]
        if not written.isdigit() or time.time() - int(written) < STALE_SECONDS:
            continue
        stale += 1
        if REMOVE_STALE in sys.argv:
            for each in (*storage.list_content([folder.path]), folder):
                remove(storage, each.path)
            removed += 1
    say(stale=stale, removed=removed)


def _remove_local(storage: Any, path: str) -> None:
    full = Path(storage.full_uri(path))
    if full.is_dir():
        shutil.rmtree(full)
    else:
        full.unlink(missing_ok=True)
    with suppress(OSError):
        full.parent.rmdir()


def _remove_s3(storage: Any, path: str) -> None:
    place = urlsplit(storage.full_uri(path))
    storage.s3_client.client.delete_object(Bucket=place.netloc, Key=place.path.lstrip("/"))


_REMOVERS: dict[str, Callable[[Any, str], None]] = {"local": _remove_local, "s3": _remove_s3}
"""Metaflow's datastores have no way to remove: these go through what each is made of."""


def _try_metadata(provider: Any, config: Any, local_root: str, say: Say) -> None:
    """Write and read a record where metadata is local; ask a service whether it is there."""
    began = time.perf_counter()
    if provider.TYPE == "service":
        _ask_service(provider, config, say)
    else:
        _write_record(provider, local_root, say)
    say(seconds=round(time.perf_counter() - began, 3))


def _ask_service(provider: Any, config: Any, say: Say) -> None:
    say(step="reach")
    if not config.SERVICE_URL:
        raise LookupError("METAFLOW_SERVICE_URL is not set")
    address = urlsplit(config.SERVICE_URL)
    say(place=f"{address.scheme}://{address.netloc.rpartition('@')[2]}")
    ping = f"{config.SERVICE_URL.rstrip('/')}/ping"
    answer = provider._session.get(ping, headers=dict(config.SERVICE_HEADERS), timeout=SERVICE_SECONDS)
    if not answer.ok:
        raise ConnectionError(f"it answers {answer.status_code} {answer.reason}")


def _write_record(provider: Any, local_root: str, say: Say) -> None:
    say(step="write", place=local_root)
    # otherwise the class would make a folder of its own choice
    provider._get_storage_class().datastore_root = local_root
    run = _key()
    folder = Path(local_root, FOLDER, run)
    try:
        place = provider._create_and_get_metadir(FOLDER, run)
        provider._save_meta(place, {"_self": {"probe": run}})
        say(step="read")
        if provider._read_json_file(str(Path(place, "_self.json"))) != {"probe": run}:
            raise ValueError("what was read back is not what was written")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _words(error: BaseException) -> str:
    """An error in one line, with the system's error behind it: Metaflow sometimes hides that one."""
    said = f"{type(error).__name__}: {_line(error)}"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and _line(inner) not in said:
            return f"{said} ({type(inner).__name__}: {_line(inner)})"
        inner = inner.__cause__ or inner.__context__
    return said


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400]


if __name__ == "__main__":
    main()
