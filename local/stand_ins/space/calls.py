"""A call to the app, the file that it makes, and the stream of events that reports its end."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from local.stand_ins.framework import generations
from local.stand_ins.framework.answers import Answer, refuse
from local.stand_ins.pipelines.asked import Asked
from local.stand_ins.pipelines.hosted import TOKENS_PER_SECOND, animation, image, track

APP_PARAMETERS = ("model", "prompt", "parameters", "image")
REQUIRED = ("model", "prompt", "parameters")
SVD_RATE = 7  # frames a second

_TRACK = {"genre", "duration", "guidance_scale"}
_IMAGE = {"width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "seed"}
_VIDEO = {"duration", "num_inference_steps", "seed"}


@dataclass(frozen=True, kw_only=True)
class Outcome(generations.Outcome):
    """How a call will end: with the text of an exception (`hidden`: the app does not show it), or with its file."""

    error: str | None = None
    title: str = "Error"
    hidden: bool = False


@dataclass(kw_only=True)
class AppCall(generations.Generation):
    """A call; its end is told once. A Space sends no bill."""

    outcome: Outcome
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    done: bool = False
    told: bool = False
    canceled: bool = False

    @property
    def over(self) -> bool:
        return self.done

    @property
    def billed(self) -> bool:
        return False

    def begin(self) -> None:
        """Nothing to do: an app shows only the end."""

    def end(self) -> None:
        self.done = True

    @property
    def path(self) -> str:
        """The path of its file on the app's own disk."""
        return f"/tmp/gradio/{hashlib.sha256(self.id.encode()).hexdigest()}/{self.files[0].name}"  # noqa: S108

    def told_at(self, url: str) -> Answer:
        """Its end, in the words of gradio 6.31; `url` is the app's own."""
        self.told = True
        if self.canceled:
            return stream(("complete", None))
        if self.outcome.error is None:
            return stream(("complete", self._outputs(url)))
        if self.outcome.hidden:
            return stream(("error", {"error": None}))
        return stream(
            ("error", {"error": self.outcome.error, "duration": 10, "visible": True, "title": self.outcome.title})
        )

    def _outputs(self, url: str) -> list[Any]:
        if self.outcome.output is not None:
            return [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in self.outcome.output]
        file = self.files[0]
        shown = {"path": self.path, "url": f"{url}/gradio_api/file={self.path}", "size": len(file.content)}
        return [{**shown, "orig_name": file.name, "mime_type": None, "meta": {"_type": "gradio.FileData"}}]


def stream(*events: tuple[str, Any]) -> Answer:
    """A stream of events, which ends after the last."""
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return Answer(content_type="text/event-stream; charset=utf-8", body=body.encode())


def asked_of(given: dict[str, Any]) -> Asked:
    """The request that the app's parameters make; raises Refused if the app would fail."""
    model, parameters = str(given["model"]), dict(given["parameters"])
    if "musicgen" in model:
        _check(parameters, _TRACK)
        asked = track(given["prompt"], seconds=1)
        asked.parameters["max_new_tokens"] = round(float(parameters.get("duration", 10)) * TOKENS_PER_SECOND)
        return asked
    if "video" in model:
        _check(parameters, _VIDEO)
        frames = max(1, round(float(parameters.get("duration", 4)) * SVD_RATE))
        return animation(str((given.get("image") or {}).get("url")), frames=frames, fps=SVD_RATE)
    _check(parameters, _IMAGE)
    return image(given["prompt"], parameters)


def _check(parameters: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(parameters) - known):
        refuse(f"the model takes no {', '.join(unknown)}")
