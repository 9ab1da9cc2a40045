from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.dialog.events import (
    AddressChanged,
    ButtonPressed,
    ContentType,
    MessageReceived,
    Person,
    Place,
    ReceivedFile,
    SharedContact,
)
from shared.platforms.base import AddressedEvent, Outcome, Parsed, Receipt
from shared.platforms.whatsapp import WhatsAppAdapter
from tests.platforms.cases import (
    DELIVERY_ID,
    RECEIVED_AT,
    Samples,
    credential,
    message_in,
    payload,
    payload_names,
)

ADAPTER = WhatsAppAdapter("https://whatsapp.test/", "v25.0")
CREDENTIAL = credential("whatsapp")
CHAT = "16505551234"
SCOPED = "US.13491208655302741918"
SENT_AT = datetime.fromtimestamp(1793370000, UTC)


SAMPLES = Samples(ADAPTER, CHAT)
parse, only_event = SAMPLES.parse, SAMPLES.only_event


def first_message(name: str) -> Any:
    return payload("whatsapp", name)["entry"][0]["changes"][0]["value"]["messages"][0]


def card(phone: str, wa_id: str, **name: str) -> dict[str, Any]:
    return {"name": {"formatted_name": "Anna S", **name}, "phones": [{"phone": phone, "wa_id": wa_id}]}


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
    assert message_in(only_event(name)) == ("text", first_message(name)["text"]["body"])


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
    assert message_in(only_event(name)) == ("text", words)


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
    assert message_in(only_event(name)) == (content, words)


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


def failure(outcome: Outcome, reason: str, **more: Any) -> Receipt:
    return receipt("failed", outcome=outcome, reason=reason, **more)


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
        (
            "status_failed",
            (failure(Outcome.WINDOW_CLOSED, TOO_LATE, delivery_id=""),),
        ),
        (
            "status_failed_unreachable",
            (failure(Outcome.RECIPIENT_GONE, "131026 Message Undeliverable."),),
        ),
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
        pytest.param([{"code": 1, "title": "A", "error_data": "text"}], "1 A", id="data that are text"),
        pytest.param([{"code": 1, "title": None, "message": 5}], "1", id="no words"),
        pytest.param(["text"], "no reason was given", id="an error that is text"),
    ],
)
def test_a_failure_has_its_reason(errors: list[Any], reason: str) -> None:
    update = payload("whatsapp", "status_failed")
    update["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"] = errors
    (failed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).receipts
    assert failed.reason == reason


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (131026, Outcome.RECIPIENT_GONE),
        (131047, Outcome.WINDOW_CLOSED),
        (131053, Outcome.MEDIA_FAILED),
        (131042, Outcome.CREDENTIAL_BAD),
        (999_999, None),
        ("131047", None),
        (None, None),
    ],
)
def test_a_failure_told_afterwards_means_what_it_means_at_once(code: object, outcome: Outcome | None) -> None:
    update = payload("whatsapp", "status_failed")
    update["entry"][0]["changes"][0]["value"]["statuses"][0]["errors"] = [{"code": code}]
    (failed,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).receipts
    assert failed.outcome is outcome


@pytest.mark.parametrize(
    ("name", "gone_to", "alias"),
    [("number_changed", "19195551234", ""), ("user_id_changed", CHAT, "US.99900000000000000001")],
)
def test_who_has_another_number_or_id_is_told_where_they_were_known(
    name: str, gone_to: str, alias: str
) -> None:
    changed = AddressChanged(id=first_message(name)["id"], occurred_at=SENT_AT, chat_id=gone_to)
    assert parse(name) == Parsed((AddressedEvent(CHAT, changed, alias),))


