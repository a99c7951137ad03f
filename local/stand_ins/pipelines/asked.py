"""A request for one generation, from any provider."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Task(StrEnum):
    """A model's task, in Hugging Face's words."""

    TEXT_TO_AUDIO = "text-to-audio"
    TEXT_TO_IMAGE = "text-to-image"
    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"


class AudioShape(StrEnum):
    """The form of an audio answer: the inference toolkit's, the tutorial handler's, or a file."""

    TOOLKIT = "toolkit"
    TUTORIAL = "tutorial"
    WAV = "wav"
    FLAC = "flac"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`toolkit` is true on the container's own routes, false behind the router."""

    task: Task
    model: str | None
    toolkit: bool
    accept: str | None
    inputs: Any
    parameters: dict[str, Any]

    @property
    def prompt(self) -> str:
        """The text; when `inputs` is an image, the text is a parameter."""
        text = self.parameters.get("prompt", "") if self.task is Task.IMAGE_TO_VIDEO else self.inputs
        return text if isinstance(text, str) else ""
