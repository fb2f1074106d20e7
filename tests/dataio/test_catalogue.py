"""A folder as a catalogue: numbers that nobody shares, and entries that are whole or not there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue, open_record
from loom.dataio.files import FileRef
from loom.dataio.ingest import Request, ingest
from loom.kernel.errors import LoomError
from tests.dataio.tables import write


def filled(tmp_path: Path) -> tuple[DirectoryCatalogue, str]:
    """A catalogue whose store holds one data object, and the key of its record."""
    catalogue = DirectoryCatalogue(tmp_path / "catalogue")
    source = parse_address(str(write(tmp_path / "t.csv", "a,y\n1,0\n2,1\n3,0\n")))
    return catalogue, ingest(Request(source), catalogue.store, tmp_path)[0]


def test_numbers_count_up_per_flow(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    flows = ("IngestDataset", "FeaturesFlow", "IngestDataset")
    assert [catalogue.register(flow, record) for flow in flows] == [
        "IngestDataset/1",
        "FeaturesFlow/1",
        "IngestDataset/2",
    ]


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    (catalogue.root / "IngestDataset" / "7").mkdir(parents=True)
    assert catalogue.register("IngestDataset", record) == "IngestDataset/8"


def test_those_that_register_at_once_all_get_a_number_of_their_own(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: catalogue.register("IngestDataset", record), range(45)))
    assert sorted(int(line.rpartition("/")[2]) for line in given) == list(range(1, 46))
    assert sorted(entry.pathspec for entry in catalogue.objects(100)) == sorted(given)


def test_an_object_whose_data_is_gone_is_not_registered(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    train = ingest_part(catalogue, record)
    train.unlink()
    with pytest.raises(LoomError, match="is gone"):
        catalogue.register("IngestDataset", record)
    assert catalogue.objects(10) == []


def test_an_object_whose_file_is_gone_is_not_registered(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    found = open_record(record, catalogue.store)
    learned = FileRef.put(b"learned", "loom.kernel.ids:digest", catalogue.store)
    with_file = catalogue.store.put(replace(found, files={"learned": learned}).record())
    catalogue.store.open(learned.key).unlink()
    with pytest.raises(LoomError, match="is gone"):
        catalogue.register("FeaturesFlow", with_file)
    assert catalogue.objects(10) == []


def ingest_part(catalogue: DirectoryCatalogue, record: str) -> Path:
    """The file of the training part."""
    pathspec = catalogue.register("FeaturesFlow", record)
    part = catalogue.open(pathspec).parts["train"]
    found = part.store.open(part.key)
    (catalogue.root / pathspec / "entry.json").unlink()
    assert isinstance(found, Path)
    return found


def test_an_entry_that_was_spoilt_is_an_error_that_names_it(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    catalogue.register("IngestDataset", record)
    (catalogue.root / "IngestDataset/1/entry.json").write_text("{")
    for listing in (lambda: catalogue.objects(1), lambda: catalogue.open("IngestDataset/1")):
        with pytest.raises(LoomError, match="cannot be read"):
            listing()


def test_an_empty_catalogue_lists_nothing(tmp_path: Path) -> None:
    assert DirectoryCatalogue(tmp_path / "nowhere").objects(10) == []


@pytest.mark.parametrize("flow", ["", "../x", "a/b", "1"])
def test_the_name_of_a_flow_is_never_a_path(tmp_path: Path, flow: str) -> None:
    catalogue, record = filled(tmp_path)
    with pytest.raises(ValueError, match="not the name of a flow"):
        catalogue.register(flow, record)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    catalogue, record = filled(tmp_path)
    (catalogue.root / "IngestDataset").write_text("a file")
    with pytest.raises(LoomError, match="cannot be written"):
        catalogue.register("IngestDataset", record)
