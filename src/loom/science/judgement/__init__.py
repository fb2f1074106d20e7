"""From measurements of a model to a verdict: each rule on its own, and PASS only when none of them objects."""

from loom.science.judgement.judging import Judgement, Ruled, judge
from loom.science.judgement.rules import RULES, Rule

__all__ = ["RULES", "Judgement", "Rule", "Ruled", "judge"]
