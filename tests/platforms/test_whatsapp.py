from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.credential import Credential
from shared.dialog.events import (
    ButtonPressed,
    ContentType,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.dialog.messages import Button, Media, Message, Span, Template
from shared.platforms.base import (
    Delivery,
    Outcome,
    Parsed,
    Receipt,
    Rendered,
    Request,
    Response,
    WebhookAnswer,
    WebhookRequest,
)
from shared.platforms.whatsapp import WhatsAppAdapter, verify_subscription
from tests.platforms.cases import (
    DELIVERY_ID,
    RECEIVED_AT,
    SETTINGS,
    credential,
    payload,
    payload_names,
    response,
)
from tests.standins.server import Incoming
from tests.standins.whatsapp import WhatsAppStandIn

OUTBOUND = Path(__file__).parent / "outbound" / "whatsapp"
ADAPTER = WhatsAppAdapter("https://whatsapp.test/", "v25.0")
CREDENTIAL = credential("whatsapp")
CHAT = "16505551234"
SCOPED = "US.13491208655302741918"
SENT_AT = datetime.fromtimestamp(1793370000, UTC)


def parse(name: str) -> Parsed:
    return ADAPTER.parse(payload("whatsapp", name), CREDENTIAL, RECEIVED_AT)


def only_event(name: str, chat_id: str = CHAT) -> Any:
    (addressed,) = parse(name).events
    assert addressed.chat_id == chat_id
    return addressed.event


def first_message(name: str) -> Any:
    return payload("whatsapp", name)["entry"][0]["changes"][0]["value"]["messages"][0]


def render(message: Message, chat_id: str = CHAT) -> Rendered:
    return ADAPTER.render(message, chat_id, CREDENTIAL, DELIVERY_ID)


def bodies(message: Message) -> list[Any]:
    return [request.json for request in render(message).requests]


def text(message: Message) -> str:
    (only,) = bodies(message)
    body: str = only["text"]["body"]
    return body


def interactive(message: Message) -> Any:
    (only,) = bodies(message)
    assert only["type"] == "interactive"
    return only["interactive"]


def card(phone: str, wa_id: str, **name: str) -> dict[str, Any]:
    return {"name": {"formatted_name": "Anna S", **name}, "phones": [{"phone": phone, "wa_id": wa_id}]}


def choices(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label, f"p:{n}") for n, label in enumerate(labels))


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


# ── Parse ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_a_message_of_its_sender_and_time() -> None:
    assert only_event("text") == MessageReceived(
        id=first_message("text")["id"],
        occurred_at=SENT_AT,
        person=Person(first_name="Иван Петров"),
        text="Повар 👨‍🍳",
    )


def test_a_timestamp_may_be_in_milliseconds() -> None:
    assert only_event("text_in_milliseconds").occurred_at == datetime.fromtimestamp(1793370000.25, UTC)


@pytest.mark.parametrize(
    "name", ["start", "start_payload", "start_word", "reply_to_text", "from_advertisement"]
)
def test_every_text_is_a_message_as_it_came_commands_too(name: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert event.text == first_message(name)["text"]["body"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("button_reply", "p:a1b2c3d4:1:3:1"),
        ("list_reply", "p:a1b2c3d4:1:3:2"),
    ],
)
def test_a_chosen_button_or_row_is_a_press(name: str, data: str) -> None:
    assert only_event(name) == ButtonPressed(
        id=first_message(name)["id"],
        occurred_at=SENT_AT,
        person=Person(first_name="Иван Петров"),
        data=data,
    )


@pytest.mark.parametrize(
    ("name", "words"), [("template_button", "Stop"), ("template_button_without_payload", "Go on")]
)
def test_the_button_under_a_template_says_what_is_written_on_it(name: str, words: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert (event.content, event.text) == ("text", words)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("image", "image", "Моя кухня"),
        ("image_with_address", "image", ""),
        ("video", "video", ""),
        ("video_with_caption", "video", "Как я готовлю"),
        ("voice", "voice", ""),
        ("audio", "audio", ""),
        ("document", "file", "My CV"),
        ("sticker", "sticker", ""),
        ("sticker_animated", "sticker", ""),
        ("location", "location", ""),
        ("location_unnamed", "location", ""),
        ("contacts", "contact", ""),
        ("order", "unsupported", ""),
        ("order_with_words", "unsupported", "For Friday, please"),
        ("flow_reply", "unsupported", '{"flow_token":"x"}'),
        ("call_permission", "unsupported", ""),
        ("unsupported", "unsupported", ""),
        ("unsupported_poll", "unsupported", ""),
        ("image_not_to_be_had", "unsupported", ""),
    ],
)
def test_what_is_not_text_is_a_message_of_its_kind(name: str, content: ContentType, words: str) -> None:
    event = only_event(name)
    assert isinstance(event, MessageReceived)
    assert (event.content, event.text) == (content, words)


