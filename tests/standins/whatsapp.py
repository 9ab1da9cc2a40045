"""A WhatsApp of our own: the Cloud API's messages endpoint of one number, as strict as the real one.

Where the real one would accept a message and report its failure later (a closed window, somebody who
cannot be reached), this one refuses at once, with the same error.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from tests.standins.server import (
    Answer,
    Incoming,
    Person,
    Refusal,
    Said,
    Shown,
    StandIn,
    Update,
    answer_json,
    call,
)
from tests.standins.shapes import (
    Check,
    Wrong,
    a_list,
    all_of,
    an_object,
    boolean,
    distinct,
    one_of,
    text,
)

SIGNATURE_HEADER = "X-Hub-Signature-256"

_PATH = re.compile(r"/(v\d+\.0)/(\d+)/(messages|media)")
_MANAGED = re.compile(r"/(v\d+\.0)/(\d+)(/subscribed_apps)?")
_DOWNLOAD = "/whatsapp_business/attachments/"
_NUMBER = re.compile(r"\+?[0-9]{5,20}")
_SCOPED_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]+")
_WINDOW_SECONDS = 24 * 3600


_UPLOADED_DAYS = 30
_RECEIVED_DAYS = 7
_LINK_SECONDS = 300

_TYPES = (
    "audio/aac, audio/mp4, audio/mpeg, audio/amr, audio/ogg, audio/opus, application/vnd.ms-powerpoint, "
    "application/msword, application/vnd.openxmlformats-officedocument.wordprocessingml.document, "
    "application/vnd.openxmlformats-officedocument.presentationml.presentation, "
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, application/pdf, text/plain, "
    "application/vnd.ms-excel, image/jpeg, image/png, image/webp, video/mp4, video/3gpp"
)
"""All that can be uploaded, as its refusal lists it."""
_SHOWN = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/",),
    "audio": ("audio/",),
    "sticker": ("image/webp",),
}
"""What a message of the kind shows; a document is anything."""
_MAX_BYTES = {"image": 5 * 1024 * 1024, "video": 16 * 1024 * 1024, "audio": 16 * 1024 * 1024}
_MAX_DOCUMENT_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True)
class KeptFile:
    """A file that WhatsApp has, until then."""

    content: bytes
    content_type: str
    expires_at: float


def units(words: str) -> int:
    return len(words.encode("utf-16-le", "surrogatepass")) // 2


class WhatsAppStandIn(StandIn):
    """One business number's WhatsApp: its `templates`, and the addresses of files that are `unreachable`.

    `files` are those that were uploaded or received, by their ids; `typing` the messages that the bot was
    seen to write an answer to.
    """

    def __init__(
        self,
        access_token: str = "EAAstandin0123456789token",
        app_secret: str = "standin-app-secret",
        phone_number_id: str = "106540352242922",
        api_version: str = "v25.0",
    ) -> None:
        super().__init__()
        self.access_token = access_token
        self.app_secret = app_secret
        self.phone_number_id = phone_number_id
        self.api_version = api_version
        self.number = "15550783881"
        self.business_account_id = "102290129340398"
        self.callback = ""
        self.is_subscribed = False
        self.people: dict[str, WhatsAppPerson] = {}
        self.read: list[str] = []
        self.typing: list[str] = []
        self.received: set[str] = set()
        self.files: dict[str, KeptFile] = {}
        self.templates: dict[tuple[str, str], int] = {}
        self.unreachable: set[str] = set()
        self._ahead_seconds = 0.0

    def approve(self, name: str, language: str, parameters: int = 0) -> None:
        """Have a template whose body takes so many parameters."""
        self.templates[name, language] = parameters

    def receive(self, content: bytes, content_type: str) -> str:
        """The id of a file that a person sends."""
        return self._keep(content, content_type, _RECEIVED_DAYS)

    def _keep(self, content: bytes, content_type: str, days: int) -> str:
        with self.changed:
            media_id = str(1_003_383_421_387_256 + len(self.files))
            self.files[media_id] = KeptFile(content, content_type, self.now() + days * 24 * 3600)
            return media_id

    def now(self) -> float:
        return time.time() + self._ahead_seconds

    def pass_time(self, hours: float) -> None:
        """Let the messenger's own clock be later from now on."""
        self._ahead_seconds += hours * 3600

    def person(
        self, webhook_url: str, number: str = "16505551234", name: str = "Ivan Petrov", user_id: str = ""
    ) -> WhatsAppPerson:
        """Somebody with a number, a business-scoped `user_id`, or both (then the number counts)."""
        person = WhatsAppPerson(self, webhook_url, number, name, user_id)
        for identity in (number, user_id):
            if identity:
                self.people[identity] = person
        return person

    def verify(self, webhook_url: str, verify_token: str) -> Answer:
        """Ask the webhook for its consent by GET, as when its address is registered.

        The answer's status is 200 only if the webhook gave the very challenge back.
        """
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        answer = call("GET", f"{webhook_url}?{urlencode(query)}", {"Accept": "*/*"})
        is_given_back = answer.status == 200 and answer.body.decode() == challenge
        return answer if is_given_back or answer.status != 200 else Answer(0, answer.body, answer.headers)

    def signed(self, value: Mapping[str, Any], field: str = "messages") -> Update:
        """A notification about this number, non-ASCII escaped as Meta does, and its signature."""
        envelope = {
            "object": "whatsapp_business_account",
            "entry": [{"id": self.business_account_id, "changes": [{"value": value, "field": field}]}],
        }
        body = json.dumps(envelope, separators=(",", ":")).encode()
        signature = hmac.new(self.app_secret.encode(), body, hashlib.sha256).hexdigest()
        return Update(body, {"Content-Type": "application/json", SIGNATURE_HEADER: f"sha256={signature}"})

    def value(self, **content: Any) -> dict[str, Any]:
        metadata = {"display_phone_number": self.number, "phone_number_id": self.phone_number_id}
        return {"messaging_product": "whatsapp", "metadata": metadata, **content}

    # ── The server ───────────────────────────────────────────────────────────────────────────────────

    def is_send(self, request: Incoming) -> bool:
        body = request.body
        return request.path.endswith("/messages") and isinstance(body, dict) and "status" not in body

    def answer(self, request: Incoming) -> Answer:
        self._authorized(request)
        if request.path == _DOWNLOAD:
            return self._download(request)
        managed = _MANAGED.fullmatch(request.path)
        if managed and managed[1] == self.api_version and managed[2] in self.files:
            return self._file(request, managed[2])
        if managed and managed[1] == self.api_version:
            return self._subscribe(request, managed[2]) if managed[3] else self._manage(request, managed[2])
        path = _PATH.fullmatch(request.path)
        if path is None or path[1] != self.api_version or request.method != "POST":
            raise refused(2500, f"Unknown path components: {request.path}")
        if path[2] != self.phone_number_id:
            raise _no_such(request.method, path[2])
        if path[3] == "media":
            return self._upload(request)
        given = request.body
        if request.media_type != "application/json" or not isinstance(given, dict):
            raise refused(100, "(#100) The parameter messaging_product is required.")
        if "status" in given:
            return self._mark_read(given)
        return self._send(given)

    def _authorized(self, request: Incoming) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refused(0, "Authentication Error", status=401)
        if token != self.access_token:
            raise refused(190, "Invalid OAuth access token - Cannot parse access token", status=401)

    def _manage(self, request: Incoming, phone_number_id: str) -> Answer:
        """Tell of the number, or have its notifications sent elsewhere: "" for where the app's go."""
        if phone_number_id != self.phone_number_id:
            raise _no_such(request.method, phone_number_id)
        if request.method == "GET":
            names = {"verified_name": "Stand-in", "display_phone_number": self.number, "id": phone_number_id}
            asked = request.query.get("fields", "verified_name,display_phone_number,id").split(",")
            return answer_json({name: names[name] for name in names if name in asked or name == "id"})
        given = request.body if isinstance(request.body, dict) else {}
        _shaped(given, _CONFIGURATION)
        address = given["webhook_configuration"]["override_callback_uri"]
        token = given["webhook_configuration"].get("verify_token", "")
        if address and not self._has_consent(address, token):
            raise refused(
                2200, "(#2200) Callback verification failed with the following errors: HTTP Status Code = 403"
            )
        self.callback = address
        return answer_json({"success": True})

    def _has_consent(self, address: str, token: str) -> bool:
        try:
            return self.verify(address, token).status == HTTPStatus.OK
        except OSError:
            return False

    def _subscribe(self, request: Incoming, account_id: str) -> Answer:
        if account_id != self.business_account_id:
            raise _no_such(request.method, account_id)
        _shaped(request.body or {}, an_object({}))
        self.is_subscribed = True
        return answer_json({"success": True})

    def _mark_read(self, given: dict[str, Any]) -> Answer:
        _shaped(given, _MARK_READ)
        if given["message_id"] not in self.received:
            raise _invalid("Message is not found")
        with self.changed:
            self.read.append(given["message_id"])
            self.typing += [given["message_id"]] * ("typing_indicator" in given)
            self.changed.notify_all()
        return answer_json({"success": True})

    # ── Files ────────────────────────────────────────────────────────────────────────────────────────

    def _upload(self, request: Incoming) -> Answer:
        fields = {part.field: part for part in request.parts}
        product, file = fields.get("messaging_product"), fields.get("file")
        if product is None or product.content != b"whatsapp":
            raise refused(100, "(#100) The parameter messaging_product is required.")
        if file is None or not file.content:
            raise refused(100, "(#100) The parameter file is required.")
        if set(fields) - {"messaging_product", "file", "type"}:
            raise refused(100, "(#100) Unexpected key")
        if file.content_type not in _TYPES.split(", "):
            allowed = f"(#100) Param file must be a file with one of the following types: {_TYPES}."
            raise refused(100, f"{allowed} Received file of type '{file.content_type}'.")
        if len(file.content) > _MAX_BYTES.get(file.content_type.partition("/")[0], _MAX_DOCUMENT_BYTES):
            raise refused(100, "(#100) Invalid parameter", "File size is too large")
        return answer_json({"id": self._keep(file.content, file.content_type, _UPLOADED_DAYS)})

    def _file(self, request: Incoming, media_id: str) -> Answer:
        """Tell where the file is for five minutes, or delete it."""
        file = self.files[media_id]
        if file.expires_at <= self.now() or request.method not in ("GET", "DELETE"):
            raise _no_such(request.method, media_id)
        if request.query.get("phone_number_id", self.phone_number_id) != self.phone_number_id:
            raise refused(
                100, "(#100) Param phone_number_id is not a valid whatsapp business phone number id ID"
            )
        if request.method == "DELETE":
            del self.files[media_id]
            return answer_json({"success": True})
        query = urlencode({"mid": media_id, "ext": int(self.now()) + _LINK_SECONDS})
        told = {"url": f"{self.url}{_DOWNLOAD}?{query}", "mime_type": file.content_type, "id": media_id}
        told |= {"sha256": hashlib.sha256(file.content).hexdigest(), "messaging_product": "whatsapp"}
        return answer_json({**told, "file_size": len(file.content)})

    def _download(self, request: Incoming) -> Answer:
        file = self.files.get(request.query.get("mid", ""))
        if file is None or float(request.query.get("ext", 0)) <= self.now():
            raise Refusal(Answer(404, b"Not Found", {"content-type": "text/plain"}))
        return Answer(200, file.content, {"content-type": file.content_type})

    # ── Messages ─────────────────────────────────────────────────────────────────────────────────────

    def _send(self, given: dict[str, Any]) -> Answer:
        kind = given.get("type", "text")
        if kind not in _CONTENT:
            raise refused(
                131051, "(#131051) Unsupported message type", f"Message type {kind} is not supported"
            )
        _shaped(given, _MESSAGE[kind])
        buttons, words = _seen(kind, given[kind])
        person = self._reached(given)
        self._allowed(person, given[kind] if kind == "template" else None)
        self._fetched(given[kind].get("header", {}) if kind == "interactive" else given)
        wamid = new_wamid()
        person.hear(Said(words, buttons, wamid, given))
        contact = {"input": person.identity}
        contact |= {"wa_id": person.number} if person.number else {}
        contact |= {"user_id": person.user_id} if person.user_id else {}
        return answer_json(
            {
                "messaging_product": "whatsapp",
                "contacts": [contact],
                "messages": [{"id": wamid, "message_status": "accepted"}],
            }
        )

    def _reached(self, given: dict[str, Any]) -> WhatsAppPerson:
        if ("to" in given) is ("recipient" in given):
            raise refused(100, "(#100) The parameter to is required.")
        if "to" in given and not _NUMBER.fullmatch(given["to"]):
            raise _invalid("Parameter 'to' is not a phone number")
        if "recipient" in given and not _SCOPED_USER_ID.fullmatch(given["recipient"]):
            raise _invalid("Parameter 'recipient' is not a user id")
        identity: str = given["to"] if "to" in given else given["recipient"]
        person = self.people.get(identity.removeprefix("+"))
        if person is None:
            raise refused(131030, "(#131030) Recipient phone number not in allowed list")
        if person.has_blocked:
            raise refused(131026, "(#131026) Message undeliverable")
        return person

    def _allowed(self, person: WhatsAppPerson, template: dict[str, Any] | None) -> None:
        """Within 24 hours of the person's last word everything is; later an approved template is."""
        if template is not None:
            self._approved(template)
        elif not person.is_window_open:
            raise refused(
                131047,
                "(#131047) Re-engagement message",
                "More than 24 hours have passed since the recipient last replied to the sender number.",
            )

    def _approved(self, template: dict[str, Any]) -> None:
        name, language = template["name"], template["language"]["code"]
        expected = self.templates.get((name, language))
        if expected is None:
            raise refused(
                132001,
                "(#132001) Template name does not exist in the translation",
                f"template name ({name}) does not exist in {language}",
            )
        given = _parameters(template)
        if len(given) != expected:
            raise refused(
                132000,
                "(#132000) Number of parameters does not match the expected number of params",
                f"body: number of localizable_params ({len(given)}) does not match the expected ({expected})",
            )
        if any(re.search(r"[\n\t]| {5}", words) for words in given):
            raise refused(
                132018,
                "(#132018) There is an issue with the parameters in your template",
                "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
            )

    def _fetched(self, given: dict[str, Any]) -> None:
        kind = str(given.get("type"))
        if kind not in _FILES:
            return
        if given[kind].get("link") in self.unreachable:
            raise refused(131053, "(#131053) Media upload error", "Downloading media from weblink failed")
        if "id" in given[kind]:
            self._known(kind, given[kind]["id"])

    def _known(self, kind: str, media_id: str) -> None:
        file = self.files.get(media_id)
        if file is None or file.expires_at <= self.now():
            words = "is not a valid whatsapp business account media attachment ID"
            raise refused(100, f"(#100) Param {kind}['id'] {words}")
        if not file.content_type.startswith(_SHOWN.get(kind, "")):
            detail = f"Unsupported {kind.title()} mime type {file.content_type}."
            raise refused(131053, "(#131053) Media upload error", detail)


