"""Raises before it has predicted anything."""

raise ValueError("nothing can be learned")
