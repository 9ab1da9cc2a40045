from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from shared.admin_api.access import Reach, SignedIn
from shared.admin_api.api_route import ApiRoute
from shared.admin_api.app import Guard, create_app
from shared.admin_api.idempotency import MAX_SEALED, Answer, opened, sealed
from shared.admin_api.json_route import JsonRoute
from shared.backend.accounts import ClaimedMemberships, Role
from shared.backend.kept import Kept
from shared.backend.keys import SharedSecret
from shared.backend.tokens import TokenVerifier
from shared.errors import Conflict
from tests.admin_api.gateway import client_of
from tests.backend.tokens import SECRET, claims, signed
from tests.conftest import Aws, Call, items_of

ACCOUNT, OTHER_ACCOUNT = str(uuid4()), str(uuid4())
MADE_SECRET = "a-secret-that-is-shown-once"


@dataclass
class Works:
    """What the route does, as often as it is let."""

    bodies: list[Any] = field(default_factory=list)
    does: Callable[[], None] = lambda: None

    def __call__(self, body: Any) -> int:
        self.bodies.append(body)
        self.does()
        return len(self.bodies)


@pytest.fixture
def works() -> Works:
    return Works()


def account_of(request: Request) -> tuple[str, str]:
    account: str = request.path_params["account"]
    return account, account


@pytest.fixture
def app(aws_account: Aws, works: Works) -> FastAPI:
    router = APIRouter(route_class=JsonRoute)

    @router.post("/{account}/things", status_code=201)
    def make(
        account: Annotated[str, Depends(Reach(Role.EDITOR, "account", account_of))],
        body: dict[str, Any],
        response: Response,
        dry: int = 0,
    ) -> dict[str, Any]:
        number = works(body)
        response.headers.update({"Location": f"/things/{number}", "ETag": f'"{number}"', "X-Other": "1"})
        return {
            "number": number,
            "secret": MADE_SECRET,
            **({"padding": body["pad"]} if "pad" in body else {}),
        }

    @router.post("/validate", dependencies=[Depends(SignedIn())])
    def validate(body: dict[str, Any]) -> int:
        return works(body)

    @router.put("/{account}/things")
    def replace(
        account: Annotated[str, Depends(Reach(Role.EDITOR, "account", account_of))], body: dict[str, Any]
    ) -> int:
        return works(body)

    def upload(request: Request) -> int:
        return works(request.headers["content-type"])

    admits = Depends(Reach(Role.EDITOR, "account", account_of))
    router.add_api_route(
        "/{account}/files", upload, methods=["POST"], dependencies=[admits], route_class_override=ApiRoute
    )
    verifier = TokenVerifier({"HS256": SharedSecret(Kept("the secret", SECRET.encode))})
    guard = Guard(verifier, ClaimedMemberships(), lambda: b"a key of tests")
    return create_app(router, guard)


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    with client_of(app) as client:
        yield client


def request_of(
    client: httpx.Client | httpx.AsyncClient,
    key: str | None,
    body: Any = None,
    method: str = "POST",
    **more: Any,
) -> httpx.Request:
    path = more.pop("path", f"/{more.pop('account', ACCOUNT)}/things")
    token = signed(claims(more.pop("accounts", {ACCOUNT: "editor", OTHER_ACCOUNT: "editor"}), **more))
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    return client.build_request(method, path, headers=headers, json=body or {"name": "one"})


def ask(client: httpx.Client, key: str | None = "key", *args: Any, **more: Any) -> httpx.Response:
    return client.send(request_of(client, key, *args, **more))


def test_repeated_request_gets_the_first_answer_and_is_not_carried_out(
    client: httpx.Client, works: Works
) -> None:
    first, second = ask(client), ask(client)

    assert len(works.bodies) == 1
    assert (first.status_code, first.content) == (second.status_code, second.content)
    for header in ("location", "etag", "content-type"):
        assert first.headers[header] == second.headers[header]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("other", {}),
        ("key", {"sub": "somebody else"}),
        ("key", {"account": OTHER_ACCOUNT}),
        (None, {}),
        ("key", {"method": "PUT"}),
    ],
    ids=["key", "caller", "path", "no key", "method"],
)
def test_key_is_of_one_caller_and_one_address(
    client: httpx.Client, works: Works, key: str | None, more: dict[str, Any]
) -> None:
    ask(client)
    ask(client, key, **more)

    assert len(works.bodies) == 2


@pytest.mark.parametrize("more", [{"body": {"name": "two"}}, {"path": f"/{ACCOUNT}/things?dry=1"}])
def test_key_of_another_request_is_refused(client: httpx.Client, works: Works, more: dict[str, Any]) -> None:
    ask(client)
    answer = ask(client, **more)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:parley:problem:key-reused")
    assert len(works.bodies) == 1


