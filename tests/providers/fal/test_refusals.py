"""fal's error answers to a poll, which can be about the poll or about the request."""

from __future__ import annotations

from pathlib import Path

import pytest
from longplay.providers.fal.queue import Progress
from longplay.providers.fal.refusals import is_the_models
from longplay.providers.http_client import Answer

MARKED = {"x-fal-error-type": "content_policy_violation"}
FAILED, ENDED = Progress(status="COMPLETED", error="boom"), Progress(status="COMPLETED")


@pytest.mark.parametrize(
    ("status", "headers", "progress", "believed"),
    [
        (429, MARKED, FAILED, True),
        (403, MARKED, FAILED, True),
        (401, MARKED, FAILED, False),
        (429, {}, FAILED, False),
        (429, MARKED, ENDED, False),
        (422, {}, ENDED, True),
        (503, {}, ENDED, False),
        (503, MARKED, ENDED, True),
    ],
)
def test_an_error_is_the_models_if_status_and_answer_agree(
    tmp_path: Path, status: int, headers: dict[str, str], progress: Progress, believed: bool
) -> None:
    """An error of a poll ends the request only if its status and its answer both show that it is the model's."""
    body = tmp_path / "answer"
    body.write_bytes(b'{"detail": "no"}')
    assert is_the_models(Answer(status=status, headers=headers, body=body, bytes=16), progress) is believed
