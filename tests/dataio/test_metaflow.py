"""Data objects as runs of Metaflow, on a local disk and on an object store, through its configuration alone."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from loom.dataio.blobs import BlobStore
from loom.dataio.metaflow_store import MetaflowStore
from loom.kernel.errors import LoomError
from tests.dataio.metaflow_home import environment, reading
from tests.object_store import object_store

TABLE = "id,zip,day,x,y\n" + "".join(
    f"{row},00501,2024-02-{1 + row % 28:02d},{row / 2},{row % 2}\n" for row in range(50)
)

FLOW = """
from metaflow import FlowSpec, step


class IngestDataset(FlowSpec):
    @step
    def start(self):
        from loom.dataio.addresses import parse_address
        from loom.dataio.artifacts import artifacts_of
        from loom.dataio.ingest import Request, ingest
        from loom.dataio.metaflow_store import MetaflowStore

        store = MetaflowStore.of("IngestDataset")
        record, _ = ingest(Request(parse_address("table.csv"), target="y"), store)
        for name, value in artifacts_of(record, store).items():
            setattr(self, name, value)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    IngestDataset()
"""

READ = """
import json

import metaflow
from loom.dataio.frames import load
from loom.dataio.metaflow_catalogue import MetaflowCatalogue
from loom.kernel.errors import LoomError

catalogue = MetaflowCatalogue()
(entry,) = catalogue.objects(5)
found = catalogue.open(entry.pathspec)
data = metaflow.Run(entry.pathspec).data
said = {
    "entry": [entry.name, entry.rows, entry.cols],
    "stores": sorted({part.store.datastore for part in found.parts.values()}),
    "ours": {name: load(part, ["zip"]).height for name, part in found.parts.items()},
    "theirs": {name: type(getattr(data, name)).__module__.partition(".")[0] for name in ("train", "holdout")},
    "types": {name: str(dtype) for name, dtype in data.train.dtypes.items()},
    "zips": data.train["zip"].unique().tolist(),
    "ids": sorted([*data.train["id"], *data.holdout["id"]]),
    "schema": data.schema == found.schema == data.data_object["schema"],
    "artifacts": sorted(name for name in dir(data) if not name.startswith("_")),
}
try:
    found.parts["train"].store.open("0" * 40)
except LoomError as error:
    said["gone"] = error.what
print(json.dumps(said))
"""


def run(folder: Path, env: Mapping[str, str], *words: str) -> str:
    """What a Python program prints, which must end well."""
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=dict(env), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def round_trip(folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Bring a table in with a flow, and read it back in another process."""
    (folder / "table.csv").write_text(TABLE)
    (folder / "flow.py").write_text(FLOW)
    run(folder, env, "flow.py", "--quiet", "run")
    read: dict[str, Any] = json.loads(run(folder, env, "-c", READ))
    return read


def expected(datastore: str) -> dict[str, Any]:
    """What every datastore gives back."""
    return {
        "entry": ["table", 50, 5],
        "stores": [datastore],
        "ours": {"train": 40, "holdout": 10},
        "theirs": {"train": "pandas", "holdout": "pandas"},
        "types": {"id": "int64", "zip": "str", "day": "datetime64[ms]", "x": "float64", "y": "int64"},
        "zips": ["00501"],
        "ids": list(range(50)),
        "schema": True,
        "artifacts": ["data_object", "holdout", "name", "schema", "train"],
        "gone": f"the data {'0' * 40} is gone",
    }


def test_a_run_is_a_data_object_in_any_notebook(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert round_trip(tmp_path, environment(home)) == expected("local")
    parquet = [
        path
        for path in (home / ".metaflow").rglob("*")
        if path.is_file() and path.read_bytes()[:4] == b"PAR1"
    ]
    assert len(parquet) == 2, "each part is kept once, as it is"


@pytest.fixture
def bucket() -> Iterator[dict[str, str]]:
    """An object store on this machine with an empty bucket, and the settings that lead there."""
    pytest.importorskip("moto.server", reason="S3 IS NOT TESTED: moto is not installed")
    with object_store() as configuration:
        yield configuration


def test_the_same_holds_on_an_object_store_without_a_word_of_it_in_loom(
    tmp_path: Path, bucket: dict[str, str]
) -> None:
    home = tmp_path / "home"
    assert round_trip(tmp_path, environment(home, **bucket)) == expected("s3")
    assert not [path for path in home.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetaflowStore]:
    """The store of a flow on a local disk."""
    home = tmp_path / "home"
    (home / ".metaflow").mkdir(parents=True)
    with reading(home):
        yield MetaflowStore("IngestDataset", "local", str(home / ".metaflow"))


def test_a_blob_is_the_file_that_metaflow_keeps(tmp_path: Path, store: MetaflowStore) -> None:
    assert isinstance(store, BlobStore)
    (tmp_path / "file").write_bytes(b"content")
    key = store.put(b"content")
    assert key == store.put(tmp_path / "file")
    path = store.open(key)
    assert isinstance(path, Path)
    assert path.read_bytes() == b"content"
    assert [found for _, found in store._blobs().load_data([key])] == [b"content"]
    assert len([each for each in Path(store.root).rglob("*") if each.name == key]) == 1


def test_a_store_is_found_by_the_configuration_and_travels_in_a_pickle(store: MetaflowStore) -> None:
    assert MetaflowStore.of("IngestDataset") == store
    packed = pickle.dumps(store)
    assert len(packed) < 500
    assert pickle.loads(packed) == store


def test_reading_from_a_disk_needs_no_metaflow(tmp_path: Path, store: MetaflowStore) -> None:
    key = store.put(b"content")
    code = (
        "import pickle, sys; store = pickle.loads(bytes.fromhex(sys.argv[1]));"
        "print(store.open(sys.argv[2]).read_bytes().decode(), 'metaflow' in sys.modules)"
    )
    assert (
        run(tmp_path, environment(tmp_path), "-c", code, pickle.dumps(store).hex(), key) == "content False\n"
    )


def test_what_is_gone_or_no_key_is_refused(store: MetaflowStore) -> None:
    with pytest.raises(LoomError, match="is gone"):
        store.open("0" * 40)
    with pytest.raises(ValueError, match="not a key"):
        store.open("../../etc/passwd")


def test_a_note_that_was_lost_in_a_crash_spoils_nothing(store: MetaflowStore) -> None:
    key = store.put(b"content")
    path = store.open(key)
    assert isinstance(path, Path)
    path.with_name(f"{key}_meta").unlink()
    assert store.put(b"content") == key
    again = store.open(key)
    assert isinstance(again, Path) and again.read_bytes() == b"content"


def test_a_disk_that_cannot_be_written_is_an_error(tmp_path: Path, store: MetaflowStore) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(LoomError, match="cannot be reached") as caught:
        MetaflowStore("IngestDataset", "local", str(tmp_path / "file")).put(b"x")
    assert caught.value.fix == "loom doctor"
