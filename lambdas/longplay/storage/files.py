"""The bucket of results and input images: whole files in, presigned URLs out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError
from msgspec.structs import replace

from longplay.domain.job import Output
from longplay.media.files import EXTENSIONS, HEAD, MediaFile, sniff
from longplay.storage.patience import Patience

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING = ("404", "NoSuchKey", "NotFound")

T = TypeVar("T")


def input_key(folder: str, sha256: str) -> str:
    """The key of the input image of the job with this folder."""
    return f"inputs/{folder}/{sha256}"


def s3_client() -> S3Client:
    """A client whose presigned URLs are signed with SigV4 and lead to the bucket's own region.

    Without this, boto3 signs some URLs with SigV2, and signs for s3.amazonaws.com. For a new bucket of another region
    that host answers 307 and takes no POST (AWS: virtual hosting of buckets, "Redirection", 2026-11). The page's policy
    names the bucket's host in its region, so us-east-1 has its own one too.
    """
    retries: Any = {"mode": "standard", "max_attempts": 8}
    hosts: Any = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    return boto3.client("s3", config=Config(signature_version="s3v4", s3=hosts, retries=retries))


class ResultBucket:
    """Outputs under `jobs/{folder}/{fence}/{n}`, input images under `inputs/{folder}/{sha256}`, and uploads for them.

    A folder is `Job.folder`. Methods that call S3 raise Unavailable.
    """

    def __init__(self, client: S3Client, bucket_name: str, patience: Patience | None = None) -> None:
        self._client = client
        self._bucket = bucket_name
        self._patience = patience or Patience()

    def store(self, folder: str, fence: int, files: Iterable[MediaFile]) -> tuple[Output, ...]:
        """Put the files of one result. The first file goes last, so its presence means that all are there."""
        outputs = [(_output(f"{_prefix(folder, fence)}/{n}", file), file) for n, file in enumerate(files)]
        for output, file in reversed(outputs):
            self._patience.repeat(partial(self._put, output, file, count=len(outputs)))
        return tuple(output for output, _ in outputs)

    def find(self, folder: str, fence: int) -> tuple[Output, ...]:
        """The outputs a worker with this fence has stored; none unless all are there."""
        first = self._head(f"{_prefix(folder, fence)}/0")
        if first is None:
            return ()
        output, count = first
        others = [self._head(f"{_prefix(folder, fence)}/{n}") for n in range(1, count)]
        return (output, *(found[0] for found in others if found))

    def copy(self, outputs: Iterable[Output], folder: str) -> tuple[Output, ...]:
        """Copies of the files in another job's folder; none if a file is gone."""
        copies = [(output, replace(output, key=f"{_prefix(folder, 0)}/{n}")) for n, output in enumerate(outputs)]
        all_there = all(self._found(partial(self._copy, output.key, copied.key)) for output, copied in copies)
        return tuple(copied for _, copied in copies) if all_there else ()

    def erase(self, job_id: str) -> None:
        """Delete every file of a job, and those of requests that were too late to become the job of this id."""
        for prefix in (f"jobs/{job_id}", f"inputs/{job_id}"):
            erase_prefix(self._client, self._bucket, prefix, self._patience)

    def store_input(self, key: str, image: bytes) -> None:
        """Store the image a generation starts from."""
        content_type = sniff(image[:HEAD]) or "application/octet-stream"
        put = partial(self._client.put_object, Bucket=self._bucket, Key=key, Body=image, ContentType=content_type)
        self._patience.repeat(put)

    def copy_input(self, source: str, key: str) -> None:
        """Copy the image for another job."""
        self._patience.repeat(partial(self._copy, source, key))

    def input(self, key: str) -> bytes:
        """The image a generation starts from."""
        return self.bytes_of(key)

    def bytes_of(self, key: str) -> bytes:
        """A whole file; for small ones alone."""
        return self._patience.repeat(lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def input_if_kept(self, key: str) -> bytes | None:
        """The same; None if it has been deleted."""
        return self._found(lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def input_url(self, key: str, *, seconds: int) -> str:
        """A presigned URL of the image, for a provider that fetches what it starts from."""
        return self._presigned(key, seconds)

    def form(self, key: str, fields: Mapping[str, str], *, largest: int, seconds: int) -> tuple[str, dict[str, str]]:
        """The URL and the fields by which a form can post a file of 1 to `largest` bytes, for `seconds`."""
        conditions = [["content-length-range", 1, largest], *({name: value} for name, value in fields.items())]
        form = self._client.generate_presigned_post(
            self._bucket, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=seconds
        )
        return form["url"], form["fields"]

    def uploaded(self, key: str, *, most: int) -> bytes | None:
        """The first `most` bytes of a posted file; None if there is none."""
        return self._found(lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read(most))

    def url(self, output: Output, *, seconds: int) -> str:
        """A presigned URL. It dies with the role's session even before `seconds` (AWS), so never store it."""
        return self._presigned(output.key, seconds)

    def _presigned(self, key: str, seconds: int) -> str:
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
        )

    def _put(self, output: Output, file: MediaFile, *, count: int) -> None:
        with file.path.open("rb") as body:
            self._client.put_object(
                Bucket=self._bucket,
                Key=output.key,
                Body=body,
                ContentType=output.content_type,
                ContentDisposition=f'inline; filename="{_file_name(output)}"',
                Metadata=_metadata(output, count),
            )

    def _head(self, key: str) -> tuple[Output, int] | None:
        head = self._found(lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        if head is None:
            return None
        return msgspec.json.decode(head["Metadata"]["output"], type=Output), int(head["Metadata"]["count"])

    def _copy(self, source: str, key: str) -> bool:
        self._client.copy_object(Bucket=self._bucket, Key=key, CopySource={"Bucket": self._bucket, "Key": source})
        return True

    def _found(self, act: Callable[[], T]) -> T | None:
        """The result of `act`; None if there is no such file."""
        return self._patience.repeat(lambda: unless_missing(act))


def erase_prefix(client: S3Client, bucket: str, prefix: str, patience: Patience) -> None:
    """Delete every file whose key begins with `prefix`; a thousand at most."""
    listed = patience.repeat(partial(client.list_objects_v2, Bucket=bucket, Prefix=prefix))
    for entry in listed.get("Contents", []):
        patience.repeat(partial(client.delete_object, Bucket=bucket, Key=entry["Key"]))


def unless_missing(act: Callable[[], T]) -> T | None:
    """The result of `act`; None where S3 says that there is no such file."""
    try:
        return act()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return None


def _prefix(folder: str, fence: int) -> str:
    return f"jobs/{folder}/{fence}"


def _output(key: str, file: MediaFile) -> Output:
    return Output(
        key=key,
        content_type=file.content_type,
        bytes=file.bytes,
        sha256=file.sha256,
        duration_seconds=file.duration_seconds,
        width=file.width,
        height=file.height,
        sample_rate=file.sample_rate,
        channels=file.channels,
        warnings=file.warnings,
    )


def _metadata(output: Output, count: int) -> dict[str, Any]:
    return {"output": msgspec.json.encode(output).decode(), "count": str(count)}


def _file_name(output: Output) -> str:
    _, folder, _, n = output.key.split("/")
    return f"longplay-{folder.partition('-')[0]}-{n}{EXTENSIONS[output.content_type]}"
