"""How the properties are tried: the same examples on every run, without a clock on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from hypothesis import HealthCheck, settings

from tests.aws import ACCOUNT

settings.register_profile(
    "longplay",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("longplay")


@pytest.fixture(scope="module")
def lasting_clients() -> Iterator[None]:
    """Making an SDK client takes as long as a whole example; it remembers nothing that a new one would not."""
    made: dict[object, Any] = {}
    make = boto3.client

    def client(name: str, **options: Any) -> Any:
        kind = (name, *options)
        if kind not in made:
            made[kind] = make(name, **options)
        return made[kind]

    with patch.dict("os.environ", ACCOUNT), patch.object(boto3, "client", client):
        yield
