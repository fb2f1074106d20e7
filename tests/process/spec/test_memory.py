"""`memory:` lists kinds of knowledge that are kept."""

from __future__ import annotations

from loom.process.spec.memory import Memory, MemoryType
from tests.process.checking import spec_of


def test_nothing_is_remembered_by_default() -> None:
    assert Memory().model_dump() == {"extract_types": (), "extraction_guidance": ""}


def test_a_kind_has_a_name_and_perhaps_a_description() -> None:
    memory = spec_of(
        "memory: {extract_types: [{type: price}, {type: date, description: When.}], extraction_guidance: Keep both.}\n"
    ).memory
    assert memory.extract_types == (MemoryType(type="price"), MemoryType(type="date", description="When."))
    assert memory.extraction_guidance == "Keep both."