class WhatsAppPerson(Person):
    """A person with WhatsApp, who may be written to for 24 hours after they `wrote`.

    `private_number` is the one that somebody with a business-scoped id only has as well.
    """

    messenger: WhatsAppStandIn

    def __init__(
        self, messenger: WhatsAppStandIn, webhook_url: str, number: str, name: str, user_id: str
    ) -> None:
        super().__init__(messenger, webhook_url)
        self.number = number
        self.user_id = user_id
        self.identity = number or user_id
        self.name = name
        self.private_number = number or "16505550000"
        self.has_blocked = False
        self._wrote_at: float | None = None

    @property
    def is_window_open(self) -> bool:
        return self._wrote_at is not None and self.messenger.now() - self._wrote_at < _WINDOW_SECONDS

    def wrote(self) -> None:
        self._wrote_at = self.messenger.now()

    def leave(self) -> None:
        self.has_blocked = True

    def written(self, text: str) -> Update:
        return self.message("text", text={"body": text})

    def pressed(self, label: str) -> Update:
        said, button = self.button(label)
        is_row = said.body["interactive"]["type"] == "list"
        reply = {"id": button.carries, "title": button.label}
        if is_row and button.whole_label:
            reply["description"] = button.whole_label
        kind = "list_reply" if is_row else "button_reply"
        return self.message(
            "interactive",
            context={"from": self.messenger.number, "id": said.message_id},
            interactive={"type": kind, kind: reply},
        )

    def shared(self, kind: str) -> Update:
        self.sharing(kind)
        context = {"from": self.messenger.number, "id": self.heard[-1].message_id}
        if kind == "location":
            place = {"latitude": 37.44216251868683, "longitude": -122.16153582049394}
            return self.message("location", context=context, location=place)
        phone = {"phone": f"+{self.private_number}", "wa_id": self.private_number, "type": "CELL"}
        name = {"formatted_name": self.name, "first_name": self.name}
        card = {"origin": "contact_request", "name": name, "phones": [phone]}
        return self.message("contacts", context=context, contacts=[card])

    def message(self, kind: str, **content: Any) -> Update:
        """Any message of the person's: its type and the fields that belong to it."""
        ids = {"wa_id": self.number, "user_id": self.user_id}
        contact = {"profile": {"name": self.name}, **{name: given for name, given in ids.items() if given}}
        sender = {"from": self.number, "from_user_id": self.user_id}
        message = {
            **{name: given for name, given in sender.items() if given},
            "id": new_wamid(),
            "timestamp": str(int(self.messenger.now())),
            "type": kind,
            **content,
        }
        self.messenger.received.add(message["id"])
        return self.messenger.signed(self.messenger.value(contacts=[contact], messages=[message]))

    def receipt(self, said: Said, status: str, **more: Any) -> Update:
        """The notification that a message of the bot's was `sent`, `delivered`, `read` or `failed`."""
        receipt = {
            "id": said.message_id,
            "status": status,
            "timestamp": str(int(self.messenger.now())),
            "recipient_id": self.identity,
            **more,
        }
        if "biz_opaque_callback_data" in said.body:
            receipt["biz_opaque_callback_data"] = said.body["biz_opaque_callback_data"]
        return self.messenger.signed(self.messenger.value(statuses=[receipt]))

    def post(self, update: Update) -> Answer:
        if "messages" in json.loads(update.body)["entry"][0]["changes"][0]["value"]:
            self.wrote()
        return super().post(update)


