"""The contract between Parley and a messenger.

An adapter is four pure functions and a table of capabilities. It never opens a connection: the
webhook hands it a request to verify and parse, the sender hands it a message to render and a
response to interpret. So an adapter is tested with tables of bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol

import msgspec

from shared.credential import Credential
from shared.dialog.events import Event
from shared.dialog.messages import Message


class WebhookRequest(msgspec.Struct, frozen=True, gc=False):
    """An HTTP request as API Gateway handed it over; header names are lower-case."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class WebhookAnswer(msgspec.Struct, frozen=True, gc=False):
    """An HTTP answer; `body` is sent as it is."""

    status: int
    body: str = ""
    content_type: str = "application/json"


class AddressedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event and the chat it belongs to: the opaque identity of the person on the platform.

    `alias` is another identity of the same person that the same update tells, or "".
    """

    chat_id: str
    event: Event
    alias: str = ""


class Outcome(StrEnum):
    """Everything that can come of a send; the sender decides by this and knows no messenger."""

    SENT = "sent"
    RETRY = "retry"
    CHAT_LIMITED = "chat_limited"
    BOT_LIMITED = "bot_limited"
    RECIPIENT_GONE = "recipient_gone"
    WINDOW_CLOSED = "window_closed"
    BAD_PAYLOAD = "bad_payload"
    MEDIA_FAILED = "media_failed"
    APP_TOO_OLD = "app_too_old"
    CREDENTIAL_BAD = "credential_bad"
    ALREADY_SO = "already_so"


class Receipt(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How far a message has come, as its messenger tells afterwards.

    It names the message by the `delivery_id` that was sent along, or by the messenger's own `message_id`.
    `outcome` is that of a failure, where the messenger tells it; `reason` is for people.
    """

    status: Literal["delivered", "read", "failed"]
    at: datetime
    delivery_id: str = ""
    message_id: str = ""
    chat_id: str = ""
    reason: str = ""
    outcome: Outcome | None = None


