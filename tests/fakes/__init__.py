"""Implementations of the ports that live in memory."""
