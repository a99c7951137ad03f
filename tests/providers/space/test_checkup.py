"""The checkup of a Space: its stage, its endpoint and its token, without a request that would wake it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from longplay.providers.checkups import examine
from longplay.providers.visits import Visit

from local.stand_ins.space import SpaceServer
from tests.providers.checkup_visits import advice, findings, visit
from tests.providers.payloads import TOKEN
from tests.providers.space.calls import TEMPLATE


def a_visit(app: SpaceServer, folder: Path, *, model: str = "generate", **tokens: str) -> Visit:
    """A visit to the app, with the token for Spaces stored unless another is given."""
    one = visit("space", model, app.url, folder, kind="music", **{"space": TOKEN, **tokens})
    return replace(one, call=replace(one.call, inputs=TEMPLATE))


def test_a_running_space_with_the_endpoint_is_live(app: SpaceServer, tmp_path: Path) -> None:
    """Token, stage, endpoint and parameters are right; no call was made."""
    assert findings(examine(a_visit(app, tmp_path))) == {"accepted": "yes", "live": "yes"}
    assert {request.method for request in app.requests} == {"GET"}


@pytest.mark.parametrize(
    ("stage", "live", "said"),
    [
        ("SLEEPING", "yes", ""),
        ("BUILDING", "yes", ""),
        ("PAUSED", "no", "is paused. Restart it"),
        ("BUILD_ERROR", "no", "could not be built"),
        ("ANOTHER", "unknown", "run it again later"),
    ],
)
def test_a_space_that_does_not_run_gets_no_request(
    app: SpaceServer, tmp_path: Path, stage: str, live: str, said: str
) -> None:
    """The Hub knows the stage; a request to a sleeping Space would wake it."""
    app.stage = stage
    found = examine(a_visit(app, tmp_path))
    assert findings(found)["live"] == live
    assert said in advice(found) if said else True
    assert not [request for request in app.requests if request.path.startswith("/gradio_api")]


def test_an_endpoint_that_the_app_lacks_is_reported_with_those_it_has(app: SpaceServer, tmp_path: Path) -> None:
    """The operator sees what to write into models.toml."""
    found = examine(a_visit(app, tmp_path, model="predict"))
    assert findings(found)["live"] == "no"
    assert "it has /generate" in advice(found)


def test_a_parameter_that_the_endpoint_lacks_is_reported(app: SpaceServer, tmp_path: Path) -> None:
    """The app would fail without a reason."""
    one = a_visit(app, tmp_path)
    found = examine(replace(one, call=replace(one.call, inputs={**TEMPLATE, "loudness": 1})))
    assert findings(found)["live"] == "no"
    assert "has no parameter loudness" in advice(found)


def test_a_template_by_position_names_no_parameter(app: SpaceServer, tmp_path: Path) -> None:
    """There is nothing to compare, so the endpoint is enough."""
    one = a_visit(app, tmp_path)
    assert findings(examine(replace(one, call=replace(one.call, inputs=["{prompt}"]))))["live"] == "yes"


def test_a_private_space_is_hidden_without_its_token(app: SpaceServer, tmp_path: Path) -> None:
    """The Hub does not say that it is there; the advice names the command."""
    found = examine(a_visit(app, tmp_path, space=""))
    assert findings(found)["live"] == "no"
    assert "make token PROVIDER=space" in advice(found)


def test_a_token_that_hugging_face_refuses_ends_the_checkup(app: SpaceServer, tmp_path: Path) -> None:
    """The token was revoked."""
    app.fault("refused_token", at="mapping")
    assert findings(examine(a_visit(app, tmp_path))) == {"accepted": "no"}


def test_an_app_that_is_no_space_has_no_stage(tmp_path: Path) -> None:
    """It is asked itself; here none answers."""
    one: Any = visit("space", "generate", "https://127.0.0.1:1", tmp_path)
    assert findings(examine(one))["live"] == "unknown"
