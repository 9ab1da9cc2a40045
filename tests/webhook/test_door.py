from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest

from shared.credential import Credential
from shared.dialog.events import ButtonPressed, MessageReceived
from shared.dialog.state import dialog_id_of
from shared.platforms.base import Parsed, Receipt
from shared.platforms.telegram import TelegramAdapter
from shared.platforms.whatsapp import WhatsAppAdapter, verify_subscription
from shared.webhook.door import Door
from shared.webhook.unparsed import UnparsedUpdates
from tests.webhook.doubles import (
    BOT_ID,
    OTHER_BOT_ID,
    Bucket,
    Queue,
    Receipts,
    Vault,
    body_of,
    gateway_event,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECRET = "webhook-secret"
PROOF = {"x-telegram-bot-api-secret-token": SECRET}


class Webhook:
    """A door and all that stands around it."""

    def __init__(self, **door: Any) -> None:
        self.vault, self.queue, self.bucket = Vault(), Queue(), Bucket()
        self.vault.keep("telegram", bot_token="1:token", webhook_secret=SECRET)
        self.door = Door(
            credentials=self.vault.cache(),
            inbound=self.queue,
            unparsed=UnparsedUpdates(lambda: self.bucket, "media"),  # type: ignore[arg-type,return-value]
            now=lambda: NOW,
            **{"adapter": TelegramAdapter(), **door},
        )

    def post(self, body: Any, headers: Mapping[str, str] = PROOF, **event: Any) -> dict[str, Any]:
        given = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.door.answer(gateway_event(given, headers=headers, **event))


@pytest.fixture
def webhook() -> Webhook:
    return Webhook()


def update(text: str = "Anna", update_id: int = 7, chat_id: int = 42) -> dict[str, Any]:
    person = {"id": chat_id, "is_bot": False, "first_name": "Anna", "language_code": "ru"}
    message = {
        "message_id": 1,
        "date": 1_763_800_000,
        "chat": {"id": chat_id, "type": "private"},
        "from": person,
        "text": text,
    }
    return {"update_id": update_id, "message": message}


def press(data: str) -> dict[str, Any]:
    message = update()["message"]
    query = {"id": "query-1", "from": message["from"], "message": message, "data": data}
    return {"update_id": 8, "callback_query": query}


def counted(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The counters' lines, without what CloudWatch needs around them."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [{key: value for key, value in line.items() if key != "_aws"} for line in lines]


def test_an_update_becomes_an_envelope_in_the_queue(webhook: Webhook) -> None:
    answer = webhook.post(update("Anna"))
    assert (answer["statusCode"], answer["body"]) == (200, "")
    (envelope,) = webhook.queue.envelopes
    assert envelope.dialog_id == dialog_id_of(BOT_ID, "telegram", "42")
    assert (envelope.bot_id, envelope.platform, envelope.platform_chat_id) == (BOT_ID, "telegram", "42")
    assert isinstance(envelope.event, MessageReceived)
    assert envelope.event.text == "Anna"
    assert (envelope.received_at, envelope.trace_id) == (NOW, "request-1")


def test_two_bots_updates_with_equal_ids_do_not_meet(webhook: Webhook) -> None:
    webhook.vault.keep("telegram", bot_id=OTHER_BOT_ID, bot_token="2:token", webhook_secret=SECRET)
    webhook.post(update())
    webhook.post(update(), bot_id=OTHER_BOT_ID)
    first, second = webhook.queue.envelopes
    assert first.event == second.event
    assert first.dialog_id != second.dialog_id


def test_a_press_is_acknowledged_in_the_answer(webhook: Webhook) -> None:
    answer = webhook.post(press("p:0123abcd:1:1:0"))
    assert body_of(answer) == {"method": "answerCallbackQuery", "callback_query_id": "query-1"}
    assert isinstance(webhook.queue.envelopes[0].event, ButtonPressed)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({}, update(), id="no proof"),
        pytest.param({"x-telegram-bot-api-secret-token": "guess"}, update(), id="a wrong one"),
        pytest.param({"x-telegram-bot-api-secret-token": ""}, update(), id="an empty one"),
        pytest.param({"x-telegram-bot-api-secret-token": "пароль"}, update(), id="one beyond ASCII"),
        pytest.param({}, "no JSON", id="no proof and no JSON"),
        pytest.param({}, b"\xff\xfe", id="no proof and no text"),
    ],
)
def test_without_the_proof_nothing_is_taken(webhook: Webhook, headers: dict[str, str], body: Any) -> None:
    assert webhook.post(body, headers)["statusCode"] == 401
    assert webhook.queue.calls == 0


