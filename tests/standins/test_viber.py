from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.standins.server import Answer, answer_json, call
from tests.standins.viber import ViberPerson, ViberStandIn
from tests.standins.webhook import Webhook

USER = "01234567890A/+b="
JPG, MP4 = "https://a.io/menu.jpg", "https://a.io/tour.mp4"


@pytest.fixture
def viber() -> Iterator[ViberStandIn]:
    with ViberStandIn() as standin:
        yield standin


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as standin:
        yield standin


@pytest.fixture
def ivan(viber: ViberStandIn, webhook: Webhook) -> ViberPerson:
    person = viber.person(webhook.url, USER)
    person.say("Hi")
    return person


def api(viber: ViberStandIn, method: str, body: Any, **headers: str) -> Answer:
    sent = {"Content-Type": "application/json", "X-Viber-Auth-Token": viber.auth_token, **headers}
    return call("POST", f"{viber.url}/pa/{method}", sent, json.dumps(body).encode())


def send(viber: ViberStandIn, **body: Any) -> Answer:
    base = {"receiver": USER, "sender": {"name": "Bot"}, "type": "text", "text": "Hi", **body}
    return api(viber, "send_message", {name: value for name, value in base.items() if value is not None})


def keyboard(*buttons: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "keyboard", "Buttons": list(buttons), **more}


def button(**more: Any) -> dict[str, Any]:
    return {"ActionType": "reply", "ActionBody": "p:1", "Text": "Yes", **more}


# ── The person ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_person_says_is_signed_over_its_bytes(viber: ViberStandIn, webhook: Webhook) -> None:
    assert viber.person(webhook.url, USER, "Иван", language="ru").say("Привет").status == 200
    (request,) = webhook.requests
    expected = hmac.new(viber.auth_token.encode(), request.raw, hashlib.sha256).hexdigest()
    assert request.headers["x-viber-content-signature"] == expected
    assert request.body["event"] == "message"
    assert request.body["message"] == {"type": "text", "text": "Привет"}
    assert request.body["sender"]["name"] == "Иван"
    assert request.body["message_token"] > 2**53


def test_a_press_is_a_silent_message_of_what_the_button_carried(
    viber: ViberStandIn, ivan: ViberPerson, webhook: Webhook
) -> None:
    site = button(ActionType="open-url", ActionBody="https://a.io", Text="Site")
    send(viber, keyboard=keyboard(button(Text="Fish &amp; Chips"), site))
    assert ivan.next().labels == ["Fish & Chips", "Site"]
    ivan.press("Fish & Chips")
    pressed = webhook.requests[-1].body
    assert (pressed["message"]["text"], pressed["silent"]) == ("p:1", True)
    with pytest.raises(LookupError):
        ivan.press("Site")


def test_a_good_welcome_is_heard(viber: ViberStandIn, webhook: Webhook) -> None:
    anna = viber.person(webhook.url, USER)
    webhook.answers = answer_json({"sender": {"name": "Bot"}, "type": "text", "text": "Welcome!"})
    anna.open("cook")
    assert anna.next().text == "Welcome!"
    opened = webhook.requests[0].body
    assert (opened["event"], opened["context"], opened["subscribed"]) == (
        "conversation_started",
        "cook",
        False,
    )
    assert not anna.is_subscribed


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_without_a_welcome_nothing_is_heard(viber: ViberStandIn, webhook: Webhook, body: bytes) -> None:
    anna = viber.person(webhook.url, USER)
    webhook.answers = Answer(200, body)
    anna.open()
    assert (anna.heard, viber.refusals) == ([], [])


@pytest.mark.parametrize(
    "welcome",
    [
        {"receiver": USER, "sender": {"name": "Bot"}, "type": "text", "text": "Welcome!"},
        {"type": "text", "text": "Welcome!"},
        ["Welcome!"],
    ],
)
def test_a_wrong_welcome_is_a_refusal(viber: ViberStandIn, webhook: Webhook, welcome: Any) -> None:
    anna = viber.person(webhook.url, USER)
    webhook.answers = answer_json(welcome)
    anna.open()
    assert anna.heard == []
    assert len(viber.refusals) == 1


def test_receipts_name_the_message(viber: ViberStandIn, ivan: ViberPerson, webhook: Webhook) -> None:
    token = send(viber).json["message_token"]
    ivan.post(ivan.receipt(ivan.next(), "seen"))
    assert webhook.requests[-1].body["message_token"] == token
    assert webhook.requests[-1].body["event"] == "seen"


