"""What an operator does beside deploying: keys, tokens, a look at every route, a pause, and erasing what is left.

python -m infra.operate key OWNER | token PROVIDER | doctor | pause [MINUTES] | resume | outputs | erase-data OUTPUTS
(--stage local, before the word, for another stage than prod)
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
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
from infra.settings.settings import STAGES

#: The item in the table that all functions look at, and for how many seconds each remembers what it saw.
SWITCH, SECONDS_REMEMBERED = "settings", 30

#: The doctor's function may look for five minutes; a second one at the same time would tell nothing more.
PATIENT = Config(read_timeout=310, retries={"total_max_attempts": 1})

HOUR, WEEK = 60, 7 * 24 * 60  # minutes


class OperationError(Exception):
    """What the operator asked for cannot be done; the message says what to do instead."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        print(options.operation(boto3.Session(), options))
    except (OperationError, ClientError, BotoCoreError) as error:
        sys.exit(f"longplay: {error}")


def stack_outputs(session: boto3.Session, *, stack: str) -> dict[str, str]:
    """The outputs of the deployed stack by name. Raises OperationError where there is no such stack."""
    try:
        found = session.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise OperationError(f"there is no stack {stack} in {session.region_name}: deploy it first") from error
    return {output["OutputKey"]: output["OutputValue"] for output in found["Stacks"][0].get("Outputs", [])}