def test_a_kind_unheard_of_is_a_message_that_is_counted() -> None:
    parsed = parse("unheard_of")
    assert [addressed.event.content for addressed in parsed.events] == ["unsupported"]  # type: ignore[union-attr]
    assert parsed.ignored == ("unknown",)


MEDIA_ID = "1003383421387256"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("image", ReceivedFile("image", MEDIA_ID, content_type="image/jpeg")),
        ("video", ReceivedFile("video", MEDIA_ID, content_type="video/mp4")),
        ("voice", ReceivedFile("audio", MEDIA_ID, content_type="audio/ogg")),
        ("audio", ReceivedFile("audio", MEDIA_ID, content_type="audio/mpeg")),
        ("document", ReceivedFile("file", MEDIA_ID, "cv.pdf", "application/pdf")),
        ("sticker", None),
        ("text", None),
    ],
)
def test_a_file_is_known_by_its_id_and_its_type_without_parameters(
    name: str, file: ReceivedFile | None
) -> None:
    assert only_event(name).file == file


def test_a_place_has_its_name() -> None:
    assert only_event("location").place == Place(37.44216251868683, -122.16153582049394, "Cafe")


OWN = SharedContact(f"+{CHAT}", "Anna S", own=True)


@pytest.mark.parametrize(
    ("cards", "contact"),
    [
        pytest.param(
            [card("+1 650 555 9999", "16505559999", first_name="Anna", last_name="S")],
            SharedContact("+1 650 555 9999", "Anna", "S"),
            id="of somebody else",
        ),
        pytest.param([card("+1 650 555 1234", CHAT)], OWN, id="own"),
        pytest.param([card("+1 (650) 555-1234", "")], OWN, id="own, by the number alone"),
        pytest.param([card("+7 999 000 00 00", CHAT)], OWN, id="own, with another number written on it"),
        pytest.param(
            [card("+1 650 555 9999", ""), card("+1 650 555 1234", CHAT)],
            SharedContact("+1 650 555 9999", "Anna S"),
            id="two cards",
        ),
        pytest.param(
            [{"name": {}, "phones": []}, {"phones": [{"wa_id": "49151"}]}],
            SharedContact("+49151"),
            id="the first with a number",
        ),
        pytest.param([], None, id="none"),
        pytest.param([{"name": {"formatted_name": "Shop"}}], None, id="without a number"),
    ],
)
def test_a_contact_is_own_only_with_the_number_that_whatsapp_knows(
    cards: list[Any], contact: SharedContact | None
) -> None:
    update = payload("whatsapp", "contacts")
    update["entry"][0]["changes"][0]["value"]["messages"][0]["contacts"] = cards
    (addressed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).events
    assert isinstance(addressed.event, MessageReceived)
    assert addressed.event.contact == contact


@pytest.mark.parametrize(
    ("name", "shown", "own"),
    [
        pytest.param("contact_on_request", {}, True, id="shown by the button for it"),
        pytest.param("contact_of_scoped_user", {}, False, id="any other card"),
        pytest.param("contact_on_request", {"wa_id": ""}, False, id="of nobody that WhatsApp knows"),
        pytest.param("contact_on_request", {"wa_id": SCOPED}, False, id="a scoped id for a number"),
    ],
)
def test_who_has_shown_no_number_owns_only_the_one_shown_on_request(
    name: str, shown: dict[str, str], *, own: bool
) -> None:
    update = payload("whatsapp", name)
    update["entry"][0]["changes"][0]["value"]["messages"][0]["contacts"][0]["phones"][0] |= shown
    (addressed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).events
    assert isinstance(addressed.event, MessageReceived)
    assert addressed.event.contact == SharedContact("+16505551234", "Anna", own=own)


def test_who_has_a_number_owns_no_other_shown_on_request() -> None:
    update = payload("whatsapp", "contact_on_request")
    update["entry"][0]["changes"][0]["value"]["messages"][0]["from"] = "4915155555"
    (addressed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).events
    assert isinstance(addressed.event, MessageReceived)
    assert addressed.event.contact is not None
    assert not addressed.event.contact.own


