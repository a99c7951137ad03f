"""The models it knows: what each takes, checked as Replicate checks it, and what is rendered for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.model_server.studio import Studio
from local.model_server.wire import Asked, AudioShape, Task
from local.replicate_server.predictions import File

EXTENSIONS = {"audio/wav": "wav", "image/png": "png", "video/mp4": "mp4"}
TOKENS_PER_SECOND = 50


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an input schema; `least` and `most` bound numbers."""

    type: type = str
    required: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    options: tuple[str, ...] = ()

    def fault(self, value: object) -> str | None:
        """What is wrong with the value, if anything is."""
        wanted = (int, float) if self.type is float else self.type
        if not isinstance(value, wanted) or (isinstance(value, bool) and self.type is not bool):
            return f"Invalid type. Expected: {self.type.__name__}, given: {type(value).__name__}"
        if isinstance(value, int | float) and not self.least <= value <= self.most:
            return f"Must be between {self.least:g} and {self.most:g}"
        return f"Must be one of {', '.join(self.options)}" if self.options and value not in self.options else None


@dataclass(frozen=True, kw_only=True)
class Model:
    """`single` models answer with one address, the others with a list."""

    fields: Mapping[str, Field]
    asked: Callable[[dict[str, Any]], Asked]
    single: bool = True


def faults_in(model: Model, given: dict[str, Any]) -> list[tuple[str, str]]:
    """The fields of an input that are wrong, and how; one the model does not have is wrong too."""
    known = model.fields
    missing = [(name, f"{name} is required") for name, field in known.items() if field.required and name not in given]
    wrong = [(name, known[name].fault(value) if name in known else "unknown") for name, value in given.items()]
    return missing + [(name, fault) for name, fault in wrong if fault]


def render(model: Model, given: dict[str, Any], *, quick: bool) -> list[File]:
    """The files of a result; raises Refused where the pipeline itself would fail."""
    answer = Studio(quick=quick, shape=AudioShape.WAV).generate(model.asked(given))
    content = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return [File(f"out-0.{EXTENSIONS[answer.content_type]}", answer.content_type, content)]


def _asked(task: Task, inputs: Any, parameters: dict[str, Any]) -> Asked:
    accept = "image/png" if task is Task.TEXT_TO_IMAGE else None
    return Asked(task=task, model=None, toolkit=False, accept=accept, inputs=inputs, parameters=parameters)


def _track(given: dict[str, Any]) -> Asked:
    return _asked(Task.TEXT_TO_AUDIO, given["prompt"], {"max_new_tokens": given.get("duration", 8) * TOKENS_PER_SECOND})


def _picture(given: dict[str, Any]) -> Asked:
    passed = {name: value for name, value in given.items() if name in _DRAWN}
    return _asked(Task.TEXT_TO_IMAGE, given["prompt"], passed)


def _flux(given: dict[str, Any]) -> Asked:
    across, _, down = given.get("aspect_ratio", "1:1").partition(":")
    pixels = 250_000 if given.get("megapixels") == "0.25" else 1_000_000
    width = (pixels * int(across) / int(down)) ** 0.5
    size = {"width": round(width / 16) * 16, "height": round(pixels / width / 16) * 16}
    return _asked(Task.TEXT_TO_IMAGE, given["prompt"], {**size, "seed": given.get("seed", 0)})


def _animation(given: dict[str, Any]) -> Asked:
    frames = 25 if given.get("video_length") == "25_frames_with_svd_xt" else 14
    return _asked(
        Task.IMAGE_TO_VIDEO, given["input_image"], {"num_frames": frames, "fps": given.get("frames_per_second", 6)}
    )


def _film(given: dict[str, Any]) -> Asked:
    width, height = (216, 384) if given.get("aspect_ratio") == "9:16" else (384, 216)
    length = {"num_frames": given.get("num_frames", 121), "fps": given.get("frames_per_second", 24)}
    return _asked(Task.TEXT_TO_VIDEO, given["prompt"], {"width": width, "height": height, **length})


_PROMPT = Field(required=True)
_SEED = Field(type=int)
_ASPECTS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_DRAWN = ("width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "seed")
_DIFFUSION = {
    "prompt": _PROMPT,
    "negative_prompt": Field(),
    "width": Field(type=int),
    "height": Field(type=int),
    "num_outputs": Field(type=int, least=1, most=4),
    "num_inference_steps": Field(type=int, least=1, most=500),
    "guidance_scale": Field(type=float, least=1, most=50),
    "seed": _SEED,
}

MODELS: Mapping[str, Model] = {
    "meta/musicgen": Model(
        fields={
            "prompt": Field(),
            "model_version": Field(options=("stereo-melody-large", "stereo-large", "melody-large", "large")),
            "duration": Field(type=int),
            "top_k": Field(type=int),
            "top_p": Field(type=float),
            "temperature": Field(type=float),
            "classifier_free_guidance": Field(type=int),
            "output_format": Field(options=("wav", "mp3")),
            "seed": _SEED,
        },
        asked=_track,
    ),
    "stability-ai/sdxl": Model(fields=_DIFFUSION, asked=_picture, single=False),
    "stability-ai/stable-diffusion": Model(fields=_DIFFUSION, asked=_picture, single=False),
    "black-forest-labs/flux-schnell": Model(
        fields={
            "prompt": _PROMPT,
            "aspect_ratio": Field(options=_ASPECTS),
            "num_outputs": Field(type=int, least=1, most=4),
            "num_inference_steps": Field(type=int, least=1, most=4),
            "output_format": Field(options=("webp", "jpg", "png")),
            "go_fast": Field(type=bool),
            "megapixels": Field(options=("1", "0.25")),
            "seed": _SEED,
        },
        asked=_flux,
        single=False,
    ),
    "christophy/stable-video-diffusion": Model(
        fields={
            "input_image": Field(required=True),
            "video_length": Field(options=("14_frames_with_svd", "25_frames_with_svd_xt")),
            "frames_per_second": Field(type=int, least=5, most=30),
            "motion_bucket_id": Field(type=int, least=1, most=255),
            "seed": _SEED,
        },
        asked=_animation,
    ),
    "wan-video/wan-2.2-5b-fast": Model(
        fields={
            "prompt": _PROMPT,
            "num_frames": Field(type=int, least=81, most=121),
            "frames_per_second": Field(type=int, least=5, most=30),
            "aspect_ratio": Field(options=("16:9", "9:16")),
            "seed": _SEED,
        },
        asked=_film,
    ),
}
"""By name, with the fields of their published schemas that matter here."""
