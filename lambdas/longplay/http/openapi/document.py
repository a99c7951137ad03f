"""Assembles the description: components, and a path for each operation of the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from longplay.domain.catalogue import Catalogue
from longplay.domain.errors import Problem
from longplay.http import documents
from longplay.http.openapi.operations import OPERATIONS, Answer, Operation, Parameter
from longplay.http.openapi.requests import Schema, batch_request, generate_request, upload_request, webhook_test_request

VERSION = "0.2.0"  # of the product, as in pyproject.toml
_REF = "#/components/schemas/{name}"
_PROBLEM = "application/problem+json"
#: Answers of API Gateway itself, or of a function that AWS fails; each is a problem.
_ALWAYS = {
    403: "There is no valid key in the x-api-key header.",
    429: "Too many requests a second, or no room: see `code`.",
    503: "AWS fails, or new jobs are paused: see `code`. Repeat the request with the same Idempotency-Key.",
}
_JSONL = "application/jsonl"


def openapi(catalogue: Catalogue, *, longest_deadline: int) -> Schema:
    """The description of the API for this catalogue, as OpenAPI 3.1."""
    paths: dict[str, Schema] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.verb] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Longplay", "version": VERSION, "description": _ABOUT, "license": _LICENSE},
        "servers": [{"url": ".", "description": "This deployment."}],
        "security": [{"key": []}],
        "paths": paths,
        "webhooks": {"job": {"post": _webhook()}},
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
            "schemas": {
                **_schemas(),
                "GenerateRequest": generate_request(catalogue, longest_deadline=longest_deadline),
                "BatchRequest": batch_request(catalogue, longest_deadline=longest_deadline),
                "UploadRequest": upload_request(),
                "WebhookTestRequest": webhook_test_request(),
            },
        },
    }


_LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
_ABOUT = (
    "Music, images and video from a prompt. A request makes a job; the job is read until it is over, and then has "
    "links to its files. Every refusal is a problem document (RFC 9457) that says what it cost and what to do next."
)


def _schemas() -> Schema:
    types = {answer.document for operation in OPERATIONS for answer in operation.answers.values() if answer.document}
    ordered = [*sorted(types, key=lambda document: document.__name__), documents.Event, documents.Problem]
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    return components


def _webhook() -> Schema:
    """The request that a job's `webhook` receives."""
    headers = {"webhook-id": "The same for each repeat.", "webhook-timestamp": "Epoch seconds of this delivery."}
    headers["webhook-signature"] = "By Standard Webhooks, `v1,…`; several are separated by spaces."
    return {
        "operationId": "onJob",
        "summary": "Told when a job succeeds, fails, is canceled, or gets a late result.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": text}
            for name, text in headers.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=documents.Event.__name__)}}},
        },
        "responses": {"2XX": {"description": "Heard. Anything else is told again, for a day; 410 ends it."}},
        "security": [],
    }


def _operation(operation: Operation) -> Schema:
    described: Schema = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {**_answers(operation), **_problems(operation)},
    }
    if operation.body:
        content: Schema = {"application/json": {"schema": {"$ref": _REF.format(name=operation.body)}}}
        if operation.lines:
            content[_JSONL] = {"schema": {"type": "string"}}
        described["requestBody"] = {"required": operation.body_required, "content": content}
    return described if operation.needs_key else {**described, "security": []}


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "schema": parameter.schema,
        **({"description": parameter.description} if parameter.description else {}),
    }


def _answers(operation: Operation) -> Schema:
    return {str(status): _answer(answer, operation) for status, answer in operation.answers.items()}


def _answer(answer: Answer, operation: Operation) -> Schema:
    described: Schema = {"description": answer.description}
    if answer.headers:
        described["headers"] = {
            name: {"schema": {"type": "string"}, "description": text} for name, text in answer.headers.items()
        }
    if answer.document and answer.lines:
        described["content"] = {_JSONL: {"schema": _lines_of(answer.document)}}
    elif answer.document:
        described["content"] = {"application/json": {"schema": {"$ref": _REF.format(name=answer.document.__name__)}}}
    elif operation.id == "getOpenApi" and answer.description.startswith("OpenAPI"):
        described["content"] = {"application/json": {"schema": {"type": "object"}}}
    if operation.leads_to:
        described["links"] = {name: _link(name, what) for name, what in operation.leads_to.items()}
    return described


def _lines_of(document: type[msgspec.Struct]) -> Schema:
    """Text with such a document on each line (JSON Schema 2020-12, validation, section 8)."""
    return {
        "type": "string",
        "contentMediaType": _JSONL,
        "contentSchema": {"$ref": _REF.format(name=document.__name__)},
    }


def _link(operation: str, what: str) -> Schema:
    return {
        "operationId": operation,
        "parameters": {"id": "$response.body#/id"},
        "description": f"The id {what}.",
    }


def _problems(operation: Operation) -> Schema:
    by_status: dict[int, list[str]] = {}
    for problem in operation.problems:
        by_status.setdefault(problem.status, []).append(_named(problem))
    for status, text in _ALWAYS.items():
        if status != 403 or operation.needs_key:
            by_status.setdefault(status, []).append(text)
    return {str(status): _described(texts) for status, texts in sorted(by_status.items())}


def _named(problem: type[Problem]) -> str:
    return f"`{problem.code}`: {problem.title}."


def _described(texts: Iterable[str]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=documents.Problem.__name__)}
    return {"description": " ".join(texts), "content": {_PROBLEM: {"schema": schema}}}
