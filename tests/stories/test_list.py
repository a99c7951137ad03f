"""A caller lists its jobs: newest first, by pages, filtered, and never those of another owner."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec
import pytest
import time_machine
from botocore.client import BaseClient
from longplay.domain.listing import MOST_LISTED, parse_listing
from longplay.domain.models_file import load_catalogue
from longplay.http import documents
from longplay.http.listing import MOST_READ
from longplay.providers import PROVIDERS

from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.product import API_KEY, Product

BOB = "lp_bob_0123456789abcdef"


@pytest.fixture
def seven(product: Product, clock: time_machine.Traveller) -> list[str]:
    """The ids of seven jobs that alice submitted, the newest first."""
    return [*reversed([_submitted(product, clock, number) for number in range(7)])]


def _submitted(product: Product, clock: time_machine.Traveller, number: int, **more: Any) -> str:
    clock.shift(1)
    return str(product.submit({"prompt": f"a calm cello, take {number}", **more})["id"])


def _page(product: Product, query: str = "", *, key: str = API_KEY) -> dict[str, Any]:
    answer = product.get(f"/jobs?{query}", key=key)
    assert answer.status == 200, answer.body
    msgspec.json.decode(answer.body, type=documents.Jobs)
    return dict(answer.json)


def _ids(page: dict[str, Any]) -> list[str]:
    return [job["id"] for job in page["jobs"]]


def _all(product: Product, query: str) -> Iterator[list[str]]:
    page = _page(product, query)
    yield _ids(page)
    while "next_cursor" in page:
        page = _page(product, f"{query}&cursor={page['next_cursor']}")
        yield _ids(page)


def test_the_newest_comes_first(product: Product, seven: list[str]) -> None:
    """A list without parameters has all of a few jobs, newest first, and says that it is whole."""
    page = _page(product)
    assert (_ids(page), "next_cursor" in page) == (seven, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_pages_have_each_job_once(product: Product, seven: list[str], limit: int) -> None:
    """Pages of any size have every job once, in order, and the last one is not empty."""
    pages = [*_all(product, f"limit={limit}")]
    assert [*chain(*pages)] == seven
    assert all(pages)


@pytest.mark.parametrize(
    ("query", "selective"),
    [
        ({}, False),
        ({"limit": ["1"], "created_after": ["2026-11-01T00:00:00Z"]}, False),
        ({"kind": ["music"]}, True),
        ({"status": ["failed"]}, True),
        ({"model": ["sdxl"]}, True),
        ({"tag": ["song:7"]}, True),
    ],
)
def test_a_list_knows_whether_it_leaves_jobs_out(query: dict[str, list[str]], selective: bool) -> None:
    """Then it reads many at once; without a filter it reads as many as it shows."""
    assert parse_listing(query, "alice", load_catalogue(PROVIDERS)).selective is selective


def test_pages_stay_apart_while_jobs_come_and_go(
    product: Product, seven: list[str], clock: time_machine.Traveller
) -> None:
    """A job submitted between two pages, and one deleted, change nothing for the others."""
    first = _page(product, "limit=3")
    _submitted(product, clock, 99)
    product.post(f"/jobs/{seven[2]}/cancel")
    product.delete(f"/jobs/{seven[2]}")
    rest = _page(product, f"limit=100&cursor={first['next_cursor']}")
    assert _ids(first) + _ids(rest) == seven


def test_a_job_in_a_list_is_the_job_itself(product: Product, seven: list[str]) -> None:
    """A list shows each job as GET /jobs/{id} does: waiting with its reason, and finished with its files."""
    product.deliver()
    for job in _page(product)["jobs"]:
        alone = product.job(job["id"])
        for document in (job, alone):
            for output in document["outputs"]:
                del output["url"]
        assert job == alone


def test_filters_apply_together(product: Product, clock: time_machine.Traveller, model_server: ModelServer) -> None:
    """Jobs are listed by status, kind, model or alias, and tags; all filters must apply."""
    done = _submitted(product, clock, 1, tags={"song": "7", "take": "1"})
    product.deliver()
    waiting = _submitted(product, clock, 2, tags={"song": "7"})
    image = _submitted(product, clock, 3, kind="image", tags={"song": "8"})
    canceled = _submitted(product, clock, 4)
    product.post(f"/jobs/{canceled}/cancel")
    model = product.job(image)["model"]
    expected = {
        "status=succeeded": [done],
        "status=queued": [image, waiting],
        "status=queued&status=canceled": [canceled, image, waiting],
        "kind=image": [image],
        f"model={model.upper()}": [image],
        "model=no-longer-offered": [],
        "tag=song:7": [waiting, done],
        "tag=song:7&tag=take:1": [done],
        "tag=song:7&status=queued": [waiting],
        "tag=song:9": [],
    }
    assert {query: [*chain(*_all(product, f"{query}&limit=1"))] for query in expected} == expected


def test_a_window_has_the_jobs_of_its_time(product: Product, seven: list[str]) -> None:
    """`created_after` includes its time and `created_before` does not, so windows side by side share no job."""
    times = [product.job(job)["created_at"] for job in seven]
    newer, older = (_ids(_page(product, f"{bound}={times[3]}")) for bound in ("created_after", "created_before"))
    assert newer + older == seven
    assert _ids(_page(product, f"created_after={times[5]}&created_before={times[2]}")) == seven[3:6]


def test_foreign_jobs_are_not_listed(product: Product, seven: list[str]) -> None:
    """Another owner's list is empty, and alice's cursor is refused there."""
    cursor = _page(product, "limit=2")["next_cursor"]
    assert _page(product, key=BOB) == {"jobs": []}
    refused = product.get(f"/jobs?limit=2&cursor={cursor}", key=BOB)
    assert (refused.status, refused.json["field"]) == (400, "cursor")
    assert seven


def test_an_expired_job_is_not_listed(product: Product, seven: list[str], clock: time_machine.Traveller) -> None:
    """A job that GET /jobs/{id} answers with 410 is in no list."""
    clock.shift(40 * 24 * 3600)
    assert product.get(f"/jobs/{seven[0]}").status == 410
    assert _page(product) == {"jobs": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=٣", "limit"),
        ("limit=1e1", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=done", "status"),
        ("status=", "status"),
        ("kind=sound", "kind"),
        ("model=a&model=b", "model"),
        ("tag=song", "tag"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2026-11-25T10:00:00", "created_before"),
        ("created_before=2026-11-25T10:00:00+01:00", "created_before"),
        ("created_after=2026-11-25T10:00:00Z&created_before=2026-11-24T10:00:00Z", "created_after"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=é", "cursor"),
        ("cursor=W10", "cursor"),
        ("page=2", "page"),
    ],
)
def test_a_wrong_query_is_refused_by_name(product: Product, query: str, field: str) -> None:
    """400 names the parameter that is wrong or unknown."""
    refused = product.get(f"/jobs?{query}")
    assert (refused.status, refused.json["code"], refused.json["field"]) == (400, "invalid_request", field)
    assert f"`{field}`" in refused.json["detail"]


def test_a_cursor_belongs_to_its_filters(product: Product, seven: list[str]) -> None:
    """A cursor is refused with other filters, and taken with another limit."""
    cursor = _page(product, "limit=2")["next_cursor"]
    assert product.get(f"/jobs?limit=2&kind=music&cursor={cursor}").status == 400
    assert _ids(_page(product, f"limit=5&cursor={cursor}")) == seven[2:]


@pytest.mark.parametrize("place", [[1e300, "a" * 26], [1e-300, "a" * 26], [2e9, "job#x"], [-1, "a" * 26], "x"])
def test_a_made_up_cursor_is_refused(product: Product, place: object) -> None:
    """A cursor that no list has given is refused, also where its numbers are out of range."""
    cursor = base64.urlsafe_b64encode(json.dumps([place, "0" * 16]).encode()).decode()
    assert product.get(f"/jobs?cursor={cursor}").status == 400


def test_a_rare_job_is_found_by_further_pages(product: Product, clock: time_machine.Traveller) -> None:
    """One request looks through a thousand jobs; its cursor leads on to a job that lies behind them."""
    rare = _submitted(product, clock, 0, tags={"rare": "yes"})
    _add_many(product, _submitted(product, clock, 1), MOST_READ)
    assert [*_all(product, "tag=rare:yes&limit=1")] == [[], [rare]]


def _add_many(product: Product, job_id: str, number: int) -> None:
    """Puts copies of a job into the table."""
    item = product.aws.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": f"job#{job_id}"}})["Item"]
    for n in range(number):
        copy = f"{n:026}".translate(str.maketrans("0189", "abcd"))
        product.aws.dynamodb.put_item(TableName=TABLE, Item={**item, "pk": {"S": f"job#{copy}"}, "id": {"S": copy}})


def test_the_largest_page_fits_an_answer(product: Product, clock: time_machine.Traveller) -> None:
    """A page of a hundred jobs with the longest texts is under the 6 MB that a function may answer."""
    tags = {"🎷" * 98 + f"{n:02}": "🎷" * 100 for n in range(16)}
    job = _submitted(product, clock, 0, prompt="🎷" * 2000, kind="image", tags=tags, negative_prompt="🎷" * 1000)
    product.deliver()
    _add_many(product, job, MOST_LISTED)
    answer = product.get(f"/jobs?limit={MOST_LISTED}")
    assert len(answer.json["jobs"]) == MOST_LISTED
    assert 2_000_000 < len(answer.body.encode()) < 5_000_000


def test_a_read_that_gives_part_of_the_jobs_is_continued(
    product: Product, seven: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB may give a part of a batch, or none of it at first: the list is whole all the same."""
    _limit_batches(monkeypatch, [0, 1, 0, 2, 4])
    assert _ids(_page(product)) == seven


def _limit_batches(monkeypatch: pytest.MonkeyPatch, sizes: list[int]) -> None:
    """Lets the next reads of several items give only so many."""
    client_type: Any = BaseClient
    whole = client_type._make_api_call

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "BatchGetItem" or not sizes:
            return whole(client, operation, parameters)
        (table, asked), most = next(iter(parameters["RequestItems"].items())), sizes.pop(0)
        given, left = asked["Keys"][:most], asked["Keys"][most:]
        answer = (
            whole(client, operation, {"RequestItems": {table: {**asked, "Keys": given}}})
            if given
            else {"Responses": {}}
        )
        return {**answer, "UnprocessedKeys": {table: {**asked, "Keys": left}} if left else {}}

    monkeypatch.setattr(client_type, "_make_api_call", call)
