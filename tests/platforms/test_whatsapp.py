from __future__ import annotations

import hashlib
import hmac

import pytest

from shared.credential import Credential
from shared.dialog.messages import Message
from shared.platforms.base import Rendered, WebhookAnswer, WebhookRequest
from shared.platforms.whatsapp import WhatsAppAdapter, verify_subscription
from tests.platforms.cases import DELIVERY_ID, credential

ADAPTER = WhatsAppAdapter("https://whatsapp.test/", "v25.0")
CREDENTIAL = credential("whatsapp")
CHAT = "16505551234"


def render(message: Message, chat_id: str = CHAT) -> Rendered:
    return ADAPTER.render(message, chat_id, CREDENTIAL, DELIVERY_ID)


# ── Verify ───────────────────────────────────────────────────────────────────────────────────────────

BODY = b'{"object": "whatsapp_business_account", "text": "\\u043f"}'


def signed(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("signature", "is_genuine"),
    [
        pytest.param(signed(BODY, "whatsapp-app-secret"), True, id="the app's"),
        pytest.param(signed(BODY + b" ", "whatsapp-app-secret"), False, id="of another body"),
        pytest.param(signed(BODY, "whatsapp-verify-token"), False, id="by another secret"),
        pytest.param(signed(BODY, "whatsapp-app-secret")[7:], False, id="without its scheme"),
        pytest.param("sha256=", False, id="empty"),
        pytest.param("sha256=\ud800é", False, id="not even text"),
        pytest.param(None, False, id="none"),
    ],
)
def test_only_the_app_secret_signs_an_update(signature: str | None, *, is_genuine: bool) -> None:
    headers = {} if signature is None else {"x-hub-signature-256": signature}
    assert ADAPTER.verify(WebhookRequest("POST", headers, {}, BODY), CREDENTIAL) is is_genuine


def test_without_an_app_secret_nothing_is_genuine() -> None:
    request = WebhookRequest("POST", {"x-hub-signature-256": signed(BODY, "")}, {}, BODY)
    assert not ADAPTER.verify(request, credential("whatsapp", app_secret=""))


QUERY = {
    "hub.mode": "subscribe",
    "hub.verify_token": "whatsapp-verify-token",
    "hub.challenge": "1158201444",
}


def test_the_verification_is_answered_with_its_challenge() -> None:
    assert verify_subscription(QUERY, CREDENTIAL) == WebhookAnswer(200, "1158201444", "text/plain")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({**QUERY, "hub.verify_token": "other"}, id="another token"),
        pytest.param({**QUERY, "hub.verify_token": ""}, id="an empty token"),
        pytest.param({**QUERY, "hub.mode": "unsubscribe"}, id="another mode"),
        pytest.param({k: v for k, v in QUERY.items() if k != "hub.challenge"}, id="no challenge"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_verification_that_is_not_ours_is_forbidden(query: dict[str, str]) -> None:
    answer = verify_subscription(query, CREDENTIAL)
    assert (answer.status, answer.body) == (403, "")


def test_without_a_verify_token_every_verification_is_forbidden() -> None:
    bare = Credential("cred", "bot", "whatsapp", is_active=True, settings={})
    assert verify_subscription({**QUERY, "hub.verify_token": ""}, bare).status == 403


# ── Address ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_one_message_to_the_number() -> None:
    (request,) = render(Message("Hello")).requests
    assert request.url == "https://whatsapp.test/v25.0/106540352242922/messages"
    assert request.headers == {"authorization": "Bearer EAAwhatsapp-token"}
    assert request.json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CHAT,
        "type": "text",
        "text": {"body": "Hello"},
        "biz_opaque_callback_data": DELIVERY_ID,
    }
    assert "EAAwhatsapp-token" not in repr(request)


@pytest.mark.parametrize("chat_id", ["US.13491208655302741918", "US.ENT.11815799212886844830", "DE.AbC1"])
def test_a_scoped_user_is_a_recipient_and_not_a_number(chat_id: str) -> None:
    (request,) = render(Message("Hello"), chat_id).requests
    assert request.json["recipient"] == chat_id
    assert "to" not in request.json
