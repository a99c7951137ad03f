"""The table of all operations: their parameters, bodies, answers and problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from longplay.domain.batch_body import ON_ERROR
from longplay.domain.batches import MOST_LINES
from longplay.domain.catalogue import Kind
from longplay.domain.errors import (
    BatchExpired,
    BatchNotFound,
    ExceedsBudget,
    InvalidRequest,
    JobExpired,
    JobNotFound,
    KeyReused,
    LineTooLong,
    ModelUnavailable,
    NotFinished,
    NothingToTell,
    NotRetryable,
    OutputNotFound,
    OverDailyBudget,
    Paused,
    Problem,
    TooLarge,
    TooManyBatches,
    TooManyOpenJobs,
    TooManyRotations,
)
from longplay.domain.job import Status
from longplay.domain.listing import MOST_LISTED
from longplay.domain.request import SHORTEST_DEADLINE
from longplay.domain.usage import MOST_DAYS
from longplay.http import documents
from longplay.http.batches import documents as batch_documents
from longplay.http.holding import LONGEST

Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of the path, the query or a header."""

    name: str
    where: str
    schema: Schema
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that is no problem: its own headers and, if it has one, the type of its document, or of its lines."""

    description: str
    document: type[msgspec.Struct] | None = None
    lines: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A path and method. `leads_to` are the operations that can follow with the id in its answer, and what they do.

    `lines` says that the body may also be JSONL.
    """

    id: str
    verb: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    problems: tuple[type[Problem], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: str | None = None
    needs_key: bool = True
    leads_to: Mapping[str, str] = field(default_factory=dict)
    body_required: bool = False
    lines: bool = False


_JOB = Parameter(name="id", where="path", schema={"type": "string"}, description="The job's id.")
_N = Parameter(name="n", where="path", schema={"type": "string"}, description="The file's number, from 0.")
_WAIT = Parameter(
    name="wait",
    where="query",
    schema={"type": "integer", "minimum": 0, "maximum": LONGEST},
    description="Holds the answer for up to so many seconds until the job is over.",
)
_PREFER = Parameter(
    name="Prefer",
    where="header",
    schema={"type": "string"},
    description="`wait=20` is the same as in the query (RFC 7240).",
)
_KEY = Parameter(
    name="Idempotency-Key",
    where="header",
    schema={"type": "string", "pattern": "^[!-~]{1,255}$"},
    description="A request that is repeated with the same key makes no second job.",
)
_TIME = {"type": "string", "format": "date-time"}
_FILTERS = (
    Parameter(name="status", where="query", schema={"type": "array", "items": {"enum": [*Status]}}),
    Parameter(name="kind", where="query", schema={"type": "array", "items": {"enum": [*Kind]}}),
    Parameter(name="model", where="query", schema={"type": "string"}),
    Parameter(name="batch", where="query", schema={"type": "string"}, description="The id of a batch."),
    Parameter(
        name="tag",
        where="query",
        schema={"type": "array", "items": {"type": "string", "pattern": "^[^:]*:"}},
        description="A tag's name and value with a colon between: `song:7`.",
    ),
    Parameter(name="created_after", where="query", schema=_TIME),
    Parameter(name="created_before", where="query", schema=_TIME),
    Parameter(name="limit", where="query", schema={"type": "integer", "minimum": 1, "maximum": MOST_LISTED}),
    Parameter(name="cursor", where="query", schema={"type": "string"}, description="`next_cursor` of the page before."),
)
_DAYS = Parameter(
    name="days",
    where="query",
    schema={"type": "integer", "minimum": 1, "maximum": MOST_DAYS},
    description="How many days are listed, today included.",
)
_LOCATION = {"Location": "The job's address, relative to the request's."}
_WAITING = {"Retry-After": "Seconds after which to ask again."}
_REPLAYED = {"Idempotency-Replayed": "`true` if the job was made by an earlier request."}
_MADE = {
    200: Answer(description="The job is over.", document=documents.Job, headers={**_LOCATION, **_REPLAYED}),
    202: Answer(
        description="The job is on its way.", document=documents.Job, headers={**_LOCATION, **_WAITING, **_REPLAYED}
    ),
}
_ADMISSION = (ModelUnavailable, ExceedsBudget, LineTooLong, TooManyOpenJobs, OverDailyBudget, Paused)
_READ = {200: Answer(description="The job.", document=documents.Job, headers=_WAITING)}
_REDIRECT = Answer(description="A new URL of the file.", headers={"Location": "The presigned URL."})

_A_JOB = {"getJob": "reads the job", "cancelJob": "cancels it", "deleteJob": "erases it once it is over"}
_A_BATCH = {
    "getBatch": "reads the batch",
    "getBatchResults": "reads the results of its lines",
    "cancelBatch": "cancels it",
}
_BATCH = Parameter(name="id", where="path", schema={"type": "string"}, description="The batch's id.")
_PAGE = _FILTERS[-2:]
_SKIPS = Parameter(
    name="on_error",
    where="query",
    schema={"enum": [*ON_ERROR]},
    description="What becomes of a batch with lines that are not valid: `reject` refuses it, `skip` takes the others.",
)
_LETS_IN = Parameter(
    name="deadline_seconds",
    where="query",
    schema={"type": "integer", "minimum": SHORTEST_DEADLINE},
    description="How long lines are let in as jobs; what is not let in by then expires. The longest is the default.",
)
_FROM = Parameter(
    name="from",
    where="query",
    schema={"type": "integer", "minimum": 0, "maximum": MOST_LINES - 1},
    description="The first line of the page.",
)
_BATCH_READ = Answer(description="The batch.", document=batch_documents.Batch, headers=_WAITING)

_CODE = Parameter(name="code", where="path", schema={"type": "string"}, description="The problem's `code`.")

_TOLD = {
    status: {status: Answer(description="What it was told.", document=documents.Deliveries)} for status in (200, 202)
}

OPERATIONS = (
    Operation(
        id="generate",
        verb="post",
        path="/generate",
        summary="Starts a generation.",
        parameters=(_WAIT, _PREFER, _KEY),
        body="GenerateRequest",
        answers=_MADE,
        problems=(InvalidRequest, TooLarge, JobExpired, KeyReused, *_ADMISSION),
        leads_to=_A_JOB,
        body_required=True,
    ),
    Operation(
        id="upload",
        verb="post",
        path="/uploads",
        summary="Opens an upload of an image to start from.",
        body="UploadRequest",
        answers={201: Answer(description="The form to send the image with.", document=documents.OpenedUpload)},
        problems=(InvalidRequest, TooLarge),
    ),
    Operation(
        id="listJobs",
        verb="get",
        path="/jobs",
        summary="Lists your jobs, newest first.",
        parameters=_FILTERS,
        answers={200: Answer(description="A page of jobs.", document=documents.Jobs)},
        problems=(InvalidRequest,),
    ),
    Operation(
        id="getJob",
        verb="get",
        path="/jobs/{id}",
        summary="Reads a job.",
        parameters=(_JOB, _WAIT, _PREFER),
        answers=_READ,
        problems=(InvalidRequest, JobNotFound, JobExpired),
    ),
    Operation(
        id="deleteJob",
        verb="delete",
        path="/jobs/{id}",
        summary="Erases a job's prompt and files.",
        parameters=(_JOB,),
        answers={204: Answer(description="They are erased.")},
        problems=(JobNotFound, NotFinished),
    ),
    Operation(
        id="getOutput",
        verb="get",
        path="/jobs/{id}/outputs/{n}",
        summary="Leads to a file.",
        parameters=(_JOB, _N, Parameter(name="Accept", where="header", schema={"type": "string"})),
        answers={
            200: Answer(description="Its URL, for `Accept: application/json`.", document=documents.PresignedUrl),
            303: _REDIRECT,
        },
        problems=(JobNotFound, OutputNotFound, JobExpired),
    ),
    Operation(
        id="getPeaks",
        verb="get",
        path="/jobs/{id}/outputs/{n}/peaks",
        summary="The waveform of a WAV file of up to a minute: `outputs[].peaks_url`.",
        parameters=(_JOB, _N),
        answers={200: Answer(description="The waveform.", document=documents.Peaks)},
        problems=(JobNotFound, OutputNotFound, JobExpired),
    ),
    Operation(
        id="followLink",
        verb="get",
        path="/files/{id}/{token}/{n}",
        summary="Leads to a file, without a key: `outputs[].link`.",
        parameters=(_JOB, Parameter(name="token", where="path", schema={"type": "string"}), _N),
        answers={303: _REDIRECT},
        problems=(OutputNotFound,),
        needs_key=False,
    ),
    Operation(
        id="cancelJob",
        verb="post",
        path="/jobs/{id}/cancel",
        summary="Cancels a job; a result that is paid for is kept.",
        parameters=(_JOB,),
        answers=_READ,
        problems=(JobNotFound, JobExpired),
    ),
    Operation(
        id="retryJob",
        verb="post",
        path="/jobs/{id}/retry",
        summary="Makes a new job with the same request, for one that failed or was canceled.",
        parameters=(_JOB, _WAIT, _PREFER),
        answers=_MADE,
        problems=(InvalidRequest, JobNotFound, JobExpired, NotRetryable, *_ADMISSION),
    ),
    Operation(
        id="getDeliveries",
        verb="get",
        path="/jobs/{id}/deliveries",
        summary="What the job's webhook was told, what it answered, and when it is told next.",
        parameters=(_JOB,),
        answers=_TOLD[200],
        problems=(JobNotFound, JobExpired),
    ),
    Operation(
        id="redeliver",
        verb="post",
        path="/jobs/{id}/redeliver",
        summary="Tells the job's webhook again.",
        parameters=(_JOB,),
        answers=_TOLD[202],
        problems=(JobNotFound, JobExpired, NothingToTell),
    ),
    Operation(
        id="createBatch",
        verb="post",
        path="/batches",
        summary="Sends up to 1,000 requests, which become jobs as the line of jobs and the caps have room.",
        parameters=(_SKIPS, _LETS_IN, _KEY),
        body="BatchRequest",
        body_required=True,
        lines=True,
        answers={
            202: Answer(
                description="The batch.",
                document=batch_documents.Batch,
                headers={"Location": "The batch's address, relative to the request's.", **_WAITING, **_REPLAYED},
            )
        },
        problems=(InvalidRequest, TooLarge, KeyReused, TooManyBatches, Paused),
        leads_to=_A_BATCH,
    ),
    Operation(
        id="listBatches",
        verb="get",
        path="/batches",
        summary="Lists your batches, newest first.",
        parameters=_PAGE,
        answers={200: Answer(description="A page of batches.", document=batch_documents.Batches)},
        problems=(InvalidRequest,),
    ),
    Operation(
        id="getBatch",
        verb="get",
        path="/batches/{id}",
        summary="Reads how a batch stands.",
        parameters=(_BATCH,),
        answers={200: _BATCH_READ},
        problems=(BatchNotFound, BatchExpired),
    ),
    Operation(
        id="getBatchResults",
        verb="get",
        path="/batches/{id}/results",
        summary="The lines of a batch in their order, 100 at a time, as JSONL: a BatchLine on each line.",
        parameters=(_BATCH, _FROM),
        answers={
            200: Answer(
                description="A page of lines, each a BatchLine.",
                document=batch_documents.BatchLine,
                lines=True,
                headers={"Link": "The next page (`rel=next`), relative to the request's URL."},
            )
        },
        problems=(InvalidRequest, BatchNotFound, BatchExpired),
    ),
    Operation(
        id="cancelBatch",
        verb="post",
        path="/batches/{id}/cancel",
        summary="Lets no more lines in and cancels the jobs that are not over; results that are paid for are kept.",
        parameters=(_BATCH,),
        answers={202: _BATCH_READ},
        problems=(BatchNotFound, BatchExpired),
    ),
    Operation(
        id="testWebhook",
        verb="post",
        path="/webhooks/test",
        summary="Sends a signed test to an address, and says what it answered.",
        body="WebhookTestRequest",
        body_required=True,
        answers={200: Answer(description="What came of it.", document=documents.WebhookTest)},
        problems=(InvalidRequest, TooLarge),
    ),
    Operation(
        id="renewWebhookSecret",
        verb="post",
        path="/webhooks/secret",
        summary="Makes the next secret that signs your webhooks.",
        answers={201: Answer(description="The secret.", document=documents.WebhookSecret)},
        problems=(TooManyRotations,),
    ),
    Operation(
        id="getUsage",
        verb="get",
        path="/usage",
        summary="What your jobs cost today, this month and by the day, and what room there is for new ones.",
        parameters=(_DAYS,),
        answers={200: Answer(description="The usage.", document=documents.Usage)},
        problems=(InvalidRequest,),
    ),
    Operation(
        id="listModels",
        verb="get",
        path="/models",
        summary="The models offered here: parameters, bounds, prices, licenses.",
        parameters=(Parameter(name="If-None-Match", where="header", schema={"type": "string"}),),
        answers={
            200: Answer(description="The models.", document=documents.Models, headers={"ETag": "Of this document."}),
            304: Answer(description="You have this document."),
        },
    ),
    Operation(
        id="getHealth",
        verb="get",
        path="/health",
        summary="Which models work, by the last round of checkups.",
        answers={200: Answer(description="The health.", document=documents.Health)},
    ),
    Operation(
        id="checkKey",
        verb="get",
        path="/key",
        summary="Whether the key is valid; API Gateway answers by itself.",
        answers={204: Answer(description="It is.")},
    ),
    Operation(
        id="getOpenApi",
        verb="get",
        path="/openapi.json",
        summary="This description.",
        answers={200: Answer(description="OpenAPI 3.1."), 304: Answer(description="You have this document.")},
        needs_key=False,
    ),
    Operation(
        id="readProblem",
        verb="get",
        path="/problems/{code}",
        summary="A page about the code of a refusal: `help` of a Problem.",
        parameters=(_CODE,),
        answers={
            200: Answer(description="The page, in HTML."),
            304: Answer(description="You have this page."),
            404: Answer(description="There is no such code; a page, too."),
        },
        needs_key=False,
    ),
)
