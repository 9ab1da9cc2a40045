from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.standins.server import Answer, Incoming, Part, StandIn, call, form_of
from tests.standins.webhook import Webhook
from tests.standins.whatsapp import WhatsAppPerson, WhatsAppStandIn

NUMBER = "16505551234"
USER_ID = "US.13491208655302741918"


@pytest.fixture
def whatsapp() -> Iterator[WhatsAppStandIn]:
    with WhatsAppStandIn() as standin:
        yield standin


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as standin:
        yield standin


@pytest.fixture
def ivan(whatsapp: WhatsAppStandIn, webhook: Webhook) -> WhatsAppPerson:
    person = whatsapp.person(webhook.url, NUMBER)
    person.say("Hi")
    return person


def post(whatsapp: WhatsAppStandIn, body: Any, path: str = "", **headers: str) -> Answer:
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {whatsapp.access_token}", **headers}
    url = whatsapp.url + (path or f"/v25.0/{whatsapp.phone_number_id}/messages")
    return call("POST", url, sent, json.dumps(body).encode())


def send(whatsapp: WhatsAppStandIn, **body: Any) -> Answer:
    base = {"messaging_product": "whatsapp", "to": NUMBER, "type": "text", "text": {"body": "Hi"}, **body}
    return post(whatsapp, {name: value for name, value in base.items() if value is not None})


def send_interactive(whatsapp: WhatsAppStandIn, recipient: str = "", **interactive: Any) -> Answer:
    content = {"body": {"text": "Which?"}, **interactive}
    given = {name: value for name, value in content.items() if value is not None}
    to = {"to": None, "recipient": recipient} if recipient else {}
    return send(whatsapp, type="interactive", text=None, interactive=given, **to)


def send_file(whatsapp: WhatsAppStandIn, kind: str, **file: Any) -> Answer:
    return send(whatsapp, type=kind, text=None, **{kind: file})


def send_template(
    whatsapp: WhatsAppStandIn, *parameters: str, name: str = "hello", code: str = "en"
) -> Answer:
    given = [{"type": "text", "text": words} for words in parameters]
    body = {"components": [{"type": "body", "parameters": given}]} if given else {}
    return send(
        whatsapp, type="template", text=None, template={"name": name, "language": {"code": code}, **body}
    )


def above(kind: str, file: Any) -> dict[str, Any]:
    return {"header": {"type": kind, kind: file}}


def reply(button_id: Any = "p:1", title: Any = "Yes") -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": button_id, "title": title}}


def buttons(*replies: Any) -> dict[str, Any]:
    return {"type": "button", "action": {"buttons": list(replies)}}


def a_list(*rows: Any, **action: Any) -> dict[str, Any]:
    return {"type": "list", "action": {"button": "Choose", "sections": [{"rows": list(rows)}], **action}}


