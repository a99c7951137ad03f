"""Calls to a Gradio app: the result, every failure with its kind, and that none is ever charged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.protocol import Call, Done, PolledProvider, PollError
from longplay.providers.space.token import OWN_TOKEN

from local.stand_ins.space import SpaceServer
from tests.providers.failures import facts, poll_failure, raised
from tests.providers.payloads import TOKEN, image_file
from tests.providers.raw_server import RawServer
from tests.providers.space.calls import TEMPLATE, app_call, ended, submitted
from tests.providers.tokens import Tokens

LOST = b'event: error\ndata: "404: Not Found"\n\n'


def generated(space: PolledProvider, call: Call) -> Done:
    """The result of a call: its reference changes at its end."""
    done = space.poll(ended(space, call), call)
    assert isinstance(done, Done)
    return done


@pytest.mark.parametrize(
    ("kind", "model", "parameters", "content_type"),
    [
        ("music", "facebook/musicgen-small", {"duration": 2}, "audio/wav"),
        ("image", "sd-1.5", {"width": 64, "height": 32, "seed": 7}, "image/png"),
        ("video", "stable-video-diffusion", {"duration": 2}, "video/mp4"),
    ],
)
def test_a_call_makes_one_file(
    space: PolledProvider,
    app: SpaceServer,
    call: Call,
    kind: str,
    model: str,
    parameters: dict[str, int],
    content_type: str,
) -> None:
    """Each kind of media comes as the app has made it."""
    asked = replace(call, kind=kind, parameters=parameters, inputs={**TEMPLATE, "model": model})
    done = generated(space, replace(asked, image=image_file() if kind == "video" else None))
    assert done.files[0].content_type == content_type
    assert done.files[0].path.read_bytes() == app.made[0].files[0].content
    assert len(app.made) == 1


def test_parameters_can_be_sent_in_their_order(space: PolledProvider, app: SpaceServer, call: Call) -> None:
    """A template that is a list is sent by position, and a value that is missing is null."""
    generated(space, replace(call, inputs=[*TEMPLATE.values()]))
    assert app.requests[0].path == "/gradio_api/call/generate"
    assert app.requests[0].parameters["image"] is None


def test_a_file_can_be_fetched_twice(space: PolledProvider, call: Call) -> None:
    """The path of the file is the reference after the end, so a failed download is repeated."""
    path = ended(space, call)
    assert space.poll(path, call) == space.poll(path, call)


def test_every_request_carries_the_token_for_spaces(space: PolledProvider, app: SpaceServer, call: Call) -> None:
    """The app, its files and the Hub get the token: the stand-in shows nothing without it."""
    generated(space, call)
    assert [request.status for request in app.requests] == [200, 200, 200]


def test_a_server_that_is_no_space_gets_no_token(tokens: Tokens, tmp_path: Path) -> None:
    """Only `*.hf.space` gets the token for Spaces, and no app gets the token that spends credits."""
    hosts = ("me-longplay.hf.space", "hf.space.example.com", "gpu.example.com", "evilhf.space")
    sent = [OWN_TOKEN.credential(app_call(f"https://{host}", tmp_path), tokens.get).token for host in hosts]
    assert sent == [TOKEN, None, None, None]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("hidden", FailureKind.NOT_SERVED, "private"),
        ("waking", FailureKind.LOADING, "starting"),
        ("queue_full", FailureKind.THROTTLED, "queue"),
        ("internal", FailureKind.UPSTREAM, "models.toml"),
        ("refused_token", FailureKind.AUTH, "make token PROVIDER=space"),
        ("nameless", FailureKind.UPSTREAM, "no event id"),
        ("not_json", FailureKind.UPSTREAM, "no event id"),
        ("drop", FailureKind.UPSTREAM, "broke"),
        ("redirect", FailureKind.NOT_SERVED, "redirects"),
        ("quota", FailureKind.THROTTLED, "Try again in 0:12:34"),
        ("runs", FailureKind.THROTTLED, "quota"),
        ("anonymous_quota", FailureKind.THROTTLED, "quota"),
        ("no_gpu", FailureKind.THROTTLED, "no GPU is free"),
        ("too_long", FailureKind.BAD_INPUT, "shorter"),
        ("out_of_memory", FailureKind.OUT_OF_MEMORY, "smaller"),
        ("failed", FailureKind.UPSTREAM, "GPU task aborted"),
        ("hides", FailureKind.UPSTREAM, "show_error"),
        ("no_output", FailureKind.BAD_OUTPUT, "without a file"),
        ("foreign_file", FailureKind.BAD_OUTPUT, "without a file"),
        ("climbing_file", FailureKind.BAD_OUTPUT, "without a file"),
    ],
)
def test_a_failed_call_has_its_kind_and_no_charge(
    space: PolledProvider, app: SpaceServer, call: Call, fault: str, kind: FailureKind, said: str
) -> None:
    """Each failure has its kind and its advice, and speaks of no bill."""
    app.fault(fault)
    error = raised(generated, space, call)
    assert facts(error) == (kind, Charged.NO)
    assert said in error.message
    assert "billed" not in error.message


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Try again in 0:12:34. Subscribe", 754),
        ("retry in 0:09:48.", 588),
        ("Try again in 1 day, 2:00:00", 86_400),
        ("Try again in a while", None),
    ],
)
def test_a_used_up_quota_is_waited_for_as_long_as_the_app_says(
    space: PolledProvider, server: RawServer, tmp_path: Path, said: str, seconds: int | None
) -> None:
    """The wait in the text of the error is the time until the next try, at most a day."""
    text = f'event: error\ndata: {{"error": "You have exceeded your free ZeroGPU quota. {said}"}}\n\n'
    server.says(200, text.encode())
    error = raised(space.poll, "abcdef", app_call(server.url, tmp_path))
    assert (error.kind, error.retry_after) == (FailureKind.THROTTLED, seconds)


@pytest.mark.parametrize(
    ("stage", "kind", "said"),
    [
        ("SLEEPING", FailureKind.LOADING, "starting"),
        ("BUILDING", FailureKind.LOADING, "starting"),
        ("PAUSED", FailureKind.NOT_SERVED, "It is paused. Restart it"),
        ("BUILD_ERROR", FailureKind.NOT_SERVED, "It could not be built"),
        ("RUNTIME_ERROR", FailureKind.NOT_SERVED, "It failed"),
        ("RUNNING", FailureKind.UPSTREAM, "the app failed"),
    ],
)
def test_the_stage_of_the_space_explains_a_refusal(
    space: PolledProvider, app: SpaceServer, call: Call, stage: str, kind: FailureKind, said: str
) -> None:
    """A Space that does not run answers in many ways; the Hub knows why."""
    app.stage = stage
    app.fault("internal")
    error = raised(space.submit, call)
    assert error.kind is kind
    assert said in error.message


@pytest.mark.parametrize("stream", [LOST, b"", b"event: heartbeat\ndata: null\n\n", b"event: complete\ndata: [{"])
def test_a_lost_end_is_a_free_failure_that_is_tried_again(
    space: PolledProvider, server: RawServer, tmp_path: Path, stream: bytes
) -> None:
    """A stream without a whole end means that the call is made again: it costs quota, and no money."""
    server.says(200, stream)
    error = raised(space.poll, "abcdef", app_call(server.url, tmp_path))
    assert facts(error) == (FailureKind.UPSTREAM, Charged.NO)
    assert "costs no money" in error.message


def test_an_end_that_came_before_the_connection_broke_is_used(
    space: PolledProvider, server: RawServer, tmp_path: Path
) -> None:
    """Gradio breaks the connection after it has said that it does not know a call."""
    server.script = lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + f"{len(QUOTA_END):x}\r\n".encode()
        + QUOTA_END
        + b"\r\n"
    )
    assert raised(space.poll, "abcdef", app_call(server.url, tmp_path)).kind is FailureKind.THROTTLED


QUOTA_END = b'event: error\ndata: {"error": "You have exceeded your GPU quota. Try again in 0:00:10"}\n\n'


def test_an_end_that_is_told_only_once_is_lost_for_the_next_reader(space: PolledProvider, call: Call) -> None:
    """A worker that died after the end was told is followed by one that makes the call again."""
    ref = submitted(space, call)
    space.poll(ref, call)
    assert facts(raised(space.poll, ref, call)) == (FailureKind.UPSTREAM, Charged.NO)


def test_a_call_that_takes_too_long_is_a_free_timeout(space: PolledProvider, app: SpaceServer, call: Call) -> None:
    """A read longer than the route's time is given up; leaving ends the call at the app."""
    ref = submitted(space, call)
    app.fault("slow", at="poll", seconds=30)
    error = raised(space.poll, ref, replace(call, timeout=0.3))
    assert facts(error) == (FailureKind.TIMEOUT, Charged.NO)
    assert "0.3 s" in error.message


