"""`replanning:` says when the plan no longer fits."""

from __future__ import annotations

from loom.process.spec.replanning import Replanning
from tests.process.checking import spec_of


def test_the_plan_stands_by_default() -> None:
    assert Replanning().model_dump() == {"triggers": "", "guidance": ""}


def test_signs_and_advice_may_be_long_texts() -> None:
    replanning = spec_of(
        "replanning:\n  triggers: |\n    - Nothing is found.\n    - Too much is found.\n  guidance: >-\n    Ask\n    less.\n"
    ).replanning
    assert replanning.triggers == "- Nothing is found.\n- Too much is found.\n"
    assert replanning.guidance == "Ask less."
