"""Browsers' preflights: the emulator answers OPTIONS itself, where the gateway asks the route's Lambda."""

import json
import re
from dataclasses import dataclass
from typing import Any

from infra.local.deployment import physical_id
from infra.local.emulator import Emulator


@dataclass(frozen=True)
class OptionsRoute:
    key: str
    function: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, key: str, function: str) -> "OptionsRoute":
        path = key.partition(" ")[2]
        return cls(key, function, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)))


class Preflights:
    """Calls the Lambda of an OPTIONS route with what the gateway would give it."""

    def __init__(self, emulator: Emulator, routes: dict[str, str]) -> None:
        self._client = emulator.client("lambda")
        self._routes = [
            OptionsRoute.of(key, physical_id(emulator, function))
            for key, function in routes.items()
            if key.startswith("OPTIONS ")
        ]

    def __call__(self, path: str, headers: dict[str, str]) -> dict[str, Any] | None:
        """The Lambda's answer; None where no route has this path."""
        for route in self._routes:
            if found := route.pattern.fullmatch(path):
                event = _event(route, path, found.groupdict(), headers)
                answered = self._client.invoke(FunctionName=route.function, Payload=json.dumps(event))
                answer: dict[str, Any] = json.load(answered["Payload"])
                return answer
        return None


def _event(
    route: OptionsRoute, path: str, parameters: dict[str, str], headers: dict[str, str]
) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "pathParameters": parameters,
        "isBase64Encoded": False,
        "requestContext": {
            "routeKey": route.key,
            "stage": "$default",
            "requestId": "preflight",
            "http": {"method": "OPTIONS", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
        },
    }
