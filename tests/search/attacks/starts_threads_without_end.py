"""As a fork bomb, of threads."""

import threading
import time

threading.stack_size(32 << 10)
while True:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
