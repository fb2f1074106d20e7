"""The page of a run: one file that says how it ended, why, and what to do next, and needs nothing but itself."""
