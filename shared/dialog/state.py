"""What is remembered of a dialog between two turns."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from shared.dialog.events import MessageReceived, Person
from shared.dialog.history import HistoryEntry
from shared.dialog.messages import Message

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

Status = Literal["active", "busy", "handed_off", "completed", "blocked"]

RECENT_EVENTS = 64
"""How many event hashes a dialog remembers to recognise a redelivery."""

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:parley:dialog")


@lru_cache(maxsize=1024)
def _hash_of_bot(bot_id: str) -> HASH:
    return sha1(_NAMESPACE.bytes + str(UUID(bot_id)).encode(), usedforsecurity=False)


def dialog_id_of(bot_id: str, platform: str, chat_id: str) -> str:
    """The id of the dialog between a bot and a person on a platform: the same on every call.

    It is `uuid5(…, "{bot_id}/{platform}/{chat_id}")`, written out: the library's takes four times as long,
    which is a tenth of a whole turn.
    """
    sha = _hash_of_bot(bot_id).copy()
    sha.update(f"/{platform}/{chat_id}".encode())
    digest = sha.hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


class Choice(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One choice as it was shown; `labels` are its words in every language of the scenario."""

    label: str
    value: Any
    labels: tuple[str, ...] = ()
    next_step: str | None = None


class Timer(msgspec.Struct, frozen=True, gc=False):
    """When something is due; `number` is its serial number in the dialog's epoch."""

    number: int
    due: datetime


