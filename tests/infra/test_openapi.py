"""The document that describes the API, and the README's table: made from the code, whole, and not stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.openapi.__main__ import written
from infra.openapi.document import build
from infra.openapi.examples import REQUESTS
from infra.openapi.routes import ROOT, admin_routes
from infra.openapi.table import BEGIN, END, table, with_table
from shared.admin_api.document import DOCUMENT
from tests.infra.template import Template

Json = dict[str, Any]
STALE = "it is not what the code says any more: run `make openapi`"


@pytest.fixture(scope="module")
def document() -> Json:
    return build()


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Route keys, and what is told of each."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield f"{method.upper()} {path}", operation


def test_document_is_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_committed_document_is_the_code_s() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == written(), STALE


def test_readme_s_table_is_the_code_s() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count(BEGIN) == readme.count(END) == 1
    assert with_table(readme) == readme, STALE
    assert "| `admin/bots` | `/api/bots/{id}` | GET viewer, PUT editor" in table()


def test_every_route_that_is_deployed_is_described_and_no_other(document: Json, template: Template) -> None:
    assert {key for key, _ in operations(document)} == set(template.routes)


def test_every_operation_has_a_name_and_a_place_of_its_own(document: Json) -> None:
    names = Counter(operation["operationId"] for _, operation in operations(document))
    tags = {tag["name"] for tag in document["tags"]}

    assert [name for name, number in names.items() if number > 1] == []
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} <= tags


def test_every_body_has_an_example(document: Json) -> None:
    """Forms of files are told by their fields."""
    bodies = {
        operation["operationId"]
        for _, operation in operations(document)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
        and "webhooks" not in operation["tags"]
    }
    assert bodies == set(REQUESTS), "write one in infra/openapi/examples.py"


def test_every_bound_of_a_list_and_every_condition_is_told_in_words(document: Json) -> None:
    bounds = {"limit", "cursor", "since", "until", "If-Match"}
    asked = [each for _, operation in operations(document) for each in operation.get("parameters", [])]
    assert bounds <= {each.get("name") for each in asked}
    assert [each for each in asked if each.get("name") in bounds and "description" not in each] == []


def test_only_what_is_public_takes_no_token(document: Json) -> None:
    public = {route.key for route in admin_routes() if route.role == "public"}

    assert document["security"] == [{"bearer": []}]
    for key, operation in operations(document):
        if "webhooks" not in operation["tags"]:
            assert (operation.get("security") == []) == (key in public), key
            assert ("401" in operation["responses"]) == (key not in public), key


@pytest.mark.parametrize(
    ("key", "statuses"),
    [
        ("GET /api/bots/{id}", "200 304 401 404 422 429 500 503"),
        ("GET /api/accounts/{account_id}/bots", "200 401 404 422 429 500 503"),
        ("POST /api/accounts/{account_id}/bots", "201 400 401 403 404 409 413 422 429 500 503"),
        ("PUT /api/bots/{id}", "200 400 401 403 404 409 412 413 422 429 500 503"),
        ("POST /api/bots/{id}/activate", "200 401 403 404 409 422 429 500 503"),
        ("POST /api/scenarios/validate", "200 400 401 404 413 422 429 500 503"),
        ("GET /api/openapi.json", "200 304 429 500 503"),
    ],
)
def test_every_status_that_a_route_can_give_is_told(document: Json, key: str, statuses: str) -> None:
    operation = dict(operations(document))[key]
    assert " ".join(operation["responses"]) == statuses


def test_what_the_server_writes_may_come_back_in_a_put(document: Json) -> None:
    fields = document["components"]["schemas"]["BotChange"]["properties"]
    assert fields["created_at"]["readOnly"] is True
    assert "readOnly" not in fields["name"]
