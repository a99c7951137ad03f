"""A MusicGen handler with the contract of Hugging Face's tutorial for Inference Endpoints, on a CPU.

It takes the arguments of `generate` at the top level of `parameters`, and answers `[{"generated_audio": samples}]`
without a sampling rate. Source: "Deploy MusicGen in no time with Inference Endpoints", Hugging Face's blog, 2023-08-04.
The toolkit imports it as `handler.EndpointHandler` from the model's folder.
"""

from __future__ import annotations

from typing import Any

from transformers import AutoProcessor, MusicgenForConditionalGeneration


class EndpointHandler:
    """The model of a folder, asked by the toolkit for each request."""

    def __init__(self, path: str = "") -> None:
        self.processor = AutoProcessor.from_pretrained(path)
        self.model = MusicgenForConditionalGeneration.from_pretrained(path)

    def __call__(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """One track for the request's `inputs`."""
        tokens = self.processor(text=[data["inputs"]], padding=True, return_tensors="pt")
        audio = self.model.generate(**tokens, **(data.get("parameters") or {}))
        return [{"generated_audio": audio[0].cpu().numpy().tolist()}]
