"""The catalogue that tools are lent."""

from __future__ import annotations

from pathlib import Path

import pytest

from loom.dataio.addresses import parse_address
from loom.dataio.catalogue import Catalogue, DirectoryCatalogue
from loom.dataio.ingest import Request, ingest
from loom.dataio.sealed import Sealed
from loom.kernel.errors import LoomError


def test_the_sealed_part_is_not_among_what_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(50)))
    whole = DirectoryCatalogue(tmp_path / "objects")
    key, _ = ingest(Request(source=parse_address("table.csv", None, tmp_path)), whole.store, tmp_path)
    pathspec = whole.register("IngestDataset", key)
    sealed = Sealed(whole)
    assert isinstance(sealed, Catalogue)
    assert set(whole.open(pathspec).parts) == {"train", "holdout"}
    assert set(sealed.open(pathspec).parts) == {"train"}
    assert sealed.objects(5) == whole.objects(5)
    assert sealed.open(pathspec).schema["holdout"]["rows"] > 0  # that there is one may be known
    with pytest.raises(LoomError, match="there is no data object"):
        sealed.open("IngestDataset/9")
