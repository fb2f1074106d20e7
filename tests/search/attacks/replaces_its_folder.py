"""Puts a link in the place of the folder that its submission is read from."""

from pathlib import Path

Path("working").rename("moved")
Path("working").symlink_to(Path.cwd().parents[2])
