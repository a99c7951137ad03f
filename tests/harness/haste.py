"""What tests that live thousands of lives in one process spare themselves, none of which a life could notice."""

from __future__ import annotations

import gc
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import FunctionType
from typing import Any, TypeVar
from unittest.mock import patch

import boto3
import pytest
from moto.core.serialize import ResponseSerializer

from tests.harness.aws import ACCOUNT

ROOM = 20_000  # words, ten times what CPython 3.11 takes from the system at once for the frames of calls

Result = TypeVar("Result")


def with_room(act: Callable[[], Result]) -> Result:
    """Do it with room for the frames of all its calls.

    CPython gives back each 16 KB of them as soon as they are empty, so a busy call that happens to lie across a
    boundary asks the system for memory each time: up to a quarter of a run. A frame that wants far more at once gets it
    in one piece, with all the frames above it.
    """
    roomy = FunctionType(_act.__code__.replace(co_stacksize=ROOM), {})
    return roomy(act)  # type: ignore[no-any-return]


def _act(act: Callable[[], Result]) -> Result:
    return act()


@pytest.fixture(scope="module")
def haste() -> Iterator[None]:
    """Nearly half of the time of a life on moto."""
    with (
        patch.dict("os.environ", ACCOUNT),
        _lasting_clients(),
        _typed_answers(),
        _one_reading(),
        _no_garbage_collection(),
    ):
        yield


@contextmanager
def _lasting_clients() -> Iterator[None]:
    """Making an SDK client takes as long as a whole life; it remembers nothing that a new one would not.

    Ours are told apart by what they are for, and by whether they are tuned; nobody tunes two of a kind differently.
    """
    make, made = boto3.client, {}

    def client(name: str, **options: Any) -> Any:
        kind = (name, options.get("endpoint_url"), *options)
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
def _one_reading() -> Iterator[None]:
    """The catalogue is the same text for every process of every life, and whoever reads it changes nothing in it."""
    with patch.object(tomllib, "loads", cache(tomllib.loads)):
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
