"""The faults of a model server, by name."""

import base64
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.common_faults import CLOUDFRONT, DROP, HTML, REDIRECT, SLOW
from local.stand_ins.framework.faults import FaultTable, Kind, Occasion, answers
from local.stand_ins.model import gates
from local.stand_ins.pipelines.asked import AudioShape

BLOCK = 1 << 16


def _loading(occasion: Occasion) -> Answer:
    seconds = occasion.fault.seconds
    return gates.loading(occasion.model, 20.0 if seconds is None else seconds)


def _throttled(occasion: Occasion) -> Answer:
    """Forms: "" (a Retry-After header, if `retry_after` is given), date, ratelimit, body."""
    fault = occasion.fault
    seconds = round(fault.retry_after or 0)
    body: dict[str, Any] = {"error": gates.RATE_LIMITED}
    match fault.form:
        case "ratelimit":
            policy = '"fixed window";"api";q=1000;w=300'
            return says(429, body, RateLimit=f'"api";r=0;t={seconds}', **{"RateLimit-Policy": policy})
        case "body":
            return says(429, body | {"retry_after": fault.retry_after})
        case "date":
            when = datetime.now(UTC) + timedelta(seconds=seconds)
            return says(429, body, **{"Retry-After": format_datetime(when, usegmt=True)})
    return says(429, body, **({} if fault.retry_after is None else {"Retry-After": str(seconds)}))


def _drip(occasion: Occasion) -> Answer:
    """One byte every `seconds`, without end. Forms: "" in the body, headers before it."""
    pause = occasion.fault.seconds or 0.1
    if occasion.fault.form == "headers":
        return Answer(raw=True, body=_drops(occasion, b"HTTP/1.1 200 OK\r\nX-Drip: ", pause))
    return Answer(content_type="application/octet-stream", body=_drops(occasion, b"RIFF", pause), length=1 << 40)


def _drops(occasion: Occasion, first: bytes, pause: float) -> Iterator[bytes]:
    yield first
    while not occasion.closed.wait(pause):
        yield b"0"


def _hang(occasion: Occasion) -> Answer:
    return Answer(raw=True, body=(b"" for _ in range(1) if occasion.closed.wait()))


def _halved(occasion: Occasion) -> Answer:
    whole = occasion.proper()
    body = whole.body if isinstance(whole.body, bytes) else b""
    return replace(whole, body=body[: len(body) // 2], length=len(body))


def _invalid(occasion: Occasion) -> Answer:
    """Forms: "" (Rust's text), list, problem."""
    match occasion.fault.form:
        case "list":
            detail = [{"loc": ["body", "prompt"], "msg": "field required", "type": "value_error.missing"}]
            return says(422, {"detail": detail})
        case "problem":
            field = {"type": "string", "field": "input.prompt", "description": "prompt is required"}
            body = {"title": "Input validation failed", "detail": "- input: prompt is required\n", "status": 422}
            return replace(says(422, body | {"invalid_fields": [field]}), content_type="application/problem+json")
    text = b"Failed to deserialize the JSON body into the target type: missing field `inputs` at line 1 column 2"
    return Answer(status=422, content_type="text/plain; charset=utf-8", body=text)


def _wrong_type(occasion: Occasion) -> Answer:
    """Forms: "" (HTML), text."""
    body = b"upstream connect error" if occasion.fault.form == "text" else CLOUDFRONT
    return Answer(content_type="audio/wav", body=body)


def _large(occasion: Occasion) -> Answer:
    """A silent WAV of `bytes` bytes."""
    data = max(0, occasion.fault.bytes - 44)
    header = b"RIFF" + (data + 36).to_bytes(4, "little") + b"WAVEfmt " + bytes.fromhex("10000000 0100 0100")
    header += bytes.fromhex("007d0000 00fa0000 0200 1000") + b"data" + data.to_bytes(4, "little")
    chunks = itertools.chain([header], (bytes(min(BLOCK, data - at)) for at in range(0, data, BLOCK)))
    return Answer(content_type="audio/wav", body=chunks, length=len(header) + data)


def _raw_audio(occasion: Occasion) -> Answer:
    """Forms: "" (WAV), flac."""
    return occasion.proper(shape=AudioShape(occasion.fault.form or "wav"))


def _nested_audio(occasion: Occasion) -> Answer:
    return occasion.proper(shape=AudioShape.TOOLKIT, depth=occasion.fault.depth)


def _word_for_word(occasion: Occasion) -> Answer:
    """Any answer: its status, and its body in base64."""
    return Answer(status=occasion.fault.status, body=base64.b64decode(occasion.fault.body))


def _error(status: int, text: str) -> Kind[Any]:
    """Always the same error; {model} in it is the requested model."""
    return answers(lambda occasion: says(status, {"error": text.format(model=occasion.model)}))


def _result(**changes: Any) -> Kind[Any]:
    """The result, in another form."""
    return answers(lambda occasion: occasion.proper(**changes), created=True)


def _wrong_route(occasion: Occasion) -> Answer:
    text = f"Cannot POST /hf-inference/models/{occasion.model}"
    return Answer(status=404, content_type="text/plain", body=text.encode())


FAULTS: FaultTable[Any] = FaultTable(
    kinds={
        "loading": Kind(effect=_loading, takes={"seconds"}, timed=True),
        "throttled": answers(_throttled, "retry_after", "form"),
        "slow": SLOW,
        "drip": answers(_drip, "seconds", "form", created=True),
        "hang": answers(_hang),
        "drop": DROP,
        "cut": answers(_halved, created=True),
        "unauthorized": _error(401, "Invalid credentials in Authorization header"),
        "credits": _error(
            402,
            "You have depleted your monthly included credits. Purchase pre-paid credits to continue using Inference "
            "Providers. Alternatively, subscribe to PRO to get 20x more included usage.",
        ),
        "forbidden": _error(
            403,
            "This authentication method does not have sufficient permissions to call Inference Providers on behalf of "
            "user longplay",
        ),
        "gated": _error(
            403,
            "Access to model {model} is restricted and you are not in the authorized list. "
            "Visit https://huggingface.co/{model} to ask for access.",
        ),
        "unknown_model": _error(404, "Model {model} does not exist"),
        "wrong_route": answers(_wrong_route),
        "gone": _error(410, "The requested model is deprecated and no longer supported by provider hf-inference."),
        "not_supported": _error(400, "Model not supported by provider hf-inference"),
        "invalid": answers(_invalid, "form"),
        "out_of_memory": _error(
            400,
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 14.58 GiB of which 1.31 GiB "
            "is free.",
        ),
        "html": HTML,
        "server_error": _error(500, "unknown error"),
        "gateway_timeout": answers(Answer(status=504, content_type="text/plain", body=b"Gateway Timeout")),
        "empty": answers(Answer(content_type="audio/wav")),
        "json_error": answers(replace(says(200, {"error": "unknown error"}), content_type="image/png")),
        "wrong_type": answers(_wrong_type, "form"),
        "large": answers(_large, "bytes", created=True),
        "base64_image": _result(as_base64=True),
        "generated_audio": _result(shape=AudioShape.TUTORIAL),
        "raw_audio": answers(_raw_audio, "form", created=True),
        "nested_audio": answers(_nested_audio, "depth", created=True),
        "black": _result(black=True),
        "word_for_word": answers(_word_for_word, "status", "body", created=True),
        "redirect": REDIRECT,
    }
)
