"""`ask.py CLIENT BASE KEY PROMPT`: one generation by a Python client, unchanged; prints what it got as JSON.

It runs in an environment of these clients alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
from collections.abc import Callable
from io import BytesIO

import requests
from huggingface_hub import InferenceClient
from openai import OpenAI

SMALL = {"width": 256, "height": 256}


def hf_image(base: str, key: str, prompt: str) -> bytes:
    client = InferenceClient(model=f"{base}/models/stabilityai/stable-diffusion-xl-base-1.0", api_key=key)
    file = BytesIO()
    client.text_to_image(prompt, num_inference_steps=4).save(file, "PNG")
    return file.getvalue()


def hf_music(base: str, key: str, prompt: str) -> bytes:
    client = InferenceClient(model=f"{base}/models/facebook/musicgen-small", api_key=key)
    return client.text_to_speech(prompt)


def openai(base: str, key: str, prompt: str) -> bytes:
    client = OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0)
    answer = client.images.generate(model="stable-diffusion-v1-5", prompt=prompt, size="512x512")
    return base64.b64decode(answer.data[0].b64_json or "")


def litellm(base: str, key: str, prompt: str) -> bytes:
    from litellm import image_generation  # slow to import

    answer = image_generation(
        model="openai/stable-diffusion-v1-5", prompt=prompt, api_base=f"{base}/v1", api_key=key, max_retries=0
    )
    return base64.b64decode(answer.data[0].b64_json or "")


def plain_requests(base: str, key: str, prompt: str) -> bytes:
    answer = requests.post(
        f"{base}/models/runwayml/stable-diffusion-v1-5",
        headers={"Authorization": f"Bearer {key}"},
        json={"inputs": prompt},
        timeout=300,
    )
    if not answer.ok:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return answer.content


CLIENTS: dict[str, Callable[[str, str, str], bytes]] = {
    "hf_image": hf_image,
    "hf_music": hf_music,
    "openai": openai,
    "litellm": litellm,
    "requests": plain_requests,
}


def main() -> None:
    """Print the size, type and hash of the file, or the error as the client shows it."""
    name, base, key, prompt = sys.argv[1:]
    began = time.monotonic()
    try:
        file = CLIENTS[name](base, key, prompt)
    except Exception as error:  # noqa: BLE001 - any error is what a person would see
        print(json.dumps({"error": str(error), "seconds": time.monotonic() - began}))
        return
    found = {"head": file[:4].hex(), "bytes": len(file), "sha256": hashlib.sha256(file).hexdigest()}
    print(json.dumps({**found, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