@pytest.mark.parametrize(
    ("name", "chat_id", "alias", "person"),
    [
        ("text_before_scoped_ids", CHAT, "", Person(first_name="Иван Петров")),
        ("text_without_contacts", CHAT, SCOPED, None),
        ("text_number_as_contact_tells", CHAT, SCOPED, Person(first_name="Иван Петров")),
        ("scoped_user", SCOPED, "", Person(first_name="Anna", username="anna.s")),
        ("scoped_user_in_from", SCOPED, "", Person(first_name="Anna")),
        ("both_ids", CHAT, SCOPED, Person(first_name="Anna")),
    ],
)
def test_people_are_known_by_number_or_else_by_scoped_id(
    name: str, chat_id: str, alias: str, person: Person | None
) -> None:
    (addressed,) = parse(name).events
    assert (addressed.chat_id, addressed.alias, addressed.event.person) == (chat_id, alias, person)


def test_every_message_of_a_post_is_read_and_only_those_to_the_own_number() -> None:
    parsed = parse("several")
    read = [(a.chat_id, a.event.text, a.event.person) for a in parsed.events]  # type: ignore[union-attr]
    assert read == [
        (CHAT, "one", Person(first_name="Иван Петров")),
        ("4915155555", "two", Person(first_name="Anna")),
        (CHAT, "three", Person(first_name="Иван Петров")),
    ]
    assert [(receipt.status, receipt.chat_id) for receipt in parsed.receipts] == [("read", CHAT)]
    assert parsed.ignored == ("other_number",)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("reaction", "reaction"),
        ("reaction_removed", "reaction"),
        ("edited", "edit"),
        ("unsupported_edit", "edit"),
        ("revoked", "revoke"),
        ("chat_opened", "request_welcome"),
        ("identity_changed", "system"),
        ("group", "group"),
        ("status_sent", "status"),
        ("status_deleted", "status"),
        ("status_of_group", "group"),
        ("written_in_the_app", "not_messages"),
        ("errors", "error"),
        ("other_number", "other_number"),
        ("other_field", "not_messages"),
        ("other_object", "not_whatsapp"),
    ],
)
def test_what_is_no_word_of_a_person_to_the_bot_is_ignored(name: str, reason: str) -> None:
    assert parse(name) == Parsed(ignored=(reason,))


WAMID = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
TOLD_AT = datetime.fromtimestamp(1793370005, UTC)


def receipt(status: Any, at: datetime = TOLD_AT, **more: Any) -> Receipt:
    told = {"delivery_id": DELIVERY_ID, "message_id": WAMID, "chat_id": CHAT, **more}
    return Receipt(status, at, **told)


TOO_LATE = (
    "131047 Message failed to send because more than 24 hours have passed since the customer last replied "
    "to this number."
)


@pytest.mark.parametrize(
    ("name", "receipts"),
    [
        ("status_delivered", (receipt("delivered"),)),
        ("status_read", (receipt("read"),)),
        ("status_played", (receipt("read"),)),
        ("status_failed", (receipt("failed", delivery_id="", reason=TOO_LATE),)),
        ("status_failed_unreachable", (receipt("failed", reason="131026 Message Undeliverable."),)),
        ("status_of_scoped_user", (receipt("delivered", chat_id=SCOPED),)),
        ("status_before_scoped_ids", (receipt("read"),)),
        ("status_in_milliseconds", (receipt("read", datetime.fromtimestamp(1793370005.25, UTC)),)),
        ("several_statuses", (receipt("delivered"), receipt("read"))),
    ],
)
def test_a_status_is_a_receipt_of_what_was_sent_along(name: str, receipts: tuple[Receipt, ...]) -> None:
    assert parse(name) == Parsed(receipts=receipts)


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        pytest.param([], "no reason was given", id="none"),
        pytest.param(
            [{"code": 131053, "title": "Media upload error"}], "131053 Media upload error", id="title"
        ),
        pytest.param([{"code": 1, "message": "Bad: 'Hello'"}], "1 Bad: …", id="without what it quotes"),
        pytest.param([{"code": 1}, {"code": 2}], "1", id="the first"),
    ],
)
def test_a_failure_has_its_reason(errors: list[Any], reason: str) -> None:
    update = payload("whatsapp", "status_failed")
    update["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"] = errors
    (failed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).receipts
    assert failed.reason == reason


@pytest.mark.parametrize(
    ("name", "kind"),
    [("number_changed", "user_changed_number"), ("user_id_changed", "user_changed_user_id")],
)
def test_that_somebody_is_somebody_else_now_is_kept_for_a_human(name: str, kind: str) -> None:
    assert parse(name) == Parsed(unreadable=(kind,))


def test_a_message_that_comes_twice_is_one_event_twice() -> None:
    first, second = parse("twice_in_one").events
    assert first == second