class Parsed(msgspec.Struct, frozen=True, gc=False):
    """What was in an authentic update.

    `receipts` tell of messages sent earlier. `ignored` names what was of no interest, one word each, for
    the counters. `unreadable` says what could not be read or acted upon beside, never in its own words: the
    webhook keeps the raw body for it, or `unread`, which is the update without all that was read. `answer` is
    the body to give the messenger at once (Telegram's acknowledgement of a press). `wants_welcome` asks the
    webhook to say the scenario's first message in its answer (Viber); where it `needs_welcome`, the update is
    worth nothing without one.
    """

    events: tuple[AddressedEvent, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    ignored: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    unread: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    wants_welcome: bool = False
    needs_welcome: bool = False


MEGABYTE = 1_000_000
"""Whichever megabyte a messenger means, this is no more."""


class MediaLimits(msgspec.Struct, frozen=True, gc=False):
    """Which files of one type a messenger shows as such; the rest goes as a file, or as an address.

    No `content_types` means any; `max_sides` is of width and height together, in pixels, `max_ratio` how many
    times the one the other may be, 0 for no limit.
    """

    max_bytes: int
    content_types: frozenset[str] = frozenset()
    max_sides: int = 0
    max_ratio: int = 0

    def take(self, content_type: str, size: int, width: int = 0, height: int = 0) -> bool:
        """Whether such a file is shown; nothing stands against what is not known of it ("" and 0)."""
        kind = content_type.partition(";")[0].strip().lower()
        is_of_kind = not (kind and self.content_types) or kind in self.content_types
        is_too_large = size > self.max_bytes or 0 < self.max_sides < width + height
        return is_of_kind and not is_too_large and not self.is_too_narrow(width, height)

    def is_too_narrow(self, width: int, height: int) -> bool:
        """Whether it is a strip, also if it is made smaller."""
        return 0 < self.max_ratio * min(width, height) < max(width, height)


class Capabilities(msgspec.Struct, frozen=True, gc=False):
    """What a messenger can show; lengths are in characters unless the name says otherwise.

    Beyond `max_buttons` choices are written out as numbered text. 0 means: none at all. `shares` is what
    the messenger has buttons of its own for. `edits_in_place` says that a message can take an earlier
    one's place; where it cannot, several choices are numbered text too. `receipts_by_message_id` says that
    its receipts cannot carry our own name of a message. `media` is by the type of a file; a type that is
    missing it cannot show. `window` is how long after the person's last word more than templates may be said.
    `typing_seconds` is how long it shows that something is being written.
    """

    max_text: int
    max_buttons: int
    max_button_label: int
    styles: frozenset[str] = frozenset()
    link_buttons: bool = True
    shares: frozenset[str] = frozenset()
    edits_in_place: bool = False
    receipts_by_message_id: bool = False
    media: Mapping[str, MediaLimits] = {}
    window: timedelta | None = None
    typing_seconds: float = 0

    def shown_as(
        self, file_type: str, content_type: str = "", size: int = 0, width: int = 0, height: int = 0
    ) -> str:
        """The type that a file is shown as: its own, else "file"; "" where only its address can be told."""
        limits = ((each, self.media.get(each)) for each in (file_type, "file"))
        fitting = (each for each, limit in limits if limit and limit.take(content_type, size, width, height))
        return next(fitting, "")


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """A file of the library that a request has to carry: the name of its part, and where it lies.

    `place` is its place among the request's files, as among the `file_ids` of what comes of it.
    """

    part: str
    media_id: str
    storage_path: str
    content_type: str
    file_name: str
    place: int = 0


class Request(msgspec.Struct, frozen=True, gc=False):
    """One HTTP POST to a messenger. `url` may hold a token: never log it.

    `json` is sent as compact UTF-8: limits in bytes are counted on that. `instead` is made in its place where
    it is refused, perhaps for its files: the same words, with the files' addresses; `for_old_apps` where it
    comes to `APP_TOO_OLD`: the same, without a button to share. Either counts as the same request. With
    `attachments` it is a multipart form, whose fields are those of `json` (a nested one as JSON). One that
    `may_be_refused` counts as made even then: it says nothing.
    """

    url: str
    json: Mapping[str, Any]
    headers: Mapping[str, str] = {}
    instead: Request | None = None
    attachments: tuple[Attachment, ...] = ()
    for_old_apps: Request | None = None
    may_be_refused: bool = False

    def __repr__(self) -> str:
        return f"Request({len(self.attachments)} attachments)"


class Rendered(msgspec.Struct, frozen=True, gc=False):
    """A message in a messenger's terms: calls to be made in order, and what had to be given up.

    No request at all is possible: the web chat reads what was recorded.
    """

    requests: tuple[Request, ...] = ()
    degradations: tuple[str, ...] = ()


class Response(msgspec.Struct, frozen=True, gc=False):
    """A messenger's answer to a `Request`; header names are lower-case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """What a messenger made of one request.

    `message_id` is the messenger's, when sent. `retry_after_seconds` is what it asked for, when it
    did. `reason` is for people, and never holds a token or the message's text. `file_ids` are what the
    messenger will know the request's files by, in their order, where its answer tells.
    """

    outcome: Outcome
    message_id: str = ""
    retry_after_seconds: float | None = None
    reason: str = ""
    file_ids: tuple[str, ...] = ()


class PlatformAdapter(Protocol):
    """One messenger. Every method is pure and total, but for what `parse` says."""

    @property
    def platform(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def verify(self, request: WebhookRequest, credential: Credential) -> bool:
        """Whether the request proves that it comes from the messenger; compares in constant time."""
        ...

    def parse(self, payload: Any, credential: Credential, received_at: datetime) -> Parsed:
        """Read the decoded JSON of a verified body.

        `received_at` is the time of what carries none of its own (a press on Telegram).
        What is unknown is `ignored`. An update of a known kind that is not shaped as documented
        raises `UnreadableUpdate` (or whatever the access raises: the webhook keeps the raw body).
        """
        ...

    def render(self, message: Message, chat_id: str, credential: Credential, delivery_id: str) -> Rendered:
        """Write the message as calls to the messenger.

        `delivery_id` is at most 128 ASCII characters and comes back in receipts where the messenger
        can carry it.
        """
        ...

    def render_template(
        self, message: Message, chat_id: str, credential: Credential, delivery_id: str
    ) -> Rendered | None:
        """Write the message's approved template instead, for a closed window; None where there is none."""
        ...

    def interpret(self, response: Response) -> Delivery:
        """Sort a messenger's answer, whatever it is, into an outcome."""
        ...

    def typing(self, chat_id: str, credential: Credential, last_message_id: str) -> Request | None:
        """Let the person see that something is being written to them, for a few seconds or until it comes.

        `last_message_id` is the messenger's name of what they wrote last, "" where that is not known. None
        where the messenger cannot show it.
        """
        ...
