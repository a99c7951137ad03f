"""Jobs on days when AWS answers with errors, and providers say odd things."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
import wiring
from longplay.domain.job import MOST_CRASHES
from longplay.media import description
from longplay.storage.queue import read_message

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import BUCKET, TABLE, Aws
from tests.harness.aws_faults import AwsFault, aws_answers
from tests.harness.product import Product
from tests.stories.actions import Killed, run, sweep_for

TRACK = {"prompt": "calm acoustic guitar", "duration": 2}


@pytest.fixture(autouse=True)
def sleeping_moves_the_clock(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product never sleeps in real time."""
    monkeypatch.setattr(time, "sleep", clock.shift)


def _s3() -> Any:
    return wiring.dependencies()._bucket._client


def _dynamodb() -> Any:
    return wiring.dependencies()._table._client


def _charges(job: dict[str, Any]) -> list[tuple[str, str]]:
    return [(attempt["outcome"], attempt["charged"]) for attempt in job["attempts"]]


def test_a_result_is_stored_although_the_bucket_is_busy_for_a_minute(
    product: Product, model_server: ModelServer
) -> None:
    """The worker goes on trying for as long as its invocation lasts; the provider is asked once."""
    job = product.submit(TRACK)
    with aws_answers(_s3(), "PutObject", AwsFault("SlowDown", 503, times=20)) as fault:
        product.deliver()
    assert len(fault.met) == 20
    assert (product.job(job["id"])["status"], model_server.generations) == ("succeeded", 1)


def test_a_result_that_cannot_be_stored_is_lost_and_the_ledger_says_so(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """The job fails with the charge, and is not made again beyond `max_charges`. The operator reads why in the log."""
    job = product.submit({**TRACK, "max_charges": 1})
    with aws_answers(_s3(), "PutObject", AwsFault("AccessDenied", 403)):
        product.deliver()
    sweep_for(product, clock, 10)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "not_stored", "yes")
    assert "could not be stored. It was charged." in failed["error"]["message"]
    assert "PutObject: AccessDenied" in caplog.text
    assert (_charges(failed), model_server.generations) == ([("not_stored", "yes")], 1)