@pytest.mark.parametrize("fault", ["internal", "waking", "hidden"])
def test_a_refused_read_does_not_fail_the_call(space: PolledProvider, app: SpaceServer, call: Call, fault: str) -> None:
    """A refusal is no end: the call may still run, and is read again."""
    ref = submitted(space, call)
    app.fault(fault, at="poll")
    with pytest.raises(PollError):
        space.poll(ref, call)
    space.poll(ref, call)


def test_an_app_that_is_not_reached_is_asked_again(space: PolledProvider, tmp_path: Path) -> None:
    """Nothing was read, so nothing is lost."""
    error = poll_failure(space.poll, "abcdef", app_call("http://127.0.0.1:1", tmp_path))
    assert error.kind is FailureKind.UNREACHABLE


@pytest.mark.parametrize("fault", ["internal", "waking"])
def test_a_failed_download_is_repeated(space: PolledProvider, app: SpaceServer, call: Call, fault: str) -> None:
    """The file stays where it is until the app is restarted."""
    path = ended(space, call)
    app.fault(fault, at="file")
    with pytest.raises(PollError):
        space.poll(path, call)
    assert isinstance(space.poll(path, call), Done)


def test_a_file_that_is_gone_means_that_the_call_is_made_again(
    space: PolledProvider, app: SpaceServer, call: Call
) -> None:
    """A restarted app has lost its files."""
    path = ended(space, call)
    app.forget(app.made[0].id)
    assert facts(raised(space.poll, path, call)) == (FailureKind.UPSTREAM, Charged.NO)


