"""What cdk-nag would have otherwise, and why it is as it is: said beside the construct it concerns."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accepts these findings for the construct and all within it. An id is `Pack-Rule` or `Pack-Rule[finding]`."""
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=f"{rule.partition('-')[0]}::{rule}", reason=reasons[rule]) for rule in reasons)
    )
