"""Uploads of images that are too large for a request body; one upload can be used in many requests."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from longplay.domain.errors import InvalidRequest
from longplay.storage.files import ResultBucket

LARGEST_UPLOAD = 20_000_000  # bytes, enough for a camera photo; the generator has it and its base64 in memory at once
KEPT = 24 * 3600  # seconds; the bucket's lifecycle rule never deletes a file earlier
OPEN = 3600  # seconds during which the file can be sent

_TIME = 8  # leading hexadecimal digits of an id: its creation time


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
    """The uploads of all owners. `open` stores nothing: S3 stores the file when the caller sends it.

    `clock` returns epoch seconds.
    """

    bucket: ResultBucket
    clock: Callable[[], float] = time.time

    def open(self, owner: str, *, content_type: str | None = None) -> Upload:
        """A new upload for one image. S3 rejects a larger file, another content type, and a late upload."""
        now = int(self.clock())
        upload_id = f"{now:0{_TIME}x}{secrets.token_hex(12)}"
        fields = {"Content-Type": content_type} if content_type else {}
        url, signed = self.bucket.form(_key(owner, upload_id), fields, largest=LARGEST_UPLOAD, seconds=OPEN)
        return Upload(id=upload_id, url=url, fields=signed, url_expires_at=now + OPEN, expires_at=now + KEPT)

    def image(self, owner: str, upload_id: str) -> bytes:
        """The uploaded bytes; raises InvalidRequest if there are none for this owner, or they have expired."""
        if int(upload_id[:_TIME], 16) + KEPT <= self.clock():
            raise InvalidRequest(
                "image",
                "`image` is the id of an expired upload; uploads are kept for a day. Create a new one with "
                "POST /uploads and send the image there. Nothing was created or charged.",
            )
        data = self.bucket.uploaded(_key(owner, upload_id), most=LARGEST_UPLOAD + 1)
        if data is None:
            raise InvalidRequest(
                "image",
                "`image` is the id of an upload that has no file for your key. Send the image as POST /uploads "
                "described, then send this request again with the same key. Nothing was created or charged.",
            )
        if len(data) > LARGEST_UPLOAD:
            raise InvalidRequest("image", f"`image` has more than {LARGEST_UPLOAD:,} bytes. Send a smaller image.")
        return data


def _key(owner: str, upload_id: str) -> str:
    """The key of an upload, below its owner's folder, so that no owner can read another owner's upload."""
    return f"uploads/{owner}/{upload_id}"