class Ask(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One question put to the person, numbered within its run; open until answered.

    `selected` are the places of choices taken so far, where several may be; `reminded` counts reminders;
    `route` is the step that a model has chosen for afterwards; `refused_album` the album last refused.
    """

    number: int
    step_id: str
    choices: tuple[Choice, ...] = ()
    attempts: int = 0
    selected: tuple[int, ...] = ()
    timer: Timer | None = None
    reminded: int = 0
    route: str | None = None
    refused_album: str = ""


TaskKind = Literal["llm", "http", "sync", "understand", "contact", "fetch", "sync_run"]
"""`contact` looks up the person's record before the first step. Of the last two nothing comes back to the
dialog: `fetch` brings a file that the person sent into the library, `sync_run` tells the account's main
system of a run that has ended.
"""


class Pending(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Work of a step that goes on without the person: a task, or a wait with its timer.

    `ask` is the question of the same step, shown already, which opens when the work is done. `told_busy`
    is whether the person was told to be patient. `route` is the step that a model chose before the answer
    that is being understood. Of kind `contact` it comes before the run's first step; `held` is what the
    person said to begin it, if that is for one of its questions.
    """

    kind: TaskKind | Literal["wait"]
    number: int
    step_id: str
    timer: Timer | None = None
    ask: Ask | None = None
    told_busy: bool = False
    route: str | None = None
    held: MessageReceived | None = None


class Handoff(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A person of the account has the dialog.

    `step_id` is the step that handed it over, if one did; `ask` the question that opens when it is given
    back, `redo` the step whose work was broken off and is then begun again, `enter` one that was not begun
    at all. `is_over` says that there was no run to go on with.
    """

    reason: str = ""
    is_over: bool = False
    step_id: str | None = None
    timer: Timer | None = None
    ask: Ask | None = None
    redo: str | None = None
    enter: str | None = None


class Call(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One scenario called by another, under way.

    `step_id` is the caller's step, `ask` that step's question, shown already; `trail` is the caller's.
    """

    scenario_id: str
    step_id: str
    variables: dict[str, Any] = {}
    ask: Ask | None = None
    trail: tuple[str, ...] = ()


class Detour(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a command has interrupted and its end returns to: an open question, or work to begin again.

    `enter` is a step that was not begun at all.
    """

    step_id: str | None = None
    ask: Ask | None = None
    calls: tuple[Call, ...] = ()
    trail: tuple[str, ...] = ()
    enter: str | None = None


class Album(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The album that gave the last answer; what is left of it is added to its variable, up to `max`.

    What is left of one with a `max` of 0 is only recorded.
    """

    id: str
    variable: str = ""
    max: int = 1


class Task(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Work outside of the engine that a turn wants done; it comes back as `TaskFinished`.

    `request` is all that the work needs, its texts printed already. `timeout` is in seconds.
    """

    number: int
    kind: TaskKind
    request: dict[str, Any]
    timeout: int


class Outbox(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is still to be done for the last turn, until it is certain that it was.

    `event` is the hash of the event that caused it, `entry` its row for the history. `group` is the id that
    the event came under, if that is not the dialog's own.
    """

    event: str
    entry: HistoryEntry
    messages: tuple[Message, ...]
    timers: tuple[Timer, ...] = ()
    tasks: tuple[Task, ...] = ()
    group: str = ""


class Identities(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """By what a person is known beside the identity that their dialog's id is made of.

    `places` are the ids that dialogs of their other identities would have: each has an item that leads to
    this dialog. `left` says since when an identity is not theirs any more. `events` recognises what a dialog
    of theirs had applied that is continued here.
    """

    places: tuple[str, ...] = ()
    left: dict[str, datetime] = {}
    events: tuple[str, ...] = ()


class Dialog(msgspec.Struct, gc=False, kw_only=True, omit_defaults=True):
    """The whole of one dialog, saved as one item.

    `turn` counts applied events and is the optimistic lock; `epoch` is random and new whenever the
    dialog is created, so that nothing from a deleted one can touch its successor. `accepted` is the
    data of the press that was last taken as an answer; `pressed_on` is the messenger's name of the message
    that it was on, until something is said, which takes its buttons away.

    `variables` are those of the bot's own scenario, whatever is called from it; `kept` those that survive
    runs. `called` has the revisions of called scenarios, locked when the run's was activated. `trail` has
    the questions one can go back to. `serial` numbers timers and tasks. `silent_turns` counts turns since
    the person's last word; `never_wrote` says that there was none, and `last_interaction_at` is when the
    dialog was begun for them. `sensitive` are the names of variables that nobody should read by the way.
    `blocked` is the status behind the block while the person has blocked the bot, else "". What came in
    until `predecessor_deleted_at` was meant for a dialog that is no more. `platform_chat_id` is where the
    person was last heard from. `contact` is what the account's main system knew of them when the run began,
    of the `contact_fields` that there were then; `contact_task` is the task that finds it out.
    """

    id: str
    bot_id: str
    platform: str
    platform_chat_id: str
    epoch: str
    created_at: datetime
    updated_at: datetime
    last_interaction_at: datetime
    turn: int = 0
    status: Status = "active"
    scenario_id: str | None = None
    revision: int | None = None
    called: dict[str, int] = {}
    bot_name: str = ""
    timezone: str = ""
    contact_fields: dict[str, str] = {}
    contact: dict[str, Any] = {}
    contact_task: int | None = None
    run: int = 0
    run_started_at: datetime | None = None
    current_step: str | None = None
    ask: Ask | None = None
    asks: int = 0
    accepted: str = ""
    pressed_on: str = ""
    variables: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    sensitive: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    detour: Detour | None = None
    pending: Pending | None = None
    handoff: Handoff | None = None
    trail: tuple[str, ...] = ()
    album: Album | None = None
    serial: int = 0
    silent_turns: int = 0
    never_wrote: bool = False
    blocked: Status | Literal[""] = ""
    used_conditions: tuple[int, ...] = ()
    person: Person = Person()
    recent_events: tuple[str, ...] = ()
    identities: Identities = Identities()
    outbox: Outbox | None = None
    predecessor_deleted_at: datetime | None = None

    @property
    def awaited(self) -> tuple[int | None, ...]:
        """The numbers of the tasks that it waits for."""
        return self.pending.number if self.pending else None, self.contact_task


class Remains(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is left of a deleted dialog in its place for a while: enough to know what was meant for it.

    `epoch` and `recent_events` are its last.
    """

    epoch: str
    deleted_at: datetime
    recent_events: tuple[str, ...]
