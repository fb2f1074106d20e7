"""What holds for all tests: property tests play the same examples in the gate every time, and new ones in a soak."""

import os

from hypothesis import settings

settings.register_profile("gate", derandomize=True, database=None, deadline=None)
settings.register_profile("soak", deadline=None)
settings.load_profile("soak" if os.environ.get("LOOM_SOAK") else "gate")
