"""The rules for text in a request: every language and every emoji, and no character that shows a broken encoding."""

from __future__ import annotations

import re
import unicodedata

from longplay.domain.errors import InvalidRequest

LONGEST_SHOWN = 60  # characters of a caller's own words in an error

_BYTE_ORDER_MARK = "\ufeff"
_BIDI_OVERRIDES = "\u202d\u202e"
_REPLACEMENT = "\ufffd"

# Unicode never changes these categories (stability policy), so no table of the runtime's Unicode version is needed:
# control characters but tab, LF and CR; surrogates; private use.
_REFUSED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
    rf"{_BIDI_OVERRIDES}{_REPLACEMENT}]"
)
_NOT_VISIBLE = ("Z", "C")  # the first letters of the categories of separators, and of controls and formats


def text_of(field: str, value: object, *, longest: int, called: str = "") -> str:
    """The text as its model receives it: without a leading byte order mark, and with `\\r\\n` as `\\n`.

    `longest` is in characters (code points). `called` names a part of the field in errors. Raises InvalidRequest with
    the bound, or with the character that is refused and its position.
    """
    called = called or f"`{field}`"
    if not isinstance(value, str):
        raise InvalidRequest(field, f"{called} must be text of 1 to {longest:,} characters.", why="wrong_type")
    if refused := _REFUSED.search(value):
        raise InvalidRequest(field, f"{called} contains {_described(refused)}", why="character_refused")
    text = value.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")
    if not any(map(_is_visible, text)):
        raise InvalidRequest(field, f"{called} is empty; it must have 1 to {longest:,} characters.", why="empty")
    if len(text) > longest:
        long = f"{called} has {len(text):,} characters; the limit is {longest:,}."
        raise InvalidRequest(field, long, why="too_long", maxLength=longest)
    return text


def shown(text: str) -> str:
    """A caller's own words for an error: cut, and safe to print and to encode."""
    safe = _REFUSED.sub(lambda found: _name(found[0]), text[:LONGEST_SHOWN])
    return safe or '""'


def _is_visible(character: str) -> bool:
    # a character that is newer than the runtime has no category yet (Cn)
    category = unicodedata.category(character)
    return category == "Cn" or not category.startswith(_NOT_VISIBLE)


def _described(refused: re.Match[str]) -> str:
    character = refused[0]
    return f"{_name(character)}, {_kind(character)}, as character {refused.start() + 1:,}. {_advice(character)}"


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"


def _kind(character: str) -> str:
    if character == _REPLACEMENT:
        return "the mark of a broken encoding"
    if character in _BIDI_OVERRIDES:
        return "which reverses the order of what is shown"
    return {"Cc": "a control character", "Cs": "half of a character"}.get(
        unicodedata.category(character), "which has no agreed meaning (private use)"
    )


def _advice(character: str) -> str:
    if character == _REPLACEMENT:
        return "The body did not arrive as UTF-8: encode it as UTF-8 and send it again."
    return "Remove it and send the text again."