def test_request_that_is_under_way_is_not_begun_again(
    app: FastAPI, client: httpx.Client, works: Works
) -> None:
    begun, may_end = Event(), Event()

    def wait() -> None:
        begun.set()
        may_end.wait(10)

    async def ask_twice() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.invalid") as both:
            request = request_of(both, "key")
            first = asyncio.create_task(both.send(request))
            await asyncio.to_thread(begun.wait, 10)
            meanwhile = await both.send(request)
            may_end.set()
            return await first, meanwhile

    works.does = wait
    with closing(asyncio.new_event_loop()) as loop:
        first, meanwhile = loop.run_until_complete(ask_twice())

    assert (meanwhile.status_code, meanwhile.json()["type"]) == (409, "urn:parley:problem:under-way")
    assert int(meanwhile.headers["retry-after"]) > 0
    assert ask(client).content == first.content
    assert len(works.bodies) == 1


def test_fault_of_ours_frees_the_key(client: httpx.Client, works: Works) -> None:
    def fail() -> None:
        raise RuntimeError

    works.does = fail
    assert ask(client).status_code == 500
    works.does = lambda: None
    assert ask(client).status_code == 201


def test_refusal_is_an_answer_like_any_other(client: httpx.Client, works: Works) -> None:
    def refuse() -> None:
        raise Conflict("there is one")

    works.does = refuse
    first, second = ask(client), ask(client)

    assert first.status_code == second.status_code == 409
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["content-type"] == "application/problem+json"
    assert len(works.bodies) == 1


@pytest.mark.parametrize(
    ("accounts", "status"),
    [
        pytest.param({ACCOUNT: "viewer"}, 403, id="a role too low"),
        pytest.param({OTHER_ACCOUNT: "admin"}, 404, id="a foreign account"),
    ],
)
def test_who_may_no_more_is_told_nothing_of_the_first_answer(
    client: httpx.Client, works: Works, accounts: dict[str, str], status: int
) -> None:
    ask(client)
    answer = ask(client, accounts=accounts)

    assert answer.status_code == status
    assert MADE_SECRET not in answer.text
    assert ask(client, "never seen", accounts=accounts).content == answer.content


def test_table_holds_neither_the_answer_nor_what_opens_it(client: httpx.Client, aws_account: Aws) -> None:
    ask(client, "the-key-itself", {"name": "somebody's words"})

    (stored,) = map(str, items_of("CACHE_TABLE"))
    for word in (MADE_SECRET, "the-key-itself", "somebody's words", ACCOUNT):
        assert word not in stored


def test_answer_too_large_to_be_kept_is_told_by_its_address(client: httpx.Client, works: Works) -> None:
    body = {"pad": os.urandom(MAX_SEALED).hex()}
    first, second = ask(client, body=body), ask(client, body=body)

    assert first.status_code == 201
    assert (second.status_code, second.headers["location"]) == (409, first.headers["location"])
    assert len(works.bodies) == 1


@pytest.mark.parametrize("key", ["x" * 256, "a b", "кл".encode(), " "], ids=["long", "two", "odd", "blank"])
def test_odd_key_is_refused(client: httpx.Client, works: Works, key: Any) -> None:
    answer = ask(client, key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/Idempotency-Key"
    assert works.bodies == []


def test_what_changes_nothing_is_done_anew(client: httpx.Client, works: Works) -> None:
    ask(client, path="/validate")
    ask(client, path="/validate")

    assert len(works.bodies) == 2


def test_no_key_costs_no_call(client: httpx.Client, aws_calls: list[Call]) -> None:
    ask(client, None)
    assert aws_calls == []
    ask(client)
    assert [call.operation for call in aws_calls] == ["PutItem", "PutItem"]


def test_form_sent_again_is_the_same_though_its_boundary_is_new(client: httpx.Client, works: Works) -> None:
    token = signed(claims({ACCOUNT: "editor"}))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "key"}
    answers = [
        client.post(f"/{ACCOUNT}/files", headers=headers, files={"file": ("a.png", content)})
        for content in (b"PNG", b"PNG", b"GIF")
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert len(set(works.bodies)) == 1


def test_sealed_answer_is_opened_by_its_seal_alone() -> None:
    answer, seal = Answer(201, {"etag": '"1"'}, b'{"id": 1}'), os.urandom(32)
    text = sealed(answer, seal)

    assert opened(text, seal) == answer
    assert sealed(answer, seal) != text
    with pytest.raises(InvalidTag):
        opened(text, os.urandom(32))
