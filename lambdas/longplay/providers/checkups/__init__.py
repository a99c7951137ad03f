"""What can be learned of a route without a generation: one short table of questions a provider."""

from __future__ import annotations

from collections.abc import Mapping

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.checkups import fal, hugging_face, inference_endpoints, replicate, sagemaker, self_hosted
from longplay.providers.checkups.asking import Check, Checkup, Visit
from longplay.providers.checkups.findings import Finding, Found, Question, no, unknown
from longplay.providers.hugging_face.adapter import token_name

_ENDPOINTS = ".endpoints.huggingface.cloud"


def examine(visit: Visit) -> Mapping[Question, Found]:
    """What is found of a route; raises ProviderError where its server's address cannot be used."""
    return ask(checkup_of(visit), visit)


def ask(checkup: Checkup, visit: Visit) -> Mapping[Question, Found]:
    """The answers, in the order of the questions; after a no, nothing more is asked."""
    found: dict[Question, Found] = {}
    for question, check in checkup.items():
        if answer := _answer(check, visit):
            found[question] = answer
            if answer.finding is Finding.NO:
                break
    return found


def checkup_of(visit: Visit) -> Checkup:
    """The questions for a route, by its provider, and with Hugging Face's contract by whose server it is."""
    if visit.provider.startswith("hf-"):
        return hugging_face.CHECKUP
    return _of_hugging_faces_contract(visit) if visit.provider == "huggingface" else _CHECKUPS[visit.provider]


def _of_hugging_faces_contract(visit: Visit) -> Checkup:
    if visit.host.endswith(_ENDPOINTS):
        return inference_endpoints.CHECKUP
    return hugging_face.CHECKUP if token_name(visit.call.url) == "huggingface" else self_hosted.CHECKUP


def _answer(check: Check, visit: Visit) -> Found | None:
    try:
        return check(visit)
    except ProviderError as error:
        return no(error.message) if error.kind is FailureKind.NO_TOKEN else unknown(error.message)


_CHECKUPS: Mapping[str, Checkup] = {
    "replicate": replicate.CHECKUP,
    "fal": fal.CHECKUP,
    "sagemaker": sagemaker.CHECKUP,
}