# ── WhatsApp's rules ─────────────────────────────────────────────────────────────────────────────────


def new_wamid() -> str:
    return f"wamid.HBgL{secrets.token_hex(16).upper()}"


def refused(code: int, message: str, details: str = "", *, status: int = 400, **more: object) -> Refusal:
    error: dict[str, object] = {"message": message, "type": "OAuthException", "code": code, **more}
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    error["fbtrace_id"] = "Az8or2yhqkZfEZ-_4Qn_Bam"
    return Refusal(answer_json({"error": error}, status))


def _no_such(method: str, object_id: str) -> Refusal:
    return refused(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, cannot be "
        "loaded due to missing permissions, or does not support this operation.",
        error_subcode=33,
    )


def _invalid(details: str) -> Refusal:
    return refused(131009, "(#131009) Parameter value is not valid", details)


def _no_spaces_around(value: Any, path: str) -> None:
    if value != value.strip():
        raise Wrong("value", path, "must not begin or end with a space")


def _not_blank(value: Any, path: str) -> None:
    if not value.strip():
        raise Wrong("value", path, "must not be blank")


def _title(most: int) -> Check:
    return all_of(text(1, most), _not_blank)


def _web_address(value: Any, path: str) -> None:
    if not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", value):
        raise Wrong("value", path, "is not a valid URI")


