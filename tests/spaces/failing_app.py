"""The rendered app, which fails where the prompt says so, and ends if anything in it looks beyond this machine.

It runs in the environment of the app: `python -m tests.spaces.failing_app --quick`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

import gradio as gr

from local.space.rendered import generate, serve

QUOTA = "You have exceeded your free ZeroGPU quota (60s requested vs. 42s left). Try again in 0:12:34. "
ENDLESS = 60  # seconds
OUTSIDE = 3  # exit status
_met: set[str] = set()


def fail_or_generate(model: str, prompt: str, parameters: Mapping[str, Any], image: str | None) -> str:
    """The path of the rendered file; the first call with a prompt that names a failure fails."""
    first = prompt not in _met
    _met.add(prompt)
    if "quota" in prompt and first:
        raise gr.Error(QUOTA, title="ZeroGPU quota exceeded")
    if "endless" in prompt and "--restarted" not in sys.argv:
        time.sleep(ENDLESS)
    return generate(model, prompt, parameters, image)


def stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """End the process if it connects to another machine, or asks for another's address."""
    if event == "socket.connect":
        host = arguments[1][0] if isinstance(arguments[1], tuple) else "127.0.0.1"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in ("127.0.0.1", "localhost", "::1", None, b"127.0.0.1", b"localhost"):
        print(f"{event} of {host}", file=sys.stderr, flush=True)
        os._exit(OUTSIDE)


if __name__ == "__main__":
    sys.addaudithook(stay_on_this_machine)
    serve(fail_or_generate)
