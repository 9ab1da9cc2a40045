from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from tests.webchat.world import PAGE, WebChat
from tests.webhook.doubles import BOT_ID, OTHER_BOT_ID, gateway_event

SCENARIO = {"version": "1.0", "steps": [{"id": "hello", "message": {"text": "Hello"}, "end": True}]}


def shown(chat: WebChat, bot_id: str = BOT_ID) -> dict[str, Any]:
    return chat.page.answer(gateway_event(method="GET", bot_id=bot_id, route=PAGE))


def policy(answer: dict[str, Any]) -> dict[str, list[str]]:
    rules = answer["headers"]["content-security-policy"].split("; ")
    return {rule.split(" ")[0]: rule.split(" ")[1:] for rule in rules}


def inline(page: str, tag: str) -> str:
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return str(content)


def test_the_page_names_its_bot() -> None:
    answer = shown(WebChat(SCENARIO, name="Café Noir"))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "<title>Café Noir</title>" in answer["body"]
    assert f'data-bot="{BOT_ID}"' in answer["body"]


def test_a_monitor_that_asks_for_the_head_alone_gets_it() -> None:
    chat = WebChat(SCENARIO)
    for bot_id in (BOT_ID, OTHER_BOT_ID):
        head = chat.page.answer(gateway_event(method="HEAD", bot_id=bot_id, route=PAGE))
        assert head == shown(chat, bot_id) | {"body": ""}


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title>",
        "{{script}} {{bot_id}} {{name}}",
    ],
)
def test_a_name_is_text_and_nothing_else(name: str) -> None:
    plain, named = shown(WebChat(SCENARIO, name="x"))["body"], shown(WebChat(SCENARIO, name=name))["body"]
    assert named.count("<") == plain.count("<")
    assert named.count('"') == plain.count('"')
    assert len(named) - len(plain) < 300


def test_the_policy_lets_the_pages_own_script_and_style_run_and_no_other() -> None:
    answer = shown(WebChat(SCENARIO))
    rules = policy(answer)
    for tag in ("script", "style"):
        digest = hashlib.sha256(inline(answer["body"], tag).encode()).digest()
        assert rules[f"{tag}-src"] == [f"'sha256-{base64.b64encode(digest).decode()}'"]
    assert rules["default-src"] == ["'none'"]
    assert rules["connect-src"] == ["'self'"]
    assert rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert "unsafe" not in answer["headers"]["content-security-policy"]


def test_the_page_may_show_files_from_its_own_and_from_secure_addresses_only() -> None:
    rules = policy(shown(WebChat(SCENARIO)))
    assert (rules["img-src"], rules["media-src"]) == (["data:", "'self'", "https:"], ["'self'", "https:"])


def test_the_page_itself_loads_nothing_from_elsewhere() -> None:
    page = shown(WebChat(SCENARIO))["body"]
    assert not re.search(r"""(?:src|href|action)\s*=\s*["'](?!data:)""", page)
    assert not re.search(r"@import|url\(", page)
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)


def test_only_listed_sites_may_frame_the_page() -> None:
    assert policy(shown(WebChat(SCENARIO)))["frame-ancestors"] == ["'self'"]
    listed = WebChat(SCENARIO, allowed_origins="https://shop.example, https://evil.example; script-src *")
    assert policy(shown(listed))["frame-ancestors"] == ["'self'", "https://shop.example"]


def test_the_page_is_kept_for_a_moment_only() -> None:
    assert shown(WebChat(SCENARIO))["headers"]["cache-control"] == "public, max-age=60"


@pytest.mark.parametrize("name", ["Café", '"; alert(1); "', "\\", "a\nb\u2028", "{{name}} </script>"])
def test_the_script_for_other_pages_names_the_bot_and_nothing_else(name: str) -> None:
    answer = WebChat(SCENARIO, name=name).page.answer(
        gateway_event(method="GET", route=PAGE, query={"as": "script"})
    )
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/javascript; charset=utf-8"
    assert answer["headers"]["cross-origin-resource-policy"] == "cross-origin"
    (written,) = re.findall(r"label = (.*), side =", answer["body"])
    assert json.loads(written) == name
    assert answer["body"].isascii()


def test_a_bot_that_is_unknown_has_no_script() -> None:
    event = gateway_event(method="GET", bot_id=OTHER_BOT_ID, route=PAGE, query={"as": "script"})
    assert WebChat(SCENARIO).page.answer(event)["statusCode"] == 404


@pytest.mark.parametrize("bot_id", [OTHER_BOT_ID, "nobody", "<script>"])
def test_an_unknown_bot_has_a_page_that_says_so(bot_id: str) -> None:
    answer = shown(WebChat(SCENARIO), bot_id)
    assert answer["statusCode"] == 404
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "There is no chat here" in answer["body"]
    assert bot_id not in answer["body"]
    assert answer["headers"]["cache-control"] == "no-store"


def test_the_page_that_says_so_may_use_its_style() -> None:
    answer = shown(WebChat(SCENARIO), OTHER_BOT_ID)
    digest = hashlib.sha256(inline(answer["body"], "style").encode()).digest()
    assert policy(answer)["style-src"] == [f"'sha256-{base64.b64encode(digest).decode()}'"]


def test_an_inactive_bot_has_no_page() -> None:
    chat = WebChat(SCENARIO)
    chat.vault.keep("webchat", is_active=False, token_secret="token-secret")
    assert shown(chat)["statusCode"] == 404


def test_a_bot_that_was_just_deleted_has_no_page() -> None:
    chat = WebChat(SCENARIO)
    chat.bots._bots.clear()
    assert shown(chat)["statusCode"] == 404


def test_the_page_is_light() -> None:
    assert len(shown(WebChat(SCENARIO))["body"].encode()) < 48 * 1024
