"""What can happen to a dialog, in the past tense.

Adapters make these from what a platform posts; the engine knows nothing else of the outside.
They cross the inbound queue and lie in the history as JSON, so a field may be added, never renamed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

ContentType = Literal[
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "file",
    "sticker",
    "location",
    "contact",
    "unsupported",
]


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the platform tells about the person; any of it may be missing.

    `language` is an IETF tag as the platform sent it (`en`, `pt-BR`).
    """

    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language: str = ""


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Common to all: `id` names the update on its platform (unique for bot, platform and kind)."""

    id: str
    occurred_at: datetime
    person: Person | None = None


class ConversationStarted(_Event, frozen=True, kw_only=True, tag="conversation_started"):
    """The person asked to begin (`/start`, a deep link), or has only opened the chat (`only_opens`).

    The latter begins a run where there is no dialog yet, and otherwise changes nothing. `welcomed_by`
    is the revision, of `welcomed_scenario`, whose first message the webhook has already said in its own
    answer (Viber); another may have been activated since.
    """

    payload: str = ""
    only_opens: bool = False
    welcomed_by: int | None = None
    welcomed_scenario: str = ""


class MessageReceived(_Event, frozen=True, kw_only=True, tag="message_received"):
    """The person wrote or sent something; `text` is the text or the caption, as it came."""

    text: str = ""
    content: ContentType = "text"


class ButtonPressed(_Event, frozen=True, kw_only=True, tag="button_pressed"):
    """The person pressed a button; `data` is what the button carried (see `messages.Button`)."""

    data: str


Event = ConversationStarted | MessageReceived | ButtonPressed
