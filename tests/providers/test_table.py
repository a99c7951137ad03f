"""The table of providers agrees with the adapters and checkups that its rows name."""

from __future__ import annotations

from pkgutil import resolve_name

import pytest
from longplay.domain.providers import ProviderEntry
from longplay.providers import PROVIDERS
from longplay.providers.findings import Question
from longplay.providers.loading import AdapterContext, Adapters
from longplay.providers.protocol import PolledProvider

ROWS = pytest.mark.parametrize("row", PROVIDERS.values(), ids=list(PROVIDERS))


@pytest.fixture
def adapters() -> Adapters:
    """The adapters of all rows, without tokens; nothing here opens the bucket."""
    context = AdapterContext(
        read_token=lambda _: None, forget_tokens=lambda: None, open_s3=pytest.fail, bucket_name="bucket"
    )
    return Adapters(PROVIDERS, context)


@ROWS
def test_an_adapter_is_polled_unless_its_row_holds_the_connection(row: ProviderEntry, adapters: Adapters) -> None:
    assert row.holds_connection is not isinstance(adapters[row.name], PolledProvider)


@ROWS
def test_a_provider_that_calls_back_is_polled_after_it(row: ProviderEntry) -> None:
    """A callback is only a hint to poll at once."""
    assert not (row.calls_back and row.holds_connection)


@ROWS
def test_a_provider_that_holds_its_polls_is_polled(row: ProviderEntry) -> None:
    """Its answer to a request is a reference, not the result."""
    assert not (row.holds_polls and row.holds_connection)


@ROWS
def test_a_checkup_asks_its_questions_in_their_order(row: ProviderEntry) -> None:
    questions = list(resolve_name(row.checkup))
    assert questions == [question for question in Question if question in questions]


def test_an_adapter_is_made_once(adapters: Adapters) -> None:
    assert adapters["fal"] is adapters["fal"]


def test_partners_share_what_was_read_from_the_hub(adapters: Adapters) -> None:
    mappings = {id(adapters[name]._router.mapping) for name in PROVIDERS if name.startswith("hf-")}  # type: ignore[attr-defined]
    assert len(mappings) == 1


def test_a_name_without_a_row_has_no_adapter(adapters: Adapters) -> None:
    assert adapters.get("unknown") is None
    assert set(adapters) == set(PROVIDERS)
