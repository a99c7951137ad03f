"""Files arrive whole or not at all, and the key does not go where they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from longplay import DownloadFailed, Longplay, Output
from longplay.downloads import is_file_of

from .conftest import CONTENT, OUTPUT, Deployment

WAV = msgspec.convert(OUTPUT, Output)
HALF = len(CONTENT) // 2


class _Broken(httpx2.SyncByteStream):
    """A connection that breaks off in the middle of the file."""

    def __iter__(self) -> Iterator[bytes]:
        yield CONTENT[:HALF]
        raise httpx2.ReadError("broken")


def _rest(request: httpx2.Request) -> httpx2.Response:
    first = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    return httpx2.Response(206, content=CONTENT[first:])


def test_a_file_is_saved_under_its_name_at_the_end(longplay: Longplay, deployment: Deployment, tmp_path: Path) -> None:
    """It follows the link to the bucket, without the key; nothing else is left in the folder."""
    moved = httpx2.Response(303, headers={"Location": "https://bucket.test/file?signature"})
    deployment.answers = [moved, httpx2.Response(200, content=CONTENT)]
    arrived: list[int] = []
    saved = longplay.download(WAV, tmp_path / "a.wav", on_bytes=arrived.append)
    assert saved.read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert arrived[-1] == len(CONTENT)
    assert [request.url.host for request in deployment.asked] == ["api.test", "bucket.test"]
    assert not any("lp_alice" in str(request.headers) for request in deployment.asked)


def test_a_download_that_breaks_goes_on(longplay: Longplay, deployment: Deployment, tmp_path: Path) -> None:
    """From the byte that it has, by a new URL."""
    deployment.answers = [httpx2.Response(200, stream=_Broken()), _rest]
    assert longplay.download(WAV, tmp_path / "a.wav").read_bytes() == CONTENT
    assert deployment.asked[1].headers["Range"] == f"bytes={HALF}-"


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(
    longplay: Longplay, deployment: Deployment, tmp_path: Path
) -> None:
    """The part is kept; the name is not there until the file is whole."""
    deployment.answers = [httpx2.Response(200, stream=_Broken()), httpx2.ConnectError("gone")]
    with pytest.raises(DownloadFailed, match="Try again"):
        longplay.download(WAV, tmp_path / "a.wav")
    assert not (tmp_path / "a.wav").exists()
    deployment.answers = [_rest]
    assert longplay.download(WAV, tmp_path / "a.wav").read_bytes() == CONTENT


def test_a_bucket_that_ignores_the_range_starts_over(
    longplay: Longplay, deployment: Deployment, tmp_path: Path
) -> None:
    """200 is the whole file, so the part is written from its beginning."""
    (tmp_path / f"a.wav.{WAV.sha256[:8]}.part").write_bytes(b"old")
    deployment.answers = [httpx2.Response(200, content=CONTENT)]
    assert longplay.download(WAV, tmp_path / "a.wav").read_bytes() == CONTENT


def test_other_content_is_not_saved(longplay: Longplay, deployment: Deployment, tmp_path: Path) -> None:
    """Its SHA-256 says so; the part is deleted, as it would spoil the next try."""
    deployment.answers = [httpx2.Response(200, content=CONTENT[::-1])]
    with pytest.raises(DownloadFailed, match="not the file"):
        longplay.download(WAV, tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_has_expired_is_told(longplay: Longplay, deployment: Deployment, tmp_path: Path) -> None:
    """The error says how long files are kept."""
    deployment.answers = [httpx2.Response(404)]
    with pytest.raises(DownloadFailed, match="expires_at"):
        longplay.download(WAV, tmp_path / "a.wav")


def test_a_part_of_another_file_of_this_name_is_not_taken(
    longplay: Longplay, deployment: Deployment, tmp_path: Path
) -> None:
    """A job that was left at half, and then another one into the same file."""
    other = msgspec.structs.replace(WAV, sha256="0" * 64)
    deployment.answers = [httpx2.Response(200, stream=_Broken()), httpx2.ConnectError("gone")]
    with pytest.raises(DownloadFailed):
        longplay.download(other, tmp_path / "a.wav")
    deployment.answers = [httpx2.Response(200, content=CONTENT)]
    assert longplay.download(WAV, tmp_path / "a.wav").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_bucket_is_asked_again(longplay: Longplay, deployment: Deployment, tmp_path: Path, status: int) -> None:
    """`SlowDown` says nothing of the file."""
    deployment.answers = [httpx2.Response(status), httpx2.Response(200, content=CONTENT)]
    assert longplay.download(WAV, tmp_path / "a.wav").read_bytes() == CONTENT
    assert deployment.slept == [0.5]


@pytest.mark.parametrize(
    "answer", [httpx2.Response(200, stream=_Broken()), httpx2.Response(200, content=b"RIFF"), httpx2.Response(503)]
)
def test_a_pipe_is_told_where_the_file_is_not_whole(
    longplay: Longplay, deployment: Deployment, answer: httpx2.Response
) -> None:
    """A pipe takes nothing back, so the end is an error."""
    deployment.answers = [answer]
    with pytest.raises(DownloadFailed):
        list(longplay.pieces(WAV))


def test_a_file_of_the_same_size_is_not_taken_for_the_same(tmp_path: Path) -> None:
    """All tracks of ten seconds have one size."""
    (tmp_path / "a.wav").write_bytes(CONTENT[::-1])
    assert not is_file_of(WAV, tmp_path / "a.wav")
    assert not is_file_of(WAV, tmp_path / "none.wav")
    (tmp_path / "a.wav").write_bytes(CONTENT)
    assert is_file_of(WAV, tmp_path / "a.wav")
