"""`evidence:` — what a record of evidence holds and where it comes from."""

from __future__ import annotations

from pydantic import Field

from loom.process.spec.model import OpenModel, SpecModel
from loom.process.spec.types import Count, FreeMapping, Seq, Text


class RecordSchema(SpecModel):
    """The fields of an evidence record."""

    required_fields: Seq[Text] = ()
    """Fields without which a record does not count."""

    facets: Seq[Text] = ()
    """Fields by which records are grouped and matched to claims."""


class Summarization(OpenModel):
    """How much evidence a later phase is shown."""

    enabled: bool = True
    """Summarise evidence for later phases."""

    max_records: Count = 0
    """Records at most; 0 means no limit."""

    max_chars: Count = 0
    """Characters at most; 0 means no limit."""


class Evidence(SpecModel):
    """What counts as evidence in this domain."""

    record_schema: RecordSchema = RecordSchema()
    """The fields of an evidence record."""

    extraction: FreeMapping = Field(default_factory=dict)
    """Where record fields are found in tool results: a field name and a dotted path, or a tool name and
    a mapping of those."""

    summarization: Summarization = Summarization()
    """How much evidence a later phase is shown."""
