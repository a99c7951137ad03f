"""The operator's commands: API keys, provider tokens, a check of every route, pausing, and erasing left data.

python -m infra.operate key OWNER | keys | key-revoke KEY | token PROVIDER
python -m infra.operate doctor | usage | pause [MINUTES] | resume | outputs
python -m infra.operate erase-data OUTPUTS
python -m infra.operate review [-c name=value …]: the settings that a deployment would change
For a stage other than prod, put --stage before the command: --stage dev outputs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from getpass import getpass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from longplay.providers import TOKENS

from infra.operator.doctor_table import table, unserved
from infra.operator.erasure import Remains
from infra.operator.errors import OperationError
from infra.operator.keys import create_key, listed, revoke
from infra.operator.usage import usage_csv
from infra.settings.changes import changes, losses, of_functions
from infra.settings.file import FILE, stages, tables
from infra.settings.settings import SettingsError, stage_from

#: The key of the item in the table that pauses all functions, and the seconds for which a function caches it.
SWITCH, SECONDS_CACHED = "settings", 30

#: The doctor's function may run for five minutes. It is not started a second time: that run would find the same.
DOCTOR_CALL = Config(read_timeout=310, retries={"total_max_attempts": 1})

HOUR, WEEK = 60, 7 * 24 * 60  # minutes


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and prints its result; exits with a message if it fails."""
    options, others = _parser().parse_known_args(arguments)
    if others and options.operation is not _review:  # the review has the arguments of the deployment, which are CDK's
        _parser().error(f"unrecognized arguments: {' '.join(others)}")
    try:
        print(options.operation(boto3.Session(), options))
    except (OperationError, SettingsError, ClientError, BotoCoreError) as error:
        sys.exit(f"longplay: {error}")


def stack_outputs(session: boto3.Session, *, stack: str) -> dict[str, str]:
    """The outputs of the deployed stack by name. Raises OperationError if there is no such stack."""
    try:
        found = session.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise OperationError(f"there is no stack {stack} in {session.region_name}: deploy it first") from error
    return {output["OutputKey"]: output["OutputValue"] for output in found["Stacks"][0].get("Outputs", [])}


def store_token(session: boto3.Session, *, provider: str, token: str, secret_id: str) -> None:
    """Stores the token beside those of the other providers. Raises OperationError if it is empty."""
    if not token:
        raise OperationError("no token was given: nothing is stored")
    manager = session.client("secretsmanager")
    tokens = json.loads(manager.get_secret_value(SecretId=secret_id)["SecretString"])
    manager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(tokens | {provider: token}))


def pause(session: boto3.Session, *, table: str, until: float) -> None:
    """Stops new jobs until a time in epoch seconds: callers get 503 with Retry-After; running jobs finish."""
    item = {"pk": {"S": SWITCH}, "paused_until": {"N": str(round(until))}}
    session.client("dynamodb").put_item(TableName=table, Item=item)


def resume(session: boto3.Session, *, table: str) -> None:
    """Lets new jobs in again; does nothing if they were not paused."""
    session.client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": SWITCH}})


def examine(session: boto3.Session, *, function: str) -> list[dict[str, Any]]:
    """Runs the deployed doctor and returns its findings, a row per route. Raises OperationError if it fails."""
    answer = session.client("lambda", config=DOCTOR_CALL).invoke(FunctionName=function)
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperationError(f"the doctor failed: {payload.get('errorMessage', 'see its log')}")
    routes: list[dict[str, Any]] = payload["routes"]
    return routes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.operate", description="Operates a deployed Longplay.")
    parser.add_argument("--stage", default="prod")
    operations = parser.add_subparsers(required=True)
    key = _operation(operations, "key", _key, "make an API key, shown this once")
    key.add_argument("owner", help="callers with this key see the jobs of this owner")
    _operation(operations, "keys", _keys, "list the API keys without their values")
    revoked = _operation(operations, "key-revoke", _revoke, "delete an API key")
    revoked.add_argument("key", help="its id as in the list, or the key itself")
    token = _operation(operations, "token", _token, "store a provider's token, read from a prompt or a pipe")
    token.add_argument("provider", choices=TOKENS)
    _operation(operations, "doctor", _doctor, "check whether each route of each model would work; costs nothing")
    paused = _operation(operations, "pause", _pause, "accept no new jobs for a while; running jobs finish")
    paused.add_argument("minutes", nargs="?", type=_minutes, default=HOUR, help="how long; an hour by default")
    _operation(operations, "usage", _usage, "print what each owner's jobs cost by day and model, as CSV")
    _operation(operations, "resume", _resume, "accept new jobs again")
    review = _operation(operations, "review", _review, "show which settings a deployment changes, and ask about losses")
    review.add_argument("-c", "--context", action="append", default=[], metavar="name=value")
    review.add_argument("--show", action="store_true", help="ask nothing")
    _operation(operations, "outputs", _outputs, "show the stack's outputs as JSON")
    erase = _operation(
        operations, "erase-data", _erase_data, "erase the files and jobs that a destroyed stack leaves behind"
    )
    erase.add_argument(
        "outputs", type=Path, help="a file with the result of `outputs`, saved before the stack was destroyed"
    )
    erase.add_argument("--yes", action="store_true", help="do not ask; ignored at a terminal")
    return parser


