"""Whatever else is called of Telegram than what says something: aiogram knows it too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared.connecting.telegram import TelegramConnector
from shared.media.sources import Get, NotNow, TelegramFiles
from shared.platforms.base import Request, Response
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.aiogram_models import method_of, unknown_to_aiogram
from tests.platforms.cases import RECEIVED_AT, credential, payload

CREDENTIAL = credential("telegram")
MENUS = {"de": (("help", "Hilfe"),), "": (("help", "Help"),)}


def called() -> Iterator[Request]:
    """One of each, as it goes out."""
    connector, adapter = TelegramConnector(), TelegramAdapter()
    steps = [
        *connector.connecting(CREDENTIAL, "https://bots.test/api/webhook/telegram/bot", MENUS),
        *connector.listing(CREDENTIAL, {}, ("fr", "")),
        *connector.disconnecting(CREDENTIAL),
    ]
    for step in steps:
        yield Request(step.call.url, step.call.json or {})
    typing = adapter.typing("987654321", CREDENTIAL, "")
    assert typing
    yield typing
    yield in_the_answer(adapter.parse(payload("telegram", "press"), CREDENTIAL, RECEIVED_AT).answer)
    yield asking_for_a_file()


def in_the_answer(answer: Any) -> Request:
    """The call that the webhook's own answer holds."""
    return Request(
        f"/{answer['method']}", {name: value for name, value in answer.items() if name != "method"}
    )


def asking_for_a_file() -> Request:
    asked: list[str] = []

    def ask(get: Get) -> Response:
        asked.append(get.url)
        return Response(502, b"")

    with pytest.raises(NotNow):
        TelegramFiles("https://telegram.test").locate("AgACAgIAAxkBAAIBx", CREDENTIAL, ask)
    url = urlsplit(asked[0])
    return Request(url.path, dict(parse_qsl(url.query)))


CALLS = [pytest.param(request, id=request.url.rpartition("/")[2]) for request in called()]


@pytest.mark.parametrize("request_", CALLS)
def test_a_call_is_one_that_aiogram_knows(request_: Request) -> None:
    method = method_of(request_)
    assert unknown_to_aiogram(method) == []
    assert method.model_dump(mode="json", exclude_unset=True, warnings=False) == request_.json


def test_what_no_method_has_is_noticed() -> None:
    assert unknown_to_aiogram(method_of(Request("/setWebhook", {"url": "a", "secret": "b"}))) == ["secret"]
