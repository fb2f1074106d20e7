"""The search for a solution, as far as it is mathematics: what was tried, what to try next, and what it is worth."""