def _rows_within_limits(action: Any, path: str) -> None:
    sections = action["sections"]
    rows = [row for section in sections for row in section["rows"]]
    if len(rows) > 10:
        raise Wrong("value", f"{path}.sections", "Total row count exceed max allowed count: 10")
    if len(sections) > 1 and not all(section.get("title") for section in sections):
        raise Wrong("missing", f"{path}.sections", "title is required with more than one section")
    distinct(lambda row: row["id"], rows, f"{path}.sections")
    distinct(lambda row: row["title"].casefold(), rows, f"{path}.sections")


def _buttons_distinct(action: Any, path: str) -> None:
    replies = [button["reply"] for button in action["buttons"]]
    distinct(lambda reply: reply["id"], replies, f"{path}.buttons")
    distinct(lambda reply: reply["title"].casefold(), replies, f"{path}.buttons")


_REPLY = an_object({"id": all_of(text(1, 256), _no_spaces_around), "title": _title(20)})
_ROW = an_object(
    {"id": all_of(text(1, 200), _no_spaces_around), "title": _title(24)}, {"description": text(1, 72)}
)
_ACTIONS: Mapping[str, Check] = {
    "button": all_of(
        an_object({"buttons": a_list(an_object({"type": one_of("reply"), "reply": _REPLY}), 1, 3)}),
        _buttons_distinct,
    ),
    "list": all_of(
        an_object(
            {
                "button": _title(20),
                "sections": a_list(an_object({"rows": a_list(_ROW, 1)}, {"title": text(1, 24)}), 1, 10),
            }
        ),
        _rows_within_limits,
    ),
    "location_request_message": an_object({"name": one_of("send_location")}),
    "request_contact_info": an_object({"name": one_of("request_contact_info")}),
    "cta_url": an_object(
        {
            "name": one_of("cta_url"),
            "parameters": an_object({"display_text": _title(20), "url": all_of(text(1, 2000), _web_address)}),
        }
    ),
}