@pytest.mark.parametrize("body", ["", "hello", '{"a": NaN}', b"\xff"])
def test_with_the_proof_what_is_not_json_is_told_so(webhook: Webhook, body: str | bytes) -> None:
    answer = webhook.post(body)
    assert answer["statusCode"] == 400
    assert body_of(answer)["detail"] == "the body is not JSON"


@pytest.mark.parametrize("bot_id", [OTHER_BOT_ID, "nobody", ""])
def test_an_unknown_bot_is_not_found(webhook: Webhook, bot_id: str) -> None:
    assert webhook.post(update(), bot_id=bot_id)["statusCode"] == 404


def test_a_bot_without_this_platform_is_not_found() -> None:
    webhook = Webhook(adapter=WhatsAppAdapter())
    assert webhook.post({})["statusCode"] == 404


def test_a_giant_body_is_refused_before_anything_is_read(webhook: Webhook) -> None:
    assert webhook.post("x" * 5_000_000, bot_id="nobody")["statusCode"] == 413
    assert webhook.vault.reads == 0


def test_a_secret_that_was_changed_is_read_afresh(webhook: Webhook) -> None:
    webhook.post(update())
    webhook.vault.keep("telegram", bot_token="1:token", webhook_secret="changed")
    webhook.vault.now = 10
    changed = {"x-telegram-bot-api-secret-token": "changed"}
    assert webhook.post(update(), changed)["statusCode"] == 200


def test_forged_calls_do_not_make_us_read_each_time(webhook: Webhook) -> None:
    forged = {"x-telegram-bot-api-secret-token": "guess"}
    statuses = {webhook.post(update(), forged)["statusCode"] for _ in range(50)}
    assert (statuses, webhook.vault.reads) == ({401}, 1)


def test_a_credential_deleted_a_moment_ago_proves_nothing(webhook: Webhook) -> None:
    webhook.post(update())
    webhook.vault.credentials.clear()
    webhook.vault.now = 10
    assert webhook.post(update(), {})["statusCode"] == 401