@pytest.mark.parametrize("name", payload_names("whatsapp"))
def test_every_payload_is_read(name: str) -> None:
    parsed = parse(name)
    assert parsed.events or parsed.receipts or parsed.ignored or parsed.unreadable


def test_one_message_that_cannot_be_read_puts_no_other_aside() -> None:
    parsed = parse("one_without_words")
    assert [addressed.event.text for addressed in parsed.events] == ["one", "three"]  # type: ignore[union-attr]
    assert parsed.unreadable == ("text without words",)


def broken(**changed: Any) -> Any:
    update = payload("whatsapp", "text")
    message = update["entry"][0]["changes"][0]["value"]["messages"][0]
    for field, value in changed.items():
        message.pop(field.rstrip("_")) if value is None else message.update({field.rstrip("_"): value})
    return update


@pytest.mark.parametrize(
    ("update", "why"),
    [
        pytest.param(broken(id=None), "message not as documented", id="no id"),
        pytest.param(broken(timestamp="soon"), "time that is none", id="no time"),
        pytest.param(broken(timestamp="9" * 5000), "time that is none", id="a time without end"),
        pytest.param(broken(timestamp=10**18), "time that is none", id="a time that will never be"),
        pytest.param(broken(text=None), "text without words", id="no words"),
        pytest.param(broken(text={"body": 5}), "message not as documented", id="words that are a number"),
        pytest.param(broken(from_=None, from_user_id=None), "message from nobody", id="from nobody"),
    ],
)
def test_a_message_in_another_shape_is_not_guessed_at(update: Any, why: str) -> None:
    assert ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT) == Parsed(unreadable=(why,))


GOOD = payload("whatsapp", "text")["entry"][0]


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        pytest.param([5, GOOD], "entry not as documented", id="an entry"),
        pytest.param([{"changes": 5}, GOOD], "entry not as documented", id="changes"),
        pytest.param([{"changes": [5, *GOOD["changes"]]}], "change not as documented", id="a change"),
        pytest.param(
            [{"changes": [{"field": "messages", "value": {}}]}, GOOD],
            "change not as documented",
            id="no number",
        ),
    ],
)
def test_what_is_wrong_around_a_message_puts_no_other_aside(entries: list[Any], why: str) -> None:
    update = {"object": "whatsapp_business_account", "entry": entries}
    parsed = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT)
    assert (len(parsed.events), parsed.unreadable) == (1, (why,))


@pytest.mark.parametrize(
    "contact", [5, {"wa_id": 5}, {"profile": []}, {"wa_id": CHAT, "profile": {"name": 5}}]
)
def test_a_contact_that_cannot_be_read_costs_only_the_name(contact: Any) -> None:
    update = payload("whatsapp", "text")
    update["entry"][0]["changes"][0]["value"]["contacts"] = [contact]
    (addressed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).events
    assert (addressed.chat_id, addressed.event.person) == (CHAT, None)


@pytest.mark.parametrize(
    "update", [[], {}, {"object": 5}, {"object": "whatsapp_business_account", "entry": 5}]
)
def test_what_is_no_envelope_is_not_read(update: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT)


# ── Render ───────────────────────────────────────────────────────────────────────────────────────────


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


def test_a_place_is_asked_for_by_whatsapps_own_request() -> None:
    message = Message("Where are you?", buttons=(Button("Here", share="location"),))
    assert interactive(message) == {
        "type": "location_request_message",
        "body": {"text": "Where are you?"},
        "action": {"name": "send_location"},
    }
    assert render(message).degradations == ()


HERE, PHONE = Button("Here", share="location"), Button("My number", share="phone")
SITE = Button("Site", url="https://a.io")


@pytest.mark.parametrize(
    ("buttons", "kind", "degradations"),
    [
        pytest.param((PHONE,), "request_contact_info", (), id="a phone"),
        pytest.param((*choices("Skip"), HERE), "button", ("share_dropped",), id="a choice before a place"),
        pytest.param(
            (HERE, SITE), "location_request_message", ("links_as_text",), id="a place before a link"
        ),
        pytest.param((PHONE, SITE), "request_contact_info", ("links_as_text",), id="a phone before a link"),
        pytest.param(
            (HERE, PHONE), "location_request_message", ("share_dropped",), id="the first of two requests"
        ),
        pytest.param(
            (*choices(*"abcdefghijk"), HERE),
            "location_request_message",
            ("choices_as_text",),
            id="a place beside many choices",
        ),
    ],
)
def test_a_message_has_buttons_of_one_kind(
    buttons: tuple[Button, ...], kind: str, degradations: tuple[str, ...]
) -> None:
    rendered = render(Message("Where?", buttons=buttons))
    (request,) = rendered.requests
    assert request.json.get("interactive", {"type": "text"})["type"] == kind
    assert rendered.degradations == degradations


