"""Words of providers that could be about our asking, or about nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from longplay.providers.fal.queue import Progress
from longplay.providers.fal.refusals import is_the_models
from longplay.providers.http_client import Answer
from longplay.providers.reach import path_of

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
def test_fal_ended_with_what_its_status_and_its_answer_both_say(
    tmp_path: Path, status: int, headers: dict[str, str], progress: Progress, believed: bool
) -> None:
    """A refusal that is of our asking is asked again; one that is the model's would be asked again for ever."""
    body = tmp_path / "answer"
    body.write_bytes(b'{"detail": "no"}')
    assert is_the_models(Answer(status=status, headers=headers, body=body, bytes=16), progress) is believed


@pytest.mark.parametrize("address", ["https://[x", 7, None, {"a": 1}, ""])
def test_what_is_no_address_has_no_path(address: object) -> None:
    """And stops no worker."""
    assert "/" not in path_of(address)
