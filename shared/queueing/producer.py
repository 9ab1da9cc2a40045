"""Putting envelopes into the queues: grouped by dialog, and named so that SQS drops a quick repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from shared.dialog.state import Dialog, Task
from shared.errors import GiveUp, NotAccepted
from shared.queueing.envelopes import (
    BotDeletionEnvelope,
    Deletion,
    DialogDeletionEnvelope,
    Envelope,
    ExportEnvelope,
    FirstSendEnvelope,
    InboundEnvelope,
    MenuEnvelope,
    OrderedEnvelope,
    OutboundEnvelope,
    ReceiptEnvelope,
    SyncCheckEnvelope,
    SyncRedriveEnvelope,
    SyncWork,
    TaskEnvelope,
    UploadEnvelope,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_BATCH_ENTRIES = 10
MAX_BATCH_BYTES = 200_000
"""Of all bodies in one call; a larger body goes alone."""

MAX_MESSAGE_BYTES = 1_000_000
"""Of one body. SQS takes 1 MiB of a message, unless its queue says less."""

FORGOTTEN_SECONDS = 180
"""After this time nobody works on a bot that was deleted: credentials and active scenarios are remembered
for 30 s, and whoever has begun before that is done within 120 s (see the timeouts of the Lambdas).
"""

SECOND_LOOK_SECONDS = 900
"""What a sender had in its hands when a dialog was deleted is done with by then."""

_encoder = msgspec.json.Encoder()


class MessageTooLarge(GiveUp):
    """An envelope that no queue can hold."""

    def __init__(self, group: str, size: int) -> None:
        super().__init__(f"an envelope of dialog {group} has {size} bytes; {MAX_MESSAGE_BYTES} are the most")
        self.group = group
        self.size = size


class _Message(msgspec.Struct, frozen=True):
    """What SQS is given: a body, and the two names it goes by."""

    group: str
    deduplication_id: str
    body: str
    size: int


class _Body(msgspec.Struct, frozen=True):
    """What a queue without order is given."""

    text: str

    @property
    def size(self) -> int:
        return len(self.text.encode())


class SqsInbound:
    """The queue towards the dialog worker; fulfils `ports.InboundQueue`."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        """Put them in, in order, in as few calls as they need.

        Raises `MessageTooLarge` before anything is sent, and `NotAccepted` unless all were taken: when
        they are sent again, SQS drops those that were.
        """
        messages = [_message(envelope, _name_of_event(envelope)) for envelope in envelopes]
        for batch in _batches(messages):
            self._send(batch)

    def _send(self, batch: Sequence[_Message]) -> None:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(place),
                "MessageBody": message.body,
                "MessageGroupId": message.group,
                "MessageDeduplicationId": message.deduplication_id,
            }
            for place, message in enumerate(batch)
        ]
        _send_batch(self._client, self._queue_url, entries)


class SqsReceipts:
    """The queue of receipts, which keeps no order: they need none."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, envelopes: Sequence[ReceiptEnvelope]) -> None:
        """Put them in, in as few calls as they need. Raises `NotAccepted` unless all were taken."""
        for batch in _batches([_Body(body_of(envelope)) for envelope in envelopes]):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(place), "MessageBody": body.text} for place, body in enumerate(batch)
            ]
            _send_batch(self._client, self._queue_url, entries)


class SqsDeletions:
    """The queue towards the worker that removes what was deleted, in any order; fulfils
    `ports.DeletionQueue`.
    """

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send_dialog(self, envelope: DialogDeletionEnvelope) -> None:
        """Put it in; a second look comes out after a quarter of an hour. Raises `NotAccepted`."""
        self._send(envelope, SECOND_LOOK_SECONDS if envelope.is_second_look else 0)

    def send_bot(self, envelope: BotDeletionEnvelope, *, is_begun: bool = False) -> None:
        """Put it in; what is not begun yet comes out once nobody remembers the bot. Raises `NotAccepted`."""
        self._send(envelope, 0 if is_begun else FORGOTTEN_SECONDS)

    def _send(self, envelope: Deletion, seconds: int) -> None:
        with told_as_not_accepted(self._queue_url):
            self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=body_of(envelope), DelaySeconds=seconds
            )


class SqsOutbound:
    """The queue towards the sender; fulfils `ports.OutboundQueue`."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, envelope: OutboundEnvelope) -> None:
        """Put it in. Raises `NotAccepted` unless it was taken, `MessageTooLarge` if it never can be."""
        _send_one(self._client, self._queue_url, _message(envelope, _name_of_turn(envelope)))


class SqsTurnTasks:
    """The queues towards the workers of what is slow or outside, and of what may take days (`sync_run`);
    fulfils `ports.TaskQueue`.
    """

    def __init__(self, client: SQSClient, tasks_url: str, syncs_url: str) -> None:
        self._client = client
        self._tasks_url = tasks_url
        self._syncs_url = syncs_url

    def send(self, task: Task, dialog: Dialog, trace_id: str, last_message_id: str = "") -> None:
        """Put it in. Raises `NotAccepted` unless it was taken, `MessageTooLarge` if it never can be."""
        envelope = TaskEnvelope(
            dialog_id=dialog.id,
            epoch=dialog.epoch,
            bot_id=dialog.bot_id,
            platform=dialog.platform,
            platform_chat_id=dialog.platform_chat_id,
            task=task,
            trace_id=trace_id,
            last_message_id=last_message_id,
        )
        queue_url = self._syncs_url if task.kind == "sync_run" else self._tasks_url
        _send_one(self._client, queue_url, _message(envelope, envelope.id))


class SqsTasks:
    """The queue towards the worker of what is slow or outside, for what no turn wants."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def upload(self, envelope: UploadEnvelope) -> None:
        """Put it in; asked for again within minutes, it is one. Raises `NotAccepted`."""
        self._put(envelope)

    def first_send(self, envelope: FirstSendEnvelope) -> None:
        """Put it in, in its dialog's order. Raises `NotAccepted`, `MessageTooLarge`."""
        self._put(envelope)

    def menu(self, envelope: MenuEnvelope) -> None:
        """Put it in. Raises `NotAccepted`."""
        self._put(envelope)

    def _put(self, envelope: UploadEnvelope | FirstSendEnvelope | MenuEnvelope) -> None:
        _send_one(self._client, self._queue_url, _message(envelope, _digest(_encoder.encode(envelope))))