def test_several_choices_are_numbered_without_the_one_that_finishes() -> None:
    tea, *others = choices("Tea", "Coffee", "Done")
    message = Message("Which?", buttons=(replace(tea, selected=True), *others), several=True)
    assert text(message) == "Which?\n\n1. ✓ Tea\n2. Coffee"
    assert render(message).degradations == ("choices_as_text",)


def test_what_should_take_a_messages_place_is_sent_anew() -> None:
    message = Message("Tea it is", replaces="wamid.1")
    assert text(message) == "Tea it is"
    assert render(message).degradations == ("sent_anew",)


def test_the_address_of_what_cannot_be_shown_is_written_below_the_text_and_is_no_markup() -> None:
    address = "https://a.io/_a_*b*" + "x" * 2000
    message = Message("Our menu", (Span(0, 3, "bold"),), media=(Media("image", address),))
    assert text(message) == f"*Our* menu\n\n{address}"
    assert render(message).degradations == ("media_as_links",)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.io/b/c.pdf", "c.pdf"),
        ("https://a.io/c%20d.pdf?e=f.g#h.i", "c d.pdf"),
        ("https://a.io/%D1%8F.pdf", "я.pdf"),
        ("https://a.io/%FF%0A.pdf", "\ufffd .pdf"),
        ("https://a.io/c", None),
        ("https://a.io/", None),
        ("https://a.io", None),
        ("https://a.io?b=c.pdf", None),
        ("https://a.io/" + "c" * 240 + ".pdf", None),
    ],
)
def test_a_document_is_named_by_the_end_of_its_address(url: str, name: str | None) -> None:
    (body,) = bodies(Message("", media=(Media("file", url),)))
    assert body["document"].get("filename") == name


@pytest.mark.parametrize(
    "url", ["https://a.io/" + "x" * 2000 + ".jpg", "tg://a.io/x.jpg", "javascript:alert(1)"]
)
def test_what_whatsapp_could_not_fetch_is_not_sent_as_a_file(url: str) -> None:
    assert text(Message("See", media=(Media("image", url),))) == f"See\n\n{url}"


@pytest.mark.parametrize(
    ("kind", "end", "shown"),
    [
        ("image", "jpg", "image"),
        ("image", "PNG", "image"),
        ("image", "php?id=5", "image"),
        ("image", "webp", "document"),
        ("image", "GIF?x=1", "document"),
        ("video", "mp4", "video"),
        ("video", "mov", "document"),
        ("audio", "ogg", "audio"),
        ("audio", "wav", "document"),
        ("file", "gif", "document"),
    ],
)
def test_a_file_of_a_kind_that_is_not_shown_is_a_document(kind: Any, end: str, shown: str) -> None:
    rendered = render(Message("", media=(Media(kind, f"https://a.io/it.{end}"),)))
    assert rendered.requests[0].json["type"] == shown
    assert rendered.degradations == (("media_as_file",) if shown == "document" and kind != "file" else ())


def outbound(name: str) -> Any:
    return json.loads((OUTBOUND / f"{name}.json").read_text("utf-8"))


def said(requests: Iterable[Request | None]) -> list[Any]:
    """What the requests say, without whom it goes to."""
    envelope = {"messaging_product", "recipient_type", "to", "biz_opaque_callback_data"}
    whole = [json.loads(msgspec.json.encode(request.json)) for request in requests if request]
    return [{key: body[key] for key in body if key not in envelope} for body in whole]


@pytest.mark.parametrize("name", sorted(path.stem for path in OUTBOUND.glob("*.json")))
def test_a_message_is_said_as_written_down(name: str) -> None:
    expected = outbound(name)
    rendered = render(msgspec.convert(expected["message"], Message))
    assert said(rendered.requests) == expected["requests"]
    assert said(request.instead for request in rendered.requests) == expected.get("instead", [])
    assert list(rendered.degradations) == expected.get("degradations", [])


@pytest.mark.parametrize("name", sorted(path.stem for path in OUTBOUND.glob("*.json")))
def test_what_is_written_down_is_taken(name: str) -> None:
    rendered = render(msgspec.convert(outbound(name)["message"], Message))
    given = [each for request in rendered.requests for each in (request, request.instead) if each]
    assert [sent(request).outcome for request in given] == [Outcome.SENT] * len(given)


