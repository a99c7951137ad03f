"""Requests that must be refused, made by chance from a seed: each knows the field and the bound its refusal names."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.harness.images import data_uri, encoded_image
from tests.stories.prompts import NATURAL

JOB = "a" * 26
IMAGE = encoded_image()
BASES: dict[str, dict[str, Any]] = {
    "musicgen-small": {"prompt": "calm guitar"},
    "stable-diffusion-xl": {"prompt": "a red boat"},
    "wan-2.2-5b": {"prompt": "a calm sea"},
    "stable-video-diffusion": {"image": data_uri(IMAGE)},
}
#: Each model's numbers with their bounds, and whether they are whole.
NUMBERS: dict[str, dict[str, tuple[int, int, bool]]] = {
    "musicgen-small": {"duration": (1, 30, False), "guidance_scale": (1, 20, False)},
    "stable-diffusion-xl": {
        "width": (512, 1536, True),
        "num_inference_steps": (1, 100, True),
        "seed": (0, 2**32 - 1, True),
    },
    "wan-2.2-5b": {"duration": (2, 5, False), "height": (256, 1280, True)},
    "stable-video-diffusion": {"num_inference_steps": (1, 100, True)},
}
OPTIONS = {"max_charges": (1, 5, True), "deadline_seconds": (30, 86_400, True)}
TEXTS = {"musicgen-small": "genre", "stable-diffusion-xl": "negative_prompt", "wan-2.2-5b": "negative_prompt"}
REFUSED = [
    *map(chr, [*range(9), 11, 12, *range(14, 32), *range(127, 160)]),
    "\ud800",
    "\udfff",
    "\ufffd",
    "\ue000",
    "\u202e",
]
NO_NUMBERS: list[Any] = [
    "",
    "1",
    "NaN",
    True,
    False,
    [],
    [1],
    {},
    {"a": 1},
    float("inf"),
    -float("inf"),
    float("nan"),
    "\ud800",
    "🎹",
]
NO_TEXTS: list[Any] = [0, -1, 1.5, True, False, [], ["a"], {}, {"a": "b"}, 10**400]
NAMES = [
    "tempo",
    "Prompt",
    "prompt ",
    "__proto__",
    "constructor",
    "",
    " ",
    "a" * 5_000,
    "🎹",
    "\x00",
    "\ud800",
    "$where",
    "a.b",
]


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A request, and what its refusal says: a status, the name of the field, and words of its bound."""

    method: str = "POST"
    path: str = "/generate"
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 400
    named: str | None = "body"
    bounds: tuple[str, ...] = ()


