"""Does not listen to any signal that it may ignore, and sleeps on."""

import signal
import time

for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
print("deaf", flush=True)
while True:
    time.sleep(60)