def sent(request: Request, **standin: Any) -> Delivery:
    """What our own WhatsApp makes of it, a day after the person wrote if `is_late`."""
    messenger = WhatsAppStandIn(
        SETTINGS["whatsapp"]["access_token"], phone_number_id=SETTINGS["whatsapp"]["phone_number_id"]
    )
    messenger.person("", number=CHAT).wrote()
    messenger.pass_time(hours=24 if standin.get("is_late") else 0)
    messenger.unreachable = standin.get("unreachable", set())
    for name, language, parameters in standin.get("approved", ()):
        messenger.approve(name, language, parameters)
    headers = {"content-type": "application/json", **request.headers}
    path = request.url.removeprefix("https://whatsapp.test")
    answer = messenger.handle(Incoming("POST", path, {}, headers, msgspec.json.encode(request.json)))
    assert answer is not None
    return ADAPTER.interpret(Response(answer.status, answer.body, answer.headers))


def test_where_a_file_cannot_be_had_its_address_can_be_sent() -> None:
    url = "https://a.io/menu.jpg"
    (request,) = render(Message("Our menu", media=(Media("image", url),))).requests
    assert sent(request, unreachable={url}).outcome is Outcome.MEDIA_FAILED
    assert request.instead is not None
    assert sent(request.instead, unreachable={url}).outcome is Outcome.SENT


# ── Templates ────────────────────────────────────────────────────────────────────────────────────────

REMINDER = Message("Are you there?", template=Template("still_there", "en", ("Anna", " the\n kitchen ", "")))


def template_of(message: Message) -> Any:
    rendered = ADAPTER.render_template(message, CHAT, CREDENTIAL, DELIVERY_ID)
    assert rendered is not None
    assert rendered.degradations == ("sent_as_template",)
    (request,) = rendered.requests
    return request


def test_a_template_is_filled_in_with_words_in_one_line() -> None:
    assert template_of(REMINDER).json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CHAT,
        "biz_opaque_callback_data": DELIVERY_ID,
        "type": "template",
        "template": {
            "name": "still_there",
            "language": {"code": "en"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": words} for words in ("Anna", "the kitchen", "…")],
                }
            ],
        },
    }


def test_a_template_without_parameters_has_no_components_and_its_language_an_underscore() -> None:
    request = template_of(Message("Hi", template=Template("hello", "pt-BR")))
    assert request.json["template"] == {"name": "hello", "language": {"code": "pt_BR"}}


def test_a_message_without_a_template_has_none() -> None:
    assert ADAPTER.render_template(Message("Hi"), CHAT, CREDENTIAL, DELIVERY_ID) is None


@pytest.mark.parametrize(
    ("approved", "outcome"),
    [
        pytest.param(("still_there", "en", 3), Outcome.SENT, id="as it is"),
        pytest.param(("still_there", "en", 2), Outcome.BAD_PAYLOAD, id="with fewer parameters"),
        pytest.param(("still_there", "de", 3), Outcome.BAD_PAYLOAD, id="in another language"),
    ],
)
def test_a_day_later_only_an_approved_template_is_taken(
    approved: tuple[str, str, int], outcome: Outcome
) -> None:
    (plain,) = render(REMINDER).requests
    assert sent(plain, is_late=True).outcome is Outcome.WINDOW_CLOSED
    assert sent(template_of(REMINDER), is_late=True, approved=[approved]).outcome is outcome


# ── Choices ──────────────────────────────────────────────────────────────────────────────────────────


def test_up_to_three_short_choices_are_reply_buttons() -> None:
    assert interactive(Message("Position?", buttons=choices("Food Guide", "Cook", "x" * 20))) == {
        "type": "button",
        "body": {"text": "Position?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "p:0", "title": "Food Guide"}},
                {"type": "reply", "reply": {"id": "p:1", "title": "Cook"}},
                {"type": "reply", "reply": {"id": "p:2", "title": "x" * 20}},
            ]
        },
    }
    assert render(Message("Position?", buttons=choices("Cook"))).degradations == ()


def test_four_choices_become_a_list() -> None:
    message = Message("Which?", buttons=choices("a", "b", "c", "d"))
    assert interactive(message) == {
        "type": "list",
        "body": {"text": "Which?"},
        "action": {
            "button": "Choose",
            "sections": [{"rows": [{"id": f"p:{n}", "title": title} for n, title in enumerate("abcd")]}],
        },
    }
    assert render(message).degradations == ("choices_as_list",)


