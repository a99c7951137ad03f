"""Acknowledges findings of cdk-nag, each with its reason, next to the construct that they concern."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accepts findings for the construct and everything in it: reasons by id, `Pack-Rule` or `Pack-Rule[finding]`."""
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=f"{rule.partition('-')[0]}::{rule}", reason=reasons[rule]) for rule in reasons)
    )
