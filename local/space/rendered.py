"""Serves the Space's own app with the renderer in place of the models: `python -m local.space.rendered [--quick]`.

It runs in the environment `.local/space`, prints its address once it serves, and ends when its standard input closes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from local.ports import free_port
from local.renderer import render
from local.space.orders import order_of
from spaces.longplay.app import Generate, build
from spaces.longplay.asked import asked

SUFFIXES = {"audio/wav": ".wav", "image/png": ".png", "video/mp4": ".mp4"}
QUICK = "--quick" in sys.argv[1:]


def generate(model: str, prompt: str, parameters: Mapping[str, Any], image: str | None) -> str:
    """The path of the rendered file; raises ValueError for a request that cannot be served."""
    rendered = render(order_of(asked(model, prompt, parameters, image)), quick=QUICK)
    path = Path(tempfile.mkdtemp()) / f"result{SUFFIXES[rendered.content_type]}"
    path.write_bytes(rendered.content)
    return str(path)


def serve(function: Generate) -> None:
    """Serve the app around this function, as the Space does, until the process that started it ends."""
    app = build(function).queue(default_concurrency_limit=1)
    with redirect_stdout(sys.stderr):
        _, url, _ = app.launch(
            server_name="127.0.0.1", server_port=free_port(), quiet=True, share=False, prevent_thread_lock=True
        )
    print(url.rstrip("/"), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(generate)
