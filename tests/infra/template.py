"""Reads template.yaml the way the tests ask about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FUNCTION = "AWS::Serverless::Function"
QUEUE = "AWS::SQS::Queue"
TABLE = "AWS::DynamoDB::Table"


@dataclass(frozen=True)
class Template:
    document: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        resources = self.document["Resources"]
        return {name: found for name, found in resources.items() if found["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.document["Resources"][name]["Properties"]
        return found

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        return {name: found["Properties"] for name, found in self.of_type(FUNCTION).items()}

    @property
    def routes(self) -> dict[str, str]:
        """Route key → logical id of the function."""
        return {
            f"{event['Properties']['Method']} {event['Properties']['Path']}": name
            for name, function in self.functions.items()
            for event in function["Events"].values()
            if event["Type"] == "HttpApi"
        }

    @property
    def event_sources(self) -> dict[str, dict[str, Any]]:
        """Logical id of the function → properties of its queue's event source."""
        return {
            name: event["Properties"]
            for name, function in self.functions.items()
            for event in function["Events"].values()
            if event["Type"] == "SQS"
        }

    def environment(self, function: str) -> dict[str, Any]:
        shared = self.document["Globals"]["Function"]["Environment"]["Variables"]
        return {**shared, **self.functions[function]["Environment"]["Variables"]}

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of every policy, with the resource that it stands in."""
        for name, found in self.document["Resources"].items():
            yield from ((name, statement) for statement in _statements_in(found))

    def rights(self, function: str) -> set[tuple[str, str]]:
        """Pairs of an action and the logical id of what it may be done to."""
        role = logical_id(self.functions[function]["Role"])
        return {
            (action, logical_id(resource))
            for name, statement in self.statements()
            if name == role and "Resource" in statement
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def logical_id(reference: Any) -> str:
    """What a `!Ref`, `!GetAtt` or `!Sub` is about; a text that refers to nothing is itself."""
    if not isinstance(reference, dict):
        return str(reference)
    ((function, target),) = reference.items()
    if function == "Fn::GetAtt":
        return str(target[0])
    if function == "Fn::Sub" and (found := re.search(r"\$\{(\w+)[.}]", target)):
        return found[1]
    return str(target)


def _statements_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from _statements_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements_in(inner)