def hostile_requests(seed: int, count: int) -> Iterator[Hostile]:
    """So many requests; the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - a test must repeat
    for n in range(count):
        yield MAKERS[n % len(MAKERS)](chance)


def _base(chance: random.Random, *models: str) -> tuple[str, dict[str, Any]]:
    model = chance.choice(models or list(BASES))
    extras: dict[str, Any] = chance.choice([{}, {"fresh": True}, {"tags": {"a": "b"}}, {"seed": None, "image": None}])
    taken = {name: value for name, value in extras.items() if value is not None or model == "stable-diffusion-xl"}
    return model, {"model": model, **BASES[model], **taken}


def _placed(chance: random.Random, body: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """The body with this parameter, flat or nested."""
    flat = {member: given for member, given in body.items() if member != name}
    return {**flat, name: value} if chance.random() < 0.5 else {**flat, "parameters": {name: value}}


def _outside(chance: random.Random, least: int, most: int, whole: bool) -> Any:
    far = chance.choice([1, 2, 1_000, 10**12, 10**400])
    numbers: list[Any] = [least - 2 - far, most + far, float(most) * 2 + 1, 1e308, -1e308]
    return chance.choice([*numbers, *NO_NUMBERS, *([least + 0.5, most - 0.25] if whole else [])])


def a_number(chance: random.Random) -> Hostile:
    """A parameter that is no number, or is out of its bounds."""
    model, body = _base(chance)
    name, (least, most, whole) = chance.choice(list(NUMBERS[model].items()))
    body = _placed(chance, body, name, _outside(chance, least, most, whole))
    return Hostile(body=body, named=name, bounds=(f"from {least}", f"to {most}"))


def an_option(chance: random.Random) -> Hostile:
    """An option that is no number, or is out of its bounds."""
    _, body = _base(chance)
    name, (least, most, whole) = chance.choice(list(OPTIONS.items()))
    return Hostile(
        body={**body, name: _outside(chance, least, most, whole)}, named=name, bounds=(f"from {least}", f"to {most}")
    )


def a_character(chance: random.Random) -> Hostile:
    """A refused character at any place of a natural text, in any text field."""
    before, after = chance.choice(list(NATURAL.values())), chance.choice(list(NATURAL.values()))
    character = chance.choice(REFUSED)
    bounds = (f"U+{ord(character):04X}", f"as character {len(before) + 1:,}.")
    body, name = _with_text(chance, before + character + after)
    return Hostile(body=body, named=name, bounds=bounds)


def a_text(chance: random.Random) -> Hostile:
    """A text field that is too long, is empty, or is no text."""
    kind = chance.choice(["long", "empty", "other"])
    text: Any = {
        "long": chance.choice("aé猫🎹") * chance.randint(2_001, 9_000),
        "empty": chance.choice(["", " ", "\n", "\ufeff", "\u200b", "\u3000\u200d"]),
        "other": chance.choice(NO_TEXTS),
    }[kind]
    body, name = _with_text(chance, text)
    return Hostile(body=body, named=name, bounds=("limit is",) if kind == "long" else ("1 to ", "characters"))


def _with_text(chance: random.Random, text: Any) -> tuple[dict[str, Any], str]:
    """A body with this text in one of its fields, and the name of the field."""
    model, body = _base(chance, *TEXTS)
    place = chance.choice(["prompt", "inputs", "parameter", "tag", "tag's name"])
    if place == "parameter":
        return _placed(chance, body, TEXTS[model], text), TEXTS[model]
    if place == "tag" or (place == "tag's name" and not isinstance(text, str)):
        return {**body, "tags": {"a": text}}, "tags"
    if place == "tag's name":
        return {**body, "tags": {text: "x"}}, "tags"
    return {**{name: value for name, value in body.items() if name != "prompt"}, place: text}, place


def an_unknown_name(chance: random.Random) -> Hostile:
    """A member with any value that no request has, in the body or among the parameters."""
    _, body = _base(chance)
    name = chance.choice(NAMES)
    return Hostile(body=_placed(chance, body, name, _value(chance)), named=_shown(name), bounds=("it takes: prompt",))


def _shown(name: str) -> str:
    plain = name[:60].replace("\x00", "U+0000").replace("\ud800", "U+D800")
    return plain or '""'


def _value(chance: random.Random, depth: int = 3) -> Any:
    """Any JSON."""
    if depth and chance.random() < 0.4:
        members = range(chance.randint(0, 3))
        values = [_value(chance, depth - 1) for _ in members]
        return values if chance.random() < 0.5 else {chance.choice(NAMES): value for value in values}
    return chance.choice([*NO_NUMBERS, *NO_TEXTS, None, *NATURAL.values()])


def a_choice(chance: random.Random) -> Hostile:
    """A model, kind or switch that is none of those there are."""
    _, body = _base(chance)
    name, known = chance.choice(
        [("model", "musicgen-small"), ("kind", "music, image, video"), ("fresh", "true or false")]
    )
    values = ["gpt-9", "../", "MUSIC ", 0, 1, 7.5, [], {}, [name], {"a": name}, "\x00", "\ud800", "🎹"]
    return Hostile(body={**body, name: chance.choice(values)}, named=name, bounds=(known,))


def some_tags(chance: random.Random) -> Hostile:
    """Tags of another type, or too many."""
    _, body = _base(chance)
    many = {str(n): "x" for n in range(chance.randint(17, 200))}
    return Hostile(body={**body, "tags": chance.choice([many, [], ["a"], "a", 7, True])}, named="tags", bounds=("16",))


def an_image(chance: random.Random) -> Hostile:
    """An image that is cut, is none, or is stored nowhere."""
    cut = data_uri(IMAGE[: chance.randrange(len(IMAGE))])
    noise = data_uri(IMAGE[:8] + chance.randbytes(chance.randint(0, 200)))
    names = [f"upload:{chance.getrandbits(128):032x}", f"job:{JOB}", "upload:../x", "job:🎹", "http://169.254.169.254/"]
    junk = [
        "data:",
        "data:,",
        "data:\ud800,AAAA",
        "data:image/png;base64,\ud800",
        "data:image/png;base64,%%",
        7,
        [],
        {},
    ]
    image = chance.choice([cut, noise, chance.choice(names), chance.choice(junk), data_uri(b"GIF89a" + bytes(64))])
    return Hostile(body={"model": "svd", "image": image}, named="image", bounds=("mage",))


def a_body(chance: random.Random) -> Hostile:
    """A body that is not one JSON object in UTF-8."""
    whole = json.dumps({"prompt": "été", "tags": {"a": "b"}}, ensure_ascii=False)
    deep = "[" * chance.randint(2_000, 90_000)
    bodies: list[Any] = [
        whole[: chance.randrange(len(whole))],
        whole.encode("utf-16"),
        whole.encode("latin-1"),
        chance.randbytes(chance.randint(1, 300)),
        json.dumps(chance.choice([None, 1, "x", [], [1], True])),
        deep,
        '{"prompt": ' + deep,
        '{"prompt": "x", "duration": ' + "9" * 5_000 + "}",
        whole + whole,
        "",
        None,
        "\x00",
        "prompt=x",
        '{"prompt": "\ud800"}',
    ]
    return Hostile(path="/generate", body=chance.choice(bodies), named="body", bounds=("JSON",))


def a_repeated_member(chance: random.Random) -> Hostile:
    """A member that stands twice in the body."""
    name = chance.choice(["prompt", "duration", "tags", "model"])
    body = "{" + ", ".join(f'"{name}": {json.dumps(_value(chance, 0))}' for _ in range(chance.randint(2, 5))) + "}"
    return Hostile(body=body, named=name, bounds=("twice",))


def an_idempotency_key(chance: random.Random) -> Hostile:
    """A key of another form."""
    _, body = _base(chance)
    key = chance.choice(["", " ", "a b", "é", "🎹", "x" * chance.randint(256, 4_000), "a\tb", "a\nb", "\x7f"])
    return Hostile(body=body, headers={"Idempotency-Key": key}, named="Idempotency-Key", bounds=("1 to 255",))


def an_upload(chance: random.Random) -> Hostile:
    """A request for an upload with a wrong type or an unknown member."""
    if chance.random() < 0.5:
        types = ["image/gif", "", "IMAGE/PNG ", "image/png\r\nx: y", 7, [], {}, ["image/png"], True, "\ud800"]
        return Hostile(
            path="/uploads", body={"content_type": chance.choice(types)}, named="content_type", bounds=("image/webp",)
        )
    name = chance.choice(NAMES)
    return Hostile(path="/uploads", body={name: _value(chance)}, named=_shown(name), bounds=("only `content_type`",))


def a_job(chance: random.Random) -> Hostile:
    """A use case of a job that does not exist, with an id of any form."""
    ids = [
        JOB,
        "🎹",
        "%00",
        "\x00",
        '"',
        "'",
        "..",
        "a" * 3_000,
        "é" * 40,
        "\ud800",
        "job#1",
        "budget#alice",
        "{id}",
        " ",
    ]
    method, rest = chance.choice(
        [("GET", ""), ("DELETE", ""), ("GET", "/outputs/0"), ("POST", "/cancel"), ("POST", "/retry")]
    )
    return Hostile(method=method, path=f"/jobs/{chance.choice(ids)}{rest}", status=404, named=None, bounds=("no job",))


def a_list(chance: random.Random) -> Hostile:
    """A query of a list with a value that is wrong, twice there, or of no parameter."""
    wrong: dict[str, list[str]] = {
        "limit": ["0", "101", "-1", "1.5", "٣", "", "9" * 400, "%00"],
        "status": ["done", "", "queued%00", "🎹"],
        "kind": ["sound", "🎹", "%ED%A0%80"],
        "tag": ["", "song", "🎹"],
        "created_after": ["0", "now", "2026-13-01T00:00:00Z", "2026-11-25", "9" * 400],
        "created_before": ["%00", "2026-11-25T10:00:00", "10000-01-01T00:00:00Z"],
        "cursor": ["", "x", "W10", "e30", "🎹", "A" * 3_000, "W1sxZTk5OSwiYSJdLCJ4Il0"],
        "🎹": ["1"],
        "offset": ["2"],
    }
    name = chance.choice([*wrong])
    return Hostile(method="GET", path=f"/jobs?{name}={chance.choice(wrong[name])}", status=400, named=name)


def a_callback(chance: random.Random) -> Hostile:
    """A callback for an attempt that was never made, with any token and any body."""
    provider, job, fence = (chance.choice(["fal", JOB, "🎹", "%00", "..", "1", "a" * 300]) for _ in range(3))
    path = f"/callbacks/{provider}/{job}/{fence}?t={chance.choice(['', 'x', '🎹', 'a' * 3_000])}"
    return Hostile(method="CALLBACK", path=path, body=chance.randbytes(9), status=404, named=None)


def a_path(chance: random.Random) -> Hostile:
    """A path that does not exist."""
    path = chance.choice(
        ["/", "/generate", "/uploads", "/modelsx", "/health/x", "/🎹", "/%00", '/"', "//", "/models/🎹"]
    )
    return Hostile(method="GET", path=path, status=404, named=None, bounds=("no such path",))


MAKERS: tuple[Callable[[random.Random], Hostile], ...] = (
    a_number,
    a_character,
    a_text,
    an_unknown_name,
    an_option,
    a_choice,
    some_tags,
    an_image,
    a_body,
    a_repeated_member,
    an_idempotency_key,
    an_upload,
    a_job,
    a_list,
    a_callback,
    a_path,
)