def row(n: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": f"p:{n}", "title": f"Row {n}", **more}


def link(text: Any = "Site", url: Any = "https://a.io", **more: Any) -> dict[str, Any]:
    parameters = {"display_text": text, "url": url}
    return {"type": "cta_url", "action": {"name": "cta_url", "parameters": parameters, **more}}


IMAGE = {"link": "https://a.io/menu.jpg"}
CONTACT_INFO: dict[str, Any] = {"type": "request_contact_info", "action": {"name": "request_contact_info"}}
LOCATION: dict[str, Any] = {"type": "location_request_message", "action": {"name": "send_location"}}


# ── The person ───────────────────────────────────────────────────────────────────────────────────────


def test_what_a_person_says_is_signed_over_its_escaped_bytes(
    whatsapp: WhatsAppStandIn, webhook: Webhook
) -> None:
    assert whatsapp.person(webhook.url, NUMBER, name="Иван").say("Привет").status == 200
    (request,) = webhook.requests
    expected = hmac.new(whatsapp.app_secret.encode(), request.raw, hashlib.sha256).hexdigest()
    assert request.headers["x-hub-signature-256"] == f"sha256={expected}"
    assert request.raw.isascii()
    value = request.body["entry"][0]["changes"][0]["value"]
    assert value["metadata"]["phone_number_id"] == whatsapp.phone_number_id
    assert value["contacts"] == [{"profile": {"name": "Иван"}, "wa_id": NUMBER}]
    assert value["messages"][0]["text"] == {"body": "Привет"}
    assert value["messages"][0]["from"] == NUMBER


def test_a_person_without_a_number_has_a_scoped_id(whatsapp: WhatsAppStandIn, webhook: Webhook) -> None:
    whatsapp.person(webhook.url, "", user_id=USER_ID).say("Hi")
    value = webhook.requests[0].body["entry"][0]["changes"][0]["value"]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == value["contacts"][0]["user_id"] == USER_ID


def test_a_press_on_a_button_is_a_button_reply(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson, webhook: Webhook
) -> None:
    send_interactive(whatsapp, **buttons(reply("p:1", "Yes"), reply("p:2", "No")))
    said = ivan.next()
    assert (said.text, said.labels) == ("Which?", ["Yes", "No"])
    ivan.press("No")
    message = webhook.requests[-1].body["entry"][0]["changes"][0]["value"]["messages"][0]
    assert message["interactive"] == {"type": "button_reply", "button_reply": {"id": "p:2", "title": "No"}}
    assert message["context"]["id"] == said.message_id


def test_a_row_is_chosen_by_its_title_or_by_its_whole_label(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson, webhook: Webhook
) -> None:
    send_interactive(whatsapp, **a_list(row(1), row(2, description="The second of the rows")))
    ivan.press("The second of the rows")
    message = webhook.requests[-1].body["entry"][0]["changes"][0]["value"]["messages"][0]
    assert message["interactive"] == {
        "type": "list_reply",
        "list_reply": {"id": "p:2", "title": "Row 2", "description": "The second of the rows"},
    }


def test_a_receipt_gives_back_what_the_message_carried(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson, webhook: Webhook
) -> None:
    send(whatsapp, biz_opaque_callback_data="delivery-1")
    ivan.post(ivan.receipt(ivan.next(), "delivered"))
    (status,) = webhook.requests[-1].body["entry"][0]["changes"][0]["value"]["statuses"]
    assert (status["status"], status["biz_opaque_callback_data"]) == ("delivered", "delivery-1")
    assert status["id"] == ivan.heard[0].message_id


def test_verification_succeeds_only_with_the_very_challenge(
    whatsapp: WhatsAppStandIn, webhook: Webhook
) -> None:
    webhook.answers = Answer(200, b"something else")
    assert whatsapp.verify(webhook.url, "token").status == 0
    webhook.answers = Answer(403)
    assert whatsapp.verify(webhook.url, "token").status == 403
    assert [request.method for request in webhook.requests] == ["GET", "GET"]


def test_a_place_is_sent_in_answer_to_its_request(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson, webhook: Webhook
) -> None:
    with pytest.raises(LookupError):
        ivan.shared("location")
    send_interactive(whatsapp, **LOCATION)
    ivan.post(ivan.shared("location"))
    (message,) = webhook.requests[-1].body["entry"][0]["changes"][0]["value"]["messages"]
    assert message["type"] == "location"
    assert message["context"]["id"] == ivan.heard[-1].message_id


def test_a_number_is_shown_in_answer_to_its_request(whatsapp: WhatsAppStandIn, webhook: Webhook) -> None:
    anna = whatsapp.person(webhook.url, "", "Anna", USER_ID)
    anna.say("Hi")
    send_interactive(whatsapp, recipient=USER_ID, **CONTACT_INFO)
    anna.post(anna.shared("phone"))
    (message,) = webhook.requests[-1].body["entry"][0]["changes"][0]["value"]["messages"]
    (card,) = message["contacts"]
    assert "from" not in message
    assert (card["origin"], card["phones"][0]["wa_id"]) == ("contact_request", anna.private_number)


# ── What is taken ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="text"),
        pytest.param({"text": {"body": "x" * 4096, "preview_url": True}}, id="4096 characters"),
        pytest.param({"to": f"+{NUMBER}"}, id="a plus before the number"),
        pytest.param(
            {"recipient_type": "individual", "context": {"message_id": "wamid.X"}},
            id="an answer to a message",
        ),
        pytest.param({"biz_opaque_callback_data": "x" * 512}, id="512 characters to be given back"),
    ],
)
def test_a_good_text_is_accepted(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson, body: dict[str, Any]
) -> None:
    answer = send(whatsapp, **body)
    assert answer.status == 200
    assert answer.json["messages"][0]["id"] == ivan.next().message_id
    assert answer.json["contacts"] == [{"input": NUMBER, "wa_id": NUMBER}]


