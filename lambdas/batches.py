"""The function for /batches: many requests in one, read as a whole, with the results of their lines."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.domain.batch_body import parse_options
from longplay.domain.listing import cursor_after, parse_batch_listing, parse_begin
from longplay.http.api import body_of, idempotency_key_of, json_response, new_api, owner_of, query_of
from longplay.http.batches.documents import Batches
from longplay.http.batches.responses import batch_response, results_response
from longplay.http.batches.view import summary
from longplay.http.documents import given
from wiring import dependencies

logger = Logger()
api = new_api()


@api.post("/batches")
def create() -> Response[str]:
    """202 with the batch; every line is checked first."""
    event, wired = api.current_event, dependencies()
    options = parse_options(query_of(event), longest_deadline=wired.service.settings.longest_deadline)
    key = idempotency_key_of(event)
    created = wired.batch_service.create(owner_of(event), body_of(event), options, key=key)
    batch = created.batch
    logger.info("batch", batch=batch.id, owner=batch.owner, lines=batch.total, refused=batch.refused)
    replayed = {"Idempotency-Replayed": "true"} if created.replayed else {}
    headers = {"Location": f"batches/{batch.id}", **replayed}
    return batch_response(202, wired.batch_view.of(batch), headers=headers)


@api.get("/batches")
def listed() -> Response[str]:
    """The caller's batches, newest first, a page at a time."""
    owner = owner_of(api.current_event)
    wanted = parse_batch_listing(query_of(api.current_event), owner)
    page = dependencies().batch_service.page(owner, wanted)
    logger.info("list of batches", owner=owner, batches=len(page.batches))
    cursor = cursor_after(page.last, owner, wanted) if page.last else None
    return json_response(200, Batches(batches=tuple(map(summary, page.batches)), next_cursor=given(cursor)))


@api.get("/batches/<batch_id>")
def read(batch_id: str) -> Response[str]:
    """The batch as it stands; Retry-After says when to read it again."""
    batch = dependencies().batch_service.find(owner_of(api.current_event), batch_id)
    logger.info("read a batch", batch=batch.id, let_in=batch.let_in)
    return batch_response(200, dependencies().batch_view.of(batch))


@api.get("/batches/<batch_id>/results")
def results(batch_id: str) -> Response[str]:
    """A page of lines as JSONL, in their order; `Link` leads to the next page."""
    batch = dependencies().batch_service.find(owner_of(api.current_event), batch_id)
    begin = parse_begin(query_of(api.current_event), total=batch.total)
    logger.info("results", batch=batch.id, begin=begin)
    return results_response(dependencies().batch_view.results(batch, begin=begin), batch, begin=begin)


@api.post("/batches/<batch_id>/cancel")
def cancel(batch_id: str) -> Response[str]:
    """202: no more lines are let in, and the jobs that are not over are canceled; `cost` has the money."""
    batch = dependencies().batch_service.cancel(owner_of(api.current_event), batch_id)
    logger.info("cancel a batch", batch=batch.id, undo=batch.undo)
    return batch_response(202, dependencies().batch_view.of(batch))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The Lambda entry point."""
    return api.resolve(event, context)
