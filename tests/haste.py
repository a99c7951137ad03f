"""What tests that live thousands of lives in one process spare themselves, none of which a life could notice."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto.core.serialize import ResponseSerializer

from tests.aws import ACCOUNT


@pytest.fixture(scope="module")
def haste() -> Iterator[None]:
    """Nearly half of the time of a life on moto."""
    with patch.dict("os.environ", ACCOUNT), _lasting_clients(), _typed_answers(), _no_garbage_collection():
        yield


@contextmanager
def _lasting_clients() -> Iterator[None]:
    """Making an SDK client takes as long as a whole life; it remembers nothing that a new one would not."""
    make, made = boto3.client, {}

    def client(name: str, **options: Any) -> Any:
        kind = (name, *options)
        if kind not in made:
            made[kind] = make(name, **options)
        return made[kind]

    with patch.object(boto3, "client", client):
        yield


@contextmanager
def _typed_answers() -> Iterator[None]:
    """Moto looks for each member of an answer by every name it might have; in DynamoDB's it has but one."""
    search = ResponseSerializer.get_value

    def get_value(serializer: Any, value: Any, key: str, shape: Any) -> Any:
        typed = isinstance(value, dict) and serializer.operation_model.service_model.service_name == "dynamodb"
        return value.get(key) if typed else search(serializer, value, key, shape)

    with patch.object(ResponseSerializer, "get_value", get_value):
        yield


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """It walks through all that moto and botocore have loaded, again and again; what a life leaves is little."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
