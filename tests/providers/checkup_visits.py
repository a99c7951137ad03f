"""Visits of a checkup to a server on this machine, for tests."""

from collections.abc import Mapping
from pathlib import Path

from longplay.providers.findings import Found, Question
from longplay.providers.inference_providers.mapping import ProviderMapping
from longplay.providers.protocol import Call
from longplay.providers.visits import Asker, Visit

_KINDS = {"image": "image", "video": "video", "animation": "video", "music": "music"}


def visit(provider: str, model: str, url: str, folder: Path, *, kind: str = "image", **tokens: str) -> Visit:
    """A visit with these tokens stored; the kind `animation` is a video from an image."""
    call = Call(
        kind=_KINDS[kind],
        model=model,
        url=url,
        style="",
        prompt="",
        parameters={},
        image=b"" if kind == "animation" else None,
        timeout=5.0,
        folder=folder,
    )
    return Visit(provider=provider, call=call, read_token=tokens.get, asker=Asker(folder), mapping=ProviderMapping())


def findings(found: Mapping[Question, Found]) -> dict[str, str]:
    """The findings as text, without the advice."""
    return {str(question): str(answer.finding) for question, answer in found.items()}


def advice(found: Mapping[Question, Found]) -> str:
    """The advice of the last answer."""
    return [*found.values()][-1].advice or ""
