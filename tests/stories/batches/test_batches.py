"""A caller sends many requests at once, sees how they stand, collects the results, or cancels the rest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import time_machine
from longplay.domain.batches import MOST_OPEN
from longplay.storage.switch import KEY, SECONDS_KEPT

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET, TABLE
from tests.harness.images import data_uri, encoded_image
from tests.harness.product import Product
from tests.stories.batches.sent import LINE, cancel, counts, jsonl, lines, read, results, send, until_over

BOB = "lp_bob_0123456789abcdef"
Deploy = Callable[..., Product]
Clock = time_machine.Traveller


def _stored(product: Product, prefix: str) -> list[str]:
    found = product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [entry["Key"] for entry in found]


def _move_to_noon(clock: Clock) -> None:
    """The next noon (UTC), far from the midnight at which daily caps begin again."""
    clock.shift((43_200 - time.time()) % 86_400)


@pytest.mark.parametrize("form", [list, jsonl])
def test_every_line_becomes_a_job_and_has_a_result(product: Product, clock: Clock, form: Callable[[Any], Any]) -> None:
    """An array and JSONL alike; results come in the order of the lines, with the ids that the caller gave them."""
    asked = [{**line, "custom_id": f"song-{number}"} for number, line in enumerate(lines(60))]
    batch = send(product, form(asked))
    assert (batch["status"], batch["total"], counts(batch)) == ("running", 60, {"waiting": 60})
    assert batch["cost"]["possible_usd"] > 0
    over = until_over(product, clock, batch)
    assert (over["status"], counts(over), "wait" in over) == ("ended", {"succeeded": 60}, False)
    assert over["cost"]["charged_usd"] == over["cost"]["possible_usd"] > 0
    found = results(product, batch)
    assert [line["custom_id"] for line in found] == [line["custom_id"] for line in asked]
    assert [line["job"]["prompt"] for line in found] == [line["prompt"] for line in asked]
    assert all(line["job"]["outputs"][0]["link"] and "url" not in line["job"]["outputs"][0] for line in found)


def test_results_come_a_hundred_lines_a_page(product: Product) -> None:
    """In order, each page with the link to the next, before any line is a job too."""
    batch = send(product, lines(250))
    sizes = [product.get(f"/batches/{batch['id']}/results?from={begin}").body.count("\n") for begin in (0, 100, 200)]
    assert sizes == [100, 100, 50]
    found = results(product, batch)
    assert [line["line"] for line in found] == [*range(250)]
    assert {line["status"] for line in found} == {"waiting"}


def test_a_job_says_which_batch_it_is_of(product: Product) -> None:
    """And lists can be filtered by it."""
    product.submit({"prompt": "alone", **LINE})
    batch = send(product, [{**line, "custom_id": "x"} for line in lines(1)])
    product.deliver()
    [job] = product.get(f"/jobs?batch={batch['id']}").json["jobs"]
    assert (job["batch"], job["custom_id"], job["prompt"]) == (batch["id"], "x", lines(1)[0]["prompt"])


def test_a_batch_waits_where_a_job_would_be_refused(product_with: Deploy, clock: Clock) -> None:
    """The line is too long for most lines at first; each waits for its turn, and none is refused."""
    product = product_with(limits={"*": {"windows": [[2, 60]]}}, horizon=120, cache="off")
    batch = send(product, lines(12))
    reasons: set[str] = set()

    def look(seen: dict[str, Any]) -> None:
        reasons.add(seen["wait"]["reason"] if "wait" in seen else "")

    over = until_over(product, clock, batch, step=5, each=look)
    assert counts(over) == {"succeeded": 12}
    assert "line_too_long" in reasons


def test_a_batch_leaves_others_room_in_line(product_with: Deploy, clock: Clock) -> None:
    """While it waits, another caller's job is let in and starts within the time that a batch looks ahead."""
    product = product_with(limits={"*": {"windows": [[1, 60]]}}, cache="off")
    batch = send(product, lines(40))
    for _ in range(20):
        product.deliver()
        clock.shift(5)
    job = product.post("/generate", {"prompt": "mine now", **LINE}, key=BOB)
    assert job.status == 202
    assert job.json["wait"]["eta_seconds"] < 240
    assert read(product, batch)["counts"]["waiting"] > 30


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        ({"open_jobs": 2}, "too_many_open_jobs"),
        ({"jobs": 4}, "over_daily_budget"),
        ({"usd": 0.03}, "over_daily_budget"),
    ],
)
def test_a_batch_waits_for_a_cap(product_with: Deploy, clock: Clock, caps: dict[str, float], reason: str) -> None:
    """Until a job ends, or until midnight."""
    _move_to_noon(clock)
    product = product_with(owner_caps=caps, cache="off")
    batch, reasons = send(product, lines(8, max_charges=1)), set[str]()

    def look(seen: dict[str, Any]) -> None:
        reasons.add(seen["wait"]["reason"] if "wait" in seen else "")
        product.sweep()

    over = until_over(product, clock, batch, step=5 if "open_jobs" in caps else 900, each=look)
    assert counts(over) == {"succeeded": 8}
    assert reason in reasons


