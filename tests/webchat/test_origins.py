from __future__ import annotations

import pytest

from shared.credential import Credential
from shared.errors import Forbidden
from shared.platforms.base import WebhookRequest
from shared.webchat.origins import admit, allowed_origins

SHOP = "https://shop.example"
HOST = "api.parley.example"


def credential(allowed: str) -> Credential:
    return Credential("c", "b", "webchat", is_active=True, settings={"allowed_origins": allowed})


def request(**headers: str) -> WebhookRequest:
    return WebhookRequest("POST", {name.replace("_", "-"): value for name, value in headers.items()}, {}, b"")


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("", ()),
        (SHOP, (SHOP,)),
        (f"{SHOP} http://localhost:3000", (SHOP, "http://localhost:3000")),
        (f" {SHOP},https://Two.example ,", (SHOP, "https://two.example")),
        ("http://[::1]:8000", ("http://[::1]:8000",)),
        ("*", ()),
        ("https://shop.example/path", ()),
        ("https://shop.example; script-src *", ()),
        ("javascript:alert(1)", ()),
        ("https://shop.example\r\nSet-Cookie: a=b", (SHOP,)),
    ],
)
def test_only_origins_are_allowed_origins(given: str, origins: tuple[str, ...]) -> None:
    assert allowed_origins(credential(given)) == origins


def test_a_credential_without_origins_has_none() -> None:
    assert allowed_origins(Credential("c", "b", "webchat", is_active=True, settings={})) == ()


def test_a_listed_origin_is_admitted_and_named() -> None:
    assert admit(request(origin=SHOP), HOST, credential(SHOP)) == SHOP
    assert admit(request(origin="https://Shop.example"), HOST, credential(SHOP)) == SHOP


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="a program"),
        pytest.param({"origin": f"https://{HOST}", "sec_fetch_site": "same-origin"}, id="our own page"),
        pytest.param({"origin": f"https://{HOST}"}, id="our own page in an old browser"),
        pytest.param({"origin": "https://chat.example", "host": "chat.example"}, id="under another name"),
        pytest.param(
            {"origin": "http://127.0.0.1:8000", "sec_fetch_site": "same-origin"}, id="behind a proxy"
        ),
    ],
)
def test_our_own_page_and_programs_are_always_admitted(headers: dict[str, str]) -> None:
    assert admit(request(**headers), HOST, credential(SHOP)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": f"https://{HOST}.evil.example"},
        {"origin": "https://shop.example.evil.example"},
        {"origin": "http://shop.example"},
        {"origin": "https://shop.example:8443"},
        {"origin": "null"},
    ],
)
def test_a_foreign_origin_is_refused_where_origins_are_listed(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        admit(request(**headers), HOST, credential(SHOP))


def test_where_none_are_listed_anybody_may_call_but_no_page_may_read() -> None:
    assert admit(request(origin="https://evil.example"), HOST, credential("")) is None
