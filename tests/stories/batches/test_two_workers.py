"""SQS delivers one message to two workers at once: while the first lets a line in, the second does the whole step."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
import wiring
from longplay.engine.batches import BatchSteps

from local.stand_ins.model import ModelServer
from tests.harness.product import Product
from tests.stories.batches.sent import cancel, counts, lines, results, send, until_over


@pytest.mark.parametrize("at", [0, 12, 24])
@pytest.mark.parametrize("canceled", [False, True])
def test_a_message_that_two_workers_have_makes_no_line_twice(
    product: Product,
    clock: time_machine.Traveller,
    model_server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    at: int,
    canceled: bool,
) -> None:
    """The first one finds its step done, or its batch canceled, and its late write undoes neither."""
    batch = send(product, lines(30))
    [message] = product.messages()
    let_in = BatchSteps._let_one_in
    seen: list[int] = []

    def interrupted(steps: BatchSteps, batch_: Any, line: Any) -> None:
        seen.append(line.number)
        if seen.count(at) == 1 and len(seen) == at + 1:
            monkeypatch.setattr(BatchSteps, "_let_one_in", let_in)
            if canceled:
                cancel(product, batch)
            else:
                product.hand_over(message["Body"])
        let_in(steps, batch_, line)

    monkeypatch.setattr(BatchSteps, "_let_one_in", interrupted)
    assert wiring.dependencies().batch_steps
    product.hand_over(message["Body"])
    monkeypatch.setattr(BatchSteps, "_let_one_in", let_in)
    product.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])
    over = until_over(product, clock, batch)
    if canceled:
        assert counts(over)["canceled"] >= 30 - at
        assert len(product.get(f"/jobs?batch={batch['id']}&limit=100").json["jobs"]) <= at
    else:
        assert counts(over) == {"succeeded": 30}
        assert len(model_server.requests) == 30
    assert [line["line"] for line in results(product, batch)] == [*range(30)]
    for _ in range(3):  # what the lines asked for is erased at last
        product.deliver()
        clock.shift(5)
    assert product.messages() == []
