"""Results in the form that Hugging Face's servers give them."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from local.renderer import SAMPLE_RATE, AudioFormat, ImageOrder, Rendered, TrackOrder, render
from local.stand_ins.framework.answers import Answer, refuse, says
from local.stand_ins.pipelines.asked import Asked, AudioShape
from local.stand_ins.pipelines.orders import IMAGE_FORMATS, order_of

JSON_ACCEPTS = (None, "application/json", "application/json; charset=UTF-8")
AUDIO_FORMATS: Mapping[AudioShape, AudioFormat] = {AudioShape.WAV: "wav", AudioShape.FLAC: "flac"}


@dataclass(frozen=True, kw_only=True)
class Results:
    """`shape` is the form of audio answers; `quick` renders the least that is valid media."""

    quick: bool = False
    shape: AudioShape = AudioShape.TOOLKIT

    def answer(
        self,
        asked: Asked,
        *,
        shape: AudioShape | None = None,
        depth: int = 2,
        as_base64: bool = False,
        black: bool = False,
    ) -> Answer:
        """The result of a request; raises Refused where the real server answers 400.

        Faults vary it: audio in another `shape`, or its floats `depth` lists deep (1 to 3, by the version of
        transformers); an image `as_base64` although `Accept` names its type, or all `black`.
        """
        order = order_of(asked, self.shape)
        match order:
            case TrackOrder():
                return self._audio(order, shape or self.shape, asked.accept, depth)
            case ImageOrder():
                return self._image(replace(order, black=black), replace(asked, accept=None) if as_base64 else asked)
        return _file(render(order, quick=self.quick))

    def _audio(self, order: TrackOrder, shape: AudioShape, accept: str | None, depth: int) -> Answer:
        if shape in AUDIO_FORMATS:
            return _file(render(replace(order, format=AUDIO_FORMATS[shape]), quick=self.quick))
        if (accept or "").startswith("audio/"):
            refuse("Audio serialization not implemented")
        samples = render(replace(order, format="float32"), quick=self.quick)
        return _WORDINGS[shape](_floats(samples), depth)

    def _image(self, order: ImageOrder, asked: Asked) -> Answer:
        """Bytes of the type that `Accept` names; otherwise a JSON string of base64 PNG."""
        if asked.accept in IMAGE_FORMATS:
            return _file(render(order, quick=self.quick))
        if asked.toolkit and asked.accept not in JSON_ACCEPTS:
            refuse(f'Accept type "{asked.accept}" not supported.')
        image = render(replace(order, format="png"), quick=self.quick)
        return says(200, base64.b64encode(image.content).decode())


def _toolkit(floats: str, depth: int) -> Answer:
    nested = "[" * (depth - 1) + floats + "]" * (depth - 1)
    return Answer(body=f'{{"audio":{nested},"sampling_rate":{SAMPLE_RATE}}}'.encode())


def _tutorial(floats: str, _depth: int) -> Answer:
    return Answer(body=f'[{{"generated_audio":[{floats}]}}]'.encode())


_WORDINGS: Mapping[AudioShape, Callable[[str, int], Answer]] = {
    AudioShape.TOOLKIT: _toolkit,
    AudioShape.TUTORIAL: _tutorial,
}


def _floats(samples: Rendered) -> str:
    """A JSON list with seven digits each, as many as the real server's float32 has."""
    values = np.frombuffer(samples.content, "<f4").astype(np.float64)
    return json.dumps(np.round(values, 7).tolist(), separators=(",", ":"))


def _file(rendered: Rendered) -> Answer:
    return Answer(content_type=rendered.content_type, body=rendered.content)
