"""Opening a sealed holdout, and files that runs keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import DirectoryCatalogue
from loom.dataio.files import FileRef
from loom.dataio.frames import load
from loom.dataio.ingest import Request, ingest
from loom.dataio.kept import KeptFiles, in_folder
from loom.dataio.unsealing import Holdouts
from loom.kernel.errors import LoomError

MODEL, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def registered(folder: Path, share: float = 0.2) -> tuple[Holdouts, str]:
    (folder / "table.csv").write_text("x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(50)))
    whole = DirectoryCatalogue(folder / "objects")
    request = Request(source=parse_address("table.csv", None, folder), share=share)
    key, _ = ingest(request, whole.store, folder)
    return Holdouts(whole, folder / "openings"), whole.register("IngestDataset", key)


def test_a_holdout_is_opened_once_per_model_and_every_model_counts(tmp_path: Path) -> None:
    holdouts, pathspec = registered(tmp_path)
    first = holdouts.open(pathspec, MODEL, "ValidateFlow/1")
    assert first is not None
    assert load(first.part).height == first.part.rows > 0
    assert (first.openings, holdouts.openings(first.digest)) == (1, 1)
    again = holdouts.open(pathspec, MODEL, "ValidateFlow/2")
    assert again is not None
    assert again.openings == 1
    other = holdouts.open(pathspec, OTHER, "ValidateFlow/3")
    assert other is not None
    assert other.openings == 2
    once_more = holdouts.open(pathspec, MODEL, "ValidateFlow/4")
    assert once_more is not None
    assert once_more.openings == 1, "what the first model saw, nobody had seen before"
    assert '"run": "ValidateFlow/1"' in (next(tmp_path.glob(f"openings/*/{'1' * 64}.json"))).read_text()


def test_where_nothing_was_sealed_nothing_is_opened_or_written(tmp_path: Path) -> None:
    holdouts, pathspec = registered(tmp_path, share=0)
    assert holdouts.open(pathspec, MODEL, None) is None
    assert not (tmp_path / "openings").exists()


def test_an_opening_that_cannot_be_written_down_does_not_happen(tmp_path: Path) -> None:
    holdouts, pathspec = registered(tmp_path)
    (tmp_path / "openings").write_text("a file where the ledger should be")
    with pytest.raises(LoomError, match="the holdout stays sealed"):
        holdouts.open(pathspec, MODEL, None)


def test_a_digest_that_is_none_leads_nowhere(tmp_path: Path) -> None:
    holdouts, pathspec = registered(tmp_path)
    with pytest.raises(ValueError, match="not a digest"):
        holdouts.open(pathspec, "../elsewhere", None)


def test_a_file_that_a_run_kept_is_found_by_the_run_and_its_name(tmp_path: Path) -> None:
    store = DirectoryCatalogue(tmp_path).store
    ref = FileRef.put(b"a model", "loom.science.serving.model:Served.from_bytes", store)
    kept = KeptFiles(in_folder(lambda run: {"model": ref.record()} if run == "ValidateFlow/1" else {}, store))
    assert kept.open("ValidateFlow/1/model").read() == b"a model"
    for wrong in ("ValidateFlow/2/model", "ValidateFlow/1/other", "ValidateFlow/1", "../x/model", ""):
        with pytest.raises(LoomError, match="there is no"):
            kept.open(wrong)
