"""One result carried from a provider to S3 in this process: prints by how much that raised its peak memory.

`python -m benchmarks.transfer WAY SERVER`, with one of WAYS and the server of `benchmarks/memory.py`.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
import requests
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.protocol import Call
from longplay.storage.files import ResultBucket, s3_client

LARGE, SMALL = 20_000_000, 20_000  # bytes
BUCKET, TIMEOUT = "results", 60.0
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def main() -> None:
    """Print two numbers of bytes: the peak before, and what the large result added to it."""
    carry, server = WAYS[sys.argv[1]], sys.argv[2]
    carry(server, SMALL)  # imports, connections and first-call caches are no part of the comparison
    before = _peak()
    carry(server, LARGE)
    print(before, _peak() - before)


def as_the_generator(server: str, size: int) -> None:
    """The adapter streams the answer into temporary storage, hashing it; one PutObject sends the file."""
    provider = HuggingFace(lambda _: None, forget_tokens=lambda: None)
    bucket = ResultBucket(s3_client(), BUCKET)
    with tempfile.TemporaryDirectory() as folder:
        done = provider.submit(_call(_url(server, size), Path(folder)))
        (output,) = bucket.store("job", 1, done.files)
    assert output.bytes == size


def buffered(server: str, size: int) -> None:
    """The usual way: the whole answer in memory, hashed there and sent from there."""
    data = requests.post(_url(server, size), json={"inputs": "a slow waltz"}, timeout=TIMEOUT).content
    digest = hashlib.sha256(data).hexdigest()
    boto3.client("s3").put_object(Bucket=BUCKET, Key="jobs/job/1/0", Body=data, Metadata={"sha256": digest})
    assert len(data) == size


WAYS: Mapping[str, Callable[[str, int], None]] = {"generator": as_the_generator, "buffered": buffered}


def _url(server: str, size: int) -> str:
    return f"{server}/bytes/{size}"


def _call(url: str, folder: Path) -> Call:
    return Call(
        kind="music",
        model="facebook/musicgen-small",
        url=url,
        style="",
        prompt="a slow waltz",
        parameters={"duration": 10},
        image=None,
        timeout=TIMEOUT,
        folder=folder,
    )


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


if __name__ == "__main__":
    main()
