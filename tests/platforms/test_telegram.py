from __future__ import annotations

import pytest

from shared.credential import Credential
from shared.dialog.messages import Message
from shared.platforms.base import WebhookRequest
from shared.platforms.telegram import TelegramAdapter
from tests.platforms.cases import DELIVERY_ID, credential

ADAPTER = TelegramAdapter()


@pytest.mark.parametrize(
    ("headers", "secret", "is_genuine"),
    [
        pytest.param({"x-telegram-bot-api-secret-token": "s3cret"}, "s3cret", True, id="the secret"),
        pytest.param({"x-telegram-bot-api-secret-token": "s3creT"}, "s3cret", False, id="another secret"),
        pytest.param({"x-telegram-bot-api-secret-token": "s3cret "}, "s3cret", False, id="longer"),
        pytest.param({"x-telegram-bot-api-secret-token": ""}, "s3cret", False, id="empty"),
        pytest.param({}, "s3cret", False, id="no header"),
        pytest.param({"x-telegram-bot-api-secret-token": ""}, "", False, id="no secret set"),
        pytest.param({"x-telegram-bot-api-secret-token": "é\ud800"}, "s3cret", False, id="not even text"),
    ],
)
def test_only_the_webhook_secret_proves_an_update(
    headers: dict[str, str], secret: str, *, is_genuine: bool
) -> None:
    request = WebhookRequest("POST", headers, {}, b"{}")
    assert ADAPTER.verify(request, credential("telegram", webhook_secret=secret)) is is_genuine


def test_a_credential_without_a_secret_accepts_nothing() -> None:
    bare = Credential("cred", "bot", "telegram", is_active=True, settings={"bot_token": "1:a"})
    assert not ADAPTER.verify(WebhookRequest("POST", {}, {}, b"{}"), bare)


def test_there_are_no_templates_as_a_chat_never_closes() -> None:
    assert ADAPTER.render_template(Message("Hi"), "1", credential("telegram"), DELIVERY_ID) is None