def test_a_line_that_no_cap_ever_admits_is_refused_at_once(product_with: Deploy) -> None:
    """A wait would never end."""
    product = product_with(owner_caps={"usd": 0.001})
    answer = product.post("/batches", lines(1))
    assert answer.status == 400
    assert [error["code"] for error in answer.json["errors"]] == ["exceeds_budget"]


def test_lines_that_are_not_let_in_by_the_deadline_expire(product_with: Deploy, clock: Clock) -> None:
    """Uncharged; the batch says before that they will, and how many."""
    product = product_with(limits={"*": {"windows": [[1, 60]]}}, cache="off")
    batch, told = send(product, lines(20), "?deadline_seconds=600"), list[str]()

    def look(seen: dict[str, Any]) -> None:
        told.append(seen.get("wait", {}).get("basis", ""))

    over = until_over(product, clock, batch, step=5, each=look)
    found = counts(over)
    assert found["succeeded"] + found["expired"] == 20
    assert 8 <= found["expired"] <= 10
    assert f"About {found['expired']} of the lines that wait will expire, uncharged" in " ".join(told[3:12])
    assert over["cost"]["charged_usd"] == over["cost"]["possible_usd"]
    assert [line["status"] for line in results(product, batch)][-1] == "expired"


def test_a_canceled_batch_says_the_money(product_with: Deploy, clock: Clock) -> None:
    """No more lines are let in, jobs that wait are canceled, and what is paid for is kept and told."""
    product = product_with(limits={"*": {"windows": [[1, 30]]}}, cache="off")
    batch = send(product, lines(30))
    for _ in range(8):
        product.deliver()
        clock.shift(5)
    before = read(product, batch)
    canceled = cancel(product, batch)
    assert canceled["status"] == "canceling"
    assert canceled["cost"]["charged_usd"] == before["cost"]["charged_usd"] > 0
    assert canceled["cost"]["possible_usd"] < before["cost"]["possible_usd"]
    over = until_over(product, clock, batch)
    assert (over["status"], sum(counts(over).values())) == ("canceled", 30)
    assert set(counts(over)) == {"succeeded", "canceled"}
    assert counts(over)["succeeded"] == round(over["cost"]["charged_usd"] / before["cost"]["charged_usd"]) * 2
    assert cancel(product, batch) == read(product, batch) == over
    assert {line["status"] for line in results(product, batch)} == {"succeeded", "canceled"}


def test_a_batch_that_has_ended_can_be_canceled(product: Product, clock: Clock) -> None:
    """Nothing changes but its name for it: its jobs have ended."""
    batch = send(product, lines(2))
    until_over(product, clock, batch)
    cancel(product, batch)
    assert counts(until_over(product, clock, batch)) == {"succeeded": 2}