def test_a_choice_longer_than_a_button_makes_a_list_with_the_whole_label_below_the_title() -> None:
    label = "Master of the second kitchen"
    message = Message("Which?", buttons=choices(label, "Cook", "L" * 80))
    assert interactive(message)["action"]["sections"][0]["rows"] == [
        {"id": "p:0", "title": "Master of the second ki…", "description": label},
        {"id": "p:1", "title": "Cook"},
        {"id": "p:2", "title": "L" * 23 + "…", "description": "L" * 71 + "…"},
    ]
    assert render(message).degradations == ("choices_as_list", "label_cut")


@pytest.mark.parametrize(
    ("question", "opener"),
    [("Which?", "Choose"), ("Какая?", "Выбрать"), ("Який із них?", "Обрати"), ("?", "Choose")],
)
def test_a_list_is_opened_in_the_letters_of_the_message(question: str, opener: str) -> None:
    assert interactive(Message(question, buttons=choices(*"abcd")))["action"]["button"] == opener


def test_labels_that_would_be_alike_are_numbered() -> None:
    message = Message("?", buttons=choices("Yes", "yes", "YES"))
    titles = [b["reply"]["title"] for b in interactive(message)["action"]["buttons"]]
    assert titles == ["Yes", "yes (2)", "YES (3)"]
    assert render(message).degradations == ("label_numbered",)


def test_rows_that_begin_alike_are_numbered() -> None:
    message = Message("?", buttons=choices(*(f"The very same beginning, {n}" for n in "abcd")))
    titles = [row["title"] for row in interactive(message)["action"]["sections"][0]["rows"]]
    assert titles == [
        "The very same beginning…",
        "The very same begin… (2)",
        "The very same begin… (3)",
        "The very same begin… (4)",
    ]


def test_more_than_ten_choices_become_numbered_text() -> None:
    message = Message("Which?", buttons=choices(*(f"Choice {n}" for n in range(1, 12))))
    assert text(message).startswith("Which?\n\n1. Choice 1\n2. Choice 2\n")
    assert text(message).endswith("\n11. Choice 11")
    assert render(message).degradations == ("choices_as_text",)


def test_a_single_link_is_a_link_button() -> None:
    message = Message("See", buttons=(Button("Our site with everything", url="https://a.io/x"),))
    assert interactive(message) == {
        "type": "cta_url",
        "body": {"text": "See"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Our site with every…", "url": "https://a.io/x"},
        },
    }
    assert render(message).degradations == ("label_cut",)


@pytest.mark.parametrize(
    ("buttons", "written"),
    [
        pytest.param(
            (Button("A", url="https://a.io"), Button("B", url="https://b.io")),
            "See\n\nA: https://a.io\nB: https://b.io",
            id="two links",
        ),
        pytest.param((Button("A", url="intranet"),), "See\n\nA: intranet", id="not an address"),
        pytest.param(
            (Button("A", url="https://a.io/" + "x" * 2000),),
            "See\n\nA: https://a.io/" + "x" * 2000,
            id="too long",
        ),
    ],
)
def test_links_that_no_button_can_have_are_written_out(buttons: tuple[Button, ...], written: str) -> None:
    assert text(Message("See", buttons=buttons)) == written
    assert render(Message("See", buttons=buttons)).degradations == ("links_as_text",)


def test_a_link_beside_choices_is_written_out() -> None:
    message = Message("See", buttons=(Button("Yes", "p:1"), Button("Site", url="https://a.io")))
    assert interactive(message)["body"]["text"] == "See\n\nSite: https://a.io"
    assert len(interactive(message)["action"]["buttons"]) == 1


def test_a_long_text_goes_ahead_of_the_buttons_which_keep_its_end() -> None:
    question = "What is your position?"
    first, last = bodies(Message("слово " * 200 + "\n" + question, buttons=choices("Cook", "Guide")))
    assert (first["type"], first["text"]["body"]) == ("text", "слово " * 200 + "\n")
    assert (last["type"], last["interactive"]["body"]["text"]) == ("interactive", question)
    assert first["biz_opaque_callback_data"] == last["biz_opaque_callback_data"] == DELIVERY_ID


def test_a_long_text_without_buttons_is_split_between_words() -> None:
    long = "слово " * 1000
    first, second = bodies(Message(long))
    assert first["text"]["body"] + second["text"]["body"] == long
    assert render(Message(long)).degradations == ("text_split",)


def test_styles_are_markers() -> None:
    message = Message("bold it code", spans=(Span(0, 4, "bold"), Span(5, 7, "italic"), Span(8, 12, "code")))
    assert text(message) == "*bold* _it_ `code`"


def test_linked_words_are_followed_by_their_address() -> None:
    message = Message("Our site here", spans=(Span(4, 8, "link", "https://a_b.io/_c_"), Span(9, 13, "bold")))
    assert text(message) == "Our site (https://a_b.io/_c_) *here*"
    assert render(message).degradations == ("links_as_text",)


