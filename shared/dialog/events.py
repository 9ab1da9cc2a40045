"""What can happen to a dialog, in the past tense.

Adapters make the person's from what a platform posts, our own workers and API the others; the engine
knows nothing else of the outside. They cross the inbound queue and lie in the history as JSON, so a
field may be added, never renamed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

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


class Person(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the platform tells about the person; any of it may be missing.

    `language` is an IETF tag as the platform sent it (`en`, `pt-BR`).
    """

    first_name: str = ""
    last_name: str = ""
    username: str = ""
    language: str = ""


class _Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type"):
    """Common to all: `id` names the update on its platform (unique for bot, platform and kind)."""

    id: str
    occurred_at: datetime
    person: Person | None = None


class ConversationStarted(_Event, frozen=True, kw_only=True, tag="conversation_started"):
    """The person asked to begin (`/start`, a deep link), or has only opened the chat (`only_opens`).

    The latter begins a run where there is no dialog yet, and otherwise changes nothing. `welcomed_by`
    is the revision, of `welcomed_scenario`, whose first words the webhook has already said in its own
    answer (Viber); another may have been activated since.
    """

    payload: str = ""
    only_opens: bool = False
    welcomed_by: int | None = None
    welcomed_scenario: str = ""


class Place(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A point on the map, in degrees."""

    latitude: float
    longitude: float
    title: str = ""


class SharedContact(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A contact as the platform sent it; `own` is whether it surely is the person's own."""

    phone: str
    first_name: str = ""
    last_name: str = ""
    own: bool = False


class ReceivedFile(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A file that the person sent.

    `reference` is what the platform knows it by (a file id or an address), `media_id` what the library
    will know it by, `size` is in bytes; any of it may be missing.
    """

    type: Literal["image", "video", "audio", "file"]
    reference: str = ""
    file_name: str = ""
    content_type: str = ""
    size: int = 0
    media_id: str = ""


class MessageReceived(_Event, frozen=True, kw_only=True, tag="message_received"):
    """The person wrote or sent something; `text` is the text or the caption, as it came.

    `album` is the same for all messages of one album, and "" outside of any.
    """

    text: str = ""
    content: ContentType = "text"
    place: Place | None = None
    contact: SharedContact | None = None
    file: ReceivedFile | None = None
    album: str = ""


class ButtonPressed(_Event, frozen=True, kw_only=True, tag="button_pressed"):
    """The person pressed a button; `data` is what the button carried (see `messages.Button`).

    `message_id` is the platform's name of the message it was under, where that message can be changed.
    """

    data: str
    message_id: str = ""


class ChatBlocked(_Event, frozen=True, kw_only=True, tag="chat_blocked"):
    """The person has blocked the bot or left it, or the messenger says that they cannot be reached."""

    reason: str = ""


class ChatUnblocked(_Event, frozen=True, kw_only=True, tag="chat_unblocked"):
    """The person lets the bot write again."""


class AddressChanged(_Event, frozen=True, kw_only=True, tag="address_changed"):
    """The person has got another number or id, says the messenger: `chat_id` is where they are now.

    What they were known by before may be somebody else's from then on.
    """

    chat_id: str


class TimerFired(_Event, frozen=True, kw_only=True, tag="timer_fired"):
    """A timer that a turn of this epoch has set is due."""

    epoch: str
    timer: int


class TaskFinished(_Event, frozen=True, kw_only=True, tag="task_finished"):
    """A task that a turn of this epoch has emitted is done, or has failed with an `error`.

    `result` by kind: `llm` has `text`, `choice` or `object`, and `route` where one was taken; `http` has
    `status`, `body`, `headers`; `understand` has `values` by variable; `contact` has `contact`, what is
    known of the person by field; `sync` has nothing.
    """

    epoch: str
    task: int
    result: dict[str, Any] = {}
    error: str = ""


class RunRequested(_Event, frozen=True, kw_only=True, tag="run_requested"):
    """Somebody of the account begins a run, with these variables set; `by` is their id."""

    variables: dict[str, Any] = {}
    by: str = ""


class HandedOff(_Event, frozen=True, kw_only=True, tag="handed_off"):
    """A person of the account takes the dialog over."""

    reason: str = ""
    by: str = ""


class OperatorWrote(_Event, frozen=True, kw_only=True, tag="operator_wrote"):
    """A person of the account writes to the person."""

    text: str
    by: str = ""


class GivenBack(_Event, frozen=True, kw_only=True, tag="given_back"):
    """The dialog goes back to the scenario: to the open question, or to a step of it."""

    step_id: str | None = None
    by: str = ""


class DeletionRequested(_Event, frozen=True, kw_only=True, tag="deletion_requested"):
    """Somebody of the account deletes the dialog, as it is in this epoch, with all that was said in it."""

    epoch: str
    by: str = ""


Event = (
    ConversationStarted
    | MessageReceived
    | ButtonPressed
    | ChatBlocked
    | ChatUnblocked
    | AddressChanged
    | TimerFired
    | TaskFinished
    | RunRequested
    | HandedOff
    | OperatorWrote
    | GivenBack
    | DeletionRequested
)

FROM_PERSON = (ConversationStarted, MessageReceived, ButtonPressed)
"""What the person does themselves, as opposed to timers, tasks and people of the account."""