def _one_source(value: Any, path: str) -> None:
    if ("id" in value) is ("link" in value):
        raise Wrong("missing", f"{path}.link", "either an id or a link")


_SOURCE = {"id": text(1), "link": all_of(text(1, 2000), _web_address)}
_CAPTION = {"caption": all_of(text(1, 1024, units), _not_blank)}
_FILES: Mapping[str, Check] = {
    kind: all_of(an_object({}, {**_SOURCE, **more}), _one_source)
    for kind, more in {
        "image": _CAPTION,
        "video": _CAPTION,
        "document": {**_CAPTION, "filename": text(1, 240)},
        "audio": {},
        "sticker": {},
    }.items()
}
_HEADER_TEXT = an_object({"type": one_of("text"), "text": text(1, 60)})
_HEADED_BY_FILES = ("button", "cta_url")


def _header(kind: str) -> Check:
    def check(value: Any, path: str) -> None:
        shown = value.get("type") if isinstance(value, dict) else None
        if shown not in ("image", "video", "document") or kind not in _HEADED_BY_FILES:
            _HEADER_TEXT(value, path)
            return
        source = all_of(an_object({}, {**_SOURCE, "filename": text(1, 240)}), _one_source)
        an_object({"type": one_of(shown), shown: source})(value, path)

    return check