def test_a_page_instead_of_the_file_is_not_charged(space: PolledProvider, app: SpaceServer, call: Call) -> None:
    """A file that is no media fails the job free of charge."""
    path = ended(space, call)
    app.fault("page")
    assert facts(raised(space.poll, path, call)) == (FailureKind.BAD_OUTPUT, Charged.NO)


def test_a_canceled_call_ends_without_a_file(space: PolledProvider, app: SpaceServer, call: Call) -> None:
    """A cancel takes the call out of the queue, and its reader hears of an end without outputs."""
    ref = submitted(space, call)
    space.cancel(ref, call)
    assert raised(space.poll, ref, call).kind is FailureKind.BAD_OUTPUT
    assert app.made[0].canceled


def test_a_refused_cancel_says_nothing_about_the_call(space: PolledProvider, app: SpaceServer, call: Call) -> None:
    """The next poll asks."""
    ref = submitted(space, call)
    app.fault("internal", at="cancel")
    assert poll_failure(space.cancel, ref, call).kind is FailureKind.UPSTREAM


def test_the_token_is_read_again_after_a_refusal(
    space: PolledProvider, app: SpaceServer, call: Call, tokens: Tokens
) -> None:
    """A token that was stored since is used at the next call."""
    app.fault("refused_token")
    raised(space.submit, call)
    assert tokens.forgotten == 1


def test_a_failures_text_is_without_the_token(space: PolledProvider, server: RawServer, tmp_path: Path) -> None:
    """An app's text is quoted without the token and without control characters."""
    server.says(200, f'event: error\ndata: "bad {TOKEN}\\u001b[2J"\n\n'.encode())
    message = raised(space.poll, "abcdef", app_call(server.url, tmp_path)).message
    assert TOKEN not in message
    assert message.isprintable()


def test_an_app_calls_nobody_back(space: PolledProvider) -> None:
    """No body of a callback names a call."""
    assert space.reference_in(b'{"event_id": "abcdef"}') is None
