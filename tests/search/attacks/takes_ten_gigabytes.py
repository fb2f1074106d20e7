"""Asks for ten gigabytes at once."""

held = bytearray(10 << 30)