def test_a_style_that_markers_cannot_show_is_given_up() -> None:
    message = Message("unbold", spans=(Span(2, 6, "bold"),))
    assert (text(message), render(message).degradations) == ("unbold", ("styles_dropped",))


def test_a_message_without_words_is_not_sent() -> None:
    assert render(Message(" \n")) == Rendered((), ("empty_text",))


def test_buttons_without_words_get_an_ellipsis_to_hang_on() -> None:
    message = Message("", buttons=choices("Yes"))
    assert interactive(message)["body"] == {"text": "…"}
    assert render(message).degradations == ("empty_text",)


# ── Interpret ────────────────────────────────────────────────────────────────────────────────────────


def test_an_accepted_message_is_sent_under_its_id() -> None:
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": CHAT, "wa_id": CHAT}],
        "messages": [{"id": "wamid.ABC", "message_status": "accepted"}],
    }
    assert ADAPTER.interpret(response(200, answer)) == Delivery(Outcome.SENT, "wamid.ABC")


CODES = {
    Outcome.RETRY: (1, 2, 131000, 131016, 131057, 133004),
    Outcome.BOT_LIMITED: (4, 80007, 130429, 131048, 131064),
    Outcome.CHAT_LIMITED: (131056,),
    Outcome.WINDOW_CLOSED: (131047, 470),
    Outcome.RECIPIENT_GONE: (131026, 131021, 131030),
    Outcome.MEDIA_FAILED: (131052, 131053),
    Outcome.CREDENTIAL_BAD: (
        0,
        3,
        10,
        190,
        200,
        299,
        131005,
        33,
        131045,
        133010,
        133016,
        368,
        131031,
        131042,
    ),
    Outcome.BAD_PAYLOAD: (
        *(100, 131008, 131009, 131051, 135000, 132000, 132001, 132005, 132007, 132008, 132012),
        *(132015, 132016, 132018, 132068, 132069, 131020, 131041, 130472, 130497, 131049),
        *(131050, 131062, 137000),
    ),
}


@pytest.mark.parametrize(
    ("code", "outcome"), [(code, outcome) for outcome, codes in CODES.items() for code in codes]
)
def test_a_refusal_is_sorted_by_its_code(code: int, outcome: Outcome) -> None:
    error = {
        "message": f"(#{code}) Something",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "What happened"},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    delivery = ADAPTER.interpret(response(400, {"error": error}))
    assert (delivery.outcome, delivery.reason) == (outcome, f"{code} What happened")


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        pytest.param(400, {"code": 100, "is_transient": True}, Outcome.RETRY, id="transient"),
        pytest.param(400, {"code": 999999}, Outcome.BAD_PAYLOAD, id="a code unheard of"),
        pytest.param(401, {"code": "190"}, Outcome.CREDENTIAL_BAD, id="a code that is no number"),
        pytest.param(429, {}, Outcome.BOT_LIMITED, id="too many"),
        pytest.param(503, {"error_data": "text"}, Outcome.RETRY, id="unavailable"),
        pytest.param(400, "text", Outcome.BAD_PAYLOAD, id="an error that is text"),
        pytest.param(400, {"code": 131056, "is_transient": True}, Outcome.CHAT_LIMITED, id="a limit is one"),
        pytest.param(400, {"code": [190]}, Outcome.BAD_PAYLOAD, id="a code that is a list"),
    ],
)
def test_without_a_known_code_the_status_decides(status: int, error: Any, outcome: Outcome) -> None:
    assert ADAPTER.interpret(response(status, {"error": error})).outcome is outcome


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"messages": []}', b'{"messages": [{"id": 5}]}'])
def test_an_answer_that_cannot_be_read_is_tried_again(body: bytes) -> None:
    assert ADAPTER.interpret(Response(200, body)).outcome is Outcome.RETRY


@pytest.mark.parametrize(
    ("code", "seconds"),
    [(131056, 6), (130429, 2), (80007, 60), (4, 60), (131057, 60), (131048, 900), (131000, None), (0, None)],
)
def test_a_limit_has_a_wait_of_its_own(code: int, seconds: float | None) -> None:
    error = {"error": {"code": code, "message": "Later"}}
    assert ADAPTER.interpret(response(400, error)).retry_after_seconds == seconds


def test_the_wait_is_the_one_that_the_header_names() -> None:
    answer = {"error": {"code": 130429, "message": "Rate limit hit"}}
    assert ADAPTER.interpret(response(429, answer, retry_after="30")).retry_after_seconds == 30
