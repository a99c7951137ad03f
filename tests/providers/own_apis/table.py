"""The providers with their own API that answer with a reference: one table of their answers and their faults.

A row of `refusals` is a fault, its details, and the failure it causes: kind, charge, and words of the message.
A row of `ends` is the end of a generation and the failure, in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.fal import inputs as fal
from longplay.providers.fal.adapter import Fal
from longplay.providers.protocol import Accepted, Call
from longplay.providers.replicate import inputs as replicate
from longplay.providers.replicate.adapter import Replicate

from local.stand_ins.fal import FalServer
from local.stand_ins.replicate import ReplicateServer
from tests.providers.fal import calls as fal_calls
from tests.providers.replicate import calls as replicate_calls

FAL_ID, REPLICATE_ID = "019bcd9e-1111-4222-8333-444455556666", "gm3qorzdhgbfurvjtvhg6dckhu"


OwnProvider = Fal | Replicate
OwnStandIn = FalServer | ReplicateServer
Order = Callable[..., Call]
Submit = Callable[..., Accepted]
InputFor = Callable[..., dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class OwnApi:
    """One provider: its `adapter`, the `stand_in` that plays it, and the calls of it that tests make.

    `kinds` maps the names of its calls to the types of their results. `id` is an id in its form, `taken` an answer that
    names this id, `request_id` the header that names a request, and `forged` are callback bodies that name no
    generation. `throttled` are pairs of the seconds a refusal names and the seconds until the next call. At each of
    `stages` a poll can fail by each of `failing_polls`, with the kind of failure given there.
    """

    name: str
    adapter: type[Fal] | type[Replicate]
    stand_in: type[FalServer] | type[ReplicateServer]
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
    styles="flux, sdxl, stable-audio, stable-audio-2.5, ace-step, wan, wan-i2v, svd",
    kinds={
        "music": "audio/wav",
        "newer": "audio/wav",
        "ace": "audio/wav",
        "flux": "image/png",
        "dev": "image/png",
        "image": "image/png",
        "video": "video/mp4",
        "animated": "video/mp4",
        "animation": "video/mp4",
    },
    throttled=((None, None), (5, 5)),
    refusals=(
        ("unauthorized", {}, K.AUTH, NO, "`make token PROVIDER=fal`"),
        ("credits", {}, K.CREDITS, NO, "fal.ai/dashboard/billing"),
        ("exhausted", {}, K.CREDITS, NO, "fal.ai/dashboard/billing"),
        ("locked", {}, K.AUTH, NO, "support@fal.ai"),
        ("forbidden", {}, K.FORBIDDEN, NO, "permit"),
        ("missing", {}, K.NOT_SERVED, NO, "models.toml"),
        ("invalid", {}, K.BAD_INPUT, NO, "body.prompt: field required"),
        ("throttled", {}, K.THROTTLED, NO, "Too many requests"),
        ("redirect", {}, K.NOT_SERVED, NO, "redirects"),
        ("unavailable", {}, K.UPSTREAM, NO, "not available"),
        ("server_error", {}, K.UPSTREAM, UNKNOWN, "billed"),
        ("server_error", {"created": True}, K.UPSTREAM, UNKNOWN, "billed"),
        ("gateway_timeout", {"created": True}, K.UPSTREAM, UNKNOWN, "billed"),
        ("html", {}, K.UPSTREAM, UNKNOWN, "HTML"),
        ("drop", {}, K.UPSTREAM, UNKNOWN, "billed"),
        ("not_json", {}, K.UPSTREAM, UNKNOWN, "no request"),
        ("wrong_types", {}, K.UPSTREAM, UNKNOWN, "no request"),
        ("nameless", {}, K.UPSTREAM, UNKNOWN, "no request"),
        ("endless", {}, K.BAD_OUTPUT, YES, "8,000,000 bytes"),
        ("slow", {"seconds": 30}, K.TIMEOUT, UNKNOWN, "billed"),
    ),
    ends=(
        ("failed", K.UPSTREAM, NO, "its own faults"),
        ("runner_lost", K.UPSTREAM, NO, "its own faults"),
        ("not_started", K.UPSTREAM, NO, "Request timed out"),
        ("unmarked_error", K.UPSTREAM, NO, "Internal error"),
        ("marked_error", K.UPSTREAM, NO, "Internal error"),
        ("erased_fault", K.UPSTREAM, NO, "Runner disconnected"),
        ("erased_error", K.UPSTREAM, UNKNOWN, "results"),
        ("out_of_memory", K.OUT_OF_MEMORY, NO, "shorter or smaller"),
        ("canceled", K.UPSTREAM, UNKNOWN, "canceled"),
        ("refused_input", K.BAD_INPUT, UNKNOWN, "body.prompt: ensure this value"),
        ("refused_prompt", K.MODERATED, UNKNOWN, "Change the prompt"),
        ("silent_error", K.BAD_OUTPUT, UNKNOWN, "returned no file"),
        ("erased", K.UPSTREAM, YES, "results"),
        ("no_output", K.BAD_OUTPUT, YES, "returned no file"),
        ("shapeless", K.BAD_OUTPUT, YES, "returned no file"),
        ("foreign_file", K.BAD_OUTPUT, YES, "its own hosts"),
        ("lookalike_file", K.BAD_OUTPUT, YES, "its own hosts"),
        ("insecure_file", K.BAD_OUTPUT, YES, "address"),
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
    styles="musicgen, stable-audio-2.5, diffusion, flux, svd, wan",
    kinds={
        "music": "audio/wav",
        "long": "audio/wav",
        "image": "image/png",
        "flux": "image/png",
        "video": "video/mp4",
        "animation": "video/mp4",
    },
    throttled=((None, 30), (5, 5)),
    refusals=(
        ("unauthorized", {}, K.AUTH, NO, "`make token PROVIDER=replicate`"),
        ("credits", {}, K.CREDITS, NO, "replicate.com/account/billing"),
        ("forbidden", {}, K.FORBIDDEN, NO, "permit"),
        ("missing", {}, K.NOT_SERVED, NO, "models.toml"),
        ("unknown_version", {}, K.NOT_SERVED, NO, "models.toml"),
        ("invalid", {}, K.BAD_INPUT, NO, "input.prompt: prompt is required"),
        ("throttled", {}, K.THROTTLED, NO, "throttled"),
        ("redirect", {}, K.NOT_SERVED, NO, "redirects"),
        ("server_error", {}, K.UPSTREAM, UNKNOWN, "billed"),
        ("server_error", {"created": True}, K.UPSTREAM, UNKNOWN, "billed"),
        ("html", {}, K.UPSTREAM, UNKNOWN, "HTML"),
        ("drop", {}, K.UPSTREAM, UNKNOWN, "billed"),
        ("not_json", {}, K.UPSTREAM, UNKNOWN, "no prediction"),
        ("nameless", {}, K.UPSTREAM, UNKNOWN, "no prediction"),
        ("slow", {"seconds": 30}, K.TIMEOUT, UNKNOWN, "billed"),
    ),
    ends=(
        ("failed", K.UPSTREAM, UNKNOWN, "unknown reason"),
        ("interrupted", K.UPSTREAM, UNKNOWN, "the server failed"),
        ("out_of_memory", K.OUT_OF_MEMORY, UNKNOWN, "ran out of memory"),
        ("nsfw", K.MODERATED, UNKNOWN, "moderation blocked"),
        ("sensitive", K.MODERATED, UNKNOWN, "moderation blocked"),
        ("canceled", K.UPSTREAM, UNKNOWN, "canceled"),
        ("aborted", K.UPSTREAM, NO, "before it started"),
        ("erased", K.UPSTREAM, YES, "one hour"),
        ("no_output", K.BAD_OUTPUT, YES, "without a file"),
        ("foreign_file", K.BAD_OUTPUT, YES, "its own hosts"),
        ("lookalike_file", K.BAD_OUTPUT, YES, "its own hosts"),
        ("insecure_file", K.BAD_OUTPUT, YES, "address"),
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
        b"[" * 100_000,
        b"\xff\xfe",
    ),
)

OWN_APIS = (FAL, REPLICATE)


def each(table: Callable[[OwnApi], Iterable[tuple[Any, ...]]]) -> list[Any]:
    """Every row of a table of all providers, each after its provider."""
    return [
        pytest.param(own, *row, id=f"{own.name}-{row[0]}-{n}") for own in OWN_APIS for n, row in enumerate(table(own))
    ]
