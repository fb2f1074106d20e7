"""Loom: declare a process, check it, plan it, run it, judge it."""

__version__ = "0.1.0"