@pytest.mark.parametrize(
    "interactive",
    [
        pytest.param(buttons(*(reply(f"p:{n}", "T" * 19 + str(n)) for n in range(3))), id="three buttons"),
        pytest.param(a_list(*(row(n) for n in range(10))), id="ten rows"),
        pytest.param(a_list(row(description="d" * 72)), id="a description"),
        pytest.param(
            {
                "type": "list",
                "action": {
                    "button": "Choose",
                    "sections": [{"title": "A", "rows": [row(1)]}, {"title": "B", "rows": [row(2)]}],
                },
            },
            id="two sections",
        ),
        pytest.param(link(), id="a link"),
        pytest.param(LOCATION, id="a request of a location"),
        pytest.param(CONTACT_INFO, id="a request of a number"),
        pytest.param({**buttons(reply()), **above("image", IMAGE)}, id="a picture above buttons"),
        pytest.param({**link(), **above("document", IMAGE)}, id="a document above a link"),
        pytest.param(
            {**a_list(row()), "header": {"type": "text", "text": "h" * 60}}, id="a title above a list"
        ),
        pytest.param({**buttons(reply()), "footer": {"text": "f" * 60}}, id="a footer"),
        pytest.param({**buttons(reply()), "body": {"text": "b" * 1024}}, id="a body of 1024 characters"),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_good_interactive_message_is_accepted(
    whatsapp: WhatsAppStandIn, interactive: dict[str, Any]
) -> None:
    assert send_interactive(whatsapp, **interactive).status == 200


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        pytest.param("image", {**IMAGE, "caption": "c" * 1024}, id="a picture with words"),
        pytest.param("video", {"link": "https://a.io/tour.mp4"}, id="a video"),
        pytest.param("audio", IMAGE, id="a sound"),
        pytest.param("document", {**IMAGE, "filename": "menu.pdf"}, id="a document with a name"),
        pytest.param("sticker", IMAGE, id="a sticker"),
    ],
)
def test_a_good_file_is_accepted(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson, kind: str, file: dict[str, Any]
) -> None:
    assert send_file(whatsapp, kind, **file).status == 200
    assert ivan.next().text == file.get("caption", "")


def test_an_approved_template_is_accepted_at_any_time(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson
) -> None:
    whatsapp.approve("hello", "en", parameters=2)
    whatsapp.pass_time(hours=1000)
    assert send_template(whatsapp, "Anna", "noon").status == 200
    assert ivan.next().text == "hello Anna noon"


def test_somebody_with_a_scoped_id_is_a_recipient(whatsapp: WhatsAppStandIn, webhook: Webhook) -> None:
    anna = whatsapp.person(webhook.url, "", user_id=USER_ID)
    anna.say("Hi")
    assert send(whatsapp, to=None, recipient=USER_ID).status == 200
    assert anna.next().text == "Hi"


@pytest.mark.usefixtures("ivan")
def test_a_message_of_the_persons_can_be_marked_as_read_and_as_being_answered(
    whatsapp: WhatsAppStandIn,
) -> None:
    (wamid,) = whatsapp.received
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    assert post(whatsapp, body).json == {"success": True}
    assert (whatsapp.read, whatsapp.typing) == ([wamid], [])
    assert post(whatsapp, {**body, "typing_indicator": {"type": "text"}}).json == {"success": True}
    assert (whatsapp.read, whatsapp.typing) == ([wamid, wamid], [wamid])
    assert post(whatsapp, {**body, "message_id": "wamid.X"}).json["error"]["code"] == 131009


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────

PIXEL = Part("file", b"a picture", "image/png", "menu.png")