@pytest.mark.parametrize(
    ("action", "kind", "content"),
    [("share-phone", "phone", "contact"), ("location-picker", "location", "location")],
)
def test_what_is_shared_by_a_button_is_a_message_of_its_kind(
    viber: ViberStandIn, ivan: ViberPerson, webhook: Webhook, action: str, kind: str, content: str
) -> None:
    send(viber, keyboard=keyboard(button(ActionType=action)), min_api_version=3)
    ivan.post(ivan.shared(kind))
    assert webhook.requests[-1].body["message"]["type"] == content
    with pytest.raises(LookupError):
        ivan.press(ivan.heard[-1].labels[0])


def test_who_has_unsubscribed_is_reached_again_after_writing(viber: ViberStandIn, ivan: ViberPerson) -> None:
    ivan.unsubscribe()
    assert send(viber).json["status"] == 6
    ivan.subscribe()
    assert send(viber).json["status"] == 0


# ── What is taken ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"text": "x" * 7000}, id="7000 characters"),
        pytest.param({"sender": {"name": "N" * 28, "avatar": "https://a.io/a.jpg"}}, id="an avatar"),
        pytest.param({"tracking_data": "x", "min_api_version": 2}, id="tracking data"),
        pytest.param({"keyboard": keyboard(*[button()] * 12)}, id="twelve rows"),
        pytest.param({"keyboard": keyboard(*[button(Columns=3)] * 24)}, id="two in a row"),
        pytest.param({"keyboard": keyboard(button(Text="<b>Yes</b> &lt;3<br/>"))}, id="some HTML"),
        pytest.param(
            {"keyboard": keyboard(button(), InputFieldState="hidden"), "min_api_version": 4}, id="level 4"
        ),
    ],
)
def test_a_good_message_is_sent(viber: ViberStandIn, ivan: ViberPerson, body: dict[str, Any]) -> None:
    answer = send(viber, **body)
    assert (answer.status, answer.json["status"], answer.json["status_message"]) == (200, 0, "ok")
    assert str(answer.json["message_token"]) == ivan.next().message_id


def test_the_token_may_be_in_the_body(viber: ViberStandIn, ivan: ViberPerson) -> None:
    body = {"receiver": USER, "sender": {"name": "B"}, "type": "text", "text": "Hi"}
    answer = api(
        viber, "send_message", {**body, "auth_token": viber.auth_token}, **{"X-Viber-Auth-Token": ""}
    )
    assert answer.json["status"] == 0
    assert len(ivan.heard) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"type": "picture", "media": JPG, "text": "Menu"}, "Menu"),
        ({"type": "picture", "media": JPG + "?v=1", "text": ""}, ""),
        ({"type": "video", "media": MP4, "size": 100_000, "duration": 7, "text": None}, MP4),
        ({"type": "file", "media": MP4, "size": 9, "file_name": "a.pdf", "text": None}, MP4),
        ({"type": "url", "media": "https://a.io", "text": None}, "https://a.io"),
    ],
)
def test_what_is_not_text_is_heard_too(
    viber: ViberStandIn, ivan: ViberPerson, content: dict[str, Any], words: str
) -> None:
    assert send(viber, **content, keyboard=keyboard(button())).json["status"] == 0
    said = ivan.next()
    assert (said.text, said.labels) == (words, ["Yes"])


def test_any_message_subscribes(viber: ViberStandIn, webhook: Webhook) -> None:
    anna = viber.person(webhook.url, USER)
    anna.open()
    assert send(viber).json["status"] == 6
    anna.post(anna.sent({"type": "location", "location": {"lat": 1.0, "lon": 2.0}}))
    assert send(viber).json["status"] == 0
    anna.unsubscribe()
    assert send(viber).json["status"] == 6
    anna.subscribe()
    assert send(viber).json["status"] == 0


