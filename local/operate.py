"""The operator's commands for the local run: infra.operate, with the emulator as its AWS account."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

from infra import operate
from local.emulator.emulator import ADMINISTRATOR, REGION
from local.run.endpoint import ENDPOINT
from local.tools import LOCAL


def main() -> None:
    """Run the command for the local run; exits with a message if none serves."""
    os.environ.update(_account())
    operate.main(["--stage", "local", *sys.argv[1:]])


def _account() -> Mapping[str, str]:
    """The environment variables that point every AWS SDK at the emulator."""
    try:
        endpoint = json.loads((LOCAL / ENDPOINT).read_text())
    except FileNotFoundError:
        sys.exit("longplay: no local run is serving: start one with `make run`, and leave it running")
    administrator = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    return {**administrator, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": endpoint["aws_url"]}


if __name__ == "__main__":
    main()