def upload(whatsapp: WhatsAppStandIn, *files: Part, **fields: str) -> Answer:
    body, content_type = form_of({"messaging_product": "whatsapp", **fields}, *files)
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {whatsapp.access_token}"}
    return call("POST", f"{whatsapp.url}/v25.0/{whatsapp.phone_number_id}/media", headers, body)


def get(whatsapp: WhatsAppStandIn, url: str, token: str = "") -> Answer:
    return call("GET", url, {"Authorization": f"Bearer {token or whatsapp.access_token}"})


def test_what_is_uploaded_is_shown_for_thirty_days(whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson) -> None:
    media_id = upload(whatsapp, PIXEL, type="image/png").json["id"]
    assert send_file(whatsapp, "image", id=media_id, caption="Menu").status == 200
    assert ivan.next().text == "Menu"
    assert send_interactive(whatsapp, **link(), **above("image", {"id": media_id})).status == 200
    whatsapp.pass_time(hours=30 * 24 + 1)
    ivan.say("Hi")
    refused = send_file(whatsapp, "image", id=media_id).json["error"]
    assert refused["code"] == 100
    assert refused["message"].endswith("is not a valid whatsapp business account media attachment ID")


def test_what_is_uploaded_is_shown_as_what_it_is(whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson) -> None:
    media_id = upload(whatsapp, PIXEL).json["id"]
    assert send_file(whatsapp, "video", id=media_id).json["error"]["code"] == 131053
    assert send_file(whatsapp, "image", id="5").json["error"]["code"] == 100
    assert ivan.heard == []
    assert send_file(whatsapp, "document", id=media_id, filename="menu.png").status == 200


@pytest.mark.parametrize(
    ("files", "fields", "words"),
    [
        pytest.param([], {}, "file is required", id="nothing"),
        pytest.param([replace(PIXEL, content=b"")], {}, "file is required", id="an empty file"),
        pytest.param(
            [replace(PIXEL, content_type="image/gif")], {}, "image/gif", id="a type that is not taken"
        ),
        pytest.param([replace(PIXEL, content=bytes(5 * 2**20 + 1))], {}, "Invalid parameter", id="too large"),
        pytest.param([PIXEL], {"messaging_product": "x"}, "messaging_product", id="for another product"),
        pytest.param([PIXEL], {"caption": "x"}, "Unexpected key", id="an unknown field"),
    ],
)
def test_a_wrong_upload_is_refused_as_whatsapp_would(
    whatsapp: WhatsAppStandIn, files: list[Part], fields: dict[str, str], words: str
) -> None:
    answer = upload(whatsapp, *files, **fields)
    assert (answer.status, answer.json["error"]["code"]) == (400, 100)
    assert words in answer.json["error"]["message"]
    assert whatsapp.files == {}


def test_a_file_is_downloaded_in_two_steps_both_with_the_token(whatsapp: WhatsAppStandIn) -> None:
    media_id = whatsapp.receive(b"a voice", "audio/ogg")
    told = get(whatsapp, f"{whatsapp.url}/v25.0/{media_id}").json
    assert (told["mime_type"], told["file_size"]) == ("audio/ogg", 7)
    assert get(whatsapp, told["url"]).body == b"a voice"
    assert get(whatsapp, told["url"], token="other").status == 401
    other = f"{whatsapp.url}/v25.0/{media_id}?phone_number_id=5"
    assert "phone number id" in get(whatsapp, other).json["error"]["message"]
    whatsapp.pass_time(hours=0.1)
    assert get(whatsapp, told["url"]).status == 404
    whatsapp.pass_time(hours=7 * 24)
    assert get(whatsapp, f"{whatsapp.url}/v25.0/{media_id}").status == 400


def test_a_file_that_is_deleted_is_gone(whatsapp: WhatsAppStandIn) -> None:
    media_id = upload(whatsapp, PIXEL).json["id"]
    url = f"{whatsapp.url}/v25.0/{media_id}"
    assert call("DELETE", url, {"Authorization": f"Bearer {whatsapp.access_token}"}).status == 200
    assert get(whatsapp, url).status == 400


