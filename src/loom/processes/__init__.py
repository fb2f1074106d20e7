"""The documented import for loading packages from Python."""
