"""A Telegram of our own: the Bot API's methods that a dialog bot calls, as strict as the real ones.

Stricter in one thing: a parameter that the method does not have is refused, where the real server
would not notice. Webhooks may be on loopback without TLS; any other must be as Telegram wants them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.standins.server import (
    Answer,
    Incoming,
    Part,
    Person,
    Refusal,
    Said,
    Shown,
    StandIn,
    Update,
    answer_json,
    call,
    now_seconds,
)
from tests.standins.shapes import (
    Check,
    Wrong,
    a_list,
    an_object,
    anything,
    boolean,
    number,
    one_of,
    text,
)

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"

_TOKEN_PATH = re.compile(r"/bot([^/]*)/([^/]+)")
_TOKEN = re.compile(r"[1-9][0-9]*:[A-Za-z0-9_-]+")
_WEB_LINK = re.compile(
    r"https?://[^\s/?#@]+\.[^\s/?#.]{2,}(?:[/?#]\S*)?|https?://(?:\d{1,3}\.){3}\d{1,3}(?:[:/]\S*)?"
)
_UNSEEN = re.compile("[\\s\u180e\u200b-\u200f\u202a-\u202e\u2800\ufeff\ufffc\U000e0000-\U000e007f]")
"""Of such characters alone no text can be."""
_OWN_LINK = re.compile(r"tg://[\w-]+(?:[/?#]\S*)?", re.ASCII | re.IGNORECASE)
_NOT_IN_AN_ANSWER = {"deletewebhook", "setwebhook", "close", "logout"}
_CONTENT = ("text", "entities", "caption", "caption_entities", "reply_markup")
"""What of a message can be changed."""
_DOCUMENTS_BY_TYPE = {"image/gif": "animation", "video/mp4": "video", "image/webp": "sticker"}
"""What Telegram makes of a document that it can show."""
_FILE_ID = re.compile(r"(AgAC|BQAC)([0-9]+)-[0-9]+")
"""Of a photo and of all else; after that whose it is. (The real ones are opaque.)"""
_ACTIONS = (
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note"
).split()
_FILES = {"photo": "image/", "animation": "image/gif", "video": "video/", "audio": "audio/", "document": ""}
"""The kinds of files that can be sent by an address, and how the type of what is there must begin."""
_IN_ALBUMS = ("photo", "video", "audio", "document")
_ALONE = {"audio", "document"}
"""The kinds that are in albums of their own only."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_WEBHOOK_PORTS = {443, 80, 88, 8443}

_ENTITY_TYPES = (
    "mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough spoiler "
    "blockquote expandable_blockquote code pre text_link text_mention custom_emoji"
).split()
_BUTTON_ACTIONS = (
    "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat "
    "switch_inline_query_chosen_chat copy_text callback_game pay"
).split()
_UPDATE_TYPES = (
    "message edited_message channel_post edited_channel_post business_connection business_message "
    "edited_business_message deleted_business_messages guest_message message_reaction "
    "message_reaction_count inline_query chosen_inline_result callback_query shipping_query "
    "pre_checkout_query purchased_paid_media poll poll_answer my_chat_member chat_member "
    "chat_join_request chat_boost removed_chat_boost managed_bot"
).split()


def units(words: str) -> int:
    return len(words.encode("utf-16-le", "surrogatepass")) // 2


class Upload(str):
    """A file that a request carries: stands where the request refers to it."""

    __slots__ = ("part",)
    part: Part


@dataclass(frozen=True)
class KnownFile:
    """A file that the bot may send again by its id; `kind` is what Telegram has made of it."""

    file_id: str
    kind: str
    content: bytes = b""
    file_name: str = ""


