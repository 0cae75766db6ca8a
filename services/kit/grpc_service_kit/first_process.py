"""Importing this has the first process of a container end at SIGTERM, while it imports the rest.

Linux drops signals to process 1 that it has no handler for (pid_namespaces(7)); any other process
ends at SIGTERM by default. `termination.py` replaces the handler.
"""

import os
import signal
import threading

if (
    os.getpid() == 1
    and threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
):
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
