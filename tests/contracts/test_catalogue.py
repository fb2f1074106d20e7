"""What every catalogue of data objects keeps to: a folder's and Metaflow's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import polars as pl
import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.blobs import BlobStore
from loom.dataio.catalogue import Catalogue, DirectoryCatalogue
from loom.dataio.files import FileRef, digest_of
from loom.dataio.frames import FrameRef, load
from loom.dataio.ingest import Request, ingest
from loom.dataio.metaflow_catalogue import MetaflowCatalogue
from loom.dataio.metaflow_store import MetaflowStore
from loom.kernel.errors import LoomError
from tests.dataio.metaflow_home import environment, reading, run_flow

LEARNED = b"what was learned from the rows"
TABLE = "id,zip,x,y\n" + "".join(f"{row},00501,{row / 2},{row % 2}\n" for row in range(50))
# what was brought in, oldest first, and how each of it ended
STORY = (
    ("IngestDataset", "churn", "well"),
    ("IngestDataset", "broken", "killed"),
    ("FeaturesFlow", "Churn-built", "well"),
    ("IngestDataset", "failed", "failed"),
    ("IngestDataset", "other", "without"),
    ("IngestDataset", "wine", "well"),
)


@dataclass(frozen=True)
class World:
    """A catalogue, the pathspec under which each object is or is not there, and when it all happened."""

    catalogue: Catalogue
    pathspecs: dict[str, str]
    began: datetime
    ended: datetime


@pytest.fixture(scope="module", params=["directory", "metaflow"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three objects of two flows, and what did not become one."""
    folder = tmp_path_factory.mktemp(cast("str", request.param))
    (folder / "table.csv").write_text(TABLE)
    began = datetime.now(UTC)
    with ExitStack() as stack:
        if request.param == "directory":
            found, pathspecs = _directory(folder)
        else:
            (folder / "home/.metaflow").mkdir(parents=True)
            stack.enter_context(reading(folder / "home"))
            found, pathspecs = MetaflowCatalogue(), _runs(folder)
        yield World(found, pathspecs, began, datetime.now(UTC))


def _directory(folder: Path) -> tuple[Catalogue, dict[str, str]]:
    catalogue = DirectoryCatalogue(folder / "catalogue")
    pathspecs = {}
    for flow, name, how in STORY:
        record = _kept(folder, catalogue.store, flow, name)
        if how == "well":
            pathspecs[name] = catalogue.register(flow, record)
        elif how == "killed":
            with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr("loom.dataio.catalogue.write_atomically", _interrupted)
                catalogue.register(flow, record)
            pathspecs[name] = f"{flow}/2"
    return catalogue, pathspecs


def _kept(folder: Path, store: BlobStore, flow: str, name: str) -> str:
    """The record of the table; features have a file beside it."""
    record, found = ingest(Request(parse_address(str(folder / "table.csv")), name, target="y"), store, folder)
    if flow != "FeaturesFlow":
        return record
    learned = FileRef.put(LEARNED, "loom.kernel.ids:digest", store)
    return store.put(replace(found, files={"learned": learned}).record())


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _runs(folder: Path) -> dict[str, str]:
    env = environment(folder / "home")
    pathspecs = {}
    for flow, name, how in STORY:
        store = MetaflowStore(flow, "local", str(folder / "home/.metaflow"))
        record = _kept(folder, store, flow, name)
        pathspecs[name] = run_flow(folder, env, flow, record, how)
    return pathspecs


def test_the_newest_come_first_and_only_what_was_registered_whole(world: World) -> None:
    entries = world.catalogue.objects(10)
    assert [entry.name for entry in entries] == ["wine", "Churn-built", "churn"]
    assert [entry.pathspec for entry in entries] == [world.pathspecs[entry.name] for entry in entries]
    assert {(entry.rows, entry.cols) for entry in entries} == {(50, 4)}
    assert all(world.began.timestamp() - 1 < entry.created.timestamp() for entry in entries)
    assert all(entry.created <= world.ended and entry.created.tzinfo is not None for entry in entries)


@pytest.mark.parametrize(("limit", "names"), [(0, []), (1, ["wine"]), (2, ["wine", "Churn-built"])])
def test_no_more_are_listed_than_asked_for(world: World, limit: int, names: list[str]) -> None:
    assert [entry.name for entry in world.catalogue.objects(limit)] == names


@pytest.mark.parametrize(
    ("name", "names"),
    [("churn", ["Churn-built", "churn"]), ("WINE", ["wine"]), ("nothing", []), ("*", []), ("", None)],
)
def test_a_name_finds_those_that_contain_it_in_any_case(
    world: World, name: str, names: list[str] | None
) -> None:
    found = [entry.name for entry in world.catalogue.objects(10, name)]
    assert found == (["wine", "Churn-built", "churn"] if names is None else names)
    assert [entry.name for entry in world.catalogue.objects(1, name)] == found[:1]


def test_an_object_opens_as_references_that_are_read_by_column(world: World) -> None:
    for name in ("churn", "Churn-built"):
        found = world.catalogue.open(world.pathspecs[name])
        assert found.schema["name"] == name
        assert {part: type(ref) for part, ref in found.parts.items()} == {
            "train": FrameRef,
            "holdout": FrameRef,
        }
        rows = pl.concat(load(part, ["id", "zip"]) for part in found.parts.values())
        assert sorted(rows["id"]) == list(range(50))
        assert rows["zip"].unique().to_list() == ["00501"]


def test_files_come_back_as_references_to_their_bytes(world: World) -> None:
    assert world.catalogue.open(world.pathspecs["churn"]).files == {}
    (learned,) = world.catalogue.open(world.pathspecs["Churn-built"]).files.values()
    assert isinstance(learned, FileRef)
    assert (learned.read(), learned.size) == (LEARNED, len(LEARNED))
    assert learned.load() == learned.digest == digest_of(LEARNED)


def test_what_was_killed_failed_or_brought_nothing_in_does_not_open(world: World) -> None:
    for name in ("broken", "failed", "other"):
        if name in world.pathspecs:
            with pytest.raises(LoomError, match="there is no data object"):
                world.catalogue.open(world.pathspecs[name])


@pytest.mark.parametrize(
    "pathspec",
    [
        "IngestDataset/999",
        "Nothing/1",
        "",
        "/",
        "IngestDataset",
        "IngestDataset/1/start",
        "../home/1",
        "a/..",
        "a/\0",
    ],
)
def test_a_pathspec_of_nothing_is_an_error_that_says_where_to_look(world: World, pathspec: str) -> None:
    with pytest.raises(LoomError, match="there is no data object") as caught:
        world.catalogue.open(pathspec)
    assert caught.value.fix == "loom datasets"
