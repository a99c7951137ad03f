"""The template of a request to a Gradio app, filled in with a call's values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from longplay.providers.space.inputs import request_of

from tests.providers.payloads import image_file, image_in
from tests.providers.space.calls import app_call

URL = "https://me-longplay.hf.space"


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ({"text": "{prompt}"}, {"text": "slow jazz"}),
        ({"text": "music: {prompt}, {duration} s"}, {"text": "music: slow jazz, 2 s"}),
        ({"text": "{prompt} {seed}"}, {"text": "slow jazz "}),
        ({"seconds": "{duration}", "steps": 8, "wav": True}, {"seconds": 2, "steps": 8, "wav": True}),
        ({"all": "{parameters}"}, {"all": {"duration": 2}}),
        ({"seed": "{seed}", "image": "{image}"}, {}),
    ],
)
def test_a_template_by_name_is_filled_in(tmp_path: Path, template: Any, sent: dict[str, Any]) -> None:
    """A whole placeholder keeps its value's type, and a parameter without a value is not sent."""
    assert request_of(app_call(URL, tmp_path, inputs=template)) == ("/call/v2/generate", sent)


def test_a_template_by_position_keeps_every_place(tmp_path: Path) -> None:
    """A place without a value is null, so that the others stay where they are."""
    path, body = request_of(app_call(URL, tmp_path, inputs=["{seed}", "{prompt}", 0.5]))
    assert (path, body) == ("/call/generate", {"data": [None, "slow jazz", 0.5]})


def test_an_input_image_is_sent_as_gradios_file(tmp_path: Path) -> None:
    """The image is a data URI, because the bucket's URLs cannot be reached from every app."""
    _, body = request_of(app_call(URL, tmp_path, inputs={"image": "{image}"}, image=image_file()))
    assert body["image"]["meta"] == {"_type": "gradio.FileData"}
    assert image_in(body["image"]["url"]) == image_file()
