"""The stand-in for a Space: the API of a Gradio app, as gradio 6.31 has it, and the Hub's page of the Space."""

import json
import time
from typing import Any
from urllib.parse import unquote

from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.faults import Operation
from local.stand_ins.framework.files import file_answer
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import QueuedStandIn
from local.stand_ins.pipelines.hosted import render_file
from local.stand_ins.space.calls import APP_PARAMETERS, REQUIRED, AppCall, Outcome, asked_of, stream
from local.stand_ins.space.faults import FAULTS
from local.stand_ins.space.paths import CREATE, FILE, READ, STAGE, WHOAMI

ENDPOINT = "generate"

_INTERNAL = Answer(status=500, content_type="text/plain", body=b"Internal Server Error")


class SpaceServer(QueuedStandIn[AppCall]):
    """A Space with one endpoint, `generate`. `stage` is its stage at the Hub.

    A call is over once it is `seconds` old, and its end is told once. To a reader that asks again, the real app sends
    heartbeats without end; here the stream ends after one.
    """

    table = FAULTS
    stage = "RUNNING"

    def route(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer by method and path."""
        if request.command == "POST":
            return self._posted(request, body, exchange)
        if read := READ.fullmatch(request.path):
            found = self.find(read[1])
            return self.reply(Operation.POLL, lambda: self._told(found), found)
        if file := FILE.fullmatch(request.path):
            return self._file(unquote(file[1]), request)
        return self._described(request.path) or request.no_route()

    def _posted(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        if request.path == "/gradio_api/cancel":
            return self.reply(Operation.CANCEL, lambda: self._cancel(json.loads(body)["event_id"]))
        created = CREATE.fullmatch(request.path)
        if created is None:
            return request.no_route()
        given = _given(json.loads(body), by_name=bool(created[1]))
        if created[2] != ENDPOINT or given is None:
            return _INTERNAL
        exchange.model, exchange.parameters = str(given["model"]), without_images(given)
        return self._create(given)

    def _create(self, given: dict[str, Any]) -> Answer:
        prompt, model = str(given["prompt"]), str(given["model"])
        return self.generate(
            lambda: self._make(given, prompt, model),
            lambda made: says(200, {"event_id": made.id}),
            prompt=prompt,
            model=model,
        )

    def _make(self, given: dict[str, Any], prompt: str, model: str) -> AppCall:
        outcome = self.faults.outcome(prompt=prompt, model=model) or Outcome()
        try:
            files = [render_file(asked_of(given), quick=self.quick)]
        except Refused as refused:
            return AppCall(prompt=prompt, model=model, outcome=Outcome(error=str(refused.answer.body)), files=[])
        return AppCall(prompt=prompt, model=model, outcome=outcome, files=files)

    def _told(self, found: AppCall | None) -> Answer:
        if found is None or found.outcome.erased:
            return stream(("error", "404: Not Found"))
        if found.told:
            return stream(("heartbeat", None))
        self.closed.wait(max(found.created_at + self.seconds - time.time(), 0))
        found.end()
        return found.told_at(self.url)

    def _cancel(self, event_id: str) -> Answer:
        if (found := self.find(event_id)) and not found.over:
            found.canceled = True
        return says(200, {"success": True})

    def _file(self, path: str, request: Handler) -> Answer:
        found = next((made for made in self.made if made.files and made.path == path and not made.outcome.erased), None)
        if found is None:
            return says(403, {"detail": f"File not allowed: {path}."})
        return self.reply(Operation.FILE, lambda: file_answer(found.files[0], request.headers), found)

    def _described(self, path: str) -> Answer | None:
        if path == "/gradio_api/info":
            parameters = [{"parameter_name": name, "parameter_has_default": False} for name in APP_PARAMETERS]
            return says(200, {"named_endpoints": {f"/{ENDPOINT}": {"parameters": parameters, "returns": []}}})
        if path.startswith(STAGE):
            return says(200, {"id": "longplay/longplay", "runtime": {"stage": self.stage}})
        if path == WHOAMI:
            return self.reply(Operation.MAPPING, lambda: says(200, {"type": "user", "name": "longplay"}))
        return None


def _given(body: dict[str, Any], *, by_name: bool) -> dict[str, Any] | None:
    """The app's parameters, None where the real app fails: one that it does not have, or without one that it needs."""
    given = body if by_name else dict(zip(APP_PARAMETERS, body["data"], strict=False))
    return given if set(REQUIRED) <= set(given) <= set(APP_PARAMETERS) else None
