"""Measuring a model: refitted on every split, frozen once, held against rows that nobody has looked at."""

from loom.science.validation.contender import Contender, Fitted, Portfolio
from loom.science.validation.measuring import Asked, Measured, measure
from loom.science.validation.problem import Problem

__all__ = ["Asked", "Contender", "Fitted", "Measured", "Portfolio", "Problem", "measure"]