class SqsSyncs:
    """The queue towards the worker of accounts' main systems, which may be down for days."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, envelope: SyncWork) -> None:
        """Put it in. Raises `NotAccepted`."""
        _send_one(self._client, self._queue_url, _message(envelope, _digest(_encoder.encode(envelope))))


class SqsExports:
    """The queue towards the worker of exports, each in its own order."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, envelope: ExportEnvelope) -> None:
        """Put it in; asked for again within minutes, it is one. Raises `NotAccepted`."""
        name = f"{envelope.export_id}:{envelope.step}"
        _send_one(self._client, self._queue_url, _message(envelope, name))


def group_of(envelope: OrderedEnvelope) -> str:
    """Within what its order matters. What a dialog waits for is held up by nothing but that, and holds up
    nothing else: not what it says meanwhile, nor what nobody waits for.
    """
    match envelope:
        case UploadEnvelope():
            return f"{envelope.media_id}:{envelope.platform}"
        case MenuEnvelope():
            return f"{envelope.bot_id}:{envelope.platform}"
        case SyncCheckEnvelope() | SyncRedriveEnvelope():
            return f"{envelope.bot_id}:{type(envelope).__struct_config__.tag}"
        case FirstSendEnvelope():
            return f"{envelope.turn.dialog_id}:first_send"
        case TaskEnvelope() if envelope.task.kind == "fetch":
            return f"{envelope.dialog_id}:files"
        case TaskEnvelope() if envelope.task.kind == "sync_run":
            return f"{envelope.dialog_id}:sync"
        case ExportEnvelope():
            return envelope.export_id
        case _:
            return envelope.dialog_id


def dead_letter(client: SQSClient, queue_url: str, envelope: OrderedEnvelope, name: str) -> None:
    """Put an envelope that was given up, with its `failure`, where a person will find it.

    The `name` is that of the message that held it. Raises `NotAccepted`: then it has to stay where it was.
    """
    _send_one(client, queue_url, _message(envelope, name))


def _send_batch(
    client: SQSClient, queue_url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]
) -> None:
    with told_as_not_accepted(queue_url):
        answer = client.send_message_batch(QueueUrl=queue_url, Entries=entries)
    failed = answer.get("Failed", [])
    if failed:
        raise NotAccepted(_queue_name(queue_url), [entry["Code"] for entry in failed])


def _send_one(client: SQSClient, queue_url: str, message: _Message) -> None:
    with told_as_not_accepted(queue_url):
        client.send_message(
            QueueUrl=queue_url,
            MessageBody=message.body,
            MessageGroupId=message.group,
            MessageDeduplicationId=message.deduplication_id,
        )


def _name_of_event(envelope: InboundEnvelope) -> str:
    """A hash, for the parts may have any length, of the event as its platform names it for this bot."""
    event = envelope.event
    kind = type(event).__struct_config__.tag
    return _digest(_encoder.encode((envelope.platform, envelope.bot_id, kind, event.id)))


def _name_of_turn(envelope: OutboundEnvelope) -> str:
    """A message that is said again is another one than its turn; it goes by the request that failed."""
    name = f"{envelope.dialog_id}:{envelope.epoch}:{envelope.turn}"
    return _digest(f"{name}:{envelope.resend.message_id}".encode()) if envelope.resend else name


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _message(envelope: OrderedEnvelope, deduplication_id: str) -> _Message:
    group, body = group_of(envelope), body_of(envelope)
    size = len(body.encode())
    if size > MAX_MESSAGE_BYTES:
        raise MessageTooLarge(group, size)
    return _Message(group, deduplication_id, body, size)


def body_of(envelope: Envelope) -> str:
    """As JSON. SQS refuses two characters; they stand within strings only, where they can be escaped."""
    body = _encoder.encode(envelope).decode()
    return body.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


_Sized = TypeVar("_Sized", "_Message", "_Body")


def _batches(messages: Sequence[_Sized]) -> Iterator[list[_Sized]]:
    """The messages in order, as many together as one call may take."""
    batch: list[_Sized] = []
    room = MAX_BATCH_BYTES
    for message in messages:
        if batch and (len(batch) == MAX_BATCH_ENTRIES or message.size > room):
            yield batch
            batch, room = [], MAX_BATCH_BYTES
        batch.append(message)
        room -= message.size
    if batch:
        yield batch


@contextmanager
def told_as_not_accepted(queue_url: str) -> Iterator[None]:
    """A call that failed altogether took nothing either. Only the kind of failure is told, not its text."""
    try:
        yield
    except ClientError as error:
        raise NotAccepted(_queue_name(queue_url), [code_of(error)]) from error
    except BotoCoreError as error:
        raise NotAccepted(_queue_name(queue_url), [type(error).__name__]) from error


def code_of(error: ClientError) -> str:
    """What AWS calls it."""
    return error.response["Error"]["Code"]


def _queue_name(queue_url: str) -> str:
    return queue_url.rsplit("/", 1)[-1]
