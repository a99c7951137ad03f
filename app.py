"""The CDK app: the stack of the stage that `-c stage=…` names."""

from __future__ import annotations

import os
import sys

import aws_cdk as cdk

from infra.settings.file import tables
from infra.settings.settings import SettingsError, stage_from
from infra.stack import LongplayStack


def main() -> None:
    """Synthesize the stack, or end with the mistake in the settings or in models.toml."""
    app = cdk.App()
    try:
        stage = stage_from(app.node.get_all_context(), tables())
    except SettingsError as error:
        sys.exit(f"Longplay cannot be built: {error}")
    if stage.emulated and "AWS_ENDPOINT_URL" not in os.environ:
        sys.exit(f"Longplay cannot be built: the stage {stage.name} is for the emulator, and not for an account of AWS")
    LongplayStack(app, stage=stage)
    app.synth()


if __name__ == "__main__":
    main()
