"""Stores requests for an endpoint in the bucket, and fetches its answers from there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.http_client import Answer
from longplay.providers.protocol import Call, PollError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

ANSWERS = "gpu/"  # the prefix endpoints may write to
_MISSING = ("404", "NoSuchKey", "NotFound")
_CHUNK = 1 << 20


class Payloads:
    """Requests under `inputs/{folder}/gpu-{fence}`, which are erased with their job; answers under `gpu/`.

    `open_client` creates the S3 client when it is first needed.
    """

    def __init__(self, open_client: Callable[[], S3Client], bucket_name: str) -> None:
        self._open_client = open_client
        self._bucket = bucket_name

    @cached_property
    def _client(self) -> S3Client:
        return self._open_client()

    def store(self, attempt: str, body: bytes) -> str:
        """Store an attempt's request and return its S3 URI; raises ProviderError."""
        folder, _, fence = attempt.rpartition("-")
        key = f"inputs/{folder}/gpu-{fence}"
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        except (ClientError, BotoCoreError) as error:
            raise _not_stored(error) from error
        return f"s3://{self._bucket}/{key}"

    def key_in(self, location: str | None) -> str | None:
        """The key of an answer's S3 URI; None if our endpoints may not write there."""
        key = (location or "").removeprefix(f"s3://{self._bucket}/")
        return key if key != location and key.startswith(ANSWERS) else None

    def fetch(self, key: str | None, call: Call, *, most: int, until: float) -> Answer | None:
        """Copy an answer's first `most` bytes into the call's folder by `until` (`time.monotonic`).

        The Answer has the full size; None if there is no answer yet. Raises PollError.
        """
        with _only_asking():
            found = self._found(key) if key else None
            if found is None:
                return None
            path = call.folder / "answer"
            _save(found, path, most=most, until=until)
        return Answer(status=200, headers={}, body=path, bytes=found["ContentLength"])

    def _found(self, key: str) -> GetObjectOutputTypeDef | None:
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
            return None


def _save(found: GetObjectOutputTypeDef, path: Path, *, most: int, until: float) -> None:
    remaining = most
    with found["Body"] as body, path.open("wb") as file:
        while remaining and (chunk := body.read(min(_CHUNK, remaining))):
            if time.monotonic() > until:
                raise PollError(ProviderError(FailureKind.TIMEOUT, "the finished file could not be fetched in time"))
            remaining -= file.write(chunk)


@contextmanager
def _only_asking() -> Iterator[None]:
    """Raise an AWS error from within as a PollError, since it says nothing about the generation."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        what = f"the answer could not be read from the bucket: {_name(error)}"
        raise PollError(ProviderError(FailureKind.UPSTREAM, what)) from error


def _not_stored(error: ClientError | BotoCoreError) -> ProviderError:
    return ProviderError(
        FailureKind.UPSTREAM, f"the request could not be stored in the bucket: {_name(error)}. Nothing was sent."
    )


def _name(error: ClientError | BotoCoreError) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
