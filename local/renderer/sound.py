"""Samples as the bytes of an audio file."""

import wave
from collections.abc import Callable, Mapping
from io import BytesIO

import av
import numpy as np

from local.renderer.instruments import RATE, Samples
from local.renderer.orders import AudioFormat, Rendered


def encode(samples: Samples, audio_format: AudioFormat) -> Rendered:
    """The samples as a file of this format."""
    content_type, write = FORMATS[audio_format]
    return Rendered(content_type=content_type, content=write(samples))


def _wav(samples: Samples) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(RATE)
        track.writeframes(_int16(samples).tobytes())
    return file.getvalue()


def _flac(samples: Samples) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(_int16(samples)[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _float32(samples: Samples) -> bytes:
    return samples.astype("<f4").tobytes()


def _int16(samples: Samples) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")


FORMATS: Mapping[AudioFormat, tuple[str, Callable[[Samples], bytes]]] = {
    "wav": ("audio/wav", _wav),
    "flac": ("audio/flac", _flac),
    "float32": ("application/octet-stream", _float32),
}
