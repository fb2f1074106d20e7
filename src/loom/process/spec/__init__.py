"""The declaration as frozen models: one file per key, docstrings written for package authors."""