# ── What is refused ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        pytest.param("", {"Authorization": ""}, 401, 0, id="no token"),
        pytest.param("", {"Authorization": "Bearer EAAother"}, 401, 190, id="another token"),
        pytest.param("", {"Authorization": "Basic abc"}, 401, 0, id="another scheme"),
        pytest.param("/v1.0/106540352242922/messages", {}, 400, 2500, id="another version"),
        pytest.param("/106540352242922/messages", {}, 400, 2500, id="no version"),
        pytest.param("/v25.0/999/messages", {}, 400, 100, id="another number"),
        pytest.param("", {"Content-Type": "text/plain"}, 400, 100, id="not declared as JSON"),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_wrong_address_or_token_is_refused(
    whatsapp: WhatsAppStandIn, path: str, headers: dict[str, str], status: int, code: int
) -> None:
    body = {"messaging_product": "whatsapp", "to": NUMBER, "type": "text", "text": {"body": "Hi"}}
    answer = post(whatsapp, body, path, **headers)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        pytest.param({"messaging_product": None}, 131008, "messaging_product", id="no product"),
        pytest.param({"messaging_product": "telegram"}, 131009, "messaging_product", id="another product"),
        pytest.param({"recipient_type": "group"}, 131009, "recipient_type", id="another kind of recipient"),
        pytest.param({"to": None}, 100, "to is required", id="to nobody"),
        pytest.param({"to": USER_ID}, 131009, "'to'", id="a scoped id as a number"),
        pytest.param({"to": 16505551234}, 100, "to must be a string", id="a number as a number"),
        pytest.param({"to": None, "recipient": NUMBER}, 131009, "'recipient'", id="a number as a scoped id"),
        pytest.param({"recipient": USER_ID}, 100, "to is required", id="to both"),
        pytest.param({"to": "4915155555"}, 131030, "allowed list", id="to a stranger"),
        pytest.param({"type": "pigeon"}, 131051, "Unsupported", id="a type that is none"),
        pytest.param({"text": None}, 131008, "'text' is mandatory", id="no text"),
        pytest.param({"text": "Hi"}, 100, "must be an object", id="a text that is no object"),
        pytest.param({"text": {"body": ""}}, 131009, "length 0", id="an empty text"),
        pytest.param({"text": {"body": " \n"}}, 131009, "blank", id="a blank text"),
        pytest.param({"text": {"body": "x" * 4097}}, 131009, "4097", id="4097 characters"),
        pytest.param({"text": {"body": "Hi", "entities": []}}, 100, "Unexpected key", id="an unknown field"),
        pytest.param({"text": {"body": 5}}, 100, "must be a string", id="a text that is a number"),
        pytest.param({"parse_mode": "x"}, 100, "Unexpected key", id="an unknown field at the top"),
        pytest.param({"biz_opaque_callback_data": "x" * 513}, 131009, "513", id="513 to be given back"),
        pytest.param({"context": {}}, 131008, "message_id", id="an answer to nothing"),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_wrong_message_is_refused_as_whatsapp_would(
    whatsapp: WhatsAppStandIn, body: dict[str, Any], code: int, words: str
) -> None:
    answer = send(whatsapp, **body)
    error = answer.json["error"]
    assert (answer.status, error["code"], error["type"]) == (400, code, "OAuthException")
    assert words in error["message"] + error.get("error_data", {}).get("details", "")
    assert whatsapp.people[NUMBER].heard == []
    assert len(whatsapp.refusals) == 1


