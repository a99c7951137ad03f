"""A result's file, and the answer to a GET of it: whole, or a range (RFC 9110 §14)."""

import hashlib
import re
from dataclasses import dataclass
from email.message import Message

from local.stand_ins.framework.answers import Answer

_FROM = re.compile(r"bytes=([0-9]+)-")


@dataclass(frozen=True)
class File:
    """A file of a result."""

    name: str
    content_type: str
    content: bytes


def file_answer(file: File, headers: Message) -> Answer:
    """The answer to a GET with these headers; a range of another form than `bytes=N-` is ignored, as allowed."""
    content, content_type = file.content, file.content_type
    sent = {"Accept-Ranges": "bytes", "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    wanted = _FROM.fullmatch(headers.get("Range", ""))
    if wanted is None or headers.get("If-Range", sent["ETag"]) != sent["ETag"]:
        return Answer(content_type=content_type, body=content, headers=sent)
    first, total = int(wanted[1]), len(content)
    if first >= total:
        return Answer(status=416, content_type="text/plain", headers={**sent, "Content-Range": f"bytes */{total}"})
    sent["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
    return Answer(status=206, content_type=content_type, body=content[first:], headers=sent)