def test_who_does_not_write_gets_a_hundred_messages_and_no_more(
    viber: ViberStandIn, ivan: ViberPerson
) -> None:
    body = {"receiver": USER, "sender": {"name": "Bot"}, "type": "text", "text": "Hi"}
    sent = [viber._send_message(dict(body)).json["status"] for _ in range(100)]
    assert set(sent) == {0}
    assert send(viber).json == {"status": 12, "status_message": "tooManyRequests"}
    ivan.say("I am here")
    assert send(viber).json["status"] == 0


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"receiver": None}, 4, id="to nobody"),
        pytest.param({"receiver": "stranger="}, 5, id="to a stranger"),
        pytest.param({"sender": None}, 4, id="from nobody"),
        pytest.param({"sender": {}}, 4, id="no name"),
        pytest.param({"sender": {"name": "N" * 29}}, 3, id="a name too long"),
        pytest.param({"sender": {"name": "Bot", "age": 3}}, 3, id="an unknown field of the sender"),
        pytest.param({"type": None}, 3, id="no type"),
        pytest.param({"type": "pigeon"}, 3, id="a type that is none"),
        pytest.param({"text": None}, 4, id="no text"),
        pytest.param({"text": ""}, 3, id="an empty text"),
        pytest.param({"text": " "}, 3, id="a blank text"),
        pytest.param({"text": 5}, 3, id="a text that is a number"),
        pytest.param({"text": "x" * 7001}, 3, id="7001 characters"),
        pytest.param({"text": "я" * 7000}, 3, id="more than 30 kB as sent"),
        pytest.param({"parse_mode": "HTML"}, 3, id="an unknown field"),
        pytest.param({"min_api_version": "1"}, 3, id="a version that is text"),
        pytest.param({"keyboard": {"Buttons": [button()]}}, 4, id="a keyboard without its type"),
        pytest.param({"keyboard": keyboard()}, 3, id="no buttons"),
        pytest.param({"keyboard": keyboard(*[button()] * 13)}, 3, id="thirteen rows"),
        pytest.param({"keyboard": keyboard(button(), InputFieldState="hidden")}, 14, id="level 4 undeclared"),
        pytest.param({"keyboard": keyboard(button(ActionType="share-phone"))}, 14, id="level 3 undeclared"),
        pytest.param({"keyboard": keyboard(button(Columns=7))}, 3, id="seven columns"),
        pytest.param({"keyboard": keyboard(button(Rows=3))}, 3, id="three rows"),
        pytest.param({"keyboard": keyboard(button(ActionType="call"))}, 3, id="an action that is none"),
        pytest.param({"keyboard": keyboard(button(ActionBody=""))}, 3, id="carrying nothing"),
        pytest.param({"keyboard": keyboard(button(ActionBody="я" * 51))}, 3, id="carrying too much"),
        pytest.param({"keyboard": keyboard(button(Text="x" * 251))}, 3, id="a label too long"),
        pytest.param({"keyboard": keyboard(button(Text=""))}, 3, id="an empty label"),
        pytest.param({"keyboard": keyboard(button(Text="a < b"))}, 3, id="a bare sign of HTML"),
        pytest.param({"keyboard": keyboard(button(Text="a & b"))}, 3, id="a bare ampersand"),
        pytest.param({"keyboard": keyboard(button(Silent="true"))}, 3, id="silence that is text"),
        pytest.param({"keyboard": keyboard(button(text="Yes"))}, 3, id="an unknown field of a button"),
        pytest.param({"keyboard": keyboard(button(ActionType="open-url"))}, 3, id="not an address"),
        pytest.param({"text": "😀" * 3501}, 3, id="7002 units of UTF-16"),
        pytest.param({"type": "picture", "media": JPG, "text": None}, 4, id="a picture without a text"),
        pytest.param({"type": "picture", "media": JPG, "text": "x" * 513}, 3, id="a caption too long"),
        pytest.param({"type": "picture", "media": None}, 4, id="a picture without its address"),
        pytest.param({"type": "picture", "media": "https://a.io/menu"}, 3, id="a picture of no known kind"),
        pytest.param({"type": "picture", "media": "https://a.io/.jpg"}, 3, id="a picture without a name"),
        pytest.param({"type": "picture", "media": "menu.jpg"}, 3, id="a picture that is nowhere"),
        pytest.param({"type": "video", "media": MP4, "text": None}, 4, id="a video without its size"),
        pytest.param({"type": "video", "media": MP4, "size": 2**25, "text": None}, 3, id="a video too large"),
        pytest.param({"type": "video", "media": JPG, "size": 9, "text": None}, 3, id="a video that is none"),
        pytest.param({"type": "file", "media": MP4, "size": 9, "text": None}, 4, id="a file without a name"),
        pytest.param(
            {"type": "file", "media": MP4, "size": 9, "file_name": "a.exe", "text": None}, 3, id="a program"
        ),
        pytest.param(
            {"type": "file", "media": MP4, "size": 9, "file_name": "menu", "text": None}, 3, id="no extension"
        ),
        pytest.param({"type": "url", "media": "https://a.io"}, 3, id="an address with a text"),
        pytest.param({"type": "url", "media": "a.io", "text": None}, 3, id="an address that is none"),
        pytest.param(
            {"type": "url", "media": "https://a.io/" + "x" * 2000, "text": None}, 3, id="an address too long"
        ),
        pytest.param({"min_api_version": 9}, 13, id="for newer phones than the person's"),
    ],
)
def test_a_wrong_message_is_refused_with_http_200(
    viber: ViberStandIn, ivan: ViberPerson, body: dict[str, Any], status: int
) -> None:
    ivan.user["api_version"] = 8
    answer = send(viber, **body)
    assert (answer.status, answer.json["status"]) == (200, status)
    assert viber.people[USER].heard == []
    assert len(viber.refusals) == 1