@pytest.mark.parametrize(
    ("interactive", "code"),
    [
        pytest.param({"type": "buttons", "action": {}}, 131009, id="a type that is none"),
        pytest.param({"action": {}}, 131009, id="no type"),
        pytest.param({**LOCATION, "action": {"name": "send"}}, 131009, id="another request"),
        pytest.param({**LOCATION, "body": None}, 131008, id="a request without words"),
        pytest.param({**LOCATION, "footer": {"text": "f"}}, 100, id="a request with a footer"),
        pytest.param({**CONTACT_INFO, "action": {"name": "send"}}, 131009, id="another request of a number"),
        pytest.param({**a_list(row()), **above("image", IMAGE)}, 100, id="a picture above a list"),
        pytest.param({**buttons(reply()), **above("audio", IMAGE)}, 100, id="a sound above buttons"),
        pytest.param({**buttons(reply()), **above("image", {})}, 131008, id="no picture above buttons"),
        pytest.param({**buttons(reply()), "body": None}, 131008, id="no body"),
        pytest.param({**buttons(reply()), "body": {"text": ""}}, 131009, id="an empty body"),
        pytest.param({**buttons(reply()), "body": {"text": "x" * 1025}}, 131009, id="a body too long"),
        pytest.param({**buttons(reply()), "footer": {"text": "x" * 61}}, 131009, id="a footer too long"),
        pytest.param(buttons(), 131009, id="no buttons"),
        pytest.param(buttons(*(reply(f"p:{n}", str(n)) for n in range(4))), 131009, id="four buttons"),
        pytest.param(buttons(reply(title="x" * 21)), 131009, id="a title too long"),
        pytest.param(buttons(reply(title="")), 131009, id="an empty title"),
        pytest.param(buttons(reply(title=" ")), 131009, id="a blank title"),
        pytest.param(buttons(reply("a"), reply("b", "yes")), 131009, id="titles alike"),
        pytest.param(buttons(reply("a"), reply("a", "No")), 131009, id="ids alike"),
        pytest.param(buttons(reply(" a")), 131009, id="an id with a space in front"),
        pytest.param(buttons(reply("x" * 257)), 131009, id="an id too long"),
        pytest.param(buttons({**reply(), "url": "x"}), 100, id="an unknown field of a button"),
        pytest.param(a_list(), 131009, id="no rows"),
        pytest.param(a_list(*(row(n) for n in range(11))), 131009, id="eleven rows"),
        pytest.param(a_list(row(title="x" * 25)), 131009, id="a row's title too long"),
        pytest.param(a_list(row(description="x" * 73)), 131009, id="a description too long"),
        pytest.param(a_list(row(description="")), 131009, id="an empty description"),
        pytest.param(a_list(row(1), row(2, title="row 1")), 131009, id="rows alike"),
        pytest.param(a_list(row(1), row(1, title="Two")), 131009, id="rows of one id"),
        pytest.param(a_list(row(), button="x" * 21), 131009, id="an opener too long"),
        pytest.param(a_list(row(), button=""), 131009, id="an empty opener"),
        pytest.param(
            a_list(row(), sections=[{"rows": [row(1)]}, {"rows": [row(2)]}]), 131008, id="no titles"
        ),
        pytest.param(link(text="x" * 21), 131009, id="a link's words too long"),
        pytest.param(link(url="intranet"), 131009, id="not an address"),
        pytest.param(link(buttons=[]), 100, id="a link with buttons"),
        pytest.param({**link(), "action": {"name": "cta_url"}}, 131008, id="a link to nowhere"),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_wrong_interactive_message_is_refused_as_whatsapp_would(
    whatsapp: WhatsAppStandIn, interactive: dict[str, Any], code: int
) -> None:
    answer = send_interactive(whatsapp, **interactive)
    assert (answer.status, answer.json["error"]["code"]) == (400, code)
    assert whatsapp.people[NUMBER].heard == []


@pytest.mark.parametrize(
    ("kind", "file", "code"),
    [
        pytest.param("image", {}, 131008, id="nothing"),
        pytest.param("image", {**IMAGE, "id": "1003"}, 131008, id="both an id and a link"),
        pytest.param("image", {"link": "intranet/menu.jpg"}, 131009, id="not an address"),
        pytest.param("image", {**IMAGE, "caption": "c" * 1025}, 131009, id="too many words"),
        pytest.param("image", {**IMAGE, "caption": ""}, 131009, id="no words"),
        pytest.param("image", {**IMAGE, "filename": "menu.jpg"}, 100, id="a picture with a name"),
        pytest.param("audio", {**IMAGE, "caption": "c"}, 100, id="a sound with words"),
        pytest.param("sticker", {**IMAGE, "caption": "c"}, 100, id="a sticker with words"),
        pytest.param("image", {"link": "https://a.io/gone.jpg"}, 131053, id="what cannot be fetched"),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_wrong_file_is_refused_as_whatsapp_would(
    whatsapp: WhatsAppStandIn, kind: str, file: dict[str, Any], code: int
) -> None:
    whatsapp.unreachable.add("https://a.io/gone.jpg")
    assert send_file(whatsapp, kind, **file).json["error"]["code"] == code
    assert whatsapp.people[NUMBER].heard == []


@pytest.mark.parametrize(
    ("parameters", "named", "code"),
    [
        pytest.param(("Anna",), {"name": "goodbye"}, 132001, id="another name"),
        pytest.param(("Anna",), {"code": "de"}, 132001, id="another language"),
        pytest.param((), {}, 132000, id="no parameters"),
        pytest.param(("Anna", "noon"), {}, 132000, id="one too many"),
        pytest.param(("An\nna",), {}, 132018, id="two lines"),
        pytest.param(("An" + " " * 5 + "na",), {}, 132018, id="a row of spaces"),
        pytest.param(("",), {}, 131009, id="an empty parameter"),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_a_wrong_template_is_refused_as_whatsapp_would(
    whatsapp: WhatsAppStandIn, parameters: tuple[str, ...], named: dict[str, str], code: int
) -> None:
    whatsapp.approve("hello", "en", parameters=1)
    assert send_template(whatsapp, *parameters, **named).json["error"]["code"] == code
    assert whatsapp.people[NUMBER].heard == []


def test_outside_the_window_nothing_is_taken(whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson) -> None:
    whatsapp.pass_time(hours=23.9)
    assert send(whatsapp).status == 200
    whatsapp.pass_time(hours=0.2)
    ivan.post(ivan.receipt(ivan.next(), "read"))
    assert send(whatsapp).json["error"]["code"] == 131047
    ivan.say("Hi")
    assert send(whatsapp).status == 200


def test_who_has_blocked_the_number_cannot_be_reached(
    whatsapp: WhatsAppStandIn, ivan: WhatsAppPerson
) -> None:
    ivan.has_blocked = True
    assert send(whatsapp).json["error"]["code"] == 131026


# ── The number ───────────────────────────────────────────────────────────────────────────────────────


class Consent(StandIn):
    """A webhook that gives every challenge back, unless it `refuses`."""

    refuses = False

    def is_send(self, request: Incoming) -> bool:
        return False

    def answer(self, request: Incoming) -> Answer:
        return Answer(403) if self.refuses else Answer(200, request.query["hub.challenge"].encode())


def configure(whatsapp: WhatsAppStandIn, address: str) -> Answer:
    callback = {"override_callback_uri": address, "verify_token": "v"}
    return post(whatsapp, {"webhook_configuration": callback}, f"/v25.0/{whatsapp.phone_number_id}")


def test_the_number_tells_of_itself_to_whoever_has_its_token(whatsapp: WhatsAppStandIn) -> None:
    url = f"{whatsapp.url}/v25.0/{whatsapp.phone_number_id}?fields=id,verified_name"
    answer = call("GET", url, {"Authorization": f"Bearer {whatsapp.access_token}"})
    assert answer.json == {"id": whatsapp.phone_number_id, "verified_name": "Stand-in"}
    assert call("GET", url, {"Authorization": "Bearer EAAother"}).status == 401


def test_a_callback_is_taken_with_its_consent(whatsapp: WhatsAppStandIn) -> None:
    with Consent() as webhook:
        assert configure(whatsapp, webhook.url).status == 200
        assert whatsapp.callback == webhook.url
        assert webhook.requests[0].method == "GET"
        webhook.refuses = True
        assert configure(whatsapp, webhook.url).json["error"]["code"] == 2200
    assert configure(whatsapp, webhook.url).json["error"]["code"] == 2200
    assert configure(whatsapp, "").status == 200
    assert whatsapp.callback == ""


def test_an_account_is_subscribed_by_its_own_id(whatsapp: WhatsAppStandIn) -> None:
    assert post(whatsapp, {}, "/v25.0/1/subscribed_apps").json["error"]["error_subcode"] == 33
    assert post(whatsapp, {}, f"/v25.0/{whatsapp.business_account_id}/subscribed_apps").status == 200
    assert whatsapp.is_subscribed
