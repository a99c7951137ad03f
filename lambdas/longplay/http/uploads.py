"""Images that are too large for a request's body: uploaded first, then named in as many requests as one likes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from longplay.domain.errors import InvalidRequest
from longplay.storage.files import ResultBucket

LARGEST_UPLOAD = 20_000_000  # bytes: a camera's photograph; the generator holds it and its base64 at once
KEPT = 24 * 3600  # seconds; the bucket's lifecycle never removes a file sooner
OPEN = 3600  # seconds in which the file can be sent

_TIME = 8  # leading hexadecimal digits of an id: when it was made


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Where an image can be sent: a POST of `fields`, then `file`, to `url`. Times are epoch seconds."""

    id: str
    url: str
    fields: Mapping[str, str]
    url_expires_at: float
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """An owner's uploads; nothing is written for one until its file comes. `clock` gives epoch seconds."""

    bucket: ResultBucket
    clock: Callable[[], float] = time.time

    def open(self, owner: str, *, content_type: str | None = None) -> Upload:
        """A place for one image; S3 itself refuses a larger one, another content type, and a late one."""
        now = int(self.clock())
        upload_id = f"{now:0{_TIME}x}{secrets.token_hex(12)}"
        fields = {"Content-Type": content_type} if content_type else {}
        url, signed = self.bucket.form(_key(owner, upload_id), fields, largest=LARGEST_UPLOAD, seconds=OPEN)
        return Upload(id=upload_id, url=url, fields=signed, url_expires_at=now + OPEN, expires_at=now + KEPT)

    def image(self, owner: str, upload_id: str) -> bytes:
        """The bytes that were sent; raises InvalidRequest where there are none, or none of this owner's."""
        if int(upload_id[:_TIME], 16) + KEPT <= self.clock():
            raise InvalidRequest(
                "image",
                "`image` names an upload that has expired; uploads are kept for a day. Ask for another with "
                "POST /uploads and send the image there. Nothing was created or charged.",
            )
        data = self.bucket.uploaded(_key(owner, upload_id), most=LARGEST_UPLOAD + 1)
        if data is None:
            raise InvalidRequest(
                "image",
                "`image` names an upload that your key has no file in. Send the image as POST /uploads has told, "
                "then this request again, with the same key. Nothing was created or charged.",
            )
        if len(data) > LARGEST_UPLOAD:
            raise InvalidRequest("image", f"`image` has more than {LARGEST_UPLOAD:,} bytes; send a smaller image.")
        return data


def _key(owner: str, upload_id: str) -> str:
    """An owner's own folder: nobody reaches into another's by naming an id."""
    return f"uploads/{owner}/{upload_id}"
