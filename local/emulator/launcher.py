"""Starts MiniStack; its functions run under the Python `argv[1]`."""

import os
import signal
import sys
import threading

from ministack import app  # type: ignore[import-not-found]  # lives in .local/emulator, not in .venv


def end_with_parent() -> None:
    """End with the parent process: it has the other end of standard input, which closes when it ends."""
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_parent, daemon=True).start()
# Functions run under `sys.executable`. MiniStack's own Python has packages that AWS Lambda does not have.
sys.executable = sys.argv.pop()
app.main()
