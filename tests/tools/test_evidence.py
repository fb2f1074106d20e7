"""Claims held against evidence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loom.tools.evidence import Finding, Record, check_claim
from loom.tools.facts import mentions, names_of, periods, plain_name, quantities, sentences, to_quantity

REPORT = {
    "evidence_id": "e1",
    "source_url": "https://example.org/report",
    "text": "Acme Inc. reported revenue of $4.21 billion in fiscal 2023. The company was founded on 12 March 1999. "
    "Its chief executive is Jane Roe. Costs fell by 12.3% and margins rose by 2%.",
}
STAFF = {"evidence_id": "e2", "subject": "Acme", "attribute": "headcount", "value": 1200}


def _check(
    claim: dict[str, Any], *records: dict[str, Any], tolerance: str = "0", **aliases: list[str]
) -> Finding:
    named = {name.replace("_", " "): others for name, others in aliases.items()}
    prepared = [Record.of(record) for record in records or (REPORT, STAFF)]
    return check_claim({"id": "c", **claim}, prepared, named, Decimal(tolerance))


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        # numbers: within what rounding hides
        ({"type": "numeric", "text": "Acme's revenue reached $4.2 billion"}, "supported"),
        ({"type": "numeric", "value": "$4.2bn", "subject": "ACME", "attribute": "revenue"}, "supported"),
        (
            {"type": "numeric", "value": 4210, "unit": "USD", "subject": "Acme", "attribute": "revenue"},
            "contradicted",
        ),
        (
            {"type": "numeric", "value": "$4.5 billion", "subject": "Acme Corp", "attribute": "revenue"},
            "contradicted",
        ),
        (
            {"type": "numeric", "value": "$4.5 billion", "subject": "Other", "attribute": "revenue"},
            "insufficient_evidence",
        ),
        ({"type": "numeric", "value": "12%", "attribute": "costs"}, "supported"),
        ({"type": "numeric", "value": "13%", "attribute": "costs"}, "insufficient_evidence"),
        ({"type": "numeric", "value": 1200, "subject": "Acme", "attribute": "headcount"}, "supported"),
        ({"type": "numeric", "value": 1300, "subject": "Acme", "attribute": "headcount"}, "contradicted"),
        (
            {"type": "numeric", "value": 1200, "subject": "Acme", "attribute": "offices"},
            "insufficient_evidence",
        ),
        ({"type": "numeric", "text": "It is large"}, "insufficient_evidence"),
        # dates: the period that is meant
        ({"type": "date", "value": "March 1999", "attribute": "founded"}, "supported"),
        ({"type": "date", "value": "1999", "attribute": "founded"}, "supported"),
        ({"type": "date", "value": "1999-03-12", "attribute": "founded"}, "supported"),
        ({"type": "date", "text": "The company was founded in April 1999"}, "contradicted"),
        # names
        ({"type": "entity_fact", "value": "Jane Roe", "attribute": "chief executive"}, "supported"),
        ({"type": "entity_fact", "value": "J. Roe", "attribute": "chief executive"}, "supported"),
        (
            {"type": "entity_fact", "value": "John Doe", "attribute": "chief executive"},
            "insufficient_evidence",
        ),
    ],
)
def test_claims_and_what_the_records_make_of_them(claim: dict[str, Any], verdict: str) -> None:
    assert _check(claim, Jane_Roe=["J. Roe"]).verdict == verdict


def test_a_finding_cites_the_record_and_its_words() -> None:
    (cited,) = _check({"type": "numeric", "value": "12.3%", "attribute": "costs"}).citations
    assert cited["evidence_id"] == "e1" and cited["source_url"] == REPORT["source_url"]
    assert cited["quote"].startswith("Costs fell by 12.3%")


def test_one_record_that_disagrees_outweighs_one_that_agrees() -> None:
    finding = _check(
        {"type": "numeric", "value": 1200, "subject": "Acme", "attribute": "headcount"},
        STAFF,
        {**STAFF, "value": 900},
    )
    assert (
        finding.verdict == "contradicted"
        and finding.reason == "the records disagree"
        and len(finding.citations) == 2
    )


def test_a_tolerance_widens_what_counts_as_equal() -> None:
    claim = {"type": "numeric", "value": 1206, "subject": "Acme", "attribute": "headcount"}
    assert _check(claim, STAFF).verdict == "contradicted"
    assert _check(claim, STAFF, tolerance="0.01").verdict == "supported"


def test_a_number_in_another_unit_is_no_evidence() -> None:
    claim = {"type": "numeric", "value": 5, "unit": "km", "subject": "Acme", "attribute": "distance"}
    record = {"evidence_id": "e", "subject": "Acme", "attribute": "distance", "value": 5, "unit": "kg"}
    assert _check(claim, record).verdict == "insufficient_evidence"


def test_every_number_of_a_claim_needs_support() -> None:
    record = {"evidence_id": "e", "text": "Sales rose 5% and costs rose 3%."}
    assert _check({"type": "numeric", "text": "Sales rose 5% and costs 3%"}, record).verdict == "supported"
    assert _check({"type": "numeric", "text": "Sales rose 5% and costs 4%"}, record).verdict != "supported"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("$4.2bn, 12.5 % and 3,738.1 million", [("4.2E+9", "USD"), ("12.5", "%"), ("3.7381E+9", "")]),
        ("-3 degrees, 5 km, 1e3 items", [("-3", ""), ("5", "km"), ("1E+3", "")]),
        ("from 10-12 to 2 000", [("10", ""), ("12", ""), ("2", "")]),
        ("v1.2.3 on 2024-01-05 in 2023", []),
        ("5 euros, £3, 7 percent, 1'000 CHF", [("5", "EUR"), ("3", "GBP"), ("7", "%"), ("1000", "CHF")]),
        ("no number", []),
    ],
)
def test_numbers_are_read_with_scale_and_unit(text: str, values: list[tuple[str, str]]) -> None:
    found = [(each.value, each.unit) for each in quantities(text)]
    assert found[: len(values)] == [(Decimal(value), unit) for value, unit in values]
    if not values:
        assert found == []


def test_a_share_and_a_percentage_can_be_equal() -> None:
    share, percent = to_quantity(0.12, "ratio"), to_quantity("12%")
    assert share is not None and percent is not None and percent.equals(share, Decimal(0))
    assert to_quantity(True) is None and to_quantity("1 and 2") is None and to_quantity(float("nan")) is None


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("on 2024-03-14T10:00Z", date(2024, 3, 14), date(2024, 3, 14)),
        ("12th March 2024", date(2024, 3, 12), date(2024, 3, 12)),
        ("March 12, 2024", date(2024, 3, 12), date(2024, 3, 12)),
        ("Sept 2020", date(2020, 9, 1), date(2020, 9, 30)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
        ("Q3 2022", date(2022, 7, 1), date(2022, 9, 30)),
        ("2021-Q2", date(2021, 4, 1), date(2021, 6, 30)),
        ("in 2023", date(2023, 1, 1), date(2023, 12, 31)),
    ],
)
def test_dates_mean_the_days_they_may_mean(text: str, start: date, end: date) -> None:
    (period,) = periods(text)
    assert (period.start, period.end) == (start, end)


@pytest.mark.parametrize("text", ["2023-02-30", "31 April 2020", "2050 units", "12/03/2024", "1.2.3"])
def test_what_is_no_date_or_may_be_two_is_none(text: str) -> None:
    assert periods(text) == []


def test_names_are_compared_without_case_punctuation_and_legal_form() -> None:
    assert plain_name("ACME, Inc.") == plain_name("acme") == "acme"
    assert plain_name("The Co") == "the co"
    names = names_of("IBM", {"International Business Machines": ["I.B.M.", "IBM"]})
    assert mentions(plain_name("shares of International  Business Machines fell"), names)
    assert not mentions(plain_name("IBMs"), names)


def test_sentences_end_where_they_end() -> None:
    text = "Acme Inc. reported 1.5 million. Costs fell.\nNext line" + " x" * 2000
    found = sentences(text)
    assert found[:3] == ["Acme Inc. reported 1.5 million.", "Costs fell.", found[2]] and len(found[2]) == 2000