@pytest.mark.parametrize(("token", "message"), [("", "missing_auth_token"), ("another", "invalidAuthToken")])
def test_a_wrong_token_is_refused(viber: ViberStandIn, token: str, message: str) -> None:
    answer = api(viber, "get_account_info", {}, **{"X-Viber-Auth-Token": token})
    assert (answer.status, answer.json) == (200, {"status": 2, "status_message": message})


def test_what_is_no_json_is_bad_data(viber: ViberStandIn) -> None:
    answer = call("POST", f"{viber.url}/pa/send_message", {"Content-Type": "application/json"}, b"{")
    assert answer.json["status"] == 3


def test_a_method_that_is_none_is_not_found(viber: ViberStandIn) -> None:
    assert api(viber, "send_pigeon", {}).status == 404


def test_nobody_is_written_to_who_has_only_opened_the_chat(viber: ViberStandIn, webhook: Webhook) -> None:
    viber.person(webhook.url, USER).open()
    assert send(viber).json["status"] == 6


# ── The webhook ──────────────────────────────────────────────────────────────────────────────────────


def test_a_webhook_is_called_back_before_it_is_set(viber: ViberStandIn, webhook: Webhook) -> None:
    body = {"url": webhook.url, "event_types": ["delivered", "failed"], "send_name": True}
    answer = api(viber, "set_webhook", body)
    assert answer.json == {"status": 0, "status_message": "ok", "event_types": ["delivered", "failed"]}
    (request,) = webhook.requests
    assert request.body["event"] == "webhook"
    assert "user" not in request.body
    expected = hmac.new(viber.auth_token.encode(), request.raw, hashlib.sha256).hexdigest()
    assert request.headers["x-viber-content-signature"] == expected
    assert api(viber, "get_account_info", {}).json["webhook"] == webhook.url
    viber.person().say("Hi")
    assert webhook.requests[-1].body["event"] == "message"


def test_a_webhook_that_does_not_answer_well_is_not_set(viber: ViberStandIn, webhook: Webhook) -> None:
    webhook.answers = Answer(500)
    assert api(viber, "set_webhook", {"url": webhook.url}).json["status"] == 1
    assert api(viber, "set_webhook", {"url": "http://127.0.0.1:9/"}).json["status"] == 1
    assert api(viber, "set_webhook", {"url": "http://example.com/"}).json["status"] == 1
    assert viber.webhook == ""


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 4),
        ({"url": "https://a.io", "event_types": ["read"]}, 3),
        ({"url": "https://a.io", "secret": "x"}, 3),
    ],
)
def test_a_wrong_webhook_is_refused(viber: ViberStandIn, body: dict[str, Any], status: int) -> None:
    assert api(viber, "set_webhook", body).json["status"] == status


def test_an_empty_address_removes_the_webhook(viber: ViberStandIn, webhook: Webhook) -> None:
    api(viber, "set_webhook", {"url": webhook.url})
    assert api(viber, "set_webhook", {"url": ""}).json["status"] == 0
    assert viber.webhook == ""


def test_a_file_that_a_person_sent_is_read_at_its_address(viber: ViberStandIn) -> None:
    address = viber.receive(b"picture", "1.jpg")
    assert call("GET", address, {}).body == b"picture"
    viber.files.clear()
    assert call("GET", address, {}).status == 404
