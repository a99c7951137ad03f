"""The HTTP responses about batches."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from longplay.domain.batches import Batch
from longplay.http.api import NOT_KEPT, json_response
from longplay.http.batches import documents
from longplay.http.batches.documents import BatchStatus
from longplay.http.batches.view import PAGE, retry_after


def batch_response(status: int, batch: documents.Batch, *, headers: dict[str, str] | None = None) -> Response[str]:
    """The batch as JSON; Retry-After says when to read it again if it is not over."""
    over = batch.status in (BatchStatus.ENDED, BatchStatus.CANCELED)
    waiting = {} if over else {"Retry-After": str(retry_after(batch))}
    return json_response(status, batch, headers={**waiting, **(headers or {})})


def results_response(lines: str, batch: Batch, *, begin: int) -> Response[str]:
    """The lines as JSONL; `Link` leads to the next ones, relative to the request's URL."""
    following = begin + PAGE
    link: dict[str, str | list[str]] = (
        {"Link": f'<results?from={following}>; rel="next"'} if following < batch.total else {}
    )
    return Response(status_code=200, content_type="application/jsonl", body=lines, headers={**NOT_KEPT, **link})
