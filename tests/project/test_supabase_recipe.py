"""The Edge Function of the Supabase recipe, run in Node against the real entry points and a stand-in of Storage."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.listener import Handler, Listener
from local.stand_ins.framework.server import StandIn
from local.tools import NODE_FOLDER
from tests.harness.product import API_KEY, Product
from tests.harness.product import Answer as ProductAnswer

RECIPE = Path(__file__).parents[2] / "docs/recipes/supabase-edge-function.md"
SERVICE_KEY = "service-role-key"

#: The two functions of Deno that the recipe calls, and a caller that polls until the job is finished.
CALLER = """
let handle;
globalThis.Deno = { env: { get: (name) => process.env[name] }, serve: (handler) => { handle = handler; } };
await import("./index.ts");
const seen = [];
async function ask(path, init) {
  const answer = await handle(new Request("https://project.supabase.co/generate" + path, init));
  seen.push({ http: answer.status, seconds: answer.headers.get("Retry-After"), ...(await answer.json()) });
  return seen.at(-1);
}
const headers = { "Idempotency-Key": "once" };
const first = await ask("", { method: "POST", headers, body: process.env.REQUEST });
await ask("", { method: "POST", headers, body: process.env.REQUEST });
for (let n = 0; n < 5 && first.id && seen.at(-1).http === 202; n++) await ask(`?id=${first.id}`);
console.log(JSON.stringify(seen));
"""


class Cloud(StandIn):
    """A stand-in of API Gateway, S3 with presigned URLs, and Supabase Storage, at one address."""

    def __init__(self, product: Product) -> None:
        super().__init__(0, _Cloud)
        self.product = product
        self.stored: dict[str, tuple[str, bytes]] = {}

    def answered(self, answer: ProductAnswer) -> Answer:
        """The answer of the product, with the URLs of its files changed to this address."""
        body = answer.json
        for output in body.get("outputs", []):
            output["url"] = f"{self.url}/files/{body['id']}"
        headers = {name: answer.headers[name] for name in ("Retry-After",) if name in answer.headers}
        return Answer(status=answer.status, body=json.dumps(body).encode(), headers=headers)


class _Cloud(Handler):
    def respond(self) -> None:
        self.send(self._answer(cast(Cloud, cast(Listener, self.server).owner), self.body()), {})

    def _answer(self, cloud: Cloud, body: bytes) -> Answer:
        folder, _, rest = self.path.lstrip("/").partition("/")
        if folder == "storage" and self.headers["Authorization"] == f"Bearer {SERVICE_KEY}":
            cloud.stored[rest] = (str(self.headers["Content-Type"]), body)
            return Answer(body=b"{}")
        if folder == "files":
            return Answer(body=cloud.product.file({"id": rest}))
        key = str(self.headers["x-api-key"])
        if self.command == "POST":
            sent = {"Idempotency-Key": str(self.headers["Idempotency-Key"])}
            return cloud.answered(cloud.product.post(self.path, body.decode(), key=key, **sent))
        cloud.product.deliver()  # the job is worked on while its caller waits
        return cloud.answered(cloud.product.get(self.path, key=key))


@pytest.fixture
def cloud(product: Product) -> Iterator[Cloud]:
    """The stand-in of all three services, in front of the product."""
    with Cloud(product) as server:
        yield server


def _run(cloud: Cloud, folder: Path, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of the function, one per call."""
    [function] = re.findall(r"^```ts\n(.*?)^```", RECIPE.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "index.ts").write_text(function)
    (folder / "caller.mjs").write_text(CALLER)
    environment = {
        "LONGPLAY_URL": cloud.url,
        "LONGPLAY_KEY": API_KEY,
        "SUPABASE_URL": cloud.url,
        "SUPABASE_SERVICE_ROLE_KEY": SERVICE_KEY,
        "REQUEST": json.dumps(request),
    }
    ran = subprocess.run(
        [NODE_FOLDER / "node", "--experimental-strip-types", "--no-warnings", "caller.mjs"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    seen: list[dict[str, Any]] = json.loads(ran.stdout)
    return seen


def test_a_prompt_becomes_a_file_in_storage_and_is_charged_once(cloud: Cloud, tmp_path: Path) -> None:
    """The same Idempotency-Key sent twice gives one job with one attempt."""
    first, again, *_, last = _run(cloud, tmp_path, {"prompt": "upbeat techno", "duration": 1})
    assert (first["http"], again["id"]) == (202, first["id"])
    assert int(first["seconds"]) >= 1
    assert last["files"] == [f"generations/{first['id']}/0"]
    [(place, (content_type, content))] = cloud.stored.items()
    assert place == f"v1/object/generations/{first['id']}/0"
    assert (content_type, content[:4]) == ("audio/wav", b"RIFF")
    assert len(cloud.product.job(first["id"])["attempts"]) == 1


def test_a_refusal_is_passed_on_unchanged(cloud: Cloud, tmp_path: Path) -> None:
    """The caller sees which field is wrong."""
    refused, _ = _run(cloud, tmp_path, {"prompt": "upbeat techno", "duration": 1_000})
    assert (refused["http"], refused["code"], refused["field"]) == (400, "invalid_request", "duration")
