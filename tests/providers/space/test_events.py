"""The stream with which an app reports the end of a call, and the file in an endpoint's outputs."""

from __future__ import annotations

from typing import Any

import pytest
from longplay.providers.space.events import End, path_in, read_end

FILE = {"path": "/tmp/gradio/ab/x.wav", "meta": {"_type": "gradio.FileData"}}  # noqa: S108


@pytest.mark.parametrize(
    ("stream", "end"),
    [
        (b"event: complete\ndata: [1]\n\n", End(outputs=[1])),
        (b"event: complete\r\ndata: [1]\r\n\r\n", End(outputs=[1])),
        (b"event: heartbeat\ndata: null\n\nevent: generating\ndata: [0]\n\nevent: complete\ndata: [1]\n\n", [1]),
        (b'event: error\ndata: {"error": "no", "title": "ZeroGPU"}\n\n', End(failed=True, said="ZeroGPU: no")),
        (b'event: error\ndata: {"error": "no", "title": "Error"}\n\n', End(failed=True, said="no")),
        (b'event: error\ndata: {"error": null}\n\n', End(failed=True)),
        (b"event: error\ndata: null\n\n", End(failed=True)),
        (b'event: error\ndata: "404: Not Found"\n\n', End(failed=True, said="404: Not Found")),
        (b"event: complete\ndata: {\n\n", End()),
        (b"event: complete\ndata: [1]\n", None),
        (b"event: generating\ndata: [1]\n\n", None),
        (b"\xff\n\n", None),
        (b"", None),
    ],
)
def test_the_end_is_the_last_whole_event_that_ends_the_call(stream: bytes, end: Any) -> None:
    """Heartbeats and results that are not final are no end, nor is an event that was cut off."""
    assert read_end(stream) == (End(outputs=end) if isinstance(end, list) else end)


@pytest.mark.parametrize(
    "outputs",
    [[FILE], [None, FILE], [{"video": FILE, "subtitles": None}], [[{"image": FILE}]], ["seed 7", {"x": [FILE]}]],
)
def test_the_file_is_found_in_any_component(outputs: Any) -> None:
    """A video, a gallery and a file contain Gradio's FileData at different depths."""
    assert path_in(outputs) == FILE["path"]


@pytest.mark.parametrize("outputs", [None, [], "x", [{"path": 7}], 7, [[[[[[[[FILE]]]]]]]]])
def test_outputs_without_a_file_have_no_path(outputs: Any) -> None:
    """Neither have outputs that are nested too deeply."""
    assert path_in(outputs) is None