def test_a_batch_that_is_sent_twice_is_made_once(product: Product, clock: Clock, model_server: ModelServer) -> None:
    """The same Idempotency-Key makes one batch, also while the operator has paused new jobs."""
    first = product.post("/batches", lines(3), Idempotency_Key="monday")
    again = product.post("/batches", lines(3), Idempotency_Key="monday")
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    other = product.post("/batches", lines(4), Idempotency_Key="monday")
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    until_over(product, clock, first.json)
    assert len(model_server.requests) == 3


def test_a_message_that_another_has_replaced_does_nothing(product: Product, clock: Clock) -> None:
    """So that a batch whose messages come late or twice is not moved by two chains of them."""
    batch = send(product, lines(60))
    [stale] = [message["Body"] for message in product.messages()]
    product.deliver()
    before = read(product, batch)["let_in"]
    product.hand_over(stale)
    assert read(product, batch)["let_in"] == before == 25
    assert sum('"batch"' in message["Body"] for message in product.messages()) == 1


def test_a_lost_message_is_sent_by_the_sweeper(product: Product, clock: Clock) -> None:
    """A minute later."""
    batch = send(product, lines(2))
    for message in product.messages():
        product.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])
    clock.shift(61)
    product.sweep()
    assert counts(until_over(product, clock, batch)) == {"succeeded": 2}


def test_a_foreign_batch_answers_as_an_unknown_one(product: Product) -> None:
    """On every route."""
    batch = send(product, lines(1))["id"]
    for foreign, unknown in [(f"/batches/{batch}{path}", f"/batches/{'a' * 26}{path}") for path in ("", "/results")]:
        theirs, nobodys = product.get(foreign, key=BOB), product.get(unknown, key=BOB)
        assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
        assert theirs.json["code"] == "batch_not_found"
    theirs, nobodys = (product.post(f"/batches/{each}/cancel", key=BOB) for each in (batch, "a" * 26))
    assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
    assert product.get("/batches", key=BOB).json["batches"] == []
    assert product.get(f"/jobs?batch={batch}", key=BOB).json["jobs"] == []


def test_batches_are_listed_newest_first(product: Product, clock: Clock) -> None:
    """A page at a time, and not among the jobs."""
    sent = []
    for _ in range(5):
        sent.append(send(product, lines(1))["id"])
        clock.shift(1)
    found, query = list[str](), "limit=2"
    while query:
        page = product.get(f"/batches?{query}").json
        found += [batch["id"] for batch in page["batches"]]
        query = f"limit=2&cursor={page['next_cursor']}" if "next_cursor" in page else ""
    assert found == sent[::-1]
    assert product.get("/jobs").json["jobs"] == []


def test_an_owner_has_so_many_open_batches(product: Product, clock: Clock) -> None:
    """The next one is taken when one of them has ended."""
    sent = []
    for _ in range(MOST_OPEN):
        sent.append(send(product, lines(1)))
        clock.shift(0.1)
    refused = product.post("/batches", lines(1))
    assert (refused.status, refused.json["code"], "Retry-After" in refused.headers) == (
        429,
        "too_many_open_batches",
        True,
    )
    assert product.post("/batches", lines(1), key=BOB).status == 202
    cancel(product, sent[0])
    assert product.post("/batches", lines(1)).status == 202


def test_a_pause_lets_no_lines_in(product: Product, clock: Clock) -> None:
    """A new batch is refused, and one under way waits."""
    batch = send(product, lines(2))
    pause = {"pk": {"S": KEY}, "paused_until": {"N": str(time.time() + 600)}}
    product.aws.dynamodb.put_item(TableName=TABLE, Item=pause)
    clock.shift(SECONDS_KEPT)
    product.deliver()
    assert product.post("/batches", lines(1)).json["code"] == "paused"
    assert read(product, batch)["wait"]["reason"] == "paused"
    product.aws.dynamodb.delete_item(TableName=TABLE, Key={"pk": pause["pk"]})
    assert counts(until_over(product, clock, batch, step=10)) == {"succeeded": 2}


