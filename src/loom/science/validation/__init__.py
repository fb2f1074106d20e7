"""Measuring a model: refitted on every split, frozen once, held against rows that nobody has looked at."""

from loom.science.validation.asked import Asked, Measured, Opened
from loom.science.validation.candidate import Candidate, Ended
from loom.science.validation.contender import Contender, Fitted, Portfolio
from loom.science.validation.measuring import measure
from loom.science.validation.problem import Problem

__all__ = [
    "Asked",
    "Candidate",
    "Contender",
    "Ended",
    "Fitted",
    "Measured",
    "Opened",
    "Portfolio",
    "Problem",
    "measure",
]
