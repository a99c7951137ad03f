"""Runs the Space's app on the real Gradio server with a renderer in place of the models: rendered_app.py FOLDER PORT.

It runs in the environment that has gradio, so it imports nothing of Longplay.
"""

from __future__ import annotations

import sys
import tempfile
import wave
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER, PORT = sys.argv[1], int(sys.argv[2])
sys.path.insert(0, FOLDER)

import gradio as gr  # noqa: E402
from asked import asked  # noqa: E402
from PIL import Image  # noqa: E402

QUOTA = "You have exceeded your free ZeroGPU quota (60s requested vs. 42s left). Try again in 0:00:30. "
VIDEO = b"\0\0\0\x10ftypisom\0\0\0\0"


def render(model: str, prompt: str, parameters: Mapping[str, Any], image: str | None) -> str:
    """The path of the smallest valid file for a request."""
    request = asked(model, prompt, parameters, image)
    if prompt == "quota":
        raise gr.Error(QUOTA, title="ZeroGPU quota exceeded")
    path = Path(tempfile.mkdtemp()) / "result"
    if request.family == "music":
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 32_000, 0, "NONE", ""))
            file.writeframes(b"\x10\x20" * int(32_000 * float(request.parameters["duration"])))
    elif request.family == "image":
        Image.new("RGB", (request.parameters["width"], request.parameters["height"]), "teal").save(path, "PNG")
    else:
        path.write_bytes(VIDEO)
    return str(path)


import_module("app").build(render).queue(default_concurrency_limit=1).launch(server_port=PORT, quiet=True)
