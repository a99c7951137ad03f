"""Starts MiniStack; its functions run under another Python, `argv[1]`."""

import os
import signal
import sys
import threading

from ministack import app  # type: ignore[import-not-found]  # lives in .local/emulator, not in .venv


def end_with_parent() -> None:
    """Our parent holds the other end of standard input: when it is gone, so are we and our functions."""
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_parent, daemon=True).start()
# Functions run under `sys.executable`: with MiniStack's own they would see packages that AWS Lambda lacks.
sys.executable = sys.argv.pop()
app.main()
