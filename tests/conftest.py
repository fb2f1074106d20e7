"""What holds for all tests: where they were started from, and which examples property tests play."""

import os
import signal

from hypothesis import settings

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # whoever starts them in the background has them ignore what programs under test must not ignore
    signal.signal(signal.SIGINT, signal.default_int_handler)

# the same examples in the gate every time, new ones in a soak
settings.register_profile("gate", derandomize=True, database=None, deadline=None)
settings.register_profile("soak", deadline=None)
settings.load_profile("soak" if os.environ.get("LOOM_SOAK") else "gate")
