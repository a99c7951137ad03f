"""The lines of a batch are all checked before anything is made, and each fault is told with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from longplay.domain.batches import MOST_LINES

from tests.harness.aws import BUCKET
from tests.harness.product import Product
from tests.stories.batches.sent import LINE, counts, jsonl, lines, results, send, until_over

GOOD = lines(1)[0]
BAD: list[tuple[Any, str, str]] = [
    ({**GOOD, "duration": 9_000}, "/duration", "out_of_bounds"),
    ({**GOOD, "prompt": ""}, "/prompt", "empty"),
    ({**GOOD, "model": "nope"}, "/model", "invalid"),
    ({**GOOD, "shade": "red"}, "/shade", "unknown"),
    ({**GOOD, "custom_id": 7}, "/custom_id", "wrong_type"),
    ({**GOOD, "custom_id": "x" * 65}, "/custom_id", "too_long"),
    ({**GOOD, "custom_id": "\x00"}, "/custom_id", "character_refused"),
    ({**GOOD, "webhook": "http://10.0.0.1"}, "/webhook", "url_refused"),
    ({"prompt": "a", "parameters": {"duration": 9_000}}, "/parameters/duration", "out_of_bounds"),
    ({"model": "svd", "image": "upload:" + "0" * 32}, "/image", "invalid"),
    ({}, "/prompt", "missing"),
    (7, "", "wrong_type"),
    (None, "", "wrong_type"),
    ([], "", "wrong_type"),
]
BODIES: list[tuple[bytes, str]] = [
    (b"", "has no lines"),
    (b"\n \n", "has no lines"),
    (b"[]", "has no lines"),
    (b"[", "not JSON at line 0"),
    (b'[{"prompt": "a"}', "not JSON behind line 0"),
    (b'[{"prompt": "a"},]', "not JSON at line 1"),
    (b'[{"prompt": "a"} {"prompt": "b"}]', "not JSON behind line 0"),
    (b'[{"prompt": "a"}] x', "goes on behind the end"),
    (b'[{"prompt": "a", "prompt": "b"}]', "Line 0: `prompt` is given twice"),
    (b"[" * 100_000, "not JSON at line 0"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[" + b"7," * MOST_LINES + b"7]", "more than 1,000 lines"),
    (b"7\n" * (MOST_LINES + 1), "more than 1,000 lines"),
    (b"[" + b"7," * 2_000_000 + b"7]", "more than 1,000 lines"),
]


def _nothing_is_made(product: Product) -> bool:
    stored = product.aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return not stored and not product.messages() and not product.get("/batches").json["batches"]


@pytest.mark.parametrize(("line", "pointer", "code"), BAD, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("form", [json.dumps, jsonl])
def test_a_fault_is_told_with_its_line(product: Product, form: Any, line: Any, pointer: str, code: str) -> None:
    """By a JSON pointer that begins with the line's number; nothing is made of the lines beside it."""
    answer = product.post("/batches", form([GOOD, line, {**GOOD, "prompt": "b"}]))
    assert (answer.status, answer.json["code"], answer.json["charged"]) == (400, "invalid_request", "no")
    [told] = answer.json["errors"]
    assert told["pointer"] == f"#/1{pointer}"
    assert told["code"] == code
    assert _nothing_is_made(product)


def test_all_faults_are_told_at_once(product: Product) -> None:
    """Of every line, each with its pointer."""
    answer = product.post("/batches", [line for line, _, _ in BAD])
    assert [told["pointer"] for told in answer.json["errors"]] == [
        f"#/{number}{pointer}" for number, (_, pointer, _) in enumerate(BAD)
    ]
    assert "all are not valid" in answer.json["detail"]


def test_so_many_faults_that_each_line_tells_one(product: Product) -> None:
    """A thousand lines with several faults each make no answer that no gateway passes on."""
    bad = {"prompt": "", "duration": 9_000, "seed": -1, **{f"x{n}": 1 for n in range(30)}}
    answer = product.post("/batches", [bad] * MOST_LINES)
    assert len(answer.json["errors"]) == MOST_LINES
    assert len(answer.body) < 1_000_000