@pytest.mark.parametrize(
    ("message", "former", "gone_to", "alias"),
    [
        ({"from": CHAT, "system": {"wa_id": "49", "user_id": SCOPED}}, CHAT, "49", SCOPED),
        ({"from": CHAT, "system": {"new_wa_id": "49"}}, CHAT, "49", ""),
        ({"from": "49", "system": {"customer": CHAT, "wa_id": "49"}}, CHAT, "49", ""),
        ({"from_user_id": SCOPED, "system": {"user_id": "US.7"}}, SCOPED, "US.7", ""),
        ({"from_user_id": SCOPED, "system": {"user_id": "US.7", "wa_id": "49"}}, SCOPED, "US.7", "49"),
    ],
    ids=["both", "older form", "oldest form", "id alone", "id and a number"],
)
def test_a_change_is_told_in_many_forms(
    message: dict[str, Any], former: str, gone_to: str, alias: str
) -> None:
    update = payload("whatsapp", "number_changed")
    value = update["entry"][0]["changes"][0]["value"]
    told = {"type": "user_changed_number", **message["system"]}
    common = {"id": "wamid.1", "timestamp": "1793370000", "type": "system"}
    value["messages"] = [{**common, **message, "system": told}]
    (moved,) = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT).events
    assert (moved.chat_id, moved.alias) == (former, alias)
    assert isinstance(moved.event, AddressChanged)
    assert moved.event.chat_id == gone_to


@pytest.mark.parametrize(
    "system", [{}, {"wa_id": CHAT}, {"user_id": ""}], ids=["nowhere", "no change", "empty"]
)
def test_a_change_to_nobody_is_kept_for_a_human(system: dict[str, str]) -> None:
    update = payload("whatsapp", "number_changed")
    message = update["entry"][0]["changes"][0]["value"]["messages"][0]
    message["system"] = {"type": "user_changed_number", **system}
    assert ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT) == Parsed(
        unreadable=("user_changed_number",), unread=update
    )


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


def test_what_cannot_be_read_is_left_alone_with_what_it_stands_in() -> None:
    good, update = payload("whatsapp", "several"), payload("whatsapp", "several")
    changes = update["entry"][0]["changes"]
    value = changes[0]["value"]
    bad_message, bad_status = {**value["messages"][0], "id": 5}, {"status": "read"}
    value["messages"].append(bad_message)
    value["statuses"] = [*value.get("statuses", ()), bad_status]
    update["entry"].append(5)
    parsed, about = SAMPLES.read(update), {**value, "messages": [], "statuses": []}
    assert (parsed.events, parsed.receipts) == (SAMPLES.read(good).events, SAMPLES.read(good).receipts)
    assert parsed.unread is not None
    left = [each["changes"][0]["value"] if each != 5 else 5 for each in parsed.unread["entry"]]
    del about["messages"], about["statuses"]
    assert left == [{**about, "messages": [bad_message]}, {**about, "statuses": [bad_status]}, 5]
    again = SAMPLES.read(parsed.unread)
    assert (again.events, again.receipts) == ((), ())
    assert (again.unreadable, again.unread) == (parsed.unreadable, parsed.unread)


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
        pytest.param(broken(id="w" * 1000), "message not as documented", id="an id without end"),
        pytest.param(broken(from_="1" * 1000), "message not as documented", id="a number without end"),
        pytest.param(
            broken(from_user_id="US." + "1" * 1000), "message not as documented", id="nor a scoped id"
        ),
        pytest.param(broken(timestamp="soon"), "time that is none", id="no time"),
        pytest.param(broken(timestamp="9" * 5000), "time that is none", id="a time without end"),
        pytest.param(broken(timestamp=10**18), "time that is none", id="a time that will never be"),
        pytest.param(broken(text=None), "text without words", id="no words"),
        pytest.param(broken(text={"body": 5}), "message not as documented", id="words that are a number"),
        pytest.param(broken(from_=None, from_user_id=None), "message from nobody", id="from nobody"),
    ],
)
def test_a_message_in_another_shape_is_not_guessed_at(update: Any, why: str) -> None:
    assert ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT) == Parsed(unreadable=(why,), unread=update)


@pytest.mark.parametrize("field", ["id", "biz_opaque_callback_data", "recipient_id"])
def test_a_status_s_id_without_end_travels_nowhere(field: str) -> None:
    update = payload("whatsapp", "status_read")
    update["entry"][0]["changes"][0]["value"]["statuses"][0][field] = "x" * 1000
    parsed = ADAPTER.parse(update, CREDENTIAL, RECEIVED_AT)
    assert parsed == Parsed(unreadable=("status not as documented",), unread=update)


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
