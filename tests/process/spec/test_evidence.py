"""`evidence:` says what a record holds and where it is found."""

from __future__ import annotations

from loom.process.spec.evidence import Evidence
from tests.process.checking import spec_of


def test_records_are_summarised_without_a_limit_by_default() -> None:
    evidence = Evidence()
    assert (evidence.record_schema.required_fields, evidence.record_schema.facets, evidence.extraction) == (
        (),
        (),
        {},
    )
    assert (
        evidence.summarization.enabled,
        evidence.summarization.max_records,
        evidence.summarization.max_chars,
    ) == (True, 0, 0)


def test_fields_are_extracted_by_path_or_by_tool() -> None:
    evidence = spec_of(
        "evidence:\n  record_schema: {required_fields: [tool], facets: [period]}\n"
        "  extraction: {price: result.price, web_fetch: {source_url: url, title: }}\n  summarization: {max_records: 5, style: short}\n"
    ).evidence
    assert evidence.extraction == {"price": "result.price", "web_fetch": {"source_url": "url", "title": None}}
    assert evidence.record_schema.facets == ("period",)
    assert evidence.summarization.model_extra == {"style": "short"}
