"""`tests/objects.yaml`: data objects that are there before a case starts, IngestDataset/1, /2 and so on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from loom.kernel.document import read_document
from loom.kernel.errors import LoomError
from loom.process.spec.model import SpecModel
from loom.process.spec.types import Ratio, Seq, Text

FILE = "tests/objects.yaml"


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Wanted(SpecModel):
    """A data object to register: the same words as the inputs of `loom ingest`."""

    source: Text
    """What is brought in; a path is relative to `tests/data`."""

    name: Text | None = None
    """What it is called."""

    table: Text | None = None
    """Which table of the source."""

    target: Text | None = None
    """The column to predict."""

    time: Annotated[Seq[Text], BeforeValidator(_several)] = ()
    """The time column, or its parts."""

    group: Text | None = None
    """The column whose rows stay together."""

    holdout: Ratio = 0.2
    """The share that is sealed."""

    missing: Annotated[Seq[str], BeforeValidator(_several)] = ()
    """Texts that stand for a missing value."""


_LIST = TypeAdapter(Annotated[Seq[Wanted], Field(min_length=1)])


def read_objects(folder: Path) -> tuple[Wanted, ...]:
    """What a package wants to be there; nothing without the file, a LoomError when the file does not hold."""
    path = folder / FILE
    if not path.exists():
        return ()
    document, found, _ = read_document(path)
    if document is None or found:
        first = found[0]
        raise _refused(path, first.span.line, f"{first.message}: {first.detail or first.fix}")
    try:
        return _LIST.validate_python(document.data)
    except ValidationError as error:
        wrong = error.errors()[0]
        named = ".".join(map(str, wrong["loc"]))
        why = f"{named}: {wrong['msg']}" if named else wrong["msg"]
        raise _refused(path, document.value_at(wrong["loc"]).line, why) from None


def _refused(path: Path, line: int, why: str) -> LoomError:
    what = f"{path}, line {line}: not a list of data objects"
    return LoomError(what, why.lower(), "write, for example: - {source: table.csv, target: churned}")
