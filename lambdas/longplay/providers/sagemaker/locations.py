"""Where an invocation's answer will lie: as SageMaker said when it was queued, or says in a notice by SNS."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Keys in our bucket, None where not known; `until` is when an answer can come no more (epoch seconds)."""

    attempt: str
    output: str | None = None
    failure: str | None = None
    until: float | None = None

    @property
    def text(self) -> str:
        """The reference as a job keeps it."""
        return msgspec.json.encode(self).decode()


def read_reference(text: str) -> Reference:
    """What `Reference.text` wrote."""
    return msgspec.json.decode(text, type=Reference)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a notice says: the attempt it is about, and where its answer or its failure lies."""

    attempt: str
    output: str | None
    failure: str | None


class _Locations(msgspec.Struct, rename="camel"):
    output_location: str | None = None
    failure_location: str | None = None


class _Message(msgspec.Struct, rename="camel"):
    inference_id: str
    response_parameters: _Locations = msgspec.field(default_factory=_Locations)
    failure_location: str | None = None


def read_notice(body: bytes) -> Notice | None:
    """The notice in an SNS message's text, None where it is none."""
    try:
        message = msgspec.json.decode(body, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = message.response_parameters
    return Notice(
        attempt=message.inference_id,
        output=found.output_location,
        failure=message.failure_location or found.failure_location,
    )
