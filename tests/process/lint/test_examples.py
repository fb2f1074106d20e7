"""Every rule is explained, and its two examples show exactly what it is about."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import loom.process.lint
from loom.process.check import check_text
from loom.process.lint import RULES
from tests.process.lint.example import check_of, split

CODES = sorted(RULES)
# what stands for a file that no text can show
SHOWN = [code for code in CODES if not RULES[code].failing.startswith("(")]


def codes_in(code: str, fragment: str, folder: Path) -> set[str]:
    if code.startswith("LM1"):
        report = check_text(fragment.encode(), "process.yaml").report
    else:
        report = check_of(fragment, folder if split(fragment)[1] else None).report
    return {found.code for found in report.diagnostics}


@pytest.mark.parametrize("code", SHOWN)
def test_the_failing_example_is_found(code: str, tmp_path: Path) -> None:
    assert code in codes_in(code, RULES[code].failing, tmp_path)


@pytest.mark.parametrize("code", CODES)
def test_the_passing_example_is_not_found(code: str, tmp_path: Path) -> None:
    assert code not in codes_in(code, RULES[code].passing, tmp_path)


@pytest.mark.parametrize("code", CODES)
def test_the_rule_explains_itself(code: str) -> None:
    rule = RULES[code]
    assert re.fullmatch(r"LM[1-9]\d\d", code)
    assert rule.code == code
    assert rule.passing
    assert rule.fix
    assert not rule.fix.endswith(".")
    assert rule.why.endswith(".")
    assert len(rule.why) < 600
    assert not rule.message[0].isupper()
    assert not rule.message.endswith(".")


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("LM9")])
def test_advice_never_refuses_a_package(code: str) -> None:
    assert RULES[code].severity == "warning"


def test_every_module_that_holds_rules_is_a_family() -> None:
    for module in pkgutil.iter_modules(loom.process.lint.__path__):
        importlib.import_module(f"loom.process.lint.{module.name}")
    homes = {rule.check.__module__ for rule in RULES.values() if rule.check is not None}
    assert homes <= {family.__name__ for family in loom.process.lint.FAMILIES}
