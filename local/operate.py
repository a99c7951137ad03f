"""The operator's commands for the run that serves on this machine: infra.operate, its AWS account the emulator."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

from infra import operate
from local.emulator.emulator import ADMINISTRATOR, REGION
from local.endpoint import ENDPOINT
from local.tools import LOCAL


def main() -> None:
    os.environ.update(_account())
    operate.main(["--stage", "local", *sys.argv[1:]])


def _account() -> Mapping[str, str]:
    """What any SDK takes the emulator for its AWS by."""
    try:
        endpoint = json.loads((LOCAL / ENDPOINT).read_text())
    except FileNotFoundError:
        sys.exit("longplay: nothing serves here: start it by `make run`, and leave it running")
    administrator = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    return {**administrator, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": endpoint["aws_url"]}


if __name__ == "__main__":
    main()
