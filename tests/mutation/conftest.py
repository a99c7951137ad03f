"""The fixture that gives every scenario a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.harness.aws import ACCOUNT, make_account
from tests.mutation.storage import Storage, make_storage


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """The storage classes on one table for all scenarios; each scenario writes its own jobs."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ACCOUNT.items():
            patch.setenv(name, value)
        yield make_storage(make_account().dynamodb)
