"""The document that describes the API, as it is served, and its examples, sent to the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.admin_api.document import DOCUMENT
from tests.functions.admin.conftest import Api
from tests.functions.admin.test_access import path_of

DESCRIBED: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))


def test_document_is_served_to_everybody_and_once(api: Api) -> None:
    served = api("GET", "/api/openapi.json", None)
    again = api("GET", "/api/openapi.json", None, headers={"If-None-Match": served.headers["etag"]})

    assert (served.status_code, served.json()) == (200, DESCRIBED)
    assert served.headers["content-type"] == "application/json"
    assert served.headers["cache-control"] == "public, max-age=300"
    assert (again.status_code, again.content) == (304, b"")


def requests() -> Iterator[tuple[str, Any]]:
    """Every example, by the route it is of, as far as it stands in the document."""
    for path, item in DESCRIBED["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}) if method != "parameters" else {}
            examples = content.get("content", {}).get("application/json", {}).get("examples", {})
            if "/webhook/" not in path:
                yield from ((f"{method.upper()} {path}", each["value"]) for each in examples.values())


@pytest.mark.parametrize(("route", "body"), [pytest.param(*each, id=each[0]) for each in requests()])
def test_example_is_answered_as_the_document_says(
    api: Api, ids: dict[str, str], route: str, body: Any
) -> None:
    method, _, path = route.partition(" ")
    if route.endswith("/platforms"):
        api("DELETE", f"/api/bots/{ids['bot']}/platforms/telegram")
    answer = api(method, path_of(route, ids), json=body)

    told = DESCRIBED["paths"][path][method.lower()]["responses"]
    assert answer.status_code < 300, answer.text
    assert str(answer.status_code) in told
    for header, about in told[str(answer.status_code)].get("headers", {}).items():
        required = DESCRIBED["components"]["headers"][about["$ref"].rpartition("/")[2]].get("required")
        assert header in answer.headers or not required