def test_an_error_before_the_call_costs_no_charge(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The line of starts cannot be read: the call is taken back, and made ten seconds later."""
    product = product_with(limits={"*": {"windows": [[10, 1]]}}, cache="off")
    job = product.submit({**TRACK, "max_charges": 1})
    with aws_answers(_dynamodb(), "GetItem", AwsFault("ProvisionedThroughputExceededException")):
        product.deliver()
    waiting = product.job(job["id"])
    assert (waiting["status"], waiting["wait"]["reason"], waiting["attempts"]) == ("queued", "service_busy", [])
    assert "Nothing was sent" in waiting["wait"]["basis"]
    run(product, clock, 15)
    assert (product.job(job["id"])["status"], model_server.generations) == ("succeeded", 1)


def test_a_message_that_cannot_be_sent_is_left_to_the_sweeper(product: Product, clock: time_machine.Traveller) -> None:
    """The job is there, so the caller gets 202."""
    queue: Any = wiring.dependencies()._queue
    with aws_answers(queue._client, "SendMessage", AwsFault("RequestThrottled")):
        job = product.submit(TRACK)
    sweep_for(product, clock, 3)
    assert product.job(job["id"])["status"] == "succeeded"


def test_a_table_that_does_not_answer_is_a_503_with_a_time(product: Product) -> None:
    """The caller can send the request again with the same key."""
    with aws_answers(_dynamodb(), "TransactWriteItems", AwsFault("ThrottlingException")):
        answer = product.post("/generate", TRACK)
    assert (answer.status, answer.json["code"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_an_adapter_that_raises_fails_the_job_and_not_its_worker(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader of media with a fault: the provider is not asked again."""
    monkeypatch.setattr(description, "examine", _broken)
    job = product.submit(TRACK)
    run(product, clock, 60)
    failed = product.job(job["id"])
    assert (failed["status"], _charges(failed)) == ("failed", [("bad_output", "unknown")])
    assert model_server.generations == 1


def test_each_kind_of_failure_has_its_own_tries(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Three times loading, then a server error: the error is repeated like a first one."""
    model_server.fault("loading", times=3)
    model_server.fault("server_error", times=1)
    job = product.submit({**TRACK, "max_charges": 3})
    run(product, clock, 900)
    assert product.job(job["id"])["status"] == "succeeded"


def test_a_retry_after_of_nothing_is_honored_once(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A provider that says 0 seconds each time gets a handful of calls a minute, not hundreds."""
    model_server.fault("throttled", retry_after=0)
    product.submit(TRACK)
    for _ in range(60):
        product.deliver()
        clock.shift(1)
    assert len(model_server.requests) <= 5


def test_an_older_job_does_not_take_the_cache_from_a_fresh_one(product: Product, model_server: ModelServer) -> None:
    """`fresh: true` replaced the entry while the older job was being generated."""
    older = product.submit(TRACK)
    fresh = product.submit({**TRACK, "fresh": True})
    messages = {read_message(message["Body"]).job: message["Body"] for message in product.messages()}
    for job in (fresh, older):
        product.hand_over(messages[job["id"]])
    entries = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    assert [entry["leader"]["S"] for entry in entries if entry["pk"]["S"].startswith("cache#")] == [fresh["id"]]


@pytest.mark.parametrize("operation", ["ListObjectsV2", "DeleteObject"])
def test_files_that_s3_does_not_erase_are_erased_later(
    product: Product, clock: time_machine.Traveller, operation: str
) -> None:
    """The caller is told so and may stay away: the sweeper goes on, also after it was refused itself."""
    job = product.submit(TRACK)
    product.deliver()
    with aws_answers(_s3(), operation, AwsFault("SlowDown", 503)):
        answer = product.delete(f"/jobs/{job['id']}")
        clock.shift(61)
        with pytest.raises(ExceptionGroup):
            product.sweep()
    assert (answer.status, answer.json["code"]) == (503, "temporarily_unavailable")
    assert "prompt erased" in answer.json["detail"]
    assert (product.get(f"/jobs/{job['id']}").status, product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]) == (
        410,
        1,
    )
    sweep_for(product, clock, 3)
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert _due(product) == []


def test_a_repeated_delete_erases_what_is_left(product: Product) -> None:
    """The first one was refused by S3."""
    job = product.submit(TRACK)
    product.deliver()
    with aws_answers(_s3(), "DeleteObject", AwsFault("SlowDown", 503)):
        assert product.delete(f"/jobs/{job['id']}").status == 503
    assert product.delete(f"/jobs/{job['id']}").status == 204
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert _due(product) == []


def _due(product: Product) -> list[Any]:
    """The jobs in the index of open jobs."""
    return [item for item in product.aws.dynamodb.scan(TableName=TABLE)["Items"] if "open" in item]


@pytest.mark.parametrize("path", ["/jobs/{}", "/callbacks/replicate/{}/1?t=x"])
def test_an_id_that_is_too_long_for_a_key_is_unknown(product: Product, path: str) -> None:
    """The table is not asked: it would refuse the key."""
    path = path.format("a" * 3_000)
    answer = product.get(path) if path.startswith("/jobs") else product.call_back(path, b"{}")
    assert answer.status == 404


def test_a_job_whose_every_poll_kills_its_worker_ends_soon_after_its_deadline(
    product_with: Callable[..., Product], aws: Aws, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is polled less and less often, and fails as overdue, with an unknown charge."""
    with ReplicateServer(quick=True, polls=1) as replicate:
        product = product_with(servers={"replicate": replicate.url})
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"replicate": "r8_token"}')
        job = product.submit({**TRACK, "model": "musicgen-large", "deadline_seconds": 6 * 3_600})
        product.deliver()
        monkeypatch.setattr(description, "examine", _kill)
        polls = 0
        for _ in range(6 * 60 + 90):
            clock.shift(60)
            product.sweep()
            polls += _deliver_to_their_death(product)
        failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "deadline_passed")
    assert _charges(failed) == [("crashed", "unknown")]
    assert MOST_CRASHES < polls < 40


def _deliver_to_their_death(product: Product) -> int:
    try:
        product.deliver()
    except Killed:
        return 1
    return 0


def _broken(*_: Any, **_more: Any) -> Any:
    raise RuntimeError("a reader with a fault")


def _kill(*_: Any) -> Any:
    raise Killed


def test_a_job_goes_on_by_another_route_although_the_table_is_busy(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Whether the other route is open cannot be read just then: the job tries it rather than fail."""
    url = f"{model_server.url}/hf-inference/models/{{model}}"
    product = product_with(servers={"musicgen-small": url, "router": url}, cache="off")
    model_server.fault("gone", times=1)
    job = product.submit(TRACK)
    clock.shift(400)  # nothing that was read at the submission is remembered any more
    with aws_answers(_dynamodb(), "GetItem", AwsFault("ProvisionedThroughputExceededException")):
        product.deliver()
    run(product, clock, 30)
    done = product.job(job["id"])
    assert [attempt["route"] for attempt in done["attempts"]] == ["endpoint", "router"]
    assert done["status"] == "succeeded"


def test_an_adapter_that_raises_at_a_cancel_does_not_keep_the_job_open(
    product_with: Callable[..., Product], aws: Aws, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is polled all the same, and the ledger gets what the generation has cost."""
    with ReplicateServer(quick=True, polls=1) as replicate:
        product = product_with(servers={"replicate": replicate.url})
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"replicate": "r8_token"}')
        job = product.submit({**TRACK, "model": "musicgen-large"})
        product.deliver()
        monkeypatch.setattr(type(wiring.dependencies()._providers["replicate"]), "cancel", _broken)
        product.post(f"/jobs/{job['id']}/cancel")
        run(product, clock, 60)
        canceled = product.job(job["id"])
    assert (canceled["status"], _charges(canceled)) == ("canceled", [("succeeded", "yes")])


@pytest.fixture
def temporary_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The generator's temporary storage of 1 GiB."""

    def usage(_: object) -> SimpleNamespace:
        return SimpleNamespace(free=2**30 - sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", usage)
    return tmp_path


def _fill(folder: Path) -> None:
    """Leave a file of 900 MB in the folder, as a killed worker does."""
    (folder / "files").mkdir(parents=True)
    (folder / "lock").touch()
    with (folder / "files" / "answer").open("wb") as file:
        file.truncate(900_000_000)


def test_the_files_of_a_killed_worker_do_not_keep_a_warm_function_from_calling(
    product: Product, temporary_storage: Path
) -> None:
    """They are deleted before the next call."""
    _fill(temporary_storage / "longplay-call-of-a-killed-worker")
    job = product.submit(TRACK)
    product.deliver()
    assert (product.job(job["id"])["status"], list(temporary_storage.iterdir())) == ("succeeded", [])


def test_a_function_without_room_calls_nobody(
    product: Product,
    model_server: ModelServer,
    clock: time_machine.Traveller,
    temporary_storage: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The call is taken back and made half a minute later, here or by a function with room."""
    _fill(temporary_storage / "other")
    job = product.submit({**TRACK, "max_charges": 1})
    product.deliver()
    waiting = product.job(job["id"])
    assert (waiting["wait"]["reason"], waiting["attempts"], model_server.requests) == ("service_busy", [], [])
    assert "no room for a result at the moment. Nothing was sent" in waiting["wait"]["basis"]
    assert "174 MB free, and a call needs 400 MB" in caplog.text
    shutil.rmtree(temporary_storage / "other")
    run(product, clock, 35)
    assert (product.job(job["id"])["status"], model_server.generations) == ("succeeded", 1)


def test_a_result_is_fetched_once_there_is_room(
    product_with: Callable[..., Product], aws: Aws, clock: time_machine.Traveller, temporary_storage: Path
) -> None:
    """The provider keeps it until then, and charges once."""
    with ReplicateServer(quick=True, polls=1) as replicate:
        product = product_with(servers={"replicate": replicate.url})
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"replicate": "r8_token"}')
        job = product.submit({**TRACK, "model": "musicgen-large"})
        product.deliver()
        _fill(temporary_storage / "other")
        run(product, clock, 20)
        waiting = product.job(job["id"])
        assert (waiting["status"], waiting["wait"]["reason"]) == ("running", "service_busy")
        shutil.rmtree(temporary_storage / "other")
        run(product, clock, 35)
        done = product.job(job["id"])
    assert (done["status"], _charges(done), replicate.generations) == ("succeeded", [("succeeded", "yes")], 1)