class TelegramStandIn(StandIn):
    """One bot's Telegram. Updates of people without a webhook of their own wait for `getUpdates`.

    `web` says what is at an address: a content type, or None where there is nothing. At any other address
    is what the method wants. `files` are those that the bot has sent or received, by their ids.
    """

    def __init__(
        self, token: str = "123456789:AAEstandin-token_0123456789abcdefgh", secret: str = ""
    ) -> None:
        super().__init__()
        self.token = token
        self.secret = secret
        self.webhook = ""
        self.webhook_settings: dict[str, Any] = {}
        self.people: dict[int, TelegramPerson] = {}
        self.menus: dict[str, list[dict[str, str]]] = {}
        self.acknowledged: list[str] = []
        self.open_presses: set[str] = set()
        self.updates: list[dict[str, Any]] = []
        self.bot = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Stand-in",
            "username": "standin_bot",
        }
        self._last_update = 641_000_000
        self.pollers = 0
        self.web: dict[str, str | None] = {}
        self.files: dict[str, KnownFile] = {}
        self.max_photo_bytes = 10 * 1024 * 1024
        self.max_request_bytes = 50 * 1024 * 1024
        self.max_download_bytes = 20 * 1024 * 1024
        self._methods: Mapping[str, Callable[[dict[str, Any]], Answer]] = {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "sendphoto": lambda given: self._send_file("photo", given),
            "sendanimation": lambda given: self._send_file("animation", given),
            "sendvideo": lambda given: self._send_file("video", given),
            "sendaudio": lambda given: self._send_file("audio", given),
            "senddocument": lambda given: self._send_file("document", given),
            "sendmediagroup": self._send_media_group,
            "sendchataction": self._send_chat_action,
            "editmessagetext": self._edit_message_text,
            "editmessagecaption": self._edit_message_caption,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "answercallbackquery": self._answer_callback_query,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
            "setmycommands": self._set_my_commands,
            "deletemycommands": self._delete_my_commands,
            "getupdates": self._get_updates,
            "getfile": self._get_file,
        }

    def person(self, webhook_url: str = "", chat_id: int = 987654321, **user: str) -> TelegramPerson:
        """Somebody in a private chat; `user` has their names and `language_code`."""
        person = TelegramPerson(self, webhook_url, chat_id, user)
        self.people[chat_id] = person
        return person

    def receive(self, kind: str, content: bytes, file_name: str = "") -> str:
        """The id of a file that a person sends."""
        return self._new_file(kind, content, file_name).file_id

    def next_update(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        with self.changed:
            self._last_update += 1
            return {"update_id": self._last_update, kind: content}

    def enqueue(self, update: dict[str, Any]) -> None:
        with self.changed:
            self.updates.append(update)
            self.changed.notify_all()

    def take_webhook_answer(self, answer: Answer) -> None:
        """A webhook may answer an update with one call to a method; its result goes nowhere."""
        called = Incoming("POST", "", {}, {}, answer.body).body
        if answer.status // 100 != 2 or not isinstance(called, dict) or "method" not in called:
            return
        method = str(called["method"])
        if method.lower().startswith("get") or method.lower() in _NOT_IN_AN_ANSWER:
            return
        headers = {"content-type": answer.headers.get("content-type", "")}
        raw = json.dumps({name: value for name, value in called.items() if name != "method"}).encode()
        self.handle(Incoming("POST", f"/bot{self.token}/{method}", {}, headers, raw))

    # ── The server ───────────────────────────────────────────────────────────────────────────────────

    def is_send(self, request: Incoming) -> bool:
        method = request.path.rpartition("/")[2].lower()
        return method.startswith(("send", "editmessage")) and method != "sendchataction"

    def answer(self, request: Incoming) -> Answer:
        if request.path.startswith(f"/file/bot{self.token}/"):
            return self._download(request.path.removeprefix(f"/file/bot{self.token}/"))
        path = _TOKEN_PATH.fullmatch(request.path)
        if path is None or not _TOKEN.fullmatch(path[1]):
            raise refused(404, "Not Found")
        if path[1] != self.token:
            raise refused(401, "Unauthorized")
        if len(request.raw) > self.max_request_bytes:
            raise refused(413, "Request Entity Too Large")
        method = self._methods.get(path[2].lower())
        if method is None or request.method not in ("GET", "POST"):
            raise refused(404, "Not Found: method not found")
        return method(_parameters(request))

    def _get_me(self, given: dict[str, Any]) -> Answer:
        _shaped(given, an_object({}))
        return _result(
            {
                **self.bot,
                "can_join_groups": True,
                "can_read_all_group_messages": False,
                "supports_inline_queries": False,
            }
        )

    def _send_message(self, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        words = _checked_words(given)
        _shaped(given, _SEND_MESSAGE)
        _check_styles(given, words)
        buttons = _check_markup(given.get("reply_markup"))
        message = person.new_message(self.bot, {k: v for k, v in given.items() if k != "chat_id"})
        person.show_keyboard(given.get("reply_markup", {}))
        person.hear(Said(words, buttons, str(message["message_id"]), given))
        return _result(message)

    def _send_file(self, kind: str, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        file = self._taken(kind, given.get(kind))
        _check_caption(given)
        _shaped(given, _send_file_shape(kind))
        _check_entities(given.get("caption_entities", []), given.get("caption", ""))
        buttons = _check_markup(given.get("reply_markup"))
        message = person.new_message(self.bot, {**_said(given), **self._shown(file)})
        person.show_keyboard(given.get("reply_markup", {}))
        person.hear(Said(given.get("caption", ""), buttons, str(message["message_id"]), given))
        return _result(message)

    def _send_media_group(self, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        _shaped(given, _SEND_MEDIA_GROUP)
        _check_mixed([item["type"] for item in given["media"]])
        files = []
        for n, item in enumerate(given["media"], start=1):
            _check_caption(item)
            _check_entities(item.get("caption_entities", []), item.get("caption", ""))
            files.append(self._taken_for_album(n, item))
        shown = zip(given["media"], files, strict=True)
        return _result([self._shown_in_album(person, item, file) for item, file in shown])

    def _shown_in_album(
        self, person: TelegramPerson, item: dict[str, Any], file: KnownFile
    ) -> dict[str, Any]:
        message = person.new_message(self.bot, {**_said(item), **self._shown(file)})
        person.hear(Said(item.get("caption", ""), (), str(message["message_id"]), item))
        return message

    def _send_chat_action(self, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        _shaped(given, _SEND_CHAT_ACTION)
        with self.changed:
            person.actions.append(given["action"])
            self.changed.notify_all()
        return _done()

    # ── Files ────────────────────────────────────────────────────────────────────────────────────────

    def _taken(self, kind: str, source: object) -> KnownFile:
        """The file that is carried, was sent before, or is at an address. Raises `Refusal`."""
        if isinstance(source, Upload):
            return self._uploaded(kind, source.part)
        if isinstance(source, str) and _FILE_ID.fullmatch(source):
            return self._sent_before(kind, source)
        self._fetch(kind, source)
        return self._new_file(kind)

    def _uploaded(self, kind: str, part: Part) -> KnownFile:
        if not part.content:
            raise refused(400, "Bad Request: file must be non-empty")
        if kind == "photo" and len(part.content) > self.max_photo_bytes:
            raise refused(400, "Bad Request: file is too big")
        if not part.content_type.startswith(_FILES[kind]):
            raise refused(400, f"Bad Request: {'PHOTO' if kind == 'photo' else 'VIDEO'}_CONTENT_TYPE_INVALID")
        shown = _DOCUMENTS_BY_TYPE.get(part.content_type, kind) if kind == "document" else kind
        return self._new_file(shown, part.content, part.file_name or "")

    def _sent_before(self, kind: str, file_id: str) -> KnownFile:
        file = self.files.get(file_id)
        if file is None:
            raise refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if (kind == "photo") is not (file.kind == "photo"):
            raise refused(400, "Bad Request: type of file mismatch")
        return file

    def _new_file(self, kind: str, content: bytes = b"", file_name: str = "") -> KnownFile:
        with self.changed:
            start = "AgAC" if kind == "photo" else "BQAC"
            file = KnownFile(f"{start}{self.bot['id']}-{len(self.files)}", kind, content, file_name)
            self.files[file.file_id] = file
            return file

    def _shown(self, file: KnownFile) -> dict[str, Any]:
        """A file as its message names it: a photo in sizes, what moves as a document too."""
        shown = {"file_id": file.file_id, "file_unique_id": f"u{file.file_id}"}
        if file.kind == "photo":
            small = self._new_file("photo", file.content)
            thumb = {**shown, "file_id": small.file_id, "width": 90, "height": 67}
            return {"photo": [thumb, {**shown, "width": 1280, "height": 960}]}
        return {file.kind: shown, **({"document": shown} if file.kind == "animation" else {})}

    def _fetch(self, kind: str, address: object) -> None:
        """Raises `Refusal` as Telegram's own fetching of an address fails."""
        if not isinstance(address, str) or "://" not in address or address.startswith("attach://"):
            raise refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if not _WEB_LINK.fullmatch(address):
            raise refused(400, "Bad Request: wrong HTTP URL specified")
        found = self.web.get(address, _FILES[kind])
        if found is None:
            raise refused(400, "Bad Request: failed to get HTTP URL content")
        if not found.startswith(_FILES[kind]):
            raise refused(400, "Bad Request: wrong type of the web page content")

    def _taken_for_album(self, number: int, item: dict[str, Any]) -> KnownFile:
        try:
            return self._taken(item["type"], item["media"])
        except Refusal as refusal:
            why = refusal.answer.json["description"].removeprefix("Bad Request: ")
            said = f'failed to send message #{number} with the error message "{why}"'
            raise refused(400, f"Bad Request: {said}") from None

    def _edit_message_text(self, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        message = person.own_message(given.get("message_id"))
        if "text" not in message:
            raise refused(400, "Bad Request: there is no text in the message to edit")
        words = _checked_words(given)
        _shaped(given, _EDIT_MESSAGE_TEXT)
        _check_styles(given, words)
        changed: dict[str, Any] = {
            name: given[name] for name in ("text", "entities", "reply_markup") if name in given
        }
        return self._edited(person, message, changed, given)

    def _edit_message_caption(self, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        message = person.own_message(given.get("message_id"))
        if "text" in message:
            raise refused(400, "Bad Request: there is no caption in the message to edit")
        _check_caption(given)
        _shaped(given, _EDIT_MESSAGE_CAPTION)
        _check_entities(given.get("caption_entities", []), given.get("caption", ""))
        return self._edited(person, message, _said(given), given)

    def _edit_message_reply_markup(self, given: dict[str, Any]) -> Answer:
        person = self._reached(given)
        message = person.own_message(given.get("message_id"))
        _shaped(given, _EDIT_MESSAGE_REPLY_MARKUP)
        changed = {**_said(message), "reply_markup": given.get("reply_markup")}
        return self._edited(person, message, changed, given)

    def _edited(
        self,
        person: TelegramPerson,
        message: dict[str, Any],
        changed: dict[str, Any],
        given: dict[str, Any],
    ) -> Answer:
        """Change the message. What is left out is gone afterwards, its keyboard too."""
        markup = changed.get("reply_markup")
        if markup is not None and "inline_keyboard" not in markup:
            raise refused(400, "Bad Request: inline keyboard expected")
        buttons = _check_markup(markup)
        if all(message.get(name) == changed.get(name) for name in _CONTENT):
            raise refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are "
                "exactly the same as a current content and reply markup of the message",
            )
        for name in _CONTENT:
            message.pop(name, None)
        kept = {name: value for name, value in changed.items() if value is not None}
        message |= {**kept, "edit_date": now_seconds()}
        words = changed.get("text") or changed.get("caption") or ""
        person.hear_instead(Said(words, buttons, str(message["message_id"]), given))
        return _result(message)

    def _reached(self, given: Mapping[str, Any]) -> TelegramPerson:
        chat_id = given.get("chat_id")
        if chat_id in (None, ""):
            raise refused(400, "Bad Request: chat_id is empty")
        person = self.people.get(int(str(chat_id))) if re.fullmatch(r"-?\d+", str(chat_id)) else None
        if person is None:
            raise refused(400, "Bad Request: chat not found")
        if person.has_blocked:
            raise refused(403, "Forbidden: bot was blocked by the user")
        if not person.has_started:
            raise refused(403, "Forbidden: bot can't initiate conversation with a user")
        return person

    def _get_file(self, given: dict[str, Any]) -> Answer:
        _shaped(given, _GET_FILE)
        file = self.files.get(given["file_id"])
        if file is None:
            raise refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(file.content) > self.max_download_bytes:
            raise refused(400, "Bad Request: file is too big")
        told = {"file_id": file.file_id, "file_unique_id": f"u{file.file_id}"}
        return _result({**told, "file_size": len(file.content), "file_path": _path_of(file)})

    def _download(self, path: str) -> Answer:
        found = [file for file in self.files.values() if _path_of(file) == path]
        if not found:
            raise refused(404, "Not Found")
        return Answer(200, found[0].content, {"content-type": "application/octet-stream"})

    def _answer_callback_query(self, given: dict[str, Any]) -> Answer:
        _shaped(given, _ANSWER_CALLBACK_QUERY)
        with self.changed:
            if given["callback_query_id"] not in self.open_presses:
                raise refused(
                    400,
                    "Bad Request: query is too old and response timeout expired or query ID is invalid",
                )
            self.open_presses.remove(given["callback_query_id"])
            self.acknowledged.append(given["callback_query_id"])
        return _done()

    def _set_webhook(self, given: dict[str, Any]) -> Answer:
        if not isinstance(given.get("url"), str):
            raise refused(400, "Bad Request: parameter url is required")
        if not given["url"]:
            return self._delete_webhook({})
        _check_webhook_url(given["url"])
        secret = given.get("secret_token", "")
        if len(secret) > 256:
            raise refused(400, "Bad Request: secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise refused(400, "Bad Request: secret token contains unallowed characters")
        _shaped(given, _SET_WEBHOOK)
        with self.changed:
            is_same = self.webhook == given["url"] and self.webhook_settings == given
            self.webhook, self.secret, self.webhook_settings = given["url"], secret, dict(given)
            if given.get("drop_pending_updates"):
                self.updates.clear()
            self.changed.notify_all()
        return _done("Webhook is already set" if is_same else "Webhook was set")

    def _delete_webhook(self, given: dict[str, Any]) -> Answer:
        _shaped(given, an_object({}, {"drop_pending_updates": boolean}))
        with self.changed:
            was_set, self.webhook, self.webhook_settings = bool(self.webhook), "", {}
            if given.get("drop_pending_updates"):
                self.updates.clear()
        return _done("Webhook was deleted" if was_set else "Webhook is already deleted")

    def _get_webhook_info(self, given: dict[str, Any]) -> Answer:
        _shaped(given, an_object({}))
        with self.changed:
            return _result(
                {
                    "url": self.webhook,
                    "has_custom_certificate": False,
                    "pending_update_count": len(self.updates),
                    "max_connections": self.webhook_settings.get("max_connections", 40),
                }
            )

    def _set_my_commands(self, given: dict[str, Any]) -> Answer:
        _shaped(given, _SET_MY_COMMANDS)
        self.menus[given.get("language_code", "")] = given["commands"]
        return _done()

    def _delete_my_commands(self, given: dict[str, Any]) -> Answer:
        _shaped(given, an_object({}, {"language_code": _language_code}))
        self.menus.pop(given.get("language_code", ""), None)
        return _done()

    def _get_updates(self, given: dict[str, Any]) -> Answer:
        _shaped(given, _GET_UPDATES)
        offset, timeout = int(given.get("offset", 0)), float(given.get("timeout", 0))
        with self.changed:
            self.pollers += 1
            mine = self.pollers
            self.changed.notify_all()
            self.updates = [update for update in self.updates if update["update_id"] >= offset]
            self.changed.wait_for(
                lambda: self.updates or self.webhook or self.is_closing or mine != self.pollers, timeout
            )
            if self.webhook:
                raise refused(
                    409,
                    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to "
                    "delete the webhook first",
                )
            if mine != self.pollers:
                raise refused(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot "
                    "instance is running",
                )
            return _result(self.updates[: int(given.get("limit", 100))])


class TelegramPerson(Person):
    """A person in a private chat with the bot; `block` and `unblock` as people do.

    `keyboard` is what is in place of the letters: its keys by what stands on them. `actions` are what the
    bot was seen doing.
    """

    messenger: TelegramStandIn

    def __init__(
        self, messenger: TelegramStandIn, webhook_url: str, chat_id: int, user: Mapping[str, str]
    ) -> None:
        super().__init__(messenger, webhook_url)
        names = {"first_name": "Ivan", "language_code": "en", **user}
        self.user = {"id": chat_id, "is_bot": False, **names}
        self.chat = {"id": chat_id, "type": "private", "first_name": names["first_name"]}
        self.chat_id = chat_id
        self.has_started = False
        self.has_blocked = False
        self.keyboard: dict[str, dict[str, Any]] = {}
        self.actions: list[str] = []
        self._sent: dict[str, dict[str, Any]] = {}
        self._messages = 0
        self._presses = 0

    def new_message(self, sender: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        with self.messenger.changed:
            self._messages += 1
            head = {"message_id": self._messages, "from": sender, "chat": self.chat, "date": now_seconds()}
            message = {**head, **content}
            self._sent[str(self._messages)] = message
            return message

    def own_message(self, message_id: object) -> dict[str, Any]:
        """A message of the bot's that can be changed. Raises `Refusal`."""
        message = self._sent.get(str(message_id))
        if message is None:
            raise refused(400, "Bad Request: message to edit not found")
        is_changeable = "inline_keyboard" in message.get("reply_markup", {"inline_keyboard": []})
        if message["from"]["id"] != self.messenger.bot["id"] or not is_changeable:
            raise refused(400, "Bad Request: message can't be edited")
        return message

    def remove(self, said: Said) -> None:
        """Remove a message from the chat, for both sides."""
        del self._sent[said.message_id]

    def show_keyboard(self, markup: Mapping[str, Any]) -> None:
        if "keyboard" in markup:
            keys = [key for row in markup["keyboard"] for key in row]
            self.keyboard = {key["text"]: key for key in map(_as_key, keys)}
        elif markup.get("remove_keyboard"):
            self.keyboard = {}

    def start(self, payload: str = "") -> Answer:
        """Press “Start”, or follow a deep link with this payload."""
        return self.say(f"/start {payload}".strip())

    def written(self, text: str) -> Update:
        content: dict[str, Any] = {"text": text}
        command = re.match(r"/[A-Za-z0-9_]+", text)
        if command:
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": command.end()}]
        return self._update("message", self.new_message(self.user, content))

    def sent(self, **content: Any) -> Update:
        """The update that a message of any kind makes: a photo, a contact, a place."""
        return self._update("message", self.new_message(self.user, content))

    def shared(self, kind: str) -> Update:
        """A key that shares is in the keyboard until that is taken away."""
        asks = {"phone": "request_contact", "location": "request_location"}[kind]
        if not any(asks in key for key in self.keyboard.values()):
            raise LookupError(f"no key shares a {kind}; the keyboard is {self.keyboard}")
        if kind == "location":
            return self.sent(location={"latitude": 55.751244, "longitude": 37.618423})
        names = {"first_name": self.user["first_name"], "user_id": self.chat_id}
        return self.sent(contact={"phone_number": "+79990000000", **names})

    def pressed(self, label: str) -> Update:
        """A button under a message is a callback query; a key of the keyboard only writes what is on it."""
        if label in self.keyboard:
            return self.written(label)
        said, button = self.button(label)
        with self.messenger.changed:
            self._presses += 1
            query_id = str(self.chat_id * 2**32 + self._presses)
            self.messenger.open_presses.add(query_id)
        return self._update(
            "callback_query",
            {
                "id": query_id,
                "from": self.user,
                "message": self._sent[said.message_id],
                "chat_instance": "-3141592653589793238",
                "data": button.carries,
            },
        )

    def post(self, update: Update) -> Answer:
        """Deliver to the webhook; without one the update waits for `getUpdates`."""
        self.has_started = True
        webhook_url = self.webhook_url or self.messenger.webhook
        if not webhook_url:
            self.messenger.enqueue(json.loads(update.body))
            return Answer(200)
        answer = call("POST", webhook_url, update.headers, update.body)
        self.messenger.take_webhook_answer(answer)
        return answer

    def leave(self) -> None:
        self.has_blocked = True

    def block(self) -> Answer:
        self.leave()
        return self.post(self._membership("member", "kicked"))

    def unblock(self) -> Answer:
        self.has_blocked = False
        return self.post(self._membership("kicked", "member"))

    def _membership(self, old: str, new: str) -> Update:
        members = [
            {
                "user": self.messenger.bot,
                "status": status,
                **({"until_date": 0} if status == "kicked" else {}),
            }
            for status in (old, new)
        ]
        return self._update(
            "my_chat_member",
            {
                "chat": self.chat,
                "from": self.user,
                "date": now_seconds(),
                "old_chat_member": members[0],
                "new_chat_member": members[1],
            },
        )

    def _update(self, kind: str, content: dict[str, Any]) -> Update:
        body = json.dumps(self.messenger.next_update(kind, content)).encode()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        if self.messenger.secret:
            headers[SECRET_HEADER] = self.messenger.secret
        return Update(body, headers)


# ── Telegram's rules ─────────────────────────────────────────────────────────────────────────────────

_ENTITIES = a_list(
    an_object(
        {"type": one_of(*_ENTITY_TYPES), "offset": number(0), "length": number(1)},
        {"url": text(1), "user": anything, "language": text(), "custom_emoji_id": text()},
    )
)

_SEND_MESSAGE = an_object(
    {"chat_id": anything, "text": text()},
    {
        "business_connection_id": text(),
        "message_thread_id": number(),
        "direct_messages_topic_id": number(),
        "parse_mode": one_of("HTML", "MarkdownV2", "Markdown"),
        "entities": _ENTITIES,
        "link_preview_options": anything,
        "disable_notification": boolean,
        "protect_content": boolean,
        "allow_paid_broadcast": boolean,
        "message_effect_id": text(),
        "suggested_post_parameters": anything,
        "reply_parameters": anything,
        "reply_markup": anything,
    },
)

_ENTITIES_OF_CAPTION = {"caption": text(), "caption_entities": _ENTITIES, "show_caption_above_media": boolean}

_SEND_CHAT_ACTION = an_object({"chat_id": anything, "action": one_of(*_ACTIONS)})

_SEND_MEDIA_GROUP = an_object(
    {
        "chat_id": anything,
        "media": a_list(
            an_object({"type": one_of(*_IN_ALBUMS), "media": text(1)}, _ENTITIES_OF_CAPTION), 2, 10
        ),
    },
    {"disable_notification": boolean, "protect_content": boolean, "reply_parameters": anything},
)


def _send_file_shape(kind: str) -> Check:
    return an_object(
        {"chat_id": anything, kind: text(1)},
        {
            **_ENTITIES_OF_CAPTION,
            "disable_notification": boolean,
            "protect_content": boolean,
            "reply_parameters": anything,
            "reply_markup": anything,
        },
    )


_EDITED = {"business_connection_id": text(), "inline_message_id": text(1), "reply_markup": anything}
_EDIT_MESSAGE_TEXT = an_object(
    {"chat_id": anything, "message_id": number(1), "text": text()},
    {
        **_EDITED,
        "parse_mode": one_of("HTML", "MarkdownV2", "Markdown"),
        "entities": _ENTITIES,
        "link_preview_options": anything,
    },
)
_EDIT_MESSAGE_CAPTION = an_object(
    {"chat_id": anything, "message_id": number(1)}, {**_EDITED, **_ENTITIES_OF_CAPTION}
)
_EDIT_MESSAGE_REPLY_MARKUP = an_object({"chat_id": anything, "message_id": number(1)}, _EDITED)

_GET_FILE = an_object({"file_id": text(1)})

_ANSWER_CALLBACK_QUERY = an_object(
    {"callback_query_id": text(1)},
    {"text": text(0, 200, units), "show_alert": boolean, "url": text(), "cache_time": number(0)},
)

_SET_WEBHOOK = an_object(
    {"url": text(1)},
    {
        "ip_address": text(),
        "max_connections": number(1, 100),
        "allowed_updates": a_list(one_of(*_UPDATE_TYPES)),
        "drop_pending_updates": boolean,
        "secret_token": text(1, 256),
    },
)


def _command_word(value: Any, path: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9_]{1,32}", value, re.ASCII):
        raise Wrong("value", path, "BOT_COMMAND_INVALID")


def _language_code(value: Any, path: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"([a-z]{2})?", value):
        raise Wrong("value", path, "invalid language code specified")


_SET_MY_COMMANDS = an_object(
    {"commands": a_list(an_object({"command": _command_word, "description": text(1, 256)}), 1, 100)},
    {"language_code": _language_code},
)

_GET_UPDATES = an_object(
    {},
    {
        "offset": number(),
        "limit": number(1, 100),
        "timeout": number(0),
        "allowed_updates": a_list(one_of(*_UPDATE_TYPES)),
    },
)

_BUTTON = an_object(
    {"text": text()},
    dict.fromkeys((*_BUTTON_ACTIONS, "icon_custom_emoji_id", "style"), anything),
)


_KEY_ACTIONS = ("request_contact", "request_location")


def _key(value: Any, path: str) -> None:
    """A key may be told by its text alone."""
    if not isinstance(value, str):
        an_object({"text": text()}, dict.fromkeys(_KEY_ACTIONS, _true))(value, path)


def _true(value: Any, path: str) -> None:
    if value is not True:
        raise Wrong("value", path, "must be true")


_MARKUPS: Mapping[str, Check] = {
    "inline_keyboard": an_object({"inline_keyboard": a_list(a_list(_BUTTON, 1, 8), 1)}),
    "keyboard": an_object(
        {"keyboard": a_list(a_list(_key, 1, 12), 1)},
        {
            "is_persistent": boolean,
            "resize_keyboard": boolean,
            "one_time_keyboard": boolean,
            "input_field_placeholder": text(1, 64, units),
            "selective": boolean,
        },
    ),
    "remove_keyboard": an_object({"remove_keyboard": _true}, {"selective": boolean}),
    "force_reply": an_object(
        {"force_reply": _true}, {"input_field_placeholder": text(1, 64, units), "selective": boolean}
    ),
}


def refused(status: int, description: str) -> Refusal:
    return Refusal(answer_json({"ok": False, "error_code": status, "description": description}, status))


def _result(result: object) -> Answer:
    return answer_json({"ok": True, "result": result})


def _done(description: str = "") -> Answer:
    envelope: dict[str, Any] = {"ok": True, "result": True}
    return answer_json({**envelope, "description": description} if description else envelope)


def _parameters(request: Incoming) -> dict[str, Any]:
    """From the query and the body; in a form, what is no text is JSON in a string."""
    given: dict[str, Any] = {name: _of_form(name, value) for name, value in request.query.items()}
    if not request.raw:
        return given
    if request.media_type == "application/x-www-form-urlencoded":
        return given | {name: _of_form(name, value) for name, value in parse_qsl(request.raw.decode())}
    if request.media_type == "multipart/form-data":
        return given | _of_parts(request.parts)
    if request.media_type != "application/json":
        return given
    body = request.body
    if not isinstance(body, dict):
        raise refused(400, "Bad Request: can't parse JSON object")
    return given | body


def _of_parts(parts: list[Part]) -> dict[str, Any]:
    """The fields, with the files in them where they are referred to."""
    files = {part.field: _upload(part) for part in parts if part.file_name is not None}
    fields = {part.field: part.content.decode() for part in parts if part.file_name is None}
    given = {name: _attached(_of_form(name, value), files) for name, value in fields.items()}
    return given | {name: file for name, file in files.items() if name in _FILES}


def _upload(part: Part) -> Upload:
    upload = Upload(part.file_name or "file")
    upload.part = part
    return upload


def _attached(value: Any, files: Mapping[str, Upload]) -> Any:
    """The value with each `attach://` in it replaced by the file of that name, where there is one."""
    if isinstance(value, list):
        return [_attached(each, files) for each in value]
    if isinstance(value, dict):
        return {name: _attached(each, files) for name, each in value.items()}
    if isinstance(value, str) and value.startswith("attach://"):
        return files.get(value.removeprefix("attach://"), value)
    return value


def _of_form(name: str, value: str) -> Any:
    if name in ("text", "url", "callback_query_id", "secret_token", "chat_id", "parse_mode"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _shaped(given: dict[str, Any], shape: Check) -> None:
    try:
        shape(given, "")
    except Wrong as wrong:
        raise refused(400, f"Bad Request: {wrong}") from None


def _checked_words(given: Mapping[str, Any]) -> str:
    words = given.get("text")
    if not isinstance(words, str) or not _UNSEEN.sub("", words):
        raise refused(400, "Bad Request: message text is empty")
    if any("\ud800" <= character <= "\udfff" for character in words):
        raise refused(400, "Bad Request: strings must be encoded in UTF-8")
    if units(words.strip()) > 4096:
        raise refused(400, "Bad Request: message is too long")
    return words


def _check_caption(given: Mapping[str, Any]) -> None:
    words = given.get("caption", "")
    if not isinstance(words, str) or any("\ud800" <= character <= "\udfff" for character in words):
        raise refused(400, "Bad Request: strings must be encoded in UTF-8")
    if units(words.strip()) > 1024:
        raise refused(400, "Bad Request: message caption is too long")


def _check_mixed(kinds: list[str]) -> None:
    for kind in _ALONE.intersection(kinds):
        if len(set(kinds)) > 1:
            raise refused(400, f"Bad Request: {kind} can't be mixed with other media types")


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _CONTENT if name in given}


def _check_styles(given: Mapping[str, Any], words: str) -> None:
    if "parse_mode" in given and "entities" in given:
        raise refused(400, "Bad Request: parse_mode and entities are mutually exclusive")
    _check_entities(given.get("entities", []), words)


def _check_entities(entities: list[dict[str, Any]], words: str) -> None:
    encoded = words.encode("utf-16-le")
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if end > len(encoded) // 2:
            raise refused(400, f"Bad Request: entity at {start} is beyond the end of the text")
        try:
            encoded[2 * start : 2 * end].decode("utf-16-le")
        except UnicodeDecodeError:
            raise refused(400, f"Bad Request: entity at {start} cuts a character in two") from None
        if (entity["type"] == "text_link") is not ("url" in entity):
            raise refused(400, "Bad Request: can't parse MessageEntity: Can't find field \"url\"")


def _check_markup(markup: Any) -> tuple[Shown, ...]:
    """What the person sees of a keyboard under the message, or in place of the letters."""
    if markup is None:
        return ()
    kind = next((name for name in _MARKUPS if isinstance(markup, dict) and name in markup), "inline_keyboard")
    _shaped({"reply_markup": markup}, an_object({"reply_markup": _MARKUPS[kind]}))
    rows = markup[kind] if isinstance(markup[kind], list) else []
    buttons = [button for row in rows for button in row]
    if len(buttons) > 100 or len(json.dumps(markup, ensure_ascii=False).encode()) > 10_240:
        raise refused(400, "Bad Request: reply markup is too long")
    if kind == "keyboard":
        return tuple(_check_key(_as_key(key)) for key in buttons)
    return tuple(_check_button(button) for button in buttons)


def _as_key(key: Any) -> dict[str, Any]:
    return {"text": key} if isinstance(key, str) else key


def _check_key(key: dict[str, Any]) -> Shown:
    if not key["text"].strip():
        raise refused(400, "Bad Request: text of the keyboard button must be non-empty")
    if sum(name in key for name in _KEY_ACTIONS) > 1:
        raise refused(400, "Bad Request: a keyboard button can have one action only")
    shares = "phone" if "request_contact" in key else "location" if "request_location" in key else ""
    return Shown(key["text"], "" if shares else key["text"], shares=shares)


def _check_button(button: dict[str, Any]) -> Shown:
    actions = [name for name in _BUTTON_ACTIONS if name in button]
    if not button["text"].strip() or len(actions) != 1:
        raise refused(
            400,
            "Bad Request: can't parse inline keyboard button: "
            "Text buttons are unallowed in the inline keyboard",
        )
    action = button[actions[0]]
    if actions == ["callback_data"]:
        if not isinstance(action, str) or not 1 <= len(action.encode()) <= 64:
            raise refused(400, "Bad Request: BUTTON_DATA_INVALID")
        return Shown(button["text"], action)
    if actions == ["url"] and not (
        isinstance(action, str) and (_WEB_LINK.fullmatch(action) or _OWN_LINK.fullmatch(action))
    ):
        raise refused(400, f"Bad Request: inline keyboard button URL '{action}' is invalid: Wrong HTTP URL")
    return Shown(button["text"], str(action), is_link=True)


def _path_of(file: KnownFile) -> str:
    return f"{file.kind}s/file_{file.file_id.rpartition('-')[2]}.{'jpg' if file.kind == 'photo' else 'bin'}"


def _check_webhook_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.hostname in _LOOPBACK:
        return
    if parts.scheme != "https" or not parts.hostname:
        raise refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if (parts.port or 443) not in _WEBHOOK_PORTS:
        raise refused(
            400, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"
        )
