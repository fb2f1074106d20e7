"""The whole declaration: its name, its versions, its risk and what is there when nothing is written."""

from __future__ import annotations

import pytest

from loom.process.spec.process import ProcessSpec
from tests.process.checking import WORK, check, codes_in, spec_of


def test_a_name_and_one_phase_are_enough() -> None:
    spec = ProcessSpec.model_validate({"name": "a", "phases": [{"id": "b", "description": "C."}]})
    assert (spec.version, spec.schema_version, spec.phase_mode) == ("0.1.0", 2, "guided")
    assert (spec.description, spec.author, spec.tags, spec.dependencies) == ("", "", (), ())
    assert (spec.risk_level, spec.validity_contract, spec.verb, spec.tests) == (None, None, None, ())
    assert spec.model_fields_set == {"name", "phases"}


@pytest.mark.parametrize("name", ["a", "0", "eda", "ds-lifecycle", "2024-totals", "a-", "a--b"])
def test_a_name_is_lowercase_kebab_case(name: str) -> None:
    assert codes_in(f"name: '{name}'\nschema_version: 2\n" + WORK) == []


@pytest.mark.parametrize("name", ["A", "a_b", "a b", "-a", "é", "a\\n", "a.b", " a"])
def test_other_names_are_refused(name: str) -> None:
    assert codes_in(f'name: "{name}"\nschema_version: 2\n' + WORK) == ["LM207"]


@pytest.mark.parametrize(
    ("written", "level"),
    [
        *((word, word) for word in ("low", "medium", "high", "critical")),
        *((word, "medium") for word in ("normal", "med", "mid", "std", "standard")),
    ],
)
def test_medium_risk_has_several_spellings(written: str, level: str) -> None:
    text = f"name: a\nschema_version: 2\nrisk_level: {written}\n" + WORK
    package = check(text).package
    assert package is not None
    assert package.spec.risk_level == level


def test_written_keys_are_told_from_defaults() -> None:
    spec = spec_of("tags: []\n")
    assert spec.written("tags")
    assert not spec.written("author")


def test_models_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        spec_of("").name = "other"