def _interactive_shape(value: Any, path: str) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    one_of(*_ACTIONS)(kind, f"{path}.type")
    around = {"header": _header(str(kind)), "footer": an_object({"text": text(1, 60)})}
    an_object(
        {
            "type": one_of(*_ACTIONS),
            "body": an_object({"text": all_of(text(1, 1024, units), _not_blank)}),
            "action": _ACTIONS[str(kind)],
        },
        {} if kind in _REQUESTS else around,
    )(value, path)


_REQUESTS = ("location_request_message", "request_contact_info")
_PARAMETER = an_object({"type": one_of("text"), "text": all_of(text(1, 1024), _not_blank)})
_TEMPLATE = an_object(
    {
        "name": text(1, 512),
        "language": an_object({"code": text(1)}, {"policy": one_of("deterministic")}),
    },
    {"components": a_list(an_object({"type": one_of("body"), "parameters": a_list(_PARAMETER, 1)}), 1, 1)},
)
_CONTENT: Mapping[str, Check] = {
    "text": an_object({"body": all_of(text(1, 4096, units), _not_blank)}, {"preview_url": boolean}),
    "interactive": _interactive_shape,
    "template": _TEMPLATE,
    **_FILES,
}
_MESSAGE: Mapping[str, Check] = {
    kind: an_object(
        {"messaging_product": one_of("whatsapp"), kind: shape},
        {
            "type": one_of(kind),
            "recipient_type": one_of("individual"),
            "to": text(1),
            "recipient": text(1),
            "context": an_object({"message_id": text(1)}),
            "biz_opaque_callback_data": text(0, 512),
        },
    )
    for kind, shape in _CONTENT.items()
}
_CONFIGURATION = an_object(
    {"webhook_configuration": an_object({"override_callback_uri": text()}, {"verify_token": text(1)})}
)
_MARK_READ = an_object(
    {"messaging_product": one_of("whatsapp"), "status": one_of("read"), "message_id": text(1)},
    {"typing_indicator": an_object({"type": one_of("text")})},
)


