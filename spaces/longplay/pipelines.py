"""The models: weights are loaded at first use, and moved to the GPU within a call.

A call on ZeroGPU runs in a process that is forked from this one, so what is loaded here is there too. Downloads happen
before the call and cost no GPU time.
"""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from asked import FRAMES, Asked, asked, seconds_needed
from diffusers import AutoPipelineForText2Image, StableVideoDiffusionPipeline
from diffusers.utils import export_to_video
from PIL import Image
from transformers import AutoProcessor, MusicgenForConditionalGeneration

from spaces import GPU  # type: ignore[attr-defined]  # the package of ZeroGPU, not the folder of this repository

MOST_LOADED = 3  # models in memory
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PRECISION = torch.float16 if DEVICE == "cuda" else torch.float32
VIDEO_SIZE = (1024, 576)  # pixels; what Stable Video Diffusion was trained for
DECODED_AT_ONCE = 8  # frames; more need more memory
LARGEST = 32_767  # of a 16-bit sample


def generate(model: str, prompt: str, parameters: Mapping[str, Any], image: str | None) -> str:
    """The path of the generated file; raises ValueError for a request that cannot be served."""
    request = asked(model, prompt, parameters, image)
    loaded(request.model, request.family)
    return str(_on_gpu(request))


@lru_cache(maxsize=MOST_LOADED)
def loaded(model: str, family: str) -> Any:
    """A model's pipeline, in memory; for music, its processor and the model."""
    if family == "music":
        weights = MusicgenForConditionalGeneration.from_pretrained(model, dtype=PRECISION)
        return AutoProcessor.from_pretrained(model), weights
    kind = AutoPipelineForText2Image if family == "image" else StableVideoDiffusionPipeline
    try:
        return kind.from_pretrained(model, dtype=PRECISION, variant="fp16")
    except (OSError, ValueError):  # it has no files in half precision, which are half as large
        return kind.from_pretrained(model, dtype=PRECISION)


def _run(request: Asked) -> str:
    return _FAMILIES[request.family](request)


_on_gpu = GPU(duration=seconds_needed)(_run)


def _track(request: Asked) -> str:
    processor, model = loaded(request.model, request.family)
    model.to(DEVICE)
    inputs = processor(text=[request.prompt], padding=True, return_tensors="pt").to(DEVICE)
    guidance = float(request.parameters["guidance_scale"])
    sound = model.generate(**inputs, do_sample=True, guidance_scale=guidance, max_new_tokens=request.tokens)
    path = _new_file(".wav")
    write_wav(path, sound[0, 0].float().cpu().numpy(), model.config.audio_encoder.sampling_rate)
    return path


def _image(request: Asked) -> str:
    pipeline = loaded(request.model, request.family).to(DEVICE)
    parameters = {name: value for name, value in request.parameters.items() if name != "seed"}
    made = pipeline(prompt=request.prompt, generator=_generator(request), **parameters).images[0]
    path = _new_file(".png")
    made.save(path)
    return path


def _video(request: Asked) -> str:
    pipeline = loaded(request.model, request.family).to(DEVICE)
    with Image.open(str(request.image)) as opened:
        start = opened.convert("RGB").resize(VIDEO_SIZE)
    width, height = VIDEO_SIZE
    steps = request.parameters["num_inference_steps"]
    size = {"width": width, "height": height, "num_frames": FRAMES, "decode_chunk_size": DECODED_AT_ONCE}
    frames = pipeline(start, num_inference_steps=steps, generator=_generator(request), **size).frames[0]
    path = _new_file(".mp4")
    export_to_video(frames, path, fps=request.frame_rate)
    return path


def write_wav(path: str, samples: Any, rate: int) -> None:
    """Write samples between -1 and 1 as 16-bit mono."""
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * LARGEST).astype("<i2").tobytes())


def _generator(request: Asked) -> Any:
    seed = request.parameters["seed"]
    return None if seed is None else torch.Generator(DEVICE).manual_seed(int(seed))


def _new_file(suffix: str) -> str:
    return str(Path(tempfile.mkdtemp()) / f"result{suffix}")


_FAMILIES = {"music": _track, "image": _image, "video": _video}