def test_images_are_kept_for_the_lines_that_wait(product: Product, clock: Clock) -> None:
    """A data URI, and an upload that is gone when it is the line's turn."""
    upload = product.post("/uploads").json
    requests.post(upload["url"], data=upload["fields"], files={"file": encoded_image("JPEG")}, timeout=30)
    image = data_uri(encoded_image("PNG"))
    batch = send(product, [{"model": "svd", "image": each} for each in (image, upload["image"], image)])
    [key] = _stored(product, "uploads/")
    product.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    assert counts(until_over(product, clock, batch)) == {"succeeded": 3}
    assert _stored(product, f"inputs/{batch['id']}") == []


def test_what_was_asked_is_kept_no_longer_than_it_waits(product: Product, clock: Clock) -> None:
    """Once a line is a job, its prompt is in the job alone, and is erased with it."""
    batch = send(product, [{**line, "custom_id": f"id-{n}"} for n, line in enumerate(lines(30))])
    until_over(product, clock, batch)
    texts = [product.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in _stored(product, "batches/")]
    assert texts
    assert not any(b"cello" in text for text in texts)
    job = results(product, batch)[7]["job"]["id"]
    assert product.delete(f"/jobs/{job}").status == 204
    assert "cello" not in json.dumps(results(product, batch)[7])
    assert counts(read(product, batch)) == {"succeeded": 30}


def test_a_line_whose_model_is_gone_is_refused_and_the_others_go_on(
    product_with: Deploy, clock: Clock, model_server: ModelServer
) -> None:
    """The operator has taken its server away since; the line costs nothing and says why."""
    product = product_with()
    batch = send(product, [*lines(1), {"prompt": "a lake", "model": "flux-schnell"}, *lines(1)])
    product = product_with(servers={"musicgen-small": f"{model_server.url}/models/{{model}}"})
    over = until_over(product, clock, batch)
    assert counts(over) == {"succeeded": 2, "refused": 1}
    [_, gone, _] = results(product, batch)
    assert (gone["status"], gone["error"]["code"], gone["error"]["charged"]) == ("refused", "model_unavailable", "no")


@pytest.mark.parametrize(
    "settings",
    [
        {"limits": {"*": {"windows": [[3, 60]]}}},
        {"owner_caps": {"open_jobs": 1}},
        {"deployment_caps": {"open_jobs": 2}},
    ],
)
def test_the_eta_of_a_batch_is_honest(product_with: Deploy, clock: Clock, settings: dict[str, Any]) -> None:
    """Nine of ten looks tell the time that is left within a factor of two, or half a minute."""
    product = product_with(**settings, cache="off")
    batch, told = send(product, lines(20)), list[tuple[float, float]]()

    def look(seen: dict[str, Any]) -> None:
        told.append((time.time(), seen.get("wait", {}).get("eta_seconds", 0.0)))

    until_over(product, clock, batch, step=5, each=look)
    end = told[-1][0]
    good = [(end - at) / 2 - 30 <= eta <= 2 * (end - at) + 30 for at, eta in told]
    assert sum(good) >= 0.9 * len(good), [(round(end - at), round(eta)) for at, eta in told]


def test_a_batch_that_waits_for_midnight_says_so(product_with: Deploy, clock: Clock) -> None:
    """Its ETA is then, and a batch whose deadline comes before has no hope for the lines that wait."""
    _move_to_noon(clock)
    midnight = 43_200
    product = product_with(owner_caps={"jobs": 2}, cache="off")
    batch = send(product, lines(5), "?deadline_seconds=86400")
    product.deliver()
    clock.shift(1)
    assert read(product, batch)["wait"]["eta_seconds"] == pytest.approx(midnight, abs=120)
    product = product_with(owner_caps={"jobs": 2}, cache="off")
    hopeless = send(product, lines(5), "?deadline_seconds=30")
    product.deliver()
    assert "About 5 of the lines that wait will expire" in read(product, hopeless)["wait"]["basis"]
