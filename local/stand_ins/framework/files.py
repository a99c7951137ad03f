"""A file, and how it is sent by a server that takes ranges (RFC 9110 §14): whole, from a byte on, or not at all."""

import hashlib
import re
from dataclasses import dataclass
from email.message import Message

from local.stand_ins.framework.answers import Answer

_FROM = re.compile(r"bytes=([0-9]+)-")


@dataclass(frozen=True)
class File:
    """One file of a result."""

    name: str
    content_type: str
    content: bytes


def file_answer(file: File, asked: Message) -> Answer:
    """The answer to a GET with these headers; a range of another form is ignored, as it may be."""
    content, content_type = file.content, file.content_type
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    wanted = _FROM.fullmatch(asked.get("Range", ""))
    if wanted is None or asked.get("If-Range", headers["ETag"]) != headers["ETag"]:
        return Answer(content_type=content_type, body=content, headers=headers)
    first, total = int(wanted[1]), len(content)
    if first >= total:
        return Answer(status=416, content_type="text/plain", headers={**headers, "Content-Range": f"bytes */{total}"})
    headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
    return Answer(status=206, content_type=content_type, body=content[first:], headers=headers)