@pytest.mark.parametrize(("body", "said"), BODIES, ids=lambda value: str(value)[:30])
def test_a_body_that_has_no_lines_is_refused_as_a_whole(product: Product, body: bytes, said: str) -> None:
    """It says what is wrong and at which line; also with `skip`."""
    for query in ("", "?on_error=skip"):
        answer = product.post(f"/batches{query}", body)
        assert (answer.status, answer.json["field"]) == (400, "body"), answer.body
        assert said in answer.json["detail"]
    assert _nothing_is_made(product)


def test_a_body_that_is_too_large_is_refused(product: Product) -> None:
    """With the limit."""
    answer = product.post("/batches", b"[" + b" " * 4_500_000)
    assert (answer.status, answer.json["code"]) == (413, "too_large")


def test_a_broken_line_of_jsonl_is_a_fault_of_that_line(product: Product) -> None:
    """The others can be told apart, so `skip` takes them."""
    body = jsonl([GOOD]) + '{"prompt": "b"\n' + '{"prompt": "c", "prompt": "d"}\n' + jsonl([{**GOOD, "prompt": "e"}])
    refused = product.post("/batches", body)
    assert [told["pointer"] for told in refused.json["errors"]] == ["#/1", "#/2/prompt"]
    assert counts(send(product, body, "?on_error=skip")) == {"waiting": 2, "refused": 2}


def test_lines_that_are_not_valid_are_skipped_if_the_caller_says_so(
    product: Product, clock: time_machine.Traveller
) -> None:
    """They have no job and no charge, and say in the results why."""
    named = [{**line, "custom_id": f"id-{n}"} for n, line in enumerate(lines(28))]
    named[3]["duration"], named[26]["model"] = 9_000, "nope"
    batch = send(product, named, "?on_error=skip")
    assert counts(until_over(product, clock, batch)) == {"succeeded": 26, "refused": 2}
    found = results(product, batch)
    assert [line["custom_id"] for line in found] == [f"id-{n}" for n in range(28)]
    refused = [line for line in found if line["status"] == "refused"]
    assert [line["line"] for line in refused] == [3, 26]
    assert [line["error"]["errors"][0]["pointer"] for line in refused] == ["#/duration", "#/model"]
    assert all("job" not in line and line["error"]["charged"] == "no" for line in refused)


def test_nothing_is_made_where_every_line_would_be_skipped(product: Product) -> None:
    """An empty batch helps no caller."""
    assert product.post("/batches?on_error=skip", [{**GOOD, "duration": 9_000}]).status == 400
    assert _nothing_is_made(product)


def test_two_lines_cannot_have_one_custom_id(product: Product) -> None:
    """Their results could not be told apart."""
    [told] = product.post("/batches", [{**line, "custom_id": "same"} for line in lines(2)]).json["errors"]
    assert (told["pointer"], "line 0" in told["detail"]) == ("#/1/custom_id", True)


@pytest.mark.parametrize(
    "query",
    ["on_error=abort", "on_error=", "deadline_seconds=5", "deadline_seconds=86401", "deadline_seconds=1e3", "x=1"],
)
def test_a_query_that_is_not_known_is_refused(product: Product, query: str) -> None:
    """By its name, with its bounds."""
    answer = product.post(f"/batches?{query}", lines(1))
    assert (answer.status, answer.json["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("query", ["from=3", "from=-1", "from=x", "from=99999999999", "cursor=a", "from="])
def test_a_page_of_results_that_is_not_there_is_refused(product: Product, query: str) -> None:
    """With the numbers that are."""
    batch = send(product, lines(3))
    answer = product.get(f"/batches/{batch['id']}/results?{query}")
    assert (answer.status, answer.json["field"]) == (400, query.partition("=")[0])


def test_every_kind_of_text_comes_back_as_it_was_sent(product: Product, clock: time_machine.Traveller) -> None:
    """A line separator within a prompt ends no line of the results, or of the body."""
    prompts = ["l’été\u2028à la mer", "雨\u2029 and wind", "one\ntwo", 'quotes " and \\', "🎻"]
    asked = [json.dumps({"prompt": prompt, **LINE}, ensure_ascii=False) for prompt in prompts]
    batch = send(product, "\n".join(asked))
    until_over(product, clock, batch)
    body = product.get(f"/batches/{batch['id']}/results").body
    found = [json.loads(line) for line in body.splitlines()]
    assert [line["job"]["prompt"] for line in found] == prompts
