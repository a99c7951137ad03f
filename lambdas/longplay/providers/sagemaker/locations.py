"""Locations of an invocation's answer, from SageMaker's reply when it was queued or from an SNS notice."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from longplay.providers.decoding import decode


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Keys in our bucket, None if unknown; no answer can arrive after `until` (epoch seconds)."""

    attempt: str
    output: str | None = None
    failure: str | None = None
    until: float | None = None

    @property
    def text(self) -> str:
        """The reference as it is stored in a job."""
        return msgspec.json.encode(self).decode()


def read_reference(text: str) -> Reference:
    """The reference in a `Reference.text`."""
    return msgspec.json.decode(text, type=Reference)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A parsed notice: its attempt, and the location of the answer or the failure."""

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
    """The notice in an SNS message's text, None for any other message."""
    message = decode(body, _Message)
    if message is None:
        return None
    found = message.response_parameters
    return Notice(
        attempt=message.inference_id,
        output=found.output_location,
        failure=message.failure_location or found.failure_location,
    )
