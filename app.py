"""The CDK app: the stack of the stage that `-c stage=…` names."""

from __future__ import annotations

import sys

import aws_cdk as cdk

from infra.settings.settings import SettingsError, stage_from
from infra.stack import LongplayStack


def main() -> None:
    """Synthesize the stack, or end with the mistake in the settings or in models.toml."""
    app = cdk.App()
    try:
        stage = stage_from(app.node.get_all_context())
    except SettingsError as error:
        sys.exit(f"Longplay cannot be built: {error}")
    LongplayStack(app, stage=stage)
    app.synth()


if __name__ == "__main__":
    main()
