"""The types of the JSON documents that callers read.

A member that is UNSET is left out. Times are RFC 3339 in UTC, amounts are estimates in US dollars by catalogue price.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from longplay.domain.catalogue import Kind
from longplay.domain.errors import Charged
from longplay.domain.job import Status, WaitReason
from longplay.domain.parameters import Value
from longplay.providers.findings import Finding

T = TypeVar("T")

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Path = Annotated[str, Meta(description="Relative to the API's root.", extra_json_schema={"format": "uri-reference"})]
Usd = Annotated[float, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
JobId = Annotated[str, Meta(pattern="^[a-z2-7]{26}$")]


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job is not finished, when its call may start, and how long it may take yet."""

    reason: WaitReason
    slot_at: Time
    eta_seconds: Seconds
    basis: str
    position: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One call to a provider that may have cost money. `tries` counts repeats that cost nothing."""

    route: str
    started_at: Time
    outcome: str
    charged: Charged
    usd: Usd
    tries: Annotated[int, Meta(ge=1)]
    ended_at: Time | UnsetType = UNSET
    request_id: str | UnsetType = UNSET


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One generation, the most that the job can cost, what is surely charged, and what may be."""

    estimated_usd: Usd
    possible_usd: Usd
    charged_usd: Usd
    unknown_usd: Usd


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `link` fetches it without a key as long as the job is kept: passed on, it passes the file on.

    `peaks_url` has the waveform of a WAV file of up to a minute, for the key.
    """

    link: Path | UnsetType = UNSET
    content_type: str
    bytes: Count
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    duration_seconds: Seconds | UnsetType = UNSET
    width: Count | UnsetType = UNSET
    height: Count | UnsetType = UNSET
    sample_rate: Count | UnsetType = UNSET
    channels: Count | UnsetType = UNSET
    peaks_url: Path | UnsetType = UNSET
    warnings: tuple[str, ...] | UnsetType = UNSET


class Output(File, frozen=True, kw_only=True):
    """One file of a job. `url` fetches it without a key until `url_expires_at`; `href` needs the key."""

    url: Url
    url_expires_at: Time
    href: Path


class Peaks(msgspec.Struct, frozen=True, kw_only=True):
    """A waveform: the lowest and the highest sample of each of up to 512 pieces in turn, from -1 to 1."""

    duration_seconds: Seconds | UnsetType = UNSET
    peaks: tuple[Annotated[float, Meta(ge=-1, le=1)], ...]


class PresignedUrl(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that fetches a file without a key until `url_expires_at`."""

    url: Url
    url_expires_at: Time


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job failed, and what to do next."""

    code: str
    message: str
    retryable: bool
    charged: Charged


class License(msgspec.Struct, frozen=True, kw_only=True):
    """The license of a model's results."""

    name: str
    commercial: bool
    notice: str | UnsetType = UNSET


