"""Two hundred answers of models, each with what a job makes of it: the ledger, the file and the message."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from PIL import Image

from tests.harness.answers import KEYS, NESTED, RATE_KEYS, RATED, SAMPLED, WRITTEN
from tests.harness.media import kind_of, whole_files

TONE = [round(float(value), 6) for value in np.sin(np.arange(64) / 3) * 0.5]
AIFF = b"FORM\0\0\x10\0AIFFCOMM" + bytes(range(256)) * 12
ADDRESS = {"title": "a song", "audio_url": "https://example.com/a.wav"}
UNREADABLE = "The model's answer cannot be used: "


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """One answer, and what is right: the job's `outcome` (succeeded, or the failure or wait), its charge and text.

    `file` is the stored file if it is known byte for byte; `words` stand in the message, the wait or the warnings.
    `generations` is how many the server has billed when nothing is left to deliver at once.
    """

    name: str
    kind: str
    body: bytes
    status: int = 200
    outcome: str = "succeeded"
    charged: str = "yes"
    content_type: str = ""
    file: bytes | None = None
    words: str = ""


def model_answers() -> list[ModelAnswer]:
    """All of them."""
    return [
        *_files(),
        *_shapes(),
        *_cuts(),
        *_samples(),
        *_black_images(),
        *_unknown_types(),
        *_no_media(),
        *_refusals(),
    ]


def _files() -> Iterator[ModelAnswer]:
    for name, data in whole_files().items():
        yield ModelAnswer(name=f"{name} as bytes", kind=kind_of(name), body=data, file=data)


def _shapes() -> Iterator[ModelAnswer]:
    """Each file in three shapes, so that each way of writing, nesting and naming comes several times."""
    written, nested, keys = cycle(WRITTEN), cycle(NESTED), cycle(KEYS)
    for _ in range(3):
        for name, data in whole_files().items():
            how, where, key = next(written), next(nested), next(keys)
            inner = NESTED[next(nested)](WRITTEN[how](data), key)
            payload = NESTED[where](inner, next(keys))
            yield ModelAnswer(
                name=f"{name} in {how}, {where}, {key}", kind=kind_of(name), body=_json(payload), file=data
            )


def _cuts() -> Iterator[ModelAnswer]:
    for number, (name, data) in enumerate(whole_files().items()):
        for tenths in (number % 8 + 1, 9):
            cut = data[: len(data) * tenths // 10]
            body = cut if tenths == 9 else _json({"result": WRITTEN["base64"](cut)})
            yield ModelAnswer(
                name=f"{name} cut at {tenths}/10", kind=kind_of(name), body=body, outcome="bad_output", words=UNREADABLE
            )


def _samples() -> Iterator[ModelAnswer]:
    keys = cycle(RATE_KEYS)
    for nesting, nest in SAMPLED.items():
        for rated, rate in RATED.items():
            body = _json(rate(nest(TONE), next(keys), 16_000))
            yield _sound(f"{nesting}, rate {rated}", body)
    yield _sound("16-bit numbers", _json({"audio": [0, 9_000, -9_000] * 9}), words="16-bit numbers")
    yield _sound("beyond full scale", _json({"audio": [0.0, 2.5, -1.0] * 9}), words="2.5 times full scale")
    yield _sound("stereo", _json({"audio": [TONE, TONE]}))
    for name, body, words in (
        ("NaN", b'{"audio": [0.1, NaN]}', "NaN"),
        ("Infinity", b'{"audio": [Infinity, 0.1]}', "NaN"),
        ("null", b'{"audio": [0.1, null]}', "NaN"),
        ("three channels", _json({"audio": [TONE, TONE, TONE]}), "mono and stereo"),
        ("channels of two lengths", _json({"audio": [TONE, TONE[:5]]}), "differ in length"),
        ("an impossible rate", _json({"audio": TONE, "sampling_rate": "fast"}), "sampling rate"),
    ):
        yield _useless(f"samples: {name}", "music", body, words)


def _black_images() -> Iterator[ModelAnswer]:
    for mode, form in (("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("L", "JPEG"), ("RGB", "WEBP"), ("P", "GIF")):
        file = io.BytesIO()
        Image.new(mode, (64, 64)).save(file, form)
        data = file.getvalue()
        words = "Either a safety checker blocked it, or the model failed"
        yield ModelAnswer(name=f"a black {form} ({mode})", kind="image", body=data, file=data, words=words)


def _unknown_types() -> Iterator[ModelAnswer]:
    for kind in ("music", "image", "video"):
        for form, body in (("bytes", AIFF), ("JSON", _json({"audio": WRITTEN["base64"](AIFF)}))):
            yield ModelAnswer(
                name=f"an unknown type as {form} for {kind}",
                kind=kind,
                body=body,
                file=AIFF,
                content_type="application/octet-stream",
                words="does not know this type of file",
            )


def _no_media() -> Iterator[ModelAnswer]:
    files = whole_files()
    yield _useless("an image for music", "music", files["image png"], "image/png instead of music")
    yield _useless("a sound for an image", "image", files["music wav"], "audio/wav instead of image")
    yield _useless("a video for an image", "image", files["video mp4"], "video/mp4 instead of image")
    yield _useless("an image for video", "video", files["image jpeg"], "image/jpeg instead of video")
    yield _useless("done", "music", _json({"message": "done", "result": 7}), "no audio")
    yield _useless("the address of a file", "music", _json(ADDRESS), "address of a file")
    yield _useless("an empty object", "image", b"{}", "no audio")
    yield _useless("an empty list", "video", b"[]", "no audio")
    yield _useless("null", "music", b"null", "no audio")
    yield _useless("a sentence", "music", b"all is well", "no audio")
    yield _useless("half of JSON", "music", _json({"audio": TONE})[:90], "breaks off")
    yield _useless("a long unknown answer", "music", _json({"log": "step " * 20_000}), "no audio")
    yield _useless("a header alone", "music", files["music wav"][:44], "breaks off")
    yield _useless("206", "image", files["image png"], "only a part", status=206)
    yield _useless("an HTML page", "image", b"<html><title>Sign in</title>", "HTML", charged="unknown")
    yield _waits("nothing at all", b"", 200, "provider_error", charged="unknown")


def _refusals() -> Iterator[ModelAnswer]:
    def error(text: str) -> bytes:
        return _json({"error": text})

    yield _waits("an error with 200", error("unknown error"), 200, "provider_error", charged="unknown")
    yield _waits(
        "a long error with 200", _json({"error": "x", "trace": "y " * 60_000}), 200, "provider_error", "unknown"
    )
    yield _waits("loading with 200", _json({"error": "loading", "estimated_time": 20}), 200, "model_loading")
    yield _waits("loading", _json({"error": "loading", "estimated_time": 20}), 503, "model_loading")
    for status in (408, 409, 425, 503):
        yield _waits(f"{status}", error("busy"), status, "provider_error")
    for status in (500, 502, 504, 529):
        yield _waits(f"{status}", error("unknown error"), status, "provider_error", charged="unknown")
    yield _waits("429", error("Rate limit reached"), 429, "provider_quota")
    yield _waits("401", error("Invalid credentials"), 401, "provider_error", words="refuses this request")
    yield _waits("402", error("You have depleted"), 402, "provider_error", words="refuses this request")
    yield _waits("403", error("no license"), 403, "provider_error", words="refuses this request")
    yield _waits(
        "NaN in the model",
        error("probability tensor contains either `inf`, `nan` or element < 0"),
        400,
        "provider_error",
        words="The model produced NaN",
    )
    yield _waits("a CUDA fault", error("CUDA error: device-side assert triggered"), 400, "provider_error", words="GPU")
    yield _waits("no CUDA", error("Torch not compiled with CUDA enabled"), 400, "provider_error", words="GPU")
    yield _waits("no memory", error("CUDA out of memory."), 400, "provider_error", words="ran out of memory")
    for name, status, text, outcome, words in (
        ("400", 400, "steps must be positive at http://10.0.0.7:8080/x", "bad_input", "steps must be positive"),
        ("413", 413, "", "bad_input", "too large for the model"),
        ("422", 422, "seed is no number", "bad_input", "seed is no number"),
        ("404", 404, "Model X does not exist", "not_served", "not served now"),
        ("405", 405, "", "not_served", "not served now"),
        ("410", 410, "deprecated", "not_served", "not served now"),
        ("302", 302, "", "not_served", "not served now"),
        ("moderated", 400, "NSFW content detected", "moderated", "Change the prompt"),
    ):
        yield ModelAnswer(
            name=name, kind="music", body=error(text), status=status, outcome=outcome, charged="no", words=words
        )


def _json(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def _sound(name: str, body: bytes, words: str = "") -> ModelAnswer:
    return ModelAnswer(name=f"samples: {name}", kind="music", body=body, content_type="audio/wav", words=words)


def _useless(name: str, kind: str, body: bytes, words: str, *, status: int = 200, charged: str = "yes") -> ModelAnswer:
    return ModelAnswer(
        name=name, kind=kind, body=body, status=status, outcome="bad_output", charged=charged, words=words
    )


def _waits(
    name: str, body: bytes, status: int, reason: str, charged: str = "no", words: str = "The job waits"
) -> ModelAnswer:
    return ModelAnswer(
        name=name, kind="music", body=body, status=status, outcome=f"waits: {reason}", charged=charged, words=words
    )
