"""What crosses the queues, as JSON: `inbound` towards the dialog worker, `outbound` towards the sender,
`tasks` towards the worker of what is slow or outside, `syncs` towards that of accounts' main systems,
`receipts` towards the history, `exports` towards the worker of exports, `deletions` towards the one that
removes things. Timers come back as what `inbound` takes.

Producer and consumer may be of different deployments for a moment, so a field may be added with a
default, never renamed or removed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from shared.dialog.events import Event
from shared.dialog.messages import Message
from shared.dialog.state import Task


class InboundEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="event.v1"
):
    """One event for one dialog.

    `met_turn` and `failure` are set when the worker gives an event up: the turn the dialog was at,
    and why it could not be applied. Redriven, the event is applied only at that same turn. `alias` is
    another identity that the messenger knows the person by, and tells in the same update. `last_message_id`
    is as on a turn: the result of a task has that of what the task came of.
    """

    dialog_id: str
    bot_id: str
    platform: str
    platform_chat_id: str
    event: Event
    received_at: datetime
    trace_id: str
    alias: str = ""
    last_message_id: str = ""
    met_turn: int | None = None
    failure: str = ""


Remedy = Literal["template", "links"]
"""How a message is said again: as its template, or with addresses in place of its files."""


class Resend(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Message `n` of a turn once more, which its messenger took, and told afterwards that it had failed.

    `message_id` is the messenger's name of the request that failed, `reason` is for people.
    """

    n: int
    remedy: Remedy
    message_id: str
    reason: str = ""


class OutboundEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="turn.v1"
):
    """Everything one turn wants said to one person; message `n` counts from 1.

    `reemitted` says that an earlier copy may exist, so the sender looks at what it has recorded
    before it sends. `last_message_id` is the messenger's name of what the person said, where the turn answers
    that. `said_at` is when the turn was made, and `last_interaction_at` when the person had last written by
    then, None if they never had. With `resend` only one message of the turn is said, again; the others stand
    for their places. `failure` is set when the sender gives it up, and `redrive` when it is sent back then:
    it tells that redrive from others.
    """

    dialog_id: str
    epoch: str
    turn: int
    bot_id: str
    platform: str
    platform_chat_id: str
    messages: tuple[Message, ...]
    trace_id: str
    reemitted: bool = False
    last_message_id: str = ""
    said_at: datetime | None = None
    last_interaction_at: datetime | None = None
    resend: Resend | None = None
    failure: str = ""
    redrive: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether an earlier one may have been begun: it was emitted again, or given up and redriven."""
        return self.reemitted or bool(self.failure)


class TaskEnvelope(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="task.v1"):
    """One task that a turn has emitted; what it finds out comes back as `TaskFinished`.

    `last_message_id` is as on a turn. `failure` is set when the worker gives it up, as it is on the other
    kinds of work.
    """

    dialog_id: str
    epoch: str
    bot_id: str
    platform: str
    platform_chat_id: str
    task: Task
    trace_id: str
    last_message_id: str = ""
    failure: str = ""

    @property
    def id(self) -> str:
        """Of the task: the same however often it is emitted."""
        return task_id_of(self.dialog_id, self.epoch, self.task.number)


def task_id_of(dialog_id: str, epoch: str, number: int) -> str:
    """What a task goes by everywhere."""
    return f"{dialog_id}:{epoch}:{number}"


class UploadEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="upload.v1"
):
    """A file of the library that a messenger is to be given ahead of the messages that show it."""

    bot_id: str
    platform: str
    media_id: str
    trace_id: str
    failure: str = ""


class FirstSendEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="first_send.v1"
):
    """Message `n` of a turn that has to carry its files itself: the messenger has no other way to get them.

    Whoever sends it records that as the sender would, who waits until then with all that follows.
    `handed_over_at` tells this hand-over from others of the same message: the record has it too.
    """

    turn: OutboundEnvelope
    n: int
    handed_over_at: datetime | None = None
    failure: str = ""


class MenuEnvelope(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="menu.v1"):
    """A bot's menu of commands is to be what its active scenario says.

    `former_languages` are those of the menus that it had until now.
    """

    bot_id: str
    platform: str
    trace_id: str
    former_languages: tuple[str, ...] = ()
    failure: str = ""


class SyncCheckEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="sync_check.v1"
):
    """A bot's main system is to be looked at: whether what runs collect would arrive there."""

    bot_id: str
    trace_id: str
    failure: str = ""


