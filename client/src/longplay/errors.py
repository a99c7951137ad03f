"""The errors of the client; each says what happened and what to do next.

LongplayError
├── NoKey           no address or key was given
├── Refused         the API refused a request (RFC 9457): `code`, `detail`, `charged`
│   └── KeyRefused  … because of the key
├── Unreachable     the API did not answer, although it was asked several times
├── JobFailed       a job failed or was canceled
├── StillWaiting    a job goes on after the time that was allowed for it
└── DownloadFailed  a file did not arrive whole
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from longplay.documents import Job

_KEY = (401, 403)


class LongplayError(Exception):
    """Base class of all errors of the client."""


class NoKey(LongplayError):
    """No address or key was given."""


class Refused(LongplayError):
    """The API refused a request; `document` is its problem document."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code", "unknown"))
        self.detail = str(document.get("detail", f"The API answered {status}."))
        self.charged = str(document.get("charged", "unknown"))
        super().__init__(self.detail)


class KeyRefused(Refused):
    """The key was not accepted."""


class Unreachable(LongplayError):
    """The API did not answer, although it was asked several times."""


class JobFailed(LongplayError):
    """The job failed or was canceled; its `error` says why."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(job.error.message if job.error else f"The job {job.id} was {job.status}.")


class StillWaiting(LongplayError):
    """The job goes on; it can be waited for again."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(f"The job {job.id} is not over yet.")


class DownloadFailed(LongplayError):
    """A file did not arrive whole; what arrived is kept, and the next try goes on from there."""


def refusal(status: int, document: Mapping[str, Any]) -> Refused:
    """The error of an answer."""
    return (KeyRefused if status in _KEY else Refused)(status, document)
