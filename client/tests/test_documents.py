"""The client's documents are those of the API: its description beside the client has every member that is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from longplay import documents

SCHEMAS = json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())["components"]["schemas"]
NAMES = {"Route": "ModelRoute"}
READ = [
    *(documents.Job, documents.Output, documents.Wait, documents.Cost, documents.JobError),
    *(documents.Model, documents.Parameter, documents.Route),
    *(documents.Batch, documents.BatchLine, documents.LineError),
]


@pytest.mark.parametrize("kind", READ)
def test_every_member_that_is_read_is_described(kind: type[msgspec.Struct]) -> None:
    """And one that the client cannot do without is never left out."""
    schema: dict[str, Any] = SCHEMAS[NAMES.get(kind.__name__, kind.__name__)]
    fields = [field for field in msgspec.structs.fields(kind) if field.name != "document"]
    assert {field.encode_name for field in fields} <= set(schema["properties"])
    assert {field.encode_name for field in fields if field.required} <= set(schema["required"])


def test_the_ends_of_a_job_are_known() -> None:
    """One that is not would be waited for until it expires."""
    assert set(SCHEMAS["Status"]["enum"]) == {"queued", "running", *documents.OVER}
    assert set(SCHEMAS["BatchStatus"]["enum"]) == {"running", "canceling", *documents.BATCH_OVER}
