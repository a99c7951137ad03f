"""The documents of the API, as far as the client reads them; members of a later version are kept in `document`."""

from __future__ import annotations

from typing import Any

import msgspec

OVER = ("succeeded", "failed", "canceled")
BATCH_OVER = ("ended", "canceled")

_ENDS = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
}


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a job. `link` is relative to the API, needs no key, and lasts as long as the job is kept."""

    content_type: str
    bytes: int
    sha256: str
    link: str | None = None
    url: str | None = None
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None

    @property
    def extension(self) -> str:
        """How a file of this type usually ends, without the dot."""
        return _ENDS.get(self.content_type, "bin")


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job or a batch is not over, and the seconds it may still take."""

    reason: str
    eta_seconds: float = 0.0
    position: int | None = None
    basis: str = ""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The money: what was charged, what may have been, and the most that it can come to, in US dollars."""

    charged_usd: float = 0.0
    unknown_usd: float = 0.0
    possible_usd: float = 0.0


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, and what to do next."""

    code: str
    message: str
    retryable: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One generation. `document` is all that the API said of it."""

    id: str
    status: str
    kind: str
    model: str
    prompt: str = ""
    created_at: str = ""
    parameters: dict[str, Any] = {}
    cached: bool = False
    cost: Cost = Cost()
    wait: Wait | None = None
    error: JobError | None = None
    outputs: tuple[Output, ...] = ()
    document: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in OVER


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of a model and its bounds, in the words of JSON Schema."""

    type: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A way to a model: what a generation costs there, in US dollars, and how many seconds it takes."""

    name: str
    estimated_usd: float
    typical_seconds: float


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the deployment; one that is not `available` is not set up there."""

    id: str
    kind: str
    title: str
    available: bool
    default: bool = False
    from_image: bool = False
    parameters: dict[str, Parameter] = {}
    routes: tuple[Route, ...] = ()
    document: dict[str, Any] = {}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Many requests in one. `counts` are its lines by status."""

    id: str
    status: str
    total: int
    counts: dict[str, int] = {}
    cost: Cost = Cost()
    wait: Wait | None = None
    document: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether every line has an end."""
        return self.status in BATCH_OVER


class LineError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line was refused."""

    message: str = ""


class BatchLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a batch: its number from 0, how it stands, and its job."""

    line: int
    status: str
    custom_id: str | None = None
    job: Job | None = None
    error: LineError | None = None
