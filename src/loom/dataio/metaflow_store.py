"""Blobs in the datastore of Metaflow: a local folder or an object store, as Metaflow itself is configured."""

from __future__ import annotations

import importlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from loom.dataio.metaflow_client import explained
from loom.kernel.errors import LoomError

_KEY = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class MetaflowStore:
    """The content-addressed blobs of one flow. Says where they are, and so can be read from any process."""

    flow: str
    datastore: str
    root: str

    @classmethod
    def of(cls, flow: str) -> MetaflowStore:
        """The store of a flow: within a task the datastore of its run, elsewhere the one that is configured."""
        with explained("the datastore"):
            storage = _part("datastore.flow_datastore").FlowDataStore.default_storage_impl
            if storage is None:
                storage = _storage(_part("metaflow_config").DEFAULT_DATASTORE)
            root = storage.datastore_root or storage.get_datastore_root_from_config(lambda *_, **__: None)
        if not root:
            raise LoomError(
                "Metaflow has no datastore", f"the root of {storage.TYPE!r} is not set", "loom doctor"
            )
        return cls(flow, storage.TYPE, str(root))

    def put(self, content: bytes | Path) -> str:
        """Keep bytes or a file's bytes; what is there already is not written again."""
        with explained(self.root):
            data = content if isinstance(content, bytes) else content.read_bytes()
            ((_, key),) = self._blobs().save_data([data], len_hint=1)
        return str(key)

    def open(self, key: str) -> BinaryIO | Path:
        """The bytes of a key: the file itself where the datastore is a folder, else what was fetched of it."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key of this store: {key!r}")
        if self.datastore == "local":
            path = Path(self.root, self.flow, "data", key[:2], key)
            if not path.is_file():
                raise self._gone(key)
            return path
        with explained(self.root):
            try:
                # raw: bytes whose note of being raw was lost in a crash are raw all the same
                ((_, data),) = self._blobs().load_data([key], force_raw=True)
            except TypeError:
                raise self._gone(key) from None  # Metaflow opens the file that it did not get
        return io.BytesIO(data)

    def _blobs(self) -> Any:
        store = _part("datastore.flow_datastore").FlowDataStore
        return store(self.flow, storage_impl=_storage(self.datastore), ds_root=self.root)

    def _gone(self, key: str) -> LoomError:
        return LoomError(
            f"the data {key} is gone",
            f"{self.root} does not hold it",
            "loom ingest --source SOURCE",
        )


def _part(name: str) -> Any:
    # importing Metaflow takes longer than most commands that read no data object
    return importlib.import_module(f"metaflow.{name}")


def _storage(kind: str) -> Any:
    return next(storage for storage in _part("plugins").DATASTORES if kind == storage.TYPE)
