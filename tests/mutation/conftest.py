"""What the mutants run on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.harness.aws import ACCOUNT, make_account
from tests.mutation.bench import Bench, make_bench


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One table for all: every scenario has jobs of its own."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ACCOUNT.items():
            patch.setenv(name, value)
        yield make_bench(make_account().dynamodb)
