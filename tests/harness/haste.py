"""Makes tests faster that start the product thousands of times in one process; the product behaves the same."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import TypeVar
from unittest.mock import patch

import pytest

from tests.harness.aws import ACCOUNT
from tests.harness.fast_aws import fast_aws

ROOM = 20_000  # words, ten times what CPython 3.11 takes from the system at once for the frames of calls

Result = TypeVar("Result")


def with_room(act: Callable[[], Result]) -> Result:
    """Do it with room for the frames of all its calls.

    CPython gives each 16 KB of frames back as soon as they are empty, and a busy call that lies across such a boundary
    asks the system for memory each time: up to a quarter of a run. A frame that needs far more at once gets one large
    piece, and all the frames above it fit into it.
    """
    roomy = FunctionType(_act.__code__.replace(co_stacksize=ROOM), {})
    return roomy(act)  # type: ignore[no-any-return]


def _act(act: Callable[[], Result]) -> Result:
    return act()


@pytest.fixture(scope="module")
def haste() -> Iterator[None]:
    """Half of the time of a test on moto."""
    with hasty():
        yield


@contextmanager
def hasty() -> Iterator[None]:
    """The same for a program that is no test."""
    with patch.dict("os.environ", ACCOUNT), fast_aws(), _no_garbage_collection():
        yield


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A collection walks through everything that moto and botocore have loaded; a test leaves little."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
