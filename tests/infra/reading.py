"""Reads a CloudFormation template: resources by type, references by the name of the resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of one type, by their logical id without CDK's hash."""
    return {readable(key): value for key, value in template["Resources"].items() if value["Type"] == kind}


def properties(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource of one type, by its logical id without CDK's hash."""
    return {name: resource.get("Properties", {}) for name, resource in resources(template, kind).items()}


def only(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the one resource of its type."""
    [found] = properties(template, kind).values()
    return found


def readable(value: Any) -> Any:
    """The value with references as text (`StorageJobs.Arn/index/open`), for every intrinsic function that CDK uses."""
    match value:
        case str():
            return re.sub(r"([A-Za-z])[0-9A-F]{8}\b", r"\1", value)
        case {"Ref": name}:
            return readable(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{readable(name)}.{attribute}"
        case {"Fn::FindInMap": [name, *_]}:
            return readable(name)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(readable(part) for part in parts)
        case list():
            return [readable(part) for part in value]
        case dict():
            return {key: readable(part) for key, part in value.items()}
    return value


def granted(template: Template, role: str) -> dict[str, set[str]]:
    """The actions granted to a role, by the ARN (and the condition, if any) that they are granted for."""
    grants: dict[str, set[str]] = {}
    for statement in _statements(template, role):
        condition = f" if {readable(statement['Condition'])}" if "Condition" in statement else ""
        for resource in _several(readable(statement["Resource"])):
            grants.setdefault(f"{resource}{condition}", set()).update(_several(statement["Action"]))
    return grants


def _statements(template: Template, role: str) -> Iterator[dict[str, Any]]:
    for policy in properties(template, "AWS::IAM::Policy").values():
        if role in readable(policy["Roles"]):
            yield from policy["PolicyDocument"]["Statement"]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
