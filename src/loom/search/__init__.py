"""Searching for a solution: what is tried, how it is run, and what comes of it."""