class JobUrls(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses at which something can be done with a job."""

    self: Path
    cancel: Path | UnsetType = UNSET
    retry: Path | UnsetType = UNSET


class JobWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver that is told of the job's end, and whether it has taken that."""

    host: str
    delivered: bool


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a generation stands, and what it cost."""

    id: JobId
    status: Status
    kind: Kind
    model: str
    image: str | UnsetType = UNSET
    max_charges: Annotated[int, Meta(ge=1)]
    deadline_seconds: Count
    created_at: Time
    started_at: Time | UnsetType = UNSET
    completed_at: Time | UnsetType = UNSET
    deadline: Time
    expires_at: Time
    wait: Wait | UnsetType = UNSET
    attempts: tuple[Attempt, ...]
    cost: Cost
    served_by: str | UnsetType = UNSET
    cached: bool
    error: JobError | UnsetType = UNSET
    retry_of: JobId | UnsetType = UNSET
    batch: JobId | UnsetType = UNSET
    custom_id: str | UnsetType = UNSET
    license: License | UnsetType = UNSET
    not_honored: dict[str, str] | UnsetType = UNSET
    urls: JobUrls


class Job(JobRecord, frozen=True, kw_only=True):
    """One generation: what was asked, how it stands, what it cost, and its files."""

    prompt: str
    parameters: dict[str, Value]
    outputs: tuple[Output, ...]
    tags: dict[str, str]
    webhook: JobWebhook | UnsetType = UNSET


class ToldJob(JobRecord, frozen=True, kw_only=True):
    """A job as a webhook is told of it: without presigned URLs.

    Prompt, parameters and tags are left out where the whole body would exceed 20 KB.
    """

    prompt: str | UnsetType = UNSET
    parameters: dict[str, Value] | UnsetType = UNSET
    outputs: tuple[File, ...]
    tags: dict[str, str] | UnsetType = UNSET


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook. Its paths are relative to `api_url`. `owner` is told to the account's event bus alone."""

    type: str
    timestamp: Time
    owner: str | UnsetType = UNSET
    api_url: Url | UnsetType = UNSET
    data: ToldJob


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One try to tell a webhook; `status` is the receiver's answer."""

    started_at: Time
    seconds: Seconds
    outcome: str
    status: int | UnsetType = UNSET


class HookDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that a webhook is told: its latest deliveries, and when the next one is due, if there is to be one."""

    type: str
    webhook_id: str
    delivered: bool
    deliveries: tuple[Delivery, ...]
    next_at: Time | UnsetType = UNSET


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """All that the webhook of a job was told, the earliest first."""

    hooks: tuple[HookDeliveries, ...]


class WebhookTest(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a test was heard, and how it went."""

    delivered: bool
    delivery: Delivery


class WebhookSecret(msgspec.Struct, frozen=True, kw_only=True):
    """The secret that verifies your webhooks from now on. The one before it signs too until `overlap_until`."""

    secret: str
    overlap_until: Time


class Jobs(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the caller's jobs, newest first. `next_cursor` continues the list; without it, this is its end."""

    jobs: tuple[Job, ...]
    next_cursor: str | UnsetType = UNSET


class ModelRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A way to a model, with what a generation costs there and how long it takes."""

    name: str
    provider: str
    estimated_usd: Usd
    grows_with: tuple[str, ...]
    read: str
    typical_seconds: Seconds
    doubtful: bool
    ignores: tuple[str, ...]
    approximates: tuple[str, ...]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter and its bounds, in the words of JSON Schema."""

    type: str
    default: Value | UnsetType = UNSET
    minimum: float | UnsetType = UNSET
    maximum: float | UnsetType = UNSET
    multiple_of: Annotated[int, Meta(ge=1)] | UnsetType = msgspec.field(default=UNSET, name="multipleOf")
    max_length: Count | UnsetType = msgspec.field(default=UNSET, name="maxLength")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model as callers name it. `wait_seconds` is how long a new job would wait now until its call starts."""

    id: str
    kind: Kind
    title: str
    default: bool
    aliases: tuple[str, ...]
    license: License
    from_image: bool
    parameters: dict[str, Parameter]
    routes: tuple[ModelRoute, ...]
    available: bool
    wait_seconds: Seconds | UnsetType = UNSET


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """The models offered here."""

    models: tuple[Model, ...]


class RouteHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a route works; `why` says what is wrong."""

    route: str
    works: Finding
    why: str | UnsetType = UNSET


class ModelHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a model works by any of its routes."""

    works: Finding
    routes: tuple[RouteHealth, ...]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Which models work, by the last round of checkups."""

    status: str
    models: dict[str, ModelHealth]
    checked_at: Time | UnsetType = UNSET


class OpenedUpload(msgspec.Struct, frozen=True, kw_only=True):
    """The form to send an image with, and the value for `image` in later requests."""

    id: str
    image: str
    method: str
    url: Url
    fields: Mapping[str, str]
    largest: Count
    url_expires_at: Time
    expires_at: Time
    next: str


class UsageSum(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs that ended, by their ends, and what they cost: surely, and perhaps. A cached job has succeeded too.

    A charge that becomes known on a later day is moved on that day, so `unknown_usd` of a day can be below zero.
    """

    jobs: Count
    succeeded: Count
    failed: Count
    canceled: Count
    cached: Count
    charged_usd: Usd
    unknown_usd: float


class UsageSums(UsageSum, frozen=True, kw_only=True):
    """The same, and for each model."""

    by_model: Mapping[str, UsageSum]


class DayUsage(msgspec.Struct, frozen=True, kw_only=True):
    """The usage of a day (UTC)."""

    day: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    usage: UsageSums


class CapsLeft(msgspec.Struct, frozen=True, kw_only=True):
    """The rest of your caps today; a cap that you do not have is left out. Open jobs reserve `held_usd`."""

    usd_left: Usd | UnsetType = UNSET
    held_usd: Usd | UnsetType = UNSET
    jobs_left: Count | UnsetType = UNSET
    open_jobs_left: Count | UnsetType = UNSET


class WindowRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A limit of so many starts in so many seconds, for all callers together, and how many are left now."""

    starts: Count
    seconds: Seconds
    left: Count


class ProviderRoom(msgspec.Struct, frozen=True, kw_only=True):
    """When a new job could start at a provider's account, and what its limits leave."""

    next_slot_at: Time
    starts_left: tuple[WindowRoom, ...]


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Your jobs that ended today, this month and on each of the last days (UTC), and the room there is for new ones."""

    today: UsageSums
    month: UsageSums
    days: tuple[DayUsage, ...]
    caps: CapsLeft | UnsetType = UNSET
    providers: Mapping[str, ProviderRoom]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the body that is not valid, by a JSON pointer, and its bounds."""

    pointer: str
    code: str
    detail: str
    minimum: float | UnsetType = UNSET
    maximum: float | UnsetType = UNSET
    multiple_of: float | UnsetType = msgspec.field(default=UNSET, name="multipleOf")
    max_length: float | UnsetType = msgspec.field(default=UNSET, name="maxLength")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal (RFC 9457): what happened, whether it was charged, and whether the same request may succeed later.

    `field` names the first member that is not valid, and `errors` has all of a body. Of a cap there are its rest and
    when it resets; `needs_usd` is what the job may cost. `help` is a page about the code, relative to the API's root.
    """

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    code: str
    detail: str
    retryable: bool
    charged: Charged
    request_id: str
    help: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    errors: tuple[Fault, ...] | UnsetType = UNSET
    needs_usd: Usd | UnsetType = UNSET
    resets_at: Time | UnsetType = UNSET
    usd_left: Usd | UnsetType = UNSET
    held_usd: Usd | UnsetType = UNSET
    jobs_left: Count | UnsetType = UNSET
    open_jobs_left: Count | UnsetType = UNSET


def given(value: T | None) -> T | UnsetType:
    """The value, or UNSET for none."""
    return UNSET if value is None else value


def timestamp(seconds: float) -> str:
    """Epoch seconds as an RFC 3339 timestamp in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timestamp_if(seconds: float | None) -> str | UnsetType:
    """The timestamp, or UNSET for none."""
    return UNSET if seconds is None else timestamp(seconds)