def _operation(
    operations: Any, name: str, operation: Callable[[boto3.Session, argparse.Namespace], str], purpose: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = operations.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(operation=operation)
    return parser


def _key(session: boto3.Session, options: argparse.Namespace) -> str:
    outputs = _outputs_of(session, options)
    return create_key(session, owner=options.owner, usage_plan_id=outputs["UsagePlanId"])


def _keys(session: boto3.Session, options: argparse.Namespace) -> str:
    return listed(session, usage_plan_id=_outputs_of(session, options)["UsagePlanId"])


def _revoke(session: boto3.Session, options: argparse.Namespace) -> str:
    return revoke(session, options.key, usage_plan_id=_outputs_of(session, options)["UsagePlanId"])


def _token(session: boto3.Session, options: argparse.Namespace) -> str:
    outputs = _outputs_of(session, options)
    token = _read_token(options.provider)
    store_token(session, provider=options.provider, token=token, secret_id=outputs["SecretName"])
    return f"The token of {options.provider} is stored; the functions use it within minutes."


def _doctor(session: boto3.Session, options: argparse.Namespace) -> str:
    routes = examine(session, function=_outputs_of(session, options)["DoctorFunctionName"])
    print(table(routes), end="\n\n")
    if missing := unserved(routes):
        raise OperationError(f"no route works for {', '.join(missing)}: see the next steps above")
    return "Each model on offer has a route that works or may work."


def _usage(session: boto3.Session, options: argparse.Namespace) -> str:
    return usage_csv(session, table=_outputs_of(session, options)["TableName"])


def _minutes(text: str) -> int:
    if not re.fullmatch(r"\d+", text) or not 1 <= int(text) <= WEEK:
        raise argparse.ArgumentTypeError(f"{text!r}: give whole minutes from 1 to {WEEK}, a week")
    return int(text)


def _pause(session: boto3.Session, options: argparse.Namespace) -> str:
    pause(session, table=_outputs_of(session, options)["TableName"], until=time.time() + 60 * options.minutes)
    return (
        f"Within {SECONDS_CACHED} s no new job is accepted, for {options.minutes} minutes or until `resume`: callers "
        "get 503 with Retry-After. Jobs accepted earlier continue to their end, waiting ones too."
    )


def _resume(session: boto3.Session, options: argparse.Namespace) -> str:
    resume(session, table=_outputs_of(session, options)["TableName"])
    return f"New jobs are accepted again within {SECONDS_CACHED} s."


def _outputs(session: boto3.Session, options: argparse.Namespace) -> str:
    return json.dumps(_outputs_of(session, options), indent=2)


def _review(session: boto3.Session, options: argparse.Namespace) -> str:
    context = dict(text.partition("=")[::2] for text in options.context)
    stage = stage_from({"stage": options.stage, **context}, tables())
    deployed = _deployed_settings(session, stage.stack_name)
    if deployed is None:
        return f"{stage.stack_name} is not there yet: it gets the settings as they are given."
    changed, lost = changes(deployed, stage.chosen), losses(deployed, stage.chosen)
    told = [f"Settings of {stage.stack_name} that change:", *changed] if changed else ["No setting changes."]
    if lost and not options.show:
        print("\n".join([*told, f"This takes away: {', '.join(lost)}."]))
        if not (os.environ.get("YES") or _confirmed_by_typing(stage.name, "go on")):
            raise OperationError(f"nothing is deployed. Put what you want to keep into {FILE.name}, or set YES=1")
        return "It is taken away."
    return "\n".join(told)


def _deployed_settings(session: boto3.Session, stack: str) -> Mapping[str, Any] | None:
    """The settings that are not the defaults, None without a stack.

    A stack of before 0.2.0 has only those of its functions: not the address for alarms, nor requests a second.
    """
    if not _exists(session, stack):
        return None
    outputs = stack_outputs(session, stack=stack)
    if "Settings" in outputs:
        return dict(json.loads(outputs["Settings"]))
    function = session.client("lambda").get_function_configuration(FunctionName=outputs["GeneratorFunctionName"])
    return of_functions(json.loads(function["Environment"]["Variables"]["SETTINGS"]))


def _erase_data(session: boto3.Session, options: argparse.Namespace) -> str:
    stack, remains = _stack_name(options), _remains(options.outputs)
    if _exists(session, stack):
        raise OperationError(f"the stack {stack} still exists and needs its data: nothing is erased")
    print(f"This permanently deletes data of {stack} in {session.region_name}:\n{remains.described(session)}")
    if not (_confirmed_by_option(options) or _confirmed_by_typing(stack)):
        raise OperationError(f"{stack} was not typed: nothing is erased")
    remains.erase(session)
    return "Both are deleted. AWS itself keeps a backup of the table for 35 days, at no cost."


def _remains(file: Path) -> Remains:
    try:
        outputs = json.loads(file.read_text())
        return Remains(bucket=outputs["BucketName"], table=outputs["TableName"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperationError(f"{file} is not a result of `outputs`: {error!r}") from error


def _exists(session: boto3.Session, stack: str) -> bool:
    try:
        stack_outputs(session, stack=stack)
    except OperationError:
        return False
    return True


def _confirmed_by_option(options: argparse.Namespace) -> bool:
    return bool(options.yes) and not sys.stdin.isatty()


def _confirmed_by_typing(word: str, what: str = "delete them") -> bool:
    print(f"Type {word} to {what}: ", end="", flush=True)
    return sys.stdin.readline().strip() == word


def _outputs_of(session: boto3.Session, options: argparse.Namespace) -> Mapping[str, str]:
    return stack_outputs(session, stack=_stack_name(options))


def _stack_name(options: argparse.Namespace) -> str:
    there = stages()
    if options.stage not in there:
        raise OperationError(f"there is no stage {options.stage}: there are {', '.join(there)} (see {FILE.name})")
    return there[options.stage].stack_name


def _read_token(provider: str) -> str:
    """The token, from a prompt or a pipe. Every user of the machine can see arguments, and the shell keeps them."""
    if sys.stdin.isatty():
        return getpass(f"Token of {provider} (not shown): ").strip()
    return sys.stdin.readline().strip()


if __name__ == "__main__":
    main()
