"""A Viber of our own: the REST Bot API of one bot, as strict as the real one.

HTTP 200 means nothing here either: the status in the body does. Rules that Viber's clients check after
the fact (a keyboard out of shape is reported by a `failed` callback) are checked at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from tests.standins.server import (
    Answer,
    Incoming,
    Person,
    Recorded,
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
    number,
    one_of,
    text,
)

SIGNATURE_HEADER = "X-Viber-Content-Signature"
MAX_REQUEST_BYTES = 30_000
MAX_UNANSWERED = 100
"""Messages to one person within an hour, as long as they do not write."""

_EVENT_TYPES = (
    "delivered",
    "seen",
    "failed",
    "subscribed",
    "unsubscribed",
    "conversation_started",
    "client_status",
)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ViberStandIn(StandIn):
    """One bot's Viber. `files` are those that people have sent, by the path of their address."""

    def __init__(self, auth_token: str = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9") -> None:
        super().__init__()
        self.auth_token = auth_token
        self.webhook = ""
        self.event_types: list[str] = []
        self.people: dict[str, ViberPerson] = {}
        self.files: dict[str, bytes] = {}
        self._last_token = 4_912_661_846_655_238_145
        self._methods = {
            "/pa/send_message": self._send_message,
            "/pa/set_webhook": self._set_webhook,
            "/pa/get_account_info": self._get_account_info,
        }

    def person(
        self, webhook_url: str = "", user_id: str = "01234567890A/+b=", name: str = "Ivan Petrov", **user: Any
    ) -> ViberPerson:
        """Somebody with Viber, not subscribed yet; `user` may have `language`, `country`, `api_version`."""
        person = ViberPerson(self, webhook_url, {"id": user_id, "name": name, **user})
        self.people[user_id] = person
        return person

    def receive(self, content: bytes, file_name: str) -> str:
        """The address of a file that a person sends; whoever knows it may read it."""
        path = f"/media/{len(self.files)}/{file_name}"
        self.files[path] = content
        return self.url + path

    def new_token(self) -> int:
        with self.changed:
            self._last_token += 1
            return self._last_token

    def callback(self, event: str, **content: Any) -> Update:
        """A callback with its signature over the very bytes."""
        head = {"event": event, "timestamp": int(time.time() * 1000), "chat_hostname": "SN-CHAT-02_"}
        body = json.dumps({**head, "message_token": self.new_token(), **content}, ensure_ascii=False).encode()
        signature = hmac.new(self.auth_token.encode(), body, hashlib.sha256).hexdigest()
        return Update(body, {"Content-Type": "application/json", SIGNATURE_HEADER: signature})

    # ── The server ───────────────────────────────────────────────────────────────────────────────────

    def is_send(self, request: Incoming) -> bool:
        return request.path == "/pa/send_message"

    def answer(self, request: Incoming) -> Answer:
        if request.method == "GET" and request.path in self.files:
            return Answer(200, self.files[request.path], {"content-type": "application/octet-stream"})
        method = self._methods.get(request.path)
        if method is None or request.method != "POST":
            raise Refusal(Answer(404, b"Not Found", {"content-type": "text/plain"}))
        given = request.body
        if len(request.raw) > MAX_REQUEST_BYTES:
            raise refused(3, f"request is larger than {MAX_REQUEST_BYTES} bytes")
        if request.media_type != "application/json" or not isinstance(given, dict):
            raise refused(3, "failed to parse JSON")
        self._authorized(request, given)
        given.pop("auth_token", None)
        return method(given)

    def _authorized(self, request: Incoming, given: Mapping[str, Any]) -> None:
        token = request.headers.get("x-viber-auth-token") or given.get("auth_token")
        if not token:
            raise refused(2, "missing_auth_token")
        if token != self.auth_token:
            raise refused(2, "invalidAuthToken")

    def _send_message(self, given: dict[str, Any]) -> Answer:
        if not isinstance(given.get("receiver"), str) or not given["receiver"]:
            raise refused(4, "missing receiver")
        content = {name: value for name, value in given.items() if name != "receiver"}
        words, buttons = check_message(content)
        person = self.people.get(given["receiver"])
        if person is None:
            raise refused(5, "receiverNotRegistered")
        if not person.is_subscribed:
            raise refused(6, "receiverNotSubscribed")
        if content.get("min_api_version", 1) > person.user["api_version"]:
            raise refused(13, "apiVersionNotSupported")
        self._not_too_many(person)
        token = self.new_token()
        person.hear(Said(words, buttons, str(token), given))
        done = {"status": 0, "status_message": "ok", "message_token": token}
        return answer_json({**done, "chat_hostname": "SN-CHAT-02_", "billing_status": 1})

    def _not_too_many(self, person: ViberPerson) -> None:
        """The hour is left out: here only a word from the person lets the bot go on."""
        with self.changed:
            if person.unanswered >= MAX_UNANSWERED:
                raise refused(12, "tooManyRequests")
            person.unanswered += 1

    def _set_webhook(self, given: dict[str, Any]) -> Answer:
        """Calls the address back while the caller waits, and takes it only if that is answered 200."""
        _shaped(given, _SET_WEBHOOK)
        if not given["url"]:
            self.webhook = ""
            return answer_json({"status": 0, "status_message": "ok"})
        parts = urlsplit(given["url"])
        if parts.hostname not in _LOOPBACK and (parts.scheme != "https" or not parts.hostname):
            raise refused(1, "invalidUrl")
        update = self.callback("webhook")
        answered = self._called_back(given["url"], update)
        if answered != 200:
            raise refused(1, f"Result from webhook server is invalid ({answered})")
        self.webhook = given["url"]
        self.event_types = given.get("event_types", list(_EVENT_TYPES))
        return answer_json({"status": 0, "status_message": "ok", "event_types": self.event_types})

    def _called_back(self, url: str, update: Update) -> int:
        try:
            return call("POST", url, update.headers, update.body, 10.0).status
        except OSError:
            return 0

    def _get_account_info(self, given: dict[str, Any]) -> Answer:
        _shaped(given, an_object({}))
        return answer_json(
            {
                "status": 0,
                "status_message": "ok",
                "id": "pa:75346594275468546724",
                "name": "Stand-in",
                "uri": "standin",
                "webhook": self.webhook,
                "event_types": self.event_types,
                "subscribers_count": sum(person.is_subscribed for person in self.people.values()),
                "members": [],
            }
        )


class ViberPerson(Person):
    """A person with Viber; their first message, or `subscribe`, subscribes them."""

    messenger: ViberStandIn

    def __init__(self, messenger: ViberStandIn, webhook_url: str, user: Mapping[str, Any]) -> None:
        super().__init__(messenger, webhook_url)
        self.user: dict[str, Any] = {"language": "en", "country": "DE", "api_version": 10, **user}
        self.is_subscribed = False
        self.unanswered = 0

    def open(self, context: str = "") -> Answer:
        """Open the chat, perhaps by a deep link, and hear the welcome that the webhook answers with."""
        answer = self.post(self.opened(context))
        self.hear_welcome(answer)
        return answer

    def opened(self, context: str = "") -> Update:
        """The callback that opening the chat makes; not posted yet."""
        deep_link = {"context": context} if context else {}
        opened = {"type": "open", **deep_link, "user": self.user, "subscribed": self.is_subscribed}
        return self.messenger.callback("conversation_started", **opened)

    def leave(self) -> None:
        self.is_subscribed = False

    def written(self, text: str) -> Update:
        return self._message(text, is_silent=False)

    def pressed(self, label: str) -> Update:
        """A press is a message that says what the button carries."""
        _, button = self.button(label)
        return self._message(button.carries, is_silent=True)

    def shared(self, kind: str) -> Update:
        """What is shared is a message of its own kind, as if it were attached."""
        self.sharing(kind)
        contact = {"name": self.user["name"], "phone_number": "+79990000000"}
        content = {"contact": contact} if kind == "phone" else {"location": {"lat": 50.76891, "lon": 6.11499}}
        return self.sent({"type": "contact" if kind == "phone" else "location", **content})

    def sent(self, content: Mapping[str, Any]) -> Update:
        """The callback that a message of any kind makes."""
        return self.messenger.callback("message", sender=self.user, message=content, silent=False)

    def subscribe(self) -> Answer:
        self.is_subscribed = True
        return self.post(self.messenger.callback("subscribed", user=self.user))

    def unsubscribe(self) -> Answer:
        self.leave()
        return self.post(self.messenger.callback("unsubscribed", user_id=self.user["id"]))

    def receipt(self, said: Said, event: str) -> Update:
        """The callback that a message of the bot's was `delivered`, `seen` or has `failed`."""
        more = {"desc": "failure description"} if event == "failed" else {}
        return self.messenger.callback(
            event, user_id=self.user["id"], **more, message_token=int(said.message_id)
        )

    def post(self, update: Update) -> Answer:
        """Any message subscribes, and no callback tells of it."""
        if json.loads(update.body)["event"] == "message":
            with self.messenger.changed:
                self.is_subscribed, self.unanswered = True, 0
        return call("POST", self.webhook_url or self.messenger.webhook, update.headers, update.body)

    def _message(self, words: str, *, is_silent: bool) -> Update:
        content = {"type": "text", "text": words}
        return self.messenger.callback("message", sender=self.user, message=content, silent=is_silent)

    def hear_welcome(self, answer: Answer) -> None:
        """Show the welcome in the answer, if any; one out of shape is among the `refusals`."""
        if answer.status != 200 or answer.body.strip() in (b"", b"{}"):
            return
        welcome = Incoming("", "", {}, {}, answer.body).body
        try:
            if not isinstance(welcome, dict):
                raise refused(3, "the welcome is not a JSON object")
            words, buttons = check_message(welcome)
        except Refusal as refusal:
            self.messenger.refusals.append(
                Recorded("", "conversation_started", {}, welcome, answer.body, 0, refusal.answer.json)
            )
            return
        self.hear(Said(words, buttons, str(self.messenger.new_token()), welcome))


# ── Viber's rules ────────────────────────────────────────────────────────────────────────────────────


def refused(status: int, message: str) -> Refusal:
    return Refusal(answer_json({"status": status, "status_message": message}))


def check_message(content: dict[str, Any]) -> tuple[str, tuple[Shown, ...]]:
    """The words (or the address) and the buttons of a message without its receiver. Raises `Refusal`."""
    shape = _MESSAGES.get(str(content.get("type")))
    if shape is None:
        raise refused(3, f"type {content.get('type')!r} is not one that this stand-in knows")
    _shaped(content, shape)
    buttons = content.get("keyboard", {}).get("Buttons", [])
    if _rows(buttons) > 12:
        raise refused(3, "keyboard has more than 12 rows")
    needed = 4 if "InputFieldState" in content.get("keyboard", {}) else 1
    if any(button.get("ActionType") in _SHARES for button in buttons):
        needed = max(needed, 3)
    if needed > content.get("min_api_version", 1):
        raise refused(14, "incompatibleWithVersion")
    words = content["text"] if "text" in content else content.get("media", "")
    return words, tuple(_shown(button) for button in buttons)


def _shown(button: Mapping[str, Any]) -> Shown:
    kind = button.get("ActionType", "reply")
    if kind in _SHARES:
        return Shown(unescape(button["Text"]), "", shares=_SHARES[kind])
    return Shown(unescape(button["Text"]), button["ActionBody"], is_link=kind != "reply")


def _rows(buttons: list[dict[str, Any]]) -> int:
    """How many rows the buttons take, six columns to a row."""
    rows = columns = 0
    for button in buttons:
        width = button.get("Columns", 6)
        if columns + width > 6 or columns == 0:
            rows, columns = rows + button.get("Rows", 1), 0
        columns += width
    return rows


def _html(value: Any, path: str) -> None:
    """A few tags, and every other `<`, `>` and `&` escaped."""
    bare = re.sub(r"</?(?:b|i|u|font)(?:\s[^<>]*)?>|<br\s*/?>", "", value)
    if re.search(r"[<>]|&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)", bare):
        raise Wrong("value", path, "is not well-formed")
    if not unescape(bare).strip():
        raise Wrong("value", path, "must not be blank")


def _not_blank(value: Any, path: str) -> None:
    if not value.strip():
        raise Wrong("value", path, "must not be blank")


def _in_bytes(value: str) -> int:
    return len(value.encode())


def _in_utf16(value: str) -> int:
    return len(value.encode("utf-16-le")) // 2


def _ending(*ends: str) -> Check:
    """An address whose last path segment is a file of that kind."""

    def check(value: Any, path: str) -> None:
        name = urlsplit(value).path.rpartition("/")[2].lower()
        if not any(name.endswith(end) and name != end for end in ends):
            raise Wrong("value", path, f"must end in {' or '.join(ends)}")

    return check


def _with_an_end(value: Any, path: str) -> None:
    """A name by which phones know what to do with the file, unless that is to run it."""
    name, dot, end = value.rpartition(".")
    if not (name and dot and end) or "/" in value or end.lower() in _PROGRAMS:
        raise Wrong("value", path, "must have an extension that is allowed")


_PROGRAMS = {"apk", "app", "bat", "cmd", "com", "exe", "ipa", "msi", "ps1", "reg", "vbs"}
"""Some of those that are not."""


def _an_address(value: Any, path: str) -> None:
    if not re.fullmatch(r"https?://[!-~]+\.[!-~]+", value):
        raise Wrong("value", path, "is not a URL")


_SHARES = {"share-phone": "phone", "location-picker": "location"}
_COLOUR = text(7, 7)
_BUTTON = an_object(
    {"ActionBody": text(1, 100, _in_bytes), "Text": all_of(text(1, 250, _in_utf16), _html)},
    {
        "Columns": number(1, 6),
        "Rows": number(1, 2),
        "ActionType": one_of("reply", "open-url", "location-picker", "share-phone", "none"),
        "TextSize": one_of("small", "regular", "large"),
        "TextVAlign": one_of("top", "middle", "bottom"),
        "TextHAlign": one_of("left", "center", "right"),
        "TextOpacity": number(0, 100),
        "BgColor": _COLOUR,
        "Silent": boolean,
        "OpenURLType": one_of("internal", "external"),
    },
)


def _links_are_addresses(value: Any, path: str) -> None:
    if value.get("ActionType") == "open-url" and not re.fullmatch(r"https?://\S+\.\S+", value["ActionBody"]):
        raise Wrong("value", f"{path}.ActionBody", "is not a URL")


_KEYBOARD = an_object(
    {"Type": one_of("keyboard"), "Buttons": a_list(all_of(_BUTTON, _links_are_addresses), 1)},
    {
        "DefaultHeight": boolean,
        "BgColor": _COLOUR,
        "InputFieldState": one_of("regular", "minimized", "hidden"),
    },
)
_ADDRESS = all_of(text(1, 2000), _an_address)


def _a_message(optional: Mapping[str, Check] | None = None, **required: Check) -> Check:
    """A message with what every kind has besides."""
    sender = an_object({"name": all_of(text(1, 28, _in_utf16), _not_blank)}, {"avatar": text(1)})
    always = {"tracking_data": text(0, 4000), "min_api_version": number(1, 10), "keyboard": _KEYBOARD}
    return an_object({"type": text(), "sender": sender, **required}, {**always, **(optional or {})})


_MESSAGES: Mapping[str, Check] = {
    "text": _a_message(text=all_of(text(1, 7000, _in_utf16), _not_blank)),
    "picture": _a_message(
        {"thumbnail": _ADDRESS},
        text=text(0, 512, _in_utf16),
        media=all_of(_ADDRESS, _ending(".jpeg", ".jpg", ".png", ".gif")),
    ),
    "video": _a_message(
        {"thumbnail": _ADDRESS, "duration": number(0, 180)},
        media=all_of(_ADDRESS, _ending(".mp4")),
        size=number(1, 26 * 1024 * 1024),
    ),
    "file": _a_message(
        media=_ADDRESS,
        size=number(1, 50 * 1024 * 1024),
        file_name=all_of(text(1, 256), _with_an_end),
    ),
    "url": _a_message(media=_ADDRESS),
}

_SET_WEBHOOK = an_object(
    {"url": text()},
    {"event_types": a_list(one_of(*_EVENT_TYPES)), "send_name": boolean, "send_photo": boolean},
)


def _shaped(given: dict[str, Any], shape: Check) -> None:
    try:
        shape(given, "")
    except Wrong as wrong:
        raise refused(4 if wrong.kind == "missing" else 3, str(wrong)) from None
