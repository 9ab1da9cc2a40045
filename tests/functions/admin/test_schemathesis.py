"""What nobody thought of: requests made from the document alone, by members of two accounts.

Whatever is asked, no answer is a fault of the server, each is as the document says, and of what is one
account's the other is told nothing.
"""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.admin_api.document import DOCUMENT
from tests.functions.admin.conftest import OTHER_ACCOUNT, TELEGRAM, Api, token_of

EXAMPLES = 6
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KINDS = {
    "accounts": "account",
    "bots": "bot",
    "scenarios": "scenario",
    "dialogs": "dialog",
    "exports": "export",
    "media": "media",
}
"""What the id after a word of a path is of."""

WORDS = ("What's your name?", "Иван", TELEGRAM["bot_token"])
"""The first account's, and nobody else's."""

SCHEMA = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text(encoding="utf-8")))
OPERATIONS = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (result.ok() for result in SCHEMA.get_all_operations() if isinstance(result, Ok))
    if "webhooks" not in (operation.tags or ())
}


def send(api: Api, case: Case[Any], token: str) -> httpx.Response:
    """The case's request, as any client would write it down."""
    prepared = requests.Request(**_without_extras(case.as_transport_kwargs("https://api.invalid"))).prepare()
    named = {**prepared.headers, "Authorization": f"Bearer {token}"}
    headers = [(name.encode(), str(value).encode("latin-1")) for name, value in named.items()]
    body: Any = prepared.body or b""
    path = urlsplit(prepared.url or "").path
    request = httpx.Request(prepared.method or "", prepared.url or "", headers=headers, content=body)
    answer = api.client_for(path).send(request)
    answer.elapsed = timedelta()
    return answer


def _without_extras(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in {"timeout", "verify"}}


def places_of(path: str, ids: dict[str, str]) -> dict[str, Any]:
    """What stands in the places of a path, of things that there are."""
    words = path.strip("/").split("/")
    places: dict[str, Any] = {"platform": "telegram", "revision": 1}
    for word, place in pairwise(words):
        if place.startswith("{") and word in KINDS:
            places[place.strip("{}")] = ids.get(KINDS[word], str(uuid4()))
    return {name: value for name, value in places.items() if f"{{{name}}}" in words}


def cases_of(route: str, ids: dict[str, str]) -> SearchStrategy[Case[Any]]:
    operation = OPERATIONS[route]
    places = places_of(operation.path, ids)
    here = operation.as_strategy(path_parameters=places) if places else operation.as_strategy()
    wrong = operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=places or None)
    return here | operation.as_strategy() | wrong


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_answer_is_as_the_document_says(api: Api, ids: dict[str, str], route: str) -> None:
    marks = [mark for kind, mark in ids.items() if kind not in {"revision", "platform"}]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases_of(route, ids))
    def ask(case: Case[Any]) -> None:
        foreign = send(api, case, token_of("admin", OTHER_ACCOUNT))
        case.validate_response(foreign, checks=CHECKS)
        if any(mark in case.formatted_path for mark in marks):
            assert foreign.status_code >= 400
        assert not [mark for mark in (*marks, *WORDS) if mark in foreign.text]
        case.validate_response(send(api, case, token_of("admin")), checks=CHECKS)

    if OPERATIONS[route].definition.raw.get("security") != []:
        ask()
