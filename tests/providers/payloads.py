"""What servers with Hugging Face's contract send, as small as it goes."""

import base64
import io
import json

from PIL import Image

TOKEN = "hf_AbCdEfGh0123456789"
OWN_TOKEN = "own-server-secret"


def image_file(form="PNG", color="teal"):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(file, form)
    return file.getvalue()


def packed(data):
    return base64.b64encode(data).decode()


def encoded(payload):
    return json.dumps(payload).encode()


SOUND = encoded({"audio": [[[0.0, 0.5]]], "sampling_rate": 32000})


def video_file():
    """As much of a video as its type shows in."""
    return b"\0\0\0\x10ftypisom\0\0\0\0"
