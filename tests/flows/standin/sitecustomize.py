"""Puts a stand-in in the place of loom.app.step, in every Python that has this folder on its path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


class _StandIn:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "loom.app.step":
            return None
        return importlib.util.spec_from_file_location(name, Path(__file__).with_name("step.py"))


sys.meta_path.insert(0, _StandIn)
