"""Requests at fal: where they are made and polled, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.fal.adapter import Fal
from longplay.providers.fal.queue import Progress, request_path, result_path
from longplay.providers.protocol import Call, Done, PollError

from local.stand_ins.fal import FalServer
from tests.providers.failures import facts, raised
from tests.providers.fal.calls import CALLBACK, TOKEN, WAN, call
from tests.providers.own_apis.table import FAL, FAL_ID, Order, Submit
from tests.providers.polling import generation_failure, poll_to_end
from tests.providers.raw_server import RawServer
from tests.providers.tokens import Tokens

SERVER = f"https://{FAL.host}"

Video = Callable[..., Call]


@pytest.fixture
def base(server: RawServer) -> str:
    """The address of the raw server."""
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def video(tmp_path: Path) -> Video:
    """Makes a call for a video."""
    return lambda **fields: call("video", SERVER, tmp_path, **fields)


def queued(**named: Any) -> bytes:
    """fal's answer to an order, with more fields."""
    return json.dumps({"request_id": FAL_ID, "status": "IN_QUEUE", **named}).encode()


def test_the_reference_is_the_path_that_fal_named(provider: Fal, stand_in: FalServer, asked: Call) -> None:
    """The reference of a request is the path in fal's answer."""
    ref = provider.submit(asked).ref
    assert ref == f"fal-ai/stable-audio/requests/{stand_in.queue[0].id}"


def test_a_request_has_a_deadline_of_two_seconds_at_least(provider: Fal, stand_in: FalServer, order: Order) -> None:
    """A request carries the seconds until the job's deadline, in whole seconds and at least 2."""
    provider.submit(order("music", ends_within=99.7))
    provider.submit(order("music", ends_within=0.4))
    assert [request.deadline for request in stand_in.queue] == ["99", "2"]


def test_an_unknown_app_is_not_served(provider: Fal, order: Order) -> None:
    """A request to an app that fal does not have is NOT_SERVED and free."""
    error = generation_failure(provider, order("music", model="fal-ai/riffusion"))
    assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)


def test_an_unknown_path_is_not_served(provider: Fal, order: Order) -> None:
    """A request to a path that the app does not have is NOT_SERVED, free, and quotes fal."""
    error = generation_failure(provider, order("flux", model="fal-ai/flux/turbo"))
    assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)
    assert "Path /turbo not found" in error.message


def test_an_unsafe_image_is_moderated(provider: Fal, stand_in: FalServer, order: Order) -> None:
    """An image that fal's safety checker found unsafe is MODERATED, and was charged."""
    stand_in.fault("nsfw")
    error = generation_failure(provider, order("flux"))
    assert facts(error) == (FailureKind.MODERATED, Charged.YES)
    assert stand_in.generations == 1


def test_an_address_at_another_server_is_not_followed(provider: Fal, stand_in: FalServer, asked: Call) -> None:
    """If fal's answer names another server, the request is polled by its id at the called one."""
    stand_in.fault("misdirected")
    ref = provider.submit(asked).ref
    assert ref == stand_in.queue[0].id
    assert isinstance(poll_to_end(provider, ref, asked), Done)


def test_a_status_of_the_wrong_types_does_not_fail_the_request(provider: Fal, stand_in: FalServer, asked: Call) -> None:
    """After a status with wrong types, the next poll finds the result."""
    ref = provider.submit(asked).ref
    stand_in.fault("wrong_types", at="poll")
    with pytest.raises(PollError):
        provider.poll(ref, asked)
    assert isinstance(poll_to_end(provider, ref, asked), Done)


def test_a_failure_does_not_contain_another_token_of_fals(server: RawServer, submit: Submit, tokens: Tokens) -> None:
    """A token in fal's form is removed from a failure, although it is not the stored one."""
    tokens["fal"] = "another"
    server.says(400, f'{{"detail": "bad {TOKEN}"}}'.encode())
    error = raised(submit)
    assert TOKEN not in error.message


