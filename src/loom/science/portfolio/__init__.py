"""The models that Loom fits by itself, where nobody brings one: a linear one, boosted trees, and a blend of both."""

from loom.science.portfolio.blending import blend
from loom.science.portfolio.members import MEMBERS, Member, Model, fit_member
from loom.science.portfolio.simple import best_single, dummy, linear

__all__ = ["MEMBERS", "Member", "Model", "best_single", "blend", "dummy", "fit_member", "linear"]
