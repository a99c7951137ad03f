"""`make run`: all of Longplay on this machine, from an empty AWS account to a track and an image.

ONCE=1 ends it after the two files. SPACE, HF_TOKEN or MODEL_SERVER choose the model server. PORT fixes the port, and
STAGE takes the settings of a stage in longplay.toml: caps, deadlines, horizon.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from infra.settings.file import tables
from local.emulator.deployment import deploy
from local.emulator.emulator import Emulator, emulator
from local.run.caller import FINISHED, Caller, Job, download
from local.run.endpoint import Endpoint, alone_in, announced
from local.run.model_source import ModelSource, model_source, tokens
from local.run.progress import curl, describe, megabytes, saved, say
from local.run.rehearsal import chosen_port, chosen_settings
from local.tools import LOCAL, LocalRunError, require_tools

OWNER = "local"
INTERRUPTED = 128 + signal.SIGINT


def main() -> int:
    """The exit status: 0, 1 if it could not start or a job failed, 130 if it was interrupted."""
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    arguments = _arguments()
    try:
        with ExitStack() as stack:
            return run(stack, arguments.folder.resolve(), once=arguments.once)
    except LocalRunError as error:
        say(f"cannot continue: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


def run(stack: ExitStack, folder: Path, *, once: bool) -> int:
    """Set everything up within `stack`, generate two files, and serve until interrupted unless `once`."""
    require_tools()
    stack.enter_context(alone_in(folder))
    source = stack.enter_context(model_source(os.environ, folder / "run"))
    endpoint = _set_up(stack, source, folder)
    stack.enter_context(announced(endpoint, folder))
    print(f"  Page: {endpoint.page_url}", flush=True)
    jobs = _generate(Caller(endpoint.api_url, endpoint.api_key), source.requests, folder / "outputs")
    _introduce(endpoint, source.requests[0], jobs)
    if not once:
        _serve()
    return int(any(job["status"] != "succeeded" for job in jobs))


def _serve() -> None:
    say("serving until Ctrl-C")
    with suppress(KeyboardInterrupt):
        while True:  # signal.pause() would miss a signal that another thread gets, or that comes just before it
            time.sleep(1)
    say("stopping")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.run", description=__doc__)
    parser.add_argument("--folder", type=Path, default=LOCAL, help="the folder of its files (default: .local)")
    parser.add_argument("--once", action="store_true", default=os.environ.get("ONCE", "0") not in ("", "0"))
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _set_up(stack: ExitStack, source: ModelSource, folder: Path) -> Endpoint:
    port, settings = chosen_port(os.environ), chosen_settings(os.environ, tables)
    say("starting the AWS emulator")
    aws = stack.enter_context(emulator(folder / "run", port=port))
    say(f"deploying the stack to it; log of emulator and functions: {aws.log}")
    endpoint = _deployed(aws, source, settings, folder / "run")
    say(f"deployed; the model server is {source.name}")
    return endpoint


def _deployed(aws: Emulator, source: ModelSource, settings: Mapping[str, str], home: Path) -> Endpoint:
    deployment = deploy(aws, home, context={"stage": "local", **settings, **source.context})
    for provider, token in {**tokens(os.environ), **source.tokens}.items():
        deployment.store_token(provider, token)
    key = deployment.new_key(OWNER)
    return Endpoint(
        page_url=f"{deployment.api_url}/#key={key}",
        api_url=deployment.api_url,
        api_key=key,
        faces_url=deployment.faces_url,
        model_server=source.url,
        aws_url=aws.url,
    )


def _generate(caller: Caller, wishes: Iterable[Mapping[str, object]], outputs: Path) -> list[Job]:
    """The jobs after they have ended; their files are in `outputs`."""
    outputs.mkdir(exist_ok=True)
    submitted = [caller.submit(request)["id"] for request in wishes]
    ended: list[Job] = []
    for job in caller.follow(submitted):
        say(describe(job))
        if job["status"] == "succeeded":
            saved(download(job, outputs))
        if job["status"] in FINISHED:
            ended.append(job)
    return ended


def _introduce(endpoint: Endpoint, wish: Mapping[str, object], jobs: list[Job]) -> None:
    for job in jobs:
        for output in job["outputs"]:
            print(f"  {job['kind']}: {output['url']}")
    print(f"  Page: {endpoint.page_url}")
    print(f"  API URL: {endpoint.api_url}\n  API key: {endpoint.api_key}")
    print(f"  Faces for clients of Hugging Face and OpenAI: {endpoint.faces_url}, and {endpoint.faces_url}/v1")
    print(f"  Try: {curl(endpoint.api_url, endpoint.api_key, json.dumps({**wish, 'fresh': True}))}")
    print(f"  Files, logs and tools of this checkout: {megabytes(LOCAL):,} MB in {LOCAL}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