def test_an_inactive_bot_takes_its_updates_and_counts_them(
    webhook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook.vault.keep("telegram", is_active=False, bot_token="1:token", webhook_secret=SECRET)
    assert webhook.post(update())["statusCode"] == 200
    assert webhook.queue.calls == 0
    (line,) = counted(capsys)
    assert line == {"platform": "telegram", "bot_id": BOT_ID, "reason": "inactive", "ignored_updates": 1}


def test_an_inactive_bot_needs_the_proof_too(webhook: Webhook) -> None:
    webhook.vault.keep("telegram", is_active=False, bot_token="1:token", webhook_secret=SECRET)
    assert webhook.post(update(), {})["statusCode"] == 401
    assert webhook.post("no JSON")["statusCode"] == 400


def test_an_update_of_a_kind_nobody_heard_of_is_taken_and_counted(
    webhook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    assert webhook.post({"update_id": 1, "telepathy": {}})["statusCode"] == 200
    assert webhook.queue.calls == 0
    assert counted(capsys)[0]["reason"] == "unknown"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"update_id": 1, "message": "not an object"}', id="another shape"),
        pytest.param("[]", id="no object"),
        pytest.param("null", id="nothing"),
        pytest.param("[" * 1_000_000 + "]" * 1_000_000, id="a million brackets"),
        pytest.param('{"update_id": ' + "9" * 10_000 + "}", id="a number of ten thousand digits"),
        pytest.param(json.dumps(update() | {"update_id": "x" * 1000}), id="another type"),
        pytest.param(json.dumps(update("x" * 200_000)), id="an event too large for the queue"),
    ],
)
def test_an_update_that_breaks_the_parser_is_kept_and_taken(
    webhook: Webhook, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    assert webhook.post(body)["statusCode"] == 200
    digest = hashlib.sha256(body.encode()).hexdigest()
    assert webhook.bucket.objects == {
        f"media/unparsed/telegram/{BOT_ID}/2026-11-22/{digest}.json": body.encode()
    }
    assert webhook.queue.calls == 0
    assert [line["unparsed_updates"] for line in counted(capsys)] == [1]


class HalfRead(TelegramAdapter):
    """Reads all, and says that there was more."""

    def parse(self, payload: Any, credential: Credential, received_at: datetime) -> Parsed:
        parsed = super().parse(payload, credential, received_at)
        return msgspec.structs.replace(parsed, unreadable=("no id",))


def test_of_a_body_read_in_part_the_events_are_taken_and_the_whole_is_kept() -> None:
    webhook = Webhook(adapter=HalfRead())
    assert webhook.post(update("Anna"))["statusCode"] == 200
    assert len(webhook.queue.envelopes) == 1
    assert list(webhook.bucket.objects.values()) == [json.dumps(update("Anna")).encode()]


class Sorting(TelegramAdapter):
    """Tells what it could not read apart from the rest."""

    def parse(self, payload: Any, credential: Credential, received_at: datetime) -> Parsed:
        unread = payload["bad"]
        for _ in range(payload["depth"]):
            unread = {"in": unread}
        return Parsed(unreadable=("no id",), unread=unread)


@pytest.mark.parametrize("depth", [0, 100_000])
def test_what_could_not_be_read_is_kept_alone_if_it_can_be_written(depth: int) -> None:
    webhook = Webhook(adapter=Sorting())
    body = {"bad": {"x": "\u00e9"}, "words": "of others", "depth": depth}
    assert webhook.post(body)["statusCode"] == 200
    (kept,) = map(json.loads, webhook.bucket.objects.values())
    assert kept == (body if depth else body["bad"])


def test_one_broken_update_sent_again_and_again_is_kept_once(webhook: Webhook) -> None:
    for _ in range(3):
        webhook.post("null")
    assert len(webhook.bucket.objects) == 1


@pytest.mark.parametrize("broken", ["queue", "bucket"])
def test_what_could_not_be_kept_is_asked_for_again(webhook: Webhook, broken: str) -> None:
    getattr(webhook, broken).refuses = True
    answer = webhook.post(update() if broken == "queue" else "null")
    assert answer["statusCode"] == 503
    assert body_of(answer) == {
        "type": "about:blank",
        "title": "Try again later",
        "status": 503,
        "detail": "this could not be taken in just now",
    }


def test_half_a_character_is_replaced_on_the_way_in(webhook: Webhook) -> None:
    webhook.post(json.dumps(update("a")).replace('"a"', r'"a\ud83d"'))
    event = webhook.queue.envelopes[0].event
    assert isinstance(event, MessageReceived)
    assert event.text == "a\ufffd"


def test_neither_text_nor_token_reaches_log_or_counter(
    webhook: Webhook, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    webhook.post(update("my passport number"))
    webhook.post({"update_id": 1, "message": {"text": "my passport number", "date": "my passport number"}})
    webhook.post(update("my passport number"), {"x-telegram-bot-api-secret-token": "guess"})
    webhook.queue.refuses = True
    webhook.post(update("my passport number"))
    told = capsys.readouterr().out + "".join(str(vars(record)) for record in caplog.records)
    assert "an update could not be parsed" in told
    for secret in ("passport", SECRET, "1:token", "guess"):
        assert secret not in told


def test_the_log_follows_an_update_by_its_trace(webhook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="parley"):
        webhook.post(update())
    (record,) = caplog.records
    assert vars(record)["trace_id"] == "request-1"
    assert vars(record)["dialog_id"] == dialog_id_of(BOT_ID, "telegram", "42")


def test_events_of_one_update_go_in_with_one_call() -> None:
    webhook = Webhook(adapter=WhatsAppAdapter())
    webhook.vault.keep("whatsapp", phone_number_id="1065", app_secret=SECRET, access_token="t")
    webhook.post(*signed(whatsapp_update("one", "two", "three")))
    assert webhook.queue.calls == 1
    assert [getattr(envelope.event, "text", "") for envelope in webhook.queue.envelopes] == [
        "one",
        "two",
        "three",
    ]


def test_a_signature_holds_for_the_raw_bytes_only() -> None:
    webhook = Webhook(adapter=WhatsAppAdapter())
    webhook.vault.keep("whatsapp", phone_number_id="1065", app_secret=SECRET, access_token="t")
    body, headers = signed(whatsapp_update("hello"))
    assert webhook.post(body.encode(), headers)["statusCode"] == 200
    assert webhook.post(body + " ", headers)["statusCode"] == 401
    assert webhook.post(json.dumps(json.loads(body), indent=1), headers)["statusCode"] == 401


class TestChallenge:
    """WhatsApp's verification of the address."""

    QUERY: ClassVar = {"hub.mode": "subscribe", "hub.verify_token": "verify", "hub.challenge": "1158201444"}

    @pytest.fixture
    def whatsapp(self) -> Webhook:
        webhook = Webhook(adapter=WhatsAppAdapter(), challenge=verify_subscription)
        webhook.vault.keep("whatsapp", is_active=False, verify_token="verify", app_secret=SECRET)
        return webhook

    def test_is_answered_with_the_challenge_even_before_the_bot_is_active(self, whatsapp: Webhook) -> None:
        answer = whatsapp.door.answer(gateway_event(method="GET", query=self.QUERY))
        assert (answer["statusCode"], answer["body"]) == (200, "1158201444")
        assert answer["headers"]["content-type"] == "text/plain"

    def test_is_refused_with_a_wrong_token(self, whatsapp: Webhook) -> None:
        query = self.QUERY | {"hub.verify_token": "guess"}
        assert whatsapp.door.answer(gateway_event(method="GET", query=query))["statusCode"] == 403
        assert whatsapp.door.answer(gateway_event(method="GET"))["statusCode"] == 403

    def test_knows_a_token_that_was_set_a_moment_ago(self, whatsapp: Webhook) -> None:
        whatsapp.door.answer(gateway_event(method="GET"))
        whatsapp.vault.keep("whatsapp", verify_token="new", app_secret=SECRET)
        whatsapp.vault.now = 10
        query = self.QUERY | {"hub.verify_token": "new"}
        assert whatsapp.door.answer(gateway_event(method="GET", query=query))["statusCode"] == 200

    def test_is_for_known_bots(self, whatsapp: Webhook) -> None:
        event = gateway_event(method="GET", query=self.QUERY, bot_id=OTHER_BOT_ID)
        assert whatsapp.door.answer(event)["statusCode"] == 404

    def test_is_nothing_that_telegram_has(self, webhook: Webhook) -> None:
        assert webhook.door.answer(gateway_event(method="GET", query=self.QUERY))["statusCode"] == 404


def test_any_adapter_that_breaks_costs_nothing_but_its_update() -> None:
    class Broken(TelegramAdapter):
        def parse(self, payload: Any, credential: Credential, received_at: datetime) -> Parsed:
            raise ZeroDivisionError(payload)

    webhook = Webhook(adapter=Broken())
    assert webhook.post(update())["statusCode"] == 200
    assert len(webhook.bucket.objects) == 1


def test_a_command_is_queued_as_it_was_written(webhook: Webhook) -> None:
    webhook.post(update("/start welcome-42"))
    event = webhook.queue.envelopes[0].event
    assert isinstance(event, MessageReceived)
    assert event.text == "/start welcome-42"


def whatsapp_update(*texts: str) -> dict[str, Any]:
    messages = [
        {"from": "4915112345678", "id": f"wamid.{n}", "timestamp": "1763800000", "type": "text"}
        | {"text": {"body": text}}
        for n, text in enumerate(texts)
    ]
    metadata = {"display_phone_number": "15550783881", "phone_number_id": "1065"}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "messages": messages}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def signed(payload: Any) -> tuple[str, dict[str, str]]:
    body = json.dumps(payload)
    digest = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    return body, {"x-hub-signature-256": f"sha256={digest}"}


class TellsOfMessages(TelegramAdapter):
    """A messenger whose updates are receipts."""

    def parse(self, payload: Any, _credential: Credential, received_at: datetime) -> Parsed:
        return Parsed(receipts=tuple(Receipt(at=received_at, **receipt) for receipt in payload))


@pytest.fixture
def telling() -> tuple[Webhook, Receipts]:
    receipts = Receipts()
    return Webhook(adapter=TellsOfMessages(), receipts=receipts), receipts


def test_receipts_go_into_a_queue_of_their_own(telling: tuple[Webhook, Receipts]) -> None:
    webhook, receipts = telling
    told = [
        {"status": "read", "delivery_id": "d:e:1:1"},
        {"status": "failed", "message_id": "5", "chat_id": "7", "reason": "x" * 1000},
    ]
    assert webhook.post(told)["statusCode"] == 200
    assert webhook.queue.envelopes == []
    read, failed = receipts.envelopes
    assert (read.bot_id, read.platform, read.trace_id) == (BOT_ID, "telegram", "request-1")
    assert (read.status, read.delivery_id, read.at) == ("read", "d:e:1:1", NOW)
    assert (failed.status, failed.message_id, failed.chat_id) == ("failed", "5", "7")
    assert failed.reason == "x" * 500


def test_receipts_that_were_not_accepted_are_told_again(telling: tuple[Webhook, Receipts]) -> None:
    webhook, receipts = telling
    receipts.refuses = True
    assert webhook.post([{"status": "read", "delivery_id": "d:e:1:1"}])["statusCode"] == 503
