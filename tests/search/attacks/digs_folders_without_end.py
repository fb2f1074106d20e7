"""Folders within folders, deeper than anybody can walk."""

import os

os.chdir("working")
while True:
    os.mkdir("deeper")  # noqa: PTH102
    os.chdir("deeper")
