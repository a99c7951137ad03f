"""The providers called at an API of their own that answer with a reference, in one table: what each is told and says.

A refusal's row is its fault, the fault's details, and what comes of it: kind, charge, and some words of the message.
An end's row is the generation's fate, and the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.fal import inputs as fal
from longplay.providers.fal.adapter import Fal
from longplay.providers.protocol import Call
from longplay.providers.replicate import inputs as replicate
from longplay.providers.replicate.adapter import Replicate

from local.stand_ins.fal import FalServer
from local.stand_ins.replicate import ReplicateServer
from tests.providers import fal_calls, replicate_calls

FAL_ID, REPLICATE_ID = "019bcd9e-1111-4222-8333-444455556666", "gm3qorzdhgbfurvjtvhg6dckhu"


@dataclass(frozen=True, kw_only=True)
class OwnApi:
    """One provider: its `adapter`, the `stand_in` that plays it at `host`, and the `call`s that are made of it.

    `kinds` are the calls' names with the types of what they bring. `id` is one that it might have given, `taken` an
    answer that names it, `request_id` a header that does, and `forged` are bodies of callbacks that name none.
    `throttled` are the seconds a refusal names, and those until the next call. At each of its `stages`, asking goes
    wrong by each of `failing_polls`, with the kind that has.
    """

    name: str
    adapter: Callable[..., Any]
    stand_in: Callable[..., Any]
    host: str
    scheme: str
    token: str
    call: Callable[..., Call]
    input_of: Callable[[Call], dict[str, Any]]
    callback: str
    id: str
    taken: bytes
    styles: str
    kinds: dict[str, str]
    throttled: tuple[tuple[float | None, float | None], ...]
    refusals: tuple[tuple[Any, ...], ...]
    ends: tuple[tuple[Any, ...], ...]
    stages: tuple[str, ...]
    failing_polls: tuple[tuple[str, FailureKind], ...]
    request_id: str
    forged: tuple[bytes, ...]


NO, UNKNOWN, YES = Charged.NO, Charged.UNKNOWN, Charged.YES
K = FailureKind
FAILING_POLLS = (
    ("unauthorized", K.AUTH),
    ("throttled", K.THROTTLED),
    ("server_error", K.UPSTREAM),
    ("html", K.UPSTREAM),
    ("not_json", K.UPSTREAM),
    ("redirect", K.NOT_SERVED),
    ("drop", K.UPSTREAM),
)

FAL = OwnApi(
    name="fal",
    adapter=Fal,
    stand_in=FalServer,
    host="queue.fal.run",
    scheme="Key",
    token=fal_calls.TOKEN,
    call=fal_calls.call,
    input_of=fal.input_of,
    callback=fal_calls.CALLBACK,
    id=FAL_ID,
    taken=f'{{"request_id": "{FAL_ID}", "status": "IN_QUEUE"}}'.encode(),
    styles="flux, sdxl, stable-audio, stable-audio-2.5, wan, svd",
    kinds={
        "music": "audio/wav",
        "newer": "audio/wav",
        "flux": "image/png",
        "dev": "image/png",
        "image": "image/png",
        "video": "video/mp4",
        "animation": "video/mp4",
    },
    throttled=((None, None), (5, 5)),
    refusals=(
        ("unauthorized", {}, K.AUTH, NO, "`make token PROVIDER=fal`"),
        ("credits", {}, K.CREDITS, NO, "fal.ai/dashboard/billing"),
        ("exhausted", {}, K.CREDITS, NO, "fal.ai/dashboard/billing"),
        ("locked", {}, K.AUTH, NO, "support@fal.ai"),
        ("forbidden", {}, K.FORBIDDEN, NO, "does not permit"),
        ("missing", {}, K.NOT_SERVED, NO, "models.toml"),
        ("invalid", {}, K.BAD_INPUT, NO, "body.prompt: field required"),
        ("throttled", {}, K.THROTTLED, NO, "Too many requests"),
        ("redirect", {}, K.NOT_SERVED, NO, "redirects are not followed"),
        ("unavailable", {}, K.UPSTREAM, NO, "not available"),
        ("server_error", {}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("server_error", {"created": True}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("gateway_timeout", {"created": True}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("html", {}, K.UPSTREAM, UNKNOWN, "an HTML page"),
        ("drop", {}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("not_json", {}, K.UPSTREAM, UNKNOWN, "names no request"),
        ("wrong_types", {}, K.UPSTREAM, UNKNOWN, "names no request"),
        ("nameless", {}, K.UPSTREAM, UNKNOWN, "names no request"),
        ("endless", {}, K.BAD_OUTPUT, YES, "more than 8,000,000 bytes"),
        ("slow", {"seconds": 30}, K.TIMEOUT, UNKNOWN, "been billed"),
    ),
    ends=(
        ("failed", K.UPSTREAM, NO, "does not bill its own faults"),
        ("runner_lost", K.UPSTREAM, NO, "does not bill its own faults"),
        ("not_started", K.UPSTREAM, NO, "Request timed out"),
        ("unmarked_error", K.UPSTREAM, NO, "Internal error"),
        ("marked_error", K.UPSTREAM, NO, "Internal error"),
        ("erased_fault", K.UPSTREAM, NO, "Runner disconnected"),
        ("erased_error", K.UPSTREAM, UNKNOWN, "is not available: fal"),
        ("out_of_memory", K.OUT_OF_MEMORY, NO, "shorter or smaller"),
        ("canceled", K.UPSTREAM, UNKNOWN, "canceled at fal"),
        ("refused_input", K.BAD_INPUT, UNKNOWN, "body.prompt: ensure this value"),
        ("refused_prompt", K.MODERATED, UNKNOWN, "Change the prompt"),
        ("silent_error", K.BAD_OUTPUT, UNKNOWN, "returned no file"),
        ("erased", K.UPSTREAM, YES, "is not available: fal"),
        ("no_output", K.BAD_OUTPUT, YES, "returned no file"),
        ("shapeless", K.BAD_OUTPUT, YES, "returned no file"),
        ("foreign_file", K.BAD_OUTPUT, YES, "not one of its own hosts"),
        ("lookalike_file", K.BAD_OUTPUT, YES, "not one of its own hosts"),
        ("insecure_file", K.BAD_OUTPUT, YES, "an address that cannot be used"),
    ),
    stages=("poll", "result"),
    failing_polls=(*FAILING_POLLS, ("exhausted", K.CREDITS), ("endless", K.BAD_OUTPUT)),
    request_id="X-Fal-Request-Id",
    forged=(
        b"",
        b"{",
        b"[]",
        b"null",
        b'"019bcd9e-1111-4222-8333-444455556666"',
        b"{}",
        b'{"request_id": null}',
        b'{"request_id": "short"}',
        b'{"request_id": "../../../account"}',
        b'{"request_id": "019bcd9e-1111-4222-8333-444455556666/cancel"}',
        b'{"request_id": "019bcd9e-1111-4222-8333-444455556666\\n"}',
        '{"request_id": "０１９bcd9e-1111-4222"}'.encode(),
        b'{"request_id": "' + b"a" * 65 + b'"}',
        b'{"request_id": "019bcd9e-1111", "payload": "' + b"x" * 1_000_000 + b'"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ),
)

REPLICATE = OwnApi(
    name="replicate",
    adapter=Replicate,
    stand_in=ReplicateServer,
    host="api.replicate.com",
    scheme="Bearer",
    token=replicate_calls.TOKEN,
    call=replicate_calls.call,
    input_of=replicate.input_of,
    callback=replicate_calls.CALLBACK,
    id=REPLICATE_ID,
    taken=f'{{"id": "{REPLICATE_ID}", "status": "starting"}}'.encode(),
    styles="musicgen, diffusion, flux, svd, wan",
    kinds={
        "music": "audio/wav",
        "image": "image/png",
        "flux": "image/png",
        "video": "video/mp4",
        "animation": "video/mp4",
    },
    throttled=((None, 30), (5, 5)),
    refusals=(
        ("unauthorized", {}, K.AUTH, NO, "`make token PROVIDER=replicate`"),
        ("credits", {}, K.CREDITS, NO, "replicate.com/account/billing"),
        ("forbidden", {}, K.FORBIDDEN, NO, "does not permit"),
        ("missing", {}, K.NOT_SERVED, NO, "models.toml"),
        ("unknown_version", {}, K.NOT_SERVED, NO, "models.toml"),
        ("invalid", {}, K.BAD_INPUT, NO, "input.prompt: prompt is required"),
        ("throttled", {}, K.THROTTLED, NO, "throttled"),
        ("redirect", {}, K.NOT_SERVED, NO, "redirects are not followed"),
        ("server_error", {}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("server_error", {"created": True}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("html", {}, K.UPSTREAM, UNKNOWN, "an HTML page"),
        ("drop", {}, K.UPSTREAM, UNKNOWN, "been billed"),
        ("not_json", {}, K.UPSTREAM, UNKNOWN, "names no prediction"),
        ("nameless", {}, K.UPSTREAM, UNKNOWN, "names no prediction"),
        ("slow", {"seconds": 30}, K.TIMEOUT, UNKNOWN, "been billed"),
    ),
    ends=(
        ("failed", K.UPSTREAM, UNKNOWN, "unknown reason"),
        ("interrupted", K.UPSTREAM, UNKNOWN, "may succeed if tried again"),
        ("out_of_memory", K.OUT_OF_MEMORY, UNKNOWN, "shorter or smaller"),
        ("nsfw", K.MODERATED, UNKNOWN, "change the prompt"),
        ("sensitive", K.MODERATED, UNKNOWN, "change the prompt"),
        ("canceled", K.UPSTREAM, UNKNOWN, "canceled at Replicate"),
        ("aborted", K.UPSTREAM, NO, "before it started"),
        ("erased", K.UPSTREAM, YES, "keeps a result for one hour"),
        ("no_output", K.BAD_OUTPUT, YES, "without a file"),
        ("foreign_file", K.BAD_OUTPUT, YES, "not one of its own hosts"),
        ("lookalike_file", K.BAD_OUTPUT, YES, "not one of its own hosts"),
        ("insecure_file", K.BAD_OUTPUT, YES, "an address that cannot be used"),
    ),
    stages=("poll",),
    failing_polls=(*FAILING_POLLS, ("credits", K.CREDITS), ("nameless", K.UPSTREAM)),
    request_id="X-Request-Id",
    forged=(
        b"",
        b"{",
        b"[]",
        b"null",
        b'"gm3qorzdhgbfurvjtvhg6dckhu"',
        b"{}",
        b'{"id": null, "status": "succeeded"}',
        b'{"id": "short", "status": "succeeded"}',
        b'{"id": "../../../v1/account", "status": "succeeded"}',
        b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu/cancel", "status": "succeeded"}',
        b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu\\n", "status": "succeeded"}',
        b'{"id": "' + b"a" * 65 + b'", "status": "succeeded"}',
        b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu", "status": "succeeded", "logs": "' + b"x" * 1_000_000 + b'"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ),
)

OWN_APIS = (FAL, REPLICATE)


def each(table: Callable[[OwnApi], Iterable[tuple[Any, ...]]]) -> list[Any]:
    """Every row of a table that each provider has, after the provider whose it is."""
    return [
        pytest.param(own, *row, id=f"{own.name}-{row[0]}-{n}") for own in OWN_APIS for n, row in enumerate(table(own))
    ]
