"""Text reaches the model as it was typed, in every language; characters that show a fault are refused by name."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from longplay.domain.errors import InvalidRequest
from longplay.domain.texts import text_of

from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.product import Answer, Product
from tests.stories.prompts import LANGUAGES, NATURAL, SIGNS

IMAGE: dict[str, Any] = {"prompt": "a red boat", "model": "stable-diffusion-xl"}


def _refusal(answer: Answer, field: str) -> str:
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "invalid_request", field), answer.body
    return str(answer.json["detail"])


def test_there_are_thirty_languages() -> None:
    """The table has thirty languages or more, and all prompts differ."""
    assert len(LANGUAGES) >= 30
    assert len(set(NATURAL.values())) == len(NATURAL)


def test_a_prompt_reaches_the_model_as_it_was_typed(product: Product, model_server: ModelServer) -> None:
    """The model gets the same bytes, and the job shows them; JSON with escapes is the same request."""
    for name, prompt in NATURAL.items():
        plain, escaped = (
            json.dumps({"prompt": prompt}, ensure_ascii=ascii_only).encode() for ascii_only in (False, True)
        )
        key = name.replace(" ", "-")
        job = product.submit(plain, Idempotency_Key=key)
        product.deliver()
        assert model_server.requests[-1].inputs.encode() == prompt.encode()
        assert product.post("/generate", escaped, Idempotency_Key=key).json["id"] == job["id"]
        assert job["prompt"] == prompt


def test_every_other_text_is_taken_as_it_was_typed(product: Product, model_server: ModelServer) -> None:
    """The rules are the same for a text parameter and for tags, which lose the white space around them."""
    for text in SIGNS.values():
        job = product.submit({**IMAGE, "negative_prompt": text, "tags": {text: text}})
        product.deliver()
        assert model_server.requests[-1].parameters["negative_prompt"] == text
        assert job["tags"] == {text.strip(): text.strip()}


NORMALIZED = {
    "Windows line breaks": ("verse\r\nchorus\r\n\r\nend", "verse\nchorus\n\nend"),
    "a byte order mark in front": ("\ufeffslow piano", "slow piano"),
    "both": ("\ufeff\r\nslow\r\n", "\nslow\n"),
}


@pytest.mark.parametrize(("typed", "received"), NORMALIZED.values(), ids=NORMALIZED.keys())
def test_only_line_breaks_and_a_leading_mark_are_changed(
    product: Product, model_server: ModelServer, typed: str, received: str
) -> None:
    """`\\r\\n` becomes `\\n`, and a leading byte order mark is dropped."""
    product.submit({"prompt": typed, "duration": 1})
    product.deliver()
    assert model_server.requests[-1].inputs == received


def test_a_body_may_start_with_a_byte_order_mark(product: Product) -> None:
    """Editors on Windows write one in front of a JSON file."""
    assert product.submit(b"\xef\xbb\xbf" + b'{"prompt": "slow piano"}')["prompt"] == "slow piano"


def test_a_line_break_may_stand_in_a_json_string(product: Product) -> None:
    """A prompt over two lines in a shell is no valid JSON, but its meaning is clear."""
    assert product.submit('{"prompt": "verse\nchorus"}')["prompt"] == "verse\nchorus"


REFUSED = {
    "NUL": "\x00",
    "BEL": "\x07",
    "a vertical tab": "\x0b",
    "escape": "\x1b",
    "DEL": "\x7f",
    "NEL, often an ellipsis read as Latin-1": "\x85",
    "a lone high surrogate": "\ud83d",
    "a lone low surrogate": "\udc69",
    "the replacement character": "\ufffd",
    "private use": "\uf8ff",
    "private use of plane 15": "\U000f0000",
    "private use of plane 16": "\U0010fffd",
    "left-to-right override": "\u202d",
    "right-to-left override": "\u202e",
}
FIELDS = {
    "prompt": "prompt",
    "inputs": "inputs",
    "negative_prompt": "negative_prompt",
    "a tag": "tags",
    "a tag's name": "tags",
    "a nested parameter": "negative_prompt",
}


def _body(place: str, text: str) -> dict[str, Any]:
    return {
        "prompt": {**IMAGE, "prompt": text},
        "inputs": {"model": IMAGE["model"], "inputs": text},
        "negative_prompt": {**IMAGE, "negative_prompt": text},
        "a tag": {**IMAGE, "tags": {"project": text}},
        "a tag's name": {**IMAGE, "tags": {text: "x"}},
        "a nested parameter": {**IMAGE, "parameters": {"negative_prompt": text}},
    }[place]


@pytest.mark.parametrize("place", FIELDS)
def test_a_refused_character_is_named_with_its_place(product: Product, place: str) -> None:
    """The refusal names the field, the character and its position, and creates nothing."""
    for character in REFUSED.values():
        detail = _refusal(product.post("/generate", _body(place, f"🎹 {character}x")), FIELDS[place])
        assert f"U+{ord(character):04X}" in detail
        assert "as character 3." in detail
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_a_control_character_that_json_does_not_allow_is_named_too(product: Product) -> None:
    """A raw control character in a JSON string is named as an escaped one is."""
    detail = _refusal(product.post("/generate", b'{"prompt": "a\x1bb"}'), "prompt")
    assert "U+001B, a control character, as character 2" in detail


def test_a_broken_encoding_says_how_to_send_the_text(product: Product) -> None:
    """API Gateway replaces bytes that are no UTF-8 by U+FFFD before Longplay sees them."""
    detail = _refusal(product.post("/generate", {"prompt": "na\ufffdve"}), "prompt")
    assert "UTF-8" in detail


def test_bytes_that_are_no_utf_8_are_located(product: Product) -> None:
    """A body in another encoding gets 400 with the first byte that is wrong."""
    detail = _refusal(product.post("/generate", '{"prompt": "é"}'.encode("cp1252")), "body")
    assert "byte 13 is 0xE9" in detail


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", "\u200b", "\ufeff", "\u200d\u2060", "\u3000"])
def test_a_text_without_a_visible_character_is_empty(product: Product, text: str) -> None:
    """White space and marks of zero width are no wish."""
    assert "1 to 2,000" in _refusal(product.post("/generate", {"prompt": text}), "prompt")


def test_the_rule_holds_for_every_character_of_unicode() -> None:
    """Refused are Cc but tab and line breaks, Cs, Co, U+FFFD and the two overrides; all others are taken."""

    def is_taken(character: str) -> bool:
        try:
            return text_of("prompt", f"a{character}", longest=9) == f"a{character}"
        except InvalidRequest:
            return False

    def belongs(character: str) -> bool:
        refused = unicodedata.category(character) in ("Cc", "Cs", "Co") or character in "\ufffd\u202d\u202e"
        return character in "\t\n\r" or not refused

    # planes 4 to 13 are unassigned and 15 and 16 private use: a sample of them is enough
    codes = [*range(0x40000), *range(0x40000, 0xE0000, 997), *range(0xE0000, 0xF0000), *range(0xF0000, 0x110000, 97)]
    edges = [0xFFFFD, 0xFFFFE, 0xFFFFF, 0x100000, 0x10FFFD, 0x10FFFE, 0x10FFFF]
    assert [code for code in [*codes, *edges] if is_taken(chr(code)) != belongs(chr(code))] == []
