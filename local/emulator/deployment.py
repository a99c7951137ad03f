"""Deploys the stack to the emulator, by the real `cdk deploy`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.operate import store_token
from infra.operator.keys import create_key
from local.emulator.emulator import ACCOUNT, ADMINISTRATOR, REGION, Emulator, Session
from local.tools import CDK, LOCAL, ROOT, LocalRunError, environment, kill_group, tail

# A deployment with the command's own credentials needs only this bucket of all that `cdk bootstrap` makes.
ASSET_BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The deployed stack: its outputs by name, and the URLs of its API and of the faces (None without them)."""

    session: Session
    outputs: Mapping[str, str]
    api_url: str
    faces_url: str | None

    def new_key(self, owner: str) -> str:
        """A new API key of `owner`, made by the operator's command."""
        return create_key(self.session, owner=owner, usage_plan_id=self.outputs["UsagePlanId"])

    def store_token(self, provider: str, token: str) -> None:
        """Store a provider's token in the secret, by the operator's command."""
        store_token(self.session, provider=provider, token=token, secret_id=self.outputs["SecretName"])


def deploy(emulator: Emulator, home: Path, *, context: Mapping[str, str]) -> Deployment:
    """Deploy app.py with `context` (`stage` and other settings); raises LocalRunError with the end of the log.

    `home` is for the synthesized stack, the log and the CDK's cache. Emulators must not share that cache: it remembers
    the account of each access key.
    """
    emulator.client("s3").create_bucket(Bucket=ASSET_BUCKET)
    home.mkdir(parents=True, exist_ok=True)
    outputs, log = home / "outputs.json", home / "deploy.log"
    with log.open("wb") as file:
        status = _run_to_its_end(
            [CDK, "deploy", *_options(home, outputs), *_context(context)],
            cwd=ROOT,
            env=environment(home, **_settings(emulator)),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    if status:
        raise LocalRunError(f"cdk deploy failed; {log} ends with:\n{tail(log)}")
    return _deployment(emulator, json.loads(outputs.read_text()))


def _run_to_its_end(command: list[str | Path], **options: Any) -> int:
    """The exit status of a command; if we are interrupted, all processes that it started end too."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            return process.wait()
        finally:
            kill_group(process.pid)


def _options(home: Path, outputs: Path) -> list[str]:
    # --method direct makes no change set, as there is no person to review it.
    options = ["--require-approval", "never", "--method", "direct", "--no-notices", "--no-version-reporting"]
    return [*options, "--output", str(home / "cdk.out"), "--outputs-file", str(outputs)]


def _context(context: Mapping[str, str]) -> list[str]:
    return [word for name, value in context.items() for word in ("--context", f"{name}={value}")]


def _settings(emulator: Emulator) -> dict[str, str]:
    administrator = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    return administrator | {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": emulator.url,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # Keeps the CDK's library unpacked, which saves seconds at every synthesis after the first.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(LOCAL / "jsii"),
    }


def _deployment(emulator: Emulator, stacks: Mapping[str, Mapping[str, str]]) -> Deployment:
    [outputs] = stacks.values()
    faces = outputs.get("FacesUrl")
    return Deployment(
        session=emulator.session(),
        outputs=outputs,
        api_url=_emulated(emulator, outputs["ApiUrl"]),
        faces_url=_emulated(emulator, faces) if faces else None,
    )


def _emulated(emulator: Emulator, url: str) -> str:
    """The address of an API: AWS gives each a host name, the emulator gives it a path."""
    address = urlsplit(url)
    api_id = address.netloc.partition(".")[0]
    return f"{emulator.url}/_aws/execute-api/{api_id}{address.path.rstrip('/')}"
