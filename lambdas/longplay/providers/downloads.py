"""Downloads result files, only from the provider's own hosts and never with a token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from longplay.domain.errors import FailureKind, ProviderError
from longplay.media.files import MediaFile
from longplay.providers.http_client import Answer, has_length, server_of
from longplay.providers.protocol import LARGEST_RESULT, Call, PollError
from longplay.providers.refusals import printable
from longplay.providers.results import bad_output, read_result
from longplay.providers.resumption import fetch_whole

_LONGEST_HOST = 100  # characters of a host quoted in an error


def fetch_results(urls: Sequence[str], call: Call, *, domains: tuple[str, ...], until: float) -> tuple[MediaFile, ...]:
    """Download result files by `until` (`time.monotonic`), 200 MB in all, and check that they are of the call's kind.

    A file's host must be one of `domains`, a subdomain of one, or the server that was called. A broken download is
    resumed a few times. Raises ProviderError for a result that can never be used, and PollError for a download that
    failed: the files are paid for and still there, so the next poll can fetch them.
    """
    for url in urls:
        _check_host(url, call, domains)
    return tuple(_files(urls, call, until))


def _check_host(url: str, call: Call, domains: tuple[str, ...]) -> None:
    try:
        host = server_of(url)
    except ProviderError as error:
        raise bad_output(call, "it names a file at an address that cannot be used") from error
    name = host.partition(":")[0].lower()
    if host != server_of(call.url) and not f".{name}".endswith(tuple(f".{domain}" for domain in domains)):
        shown = printable(host, secret=None, longest=_LONGEST_HOST)
        raise bad_output(call, f"it names a file at {shown}, which is not one of its own hosts")


def _files(urls: Sequence[str], call: Call, until: float) -> Iterator[MediaFile]:
    remaining = LARGEST_RESULT
    for number, url in enumerate(urls):
        answer = _fetch(url, call.folder / f"output-{number}", largest=remaining, until=until)
        remaining -= answer.bytes
        yield _read(answer, call)


def _fetch(url: str, path: Path, *, largest: int, until: float) -> Answer:
    try:
        return fetch_whole(url, path, largest=largest, until=until)
    except ProviderError as error:
        if error.kind is FailureKind.BAD_OUTPUT:  # too large, and will stay so
            raise
        raise PollError(error) from error


def _media(answer: Answer, call: Call) -> MediaFile:
    """The file as media. One that came without a length may only have broken off on the way, and is fetched again."""
    try:
        return read_result(answer.body, call)
    except ProviderError as error:
        if has_length(answer):
            raise
        raise PollError(
            ProviderError(FailureKind.UPSTREAM, f"the file came without a length: {error.message}")
        ) from error


def _read(answer: Answer, call: Call) -> MediaFile:
    if answer.status == 200:
        return _media(answer, call)
    if 300 <= answer.status < 400:
        raise bad_output(call, "its file has moved, and redirects are not followed")
    raise PollError(ProviderError(FailureKind.UPSTREAM, f"the finished file could not be fetched: {answer.status}"))