def _shaped(given: dict[str, Any], shape: Check) -> None:
    try:
        shape(given, "")
    except Wrong as wrong:
        if wrong.kind == "missing":
            raise refused(
                131008, "(#131008) Required parameter is missing", f"Parameter '{wrong.path}' is mandatory"
            ) from None
        if wrong.kind == "unknown":
            raise refused(100, f'(#100) Unexpected key "{wrong.path}"') from None
        if wrong.kind == "type":
            raise refused(100, f"(#100) Param {wrong.path} {wrong.detail}") from None
        raise _invalid(f"{wrong.path}: {wrong.detail}") from None


def _parameters(template: dict[str, Any]) -> list[str]:
    return [
        parameter["text"]
        for component in template.get("components", ())
        for parameter in component["parameters"]
    ]


def _seen(kind: str, content: dict[str, Any]) -> tuple[tuple[Shown, ...], str]:
    """The buttons and the words that the person sees; of a template its name and what was filled in."""
    if kind == "interactive":
        return _interactive(content)
    if kind == "template":
        return (), " ".join([content["name"], *_parameters(content)])
    return (), content["body"] if kind == "text" else content.get("caption", "")


def _interactive(interactive: dict[str, Any]) -> tuple[tuple[Shown, ...], str]:
    """The buttons and the words that the person sees."""
    words, action = interactive["body"]["text"], interactive["action"]
    if interactive["type"] == "location_request_message":
        return (Shown("Send location", "", shares="location"),), words
    if interactive["type"] == "request_contact_info":
        return (Shown("Share contact info", "", shares="phone"),), words
    if interactive["type"] == "cta_url":
        link = action["parameters"]
        return (Shown(link["display_text"], link["url"], is_link=True),), words
    if interactive["type"] == "button":
        replies = [button["reply"] for button in action["buttons"]]
        return tuple(Shown(reply["title"], reply["id"]) for reply in replies), words
    rows = [row for section in action["sections"] for row in section["rows"]]
    return (
        tuple(Shown(row["title"], row["id"], whole_label=row.get("description", "")) for row in rows),
        words,
    )
