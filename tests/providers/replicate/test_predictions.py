"""Predictions at Replicate: how they are ordered, and what their failures mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from longplay.domain.errors import Case, Charged, FailureKind
from longplay.providers.replicate.predictions import Prediction, failure_of

from tests.harness.operators import leaks
from tests.providers.own_apis.table import REPLICATE, Submit
from tests.providers.raw_server import RawServer
from tests.providers.replicate.calls import CALLBACK, MUSICGEN, call


def test_a_prediction_of_a_version_names_it(server: RawServer, submit: Submit) -> None:
    """A prediction of a version goes to the general path and names version, input and callback."""
    server.says(201, REPLICATE.taken)
    submit(callback_url=CALLBACK)
    assert server.requests[0].line == "POST /v1/predictions HTTP/1.1"
    assert server.requests[0].json == {
        "version": MUSICGEN,
        "input": {"prompt": "slow jazz", "model_version": "large", "output_format": "wav", "duration": 1},
        "webhook": CALLBACK,
        "webhook_events_filter": ["completed"],
    }


def test_a_prediction_of_an_official_model_goes_to_its_path(server: RawServer, submit: Submit) -> None:
    """A prediction of an official model goes to the path of that model."""
    server.says(201, REPLICATE.taken)
    submit("flux", url=f"http://127.0.0.1:{server.port}/")
    assert server.requests[0].line == "POST /v1/models/black-forest-labs/flux-schnell/predictions HTTP/1.1"
    assert server.requests[0].json == {"input": {"prompt": "slow jazz", "output_format": "png", "go_fast": True}}


@pytest.mark.parametrize(("seconds", "sent"), [(3600.0, "3600s"), (99.7, "99s"), (0.5, "5s"), (-3, "5s")])
def test_a_prediction_has_a_deadline_of_five_seconds_at_least(
    server: RawServer, submit: Submit, seconds: float, sent: str
) -> None:
    """A prediction carries the seconds until the job's deadline, in whole seconds and at least 5."""
    server.says(201, REPLICATE.taken)
    submit(ends_within=seconds)
    assert server.requests[0].headers["cancel-after"] == sent


@pytest.mark.parametrize(
    ("said", "kind", "case"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB", FailureKind.OUT_OF_MEMORY, None),
        ("CUDA error: device-side assert triggered", FailureKind.UPSTREAM, Case.GPU_FAILED),
        ("probability tensor contains either `inf`, `nan` or element < 0", FailureKind.UPSTREAM, Case.NAN),
        ("NSFW content detected", FailureKind.MODERATED, None),
        ("Prediction interrupted; please retry", FailureKind.UPSTREAM, None),
    ],
)
def test_a_failed_prediction_is_what_its_text_says(
    tmp_path: Path, said: str, kind: FailureKind, case: Case | None
) -> None:
    """It may have been billed for the time it ran."""
    failed = Prediction(id="a" * 26, status="failed", error=said)
    error = failure_of(failed, call("music", "https://api.replicate.com", tmp_path), secret=None)
    assert error is not None
    assert (error.kind, error.case, error.charged) == (kind, case, Charged.UNKNOWN)
    assert leaks(error) == []
