"""Tests of `loom.tools`."""