def test_the_callback_is_in_the_query(server: RawServer, submit: Submit) -> None:
    """A request goes to the endpoint's path, with the callback address in the query."""
    server.says(200, queued())
    submit(callback_url=CALLBACK)
    assert server.requests[0].line == (
        "POST /fal-ai/stable-audio?fal_webhook="
        "https%3A%2F%2Fapi.example.com%2Fprod%2Fcallbacks%2Ffal%2Fj1%2F1%3Ft%3Dsecret HTTP/1.1"
    )
    assert server.requests[0].json == {"prompt": "slow jazz", "seconds_total": 1}


def test_a_request_goes_to_the_whole_path(server: RawServer, submit: Submit, base: str) -> None:
    """A request goes to the whole path of its endpoint, also if the address ends in a slash."""
    server.says(200, queued())
    submit("video", url=f"{base}/")
    assert server.requests[0].line == f"POST /{WAN} HTTP/1.1"


def test_an_address_at_the_called_server_is_the_reference(server: RawServer, submit: Submit, base: str) -> None:
    """An address at the called server becomes the reference."""
    server.says(200, queued(status_url=f"{base}/fal-ai/stable-audio/requests/{FAL_ID}/status"))
    assert submit().ref == f"fal-ai/stable-audio/requests/{FAL_ID}"


@pytest.mark.parametrize(
    "status_url",
    [
        None,
        7,
        ["x"],
        "",
        "/fal-ai/flux/requests/{id}/status",
        "fal-ai/flux/requests/{id}/status",
        "https://queue.elsewhere.invalid/fal-ai/flux/requests/{id}/status",
        "{base}.elsewhere.invalid/fal-ai/flux/requests/{id}/status",
        "{base}@elsewhere.invalid/fal-ai/flux/requests/{id}/status",
        "{base}/../fal-ai/flux/requests/{id}/status",
        "{base}/fal-ai/../requests/{id}/status",
        "{base}/fal-ai/flux/requests/{id}/status?x=1",
        "{base}/fal-ai/flux/requests/{id}#/status",
        "{base}//fal-ai/flux/requests/{id}/status",
        "{base}/fal-ai/flux/requests/another-request/status",
        "{base}/a/b/c/d/e/requests/{id}/status",
    ],
)
def test_any_other_address_leaves_the_id(server: RawServer, submit: Submit, base: str, status_url: Any) -> None:
    """With any other address in the answer, the reference is the id alone."""
    named = status_url.format(base=base, id=FAL_ID) if isinstance(status_url, str) else status_url
    server.says(200, queued(status_url=named))
    assert submit().ref == FAL_ID


@pytest.mark.parametrize(
    ("model", "app"),
    [
        ("fal-ai/fast-sdxl", "fal-ai/fast-sdxl"),
        ("fal-ai/flux/dev", "fal-ai/flux"),
        (WAN, "fal-ai/wan"),
        ("workflows/longplay/jazz/fast", "workflows/longplay/jazz"),
    ],
)
def test_an_id_is_polled_under_owner_and_app(video: Video, model: str, app: str) -> None:
    """A reference that is an id is polled under the owner and the app of the model."""
    assert request_path(FAL_ID, video(model=model)) == f"/{app}/requests/{FAL_ID}"


def test_a_path_is_polled_as_it_is(video: Video) -> None:
    """A reference that is a path is polled at that path."""
    assert request_path(f"other/app/requests/{FAL_ID}", video()) == f"/other/app/requests/{FAL_ID}"


@pytest.mark.parametrize("tail", ["", "/response"])
def test_the_result_is_at_the_address_that_fal_names(video: Video, tail: str) -> None:
    """The result is read at the address in fal's status."""
    named = f"{SERVER}/fal-ai/wan/requests/{FAL_ID}{tail}"
    assert result_path(Progress(status="COMPLETED", response_url=named), FAL_ID, video()) == named.removeprefix(SERVER)


@pytest.mark.parametrize(
    "named", [None, 7, f"https://elsewhere.invalid/requests/{FAL_ID}", f"{SERVER}/a/b/requests/other-id"]
)
def test_without_a_usable_address_the_result_is_at_the_request(video: Video, named: Any) -> None:
    """Without a usable address in the status, the result is read at the request's own path."""
    progress = Progress(status="COMPLETED", response_url=named)
    assert result_path(progress, FAL_ID, video()) == f"/fal-ai/wan/requests/{FAL_ID}"