def create_key(session: boto3.Session, *, owner: str, usage_plan_id: str) -> str:
    """A new API key of `owner` within the usage plan; older keys of the same owner stay valid.

    Its value is `lp_<owner>_<secret>`, so all keys of an owner see the same jobs.
    Raises OperationError unless the owner is 1 to 32 of a–z, 0–9 and -.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,32}", owner):
        raise OperationError(f"{owner!r} cannot be an owner: use 1 to 32 of a-z, 0-9 and -")
    api_gateway = session.client("apigateway")
    value = f"lp_{owner}_{secrets.token_hex(24)}"
    key = api_gateway.create_api_key(name=f"longplay-{owner}", value=value, enabled=True)
    api_gateway.create_usage_plan_key(usagePlanId=usage_plan_id, keyId=key["id"], keyType="API_KEY")
    return value


def store_token(session: boto3.Session, *, provider: str, token: str, secret_id: str) -> None:
    """Puts the token beside those of the other providers. Raises OperationError for an empty one."""
    if not token:
        raise OperationError("no token was given: nothing is stored")
    manager = session.client("secretsmanager")
    tokens = json.loads(manager.get_secret_value(SecretId=secret_id)["SecretString"])
    manager.put_secret_value(SecretId=secret_id, SecretString=json.dumps(tokens | {provider: token}))


def pause(session: boto3.Session, *, table: str, until: float) -> None:
    """Has no new job taken until then (epoch seconds): callers get 503 with Retry-After; jobs under way finish."""
    item = {"pk": {"S": SWITCH}, "paused_until": {"N": str(round(until))}}
    session.client("dynamodb").put_item(TableName=table, Item=item)


def resume(session: boto3.Session, *, table: str) -> None:
    """Has new jobs taken again, whether or not they were paused."""
    session.client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": SWITCH}})


def examine(session: boto3.Session, *, function: str) -> list[dict[str, Any]]:
    """What the deployed doctor finds of each route, just now. Raises OperationError when it breaks off."""
    answer = session.client("lambda", config=PATIENT).invoke(FunctionName=function)
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperationError(f"the doctor broke off: {payload.get('errorMessage', 'see its log')}")
    routes: list[dict[str, Any]] = payload["routes"]
    return routes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.operate", description="Operates a deployed Longplay.")
    parser.add_argument("--stage", choices=STAGES, default="prod")
    operations = parser.add_subparsers(required=True)
    key = _operation(operations, "key", _key, "make an API key, shown this once")
    key.add_argument("owner", help="whose jobs the key's callers see")
    token = _operation(operations, "token", _token, "store a provider's token, read from the prompt or a pipe")
    token.add_argument("provider", choices=TOKENS)
    _operation(operations, "doctor", _doctor, "look whether each model's routes would work; costs nothing")
    paused = _operation(operations, "pause", _pause, "take no new jobs for a while; those under way finish")
    paused.add_argument("minutes", nargs="?", type=_minutes, default=HOUR, help="how long; an hour unless given")
    _operation(operations, "resume", _resume, "take new jobs again")
    _operation(operations, "outputs", _outputs, "show the stack's outputs as JSON")
    erase = _operation(operations, "erase-data", _erase_data, "erase the files and jobs a destroyed stack has left")
    erase.add_argument("outputs", type=Path, help="a file with what `outputs` showed while the stack stood")
    erase.add_argument("--yes", action="store_true", help="do not ask, where no person sits at the terminal")
    return parser


def _operation(
    operations: Any, name: str, operation: Callable[[boto3.Session, argparse.Namespace], str], purpose: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = operations.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(operation=operation)
    return parser


def _key(session: boto3.Session, options: argparse.Namespace) -> str:
    outputs = _of_stage(session, options)
    return create_key(session, owner=options.owner, usage_plan_id=outputs["UsagePlanId"])


def _token(session: boto3.Session, options: argparse.Namespace) -> str:
    outputs = _of_stage(session, options)
    token = _read_token(options.provider)
    store_token(session, provider=options.provider, token=token, secret_id=outputs["SecretName"])
    return f"The token of {options.provider} is stored; the functions take it up within minutes."


def _doctor(session: boto3.Session, options: argparse.Namespace) -> str:
    routes = examine(session, function=_of_stage(session, options)["DoctorFunctionName"])
    print(table(routes), end="\n\n")
    if missing := unserved(routes):
        raise OperationError(f"no route works for {', '.join(missing)}: see the next steps above")
    return "Each model on offer has a route that works, as far as can be told."


def _minutes(text: str) -> int:
    if not re.fullmatch(r"\d+", text) or not 1 <= int(text) <= WEEK:
        raise argparse.ArgumentTypeError(f"{text!r}: give whole minutes from 1 to {WEEK}, a week")
    return int(text)


def _pause(session: boto3.Session, options: argparse.Namespace) -> str:
    pause(session, table=_of_stage(session, options)["TableName"], until=time.time() + 60 * options.minutes)
    return (
        f"Within {SECONDS_REMEMBERED} s no new job is taken, for {options.minutes} minutes or until `resume`: callers "
        "get 503 with Retry-After. Jobs that were taken before go on to their end, waiting ones too."
    )


def _resume(session: boto3.Session, options: argparse.Namespace) -> str:
    resume(session, table=_of_stage(session, options)["TableName"])
    return f"New jobs are taken again within {SECONDS_REMEMBERED} s."


def _outputs(session: boto3.Session, options: argparse.Namespace) -> str:
    return json.dumps(_of_stage(session, options), indent=2)


def _erase_data(session: boto3.Session, options: argparse.Namespace) -> str:
    stack, remains = STAGES[options.stage].stack_name, _remains(options.outputs)
    if _stands(session, stack):
        raise OperationError(f"the stack {stack} still stands and needs its data: nothing is erased")
    print(f"This deletes for good, of {stack} in {session.region_name}:\n{remains.described(session)}")
    if not (_nobody_to_ask(options) or _typed(stack)):
        raise OperationError(f"{stack} was not typed: nothing is erased")
    remains.erase(session)
    return "Both are deleted. AWS itself keeps a backup of the table for 35 days, at no cost."


def _remains(file: Path) -> Remains:
    try:
        outputs = json.loads(file.read_text())
        return Remains(bucket=outputs["BucketName"], table=outputs["TableName"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperationError(f"{file} is not what `outputs` showed: {error!r}") from error


def _stands(session: boto3.Session, stack: str) -> bool:
    try:
        stack_outputs(session, stack=stack)
    except OperationError:
        return False
    return True


def _nobody_to_ask(options: argparse.Namespace) -> bool:
    return bool(options.yes) and not sys.stdin.isatty()


def _typed(word: str) -> bool:
    print(f"Type {word} to delete them: ", end="", flush=True)
    return sys.stdin.readline().strip() == word


def _of_stage(session: boto3.Session, options: argparse.Namespace) -> Mapping[str, str]:
    return stack_outputs(session, stack=STAGES[options.stage].stack_name)


def _read_token(provider: str) -> str:
    """Never from an argument: those are seen by every user of the machine and kept in the shell's history."""
    if sys.stdin.isatty():
        return getpass(f"Token of {provider} (not shown): ").strip()
    return sys.stdin.readline().strip()


if __name__ == "__main__":
    main()