class SyncRedriveEnvelope(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="sync_redrive.v1"
):
    """What a bot's main system has refused until now is to be sent to it once more."""

    bot_id: str
    asked_at: datetime
    trace_id: str
    failure: str = ""


class ExportEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="export.v1"
):
    """An export of results that is to be carried on; `step` is how far it was when that was asked for."""

    export_id: str
    bot_id: str
    trace_id: str
    step: int = 0
    failure: str = ""


class ReceiptEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="receipt.v1"
):
    """How far one message of a bot's has come, as its messenger tells.

    The message goes by the delivery id that it was sent with, or by the messenger's own name of it.
    `outcome` is why it was not delivered, in the sender's words for that, or "". `chat_id` is to whom it
    went, where the messenger tells it. `failure` is set when the worker gives it up.
    """

    bot_id: str
    platform: str
    status: Literal["delivered", "read", "failed"]
    at: datetime
    trace_id: str
    delivery_id: str = ""
    message_id: str = ""
    reason: str = ""
    outcome: str = ""
    chat_id: str = ""
    failure: str = ""


class BotDeletionEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="bot.v1"
):
    """A bot was deleted, and all that is left of it is to be removed. `failure` is as in receipts."""

    bot_id: str
    trace_id: str
    failure: str = ""


class DialogDeletionEnvelope(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="dialog.v1"
):
    """A dialog was deleted, and all that is left of that epoch of it is to be removed.

    `serial` is how many timers and tasks it has numbered. `is_second_look` says that it was removed once
    already, while something may have been under way. `failure` is as in receipts.
    """

    dialog_id: str
    bot_id: str
    platform: str
    epoch: str
    deleted_at: datetime
    trace_id: str
    serial: int = 0
    is_second_look: bool = False
    failure: str = ""


Deletion = BotDeletionEnvelope | DialogDeletionEnvelope
"""What the deletions queue carries."""

SyncWork = SyncCheckEnvelope | SyncRedriveEnvelope
Work = TaskEnvelope | UploadEnvelope | FirstSendEnvelope | MenuEnvelope | SyncWork
"""What the queues of tasks and of syncs carry: of a dialog, of a bot on a messenger, or of a bot's main
system.
"""

OrderedEnvelope = InboundEnvelope | OutboundEnvelope | Work | ExportEnvelope
Envelope = OrderedEnvelope | ReceiptEnvelope | Deletion

_inbound = msgspec.json.Decoder(InboundEnvelope)
_outbound = msgspec.json.Decoder(OutboundEnvelope)
_work: msgspec.json.Decoder[Work] = msgspec.json.Decoder(Work)
_receipt = msgspec.json.Decoder(ReceiptEnvelope)
_export = msgspec.json.Decoder(ExportEnvelope)
_deletion: msgspec.json.Decoder[Deletion] = msgspec.json.Decoder(Deletion)


def read_inbound(body: str) -> InboundEnvelope:
    """Raises `msgspec.DecodeError` for what is none."""
    return _inbound.decode(body)


def read_outbound(body: str) -> OutboundEnvelope:
    """Raises `msgspec.DecodeError` for what is none."""
    return _outbound.decode(body)


def read_work(body: str) -> Work:
    """Raises `msgspec.DecodeError` for what is none."""
    return _work.decode(body)


def read_receipt(body: str) -> ReceiptEnvelope:
    """Raises `msgspec.DecodeError` for what is none."""
    return _receipt.decode(body)


def read_export(body: str) -> ExportEnvelope:
    """Raises `msgspec.DecodeError` for what is none."""
    return _export.decode(body)


def read_deletion(body: str) -> Deletion:
    """Raises `msgspec.DecodeError` for what is none."""
    return _deletion.decode(body)
