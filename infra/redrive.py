"""Send dead letters back to the queue that they came from, and tell why each was given up.

    python -m infra.redrive inbound            of the stack `parley`, with the shell's AWS credentials
    python -m infra.redrive outbound --stack NAME
    python -m infra.redrive tasks --look       only tell

Each goes in before it is taken out, in the order of its dialog: broken off half-way, nothing is lost, and
what went in twice is known by its name. What comes back while this runs is left where it is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.stack import outputs_of
from shared import aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LOOK_SECONDS = 1
"""For an answer of SQS: only one that was waited for has looked everywhere in a queue without order."""

QUEUES = ("inbound", "outbound", "tasks", "syncs", "receipts", "delays", "exports", "deletions")
NOT_SAID = "received too often"
"""Of what SQS itself has moved, since no worker could say a word."""


@dataclass(frozen=True)
class Letter:
    """A dead letter: whose, why, and what became of it."""

    group: str
    reason: str
    outcome: str


@dataclass
class Redriving:
    """Empties the dead-letter queue at `source` into that at `target`."""

    sqs: SQSClient
    source: str
    target: str
    only_look: bool = False
    look_seconds: int = LOOK_SECONDS
    _seen: set[str] = field(default_factory=set)
    _hidden: dict[str, str] = field(default_factory=dict)

    def run(self) -> Iterator[Letter]:
        """Each dead letter that was there at the beginning; what stays can be received again at once."""
        begun = datetime.now(UTC).timestamp() * 1000
        try:
            while messages := self._unseen(self._receive()):
                were_there = (each for each in messages if _sent_at(each) <= begun)
                yield from map(self._redrive, were_there)
        finally:
            self._show()

    def _unseen(self, messages: Sequence[MessageTypeDef]) -> list[MessageTypeDef]:
        unseen = [each for each in messages if each["MessageId"] not in self._seen]
        self._seen |= {each["MessageId"] for each in unseen}
        return unseen

    def _receive(self) -> Sequence[MessageTypeDef]:
        received = self.sqs.receive_message(
            QueueUrl=self.source,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
            MessageAttributeNames=["All"],
            VisibilityTimeout=60,
            WaitTimeSeconds=self.look_seconds,
        )
        messages = received.get("Messages", [])
        self._hidden |= {each["MessageId"]: each["ReceiptHandle"] for each in messages}
        return messages

    def _show(self) -> None:
        """Let what was received and left come out again."""
        for handle in self._hidden.values():
            with suppress(ClientError):  # it came out by itself, after its minute
                self.sqs.change_message_visibility(
                    QueueUrl=self.source, ReceiptHandle=handle, VisibilityTimeout=0
                )

    def _redrive(self, message: MessageTypeDef) -> Letter:
        group = message["Attributes"].get("MessageGroupId", "")
        envelope = _envelope_of(message["Body"])
        if envelope is None:
            return Letter(group, NOT_SAID, "left: it is no envelope of ours")
        reason = _reason_of(envelope, message)
        if self.only_look:
            return Letter(group, reason, "looked at")
        self._send(message, _marked(envelope, reason, message["MessageId"]))
        self.sqs.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
        del self._hidden[message["MessageId"]]
        return Letter(group, reason, "sent back")

    def _send(self, message: MessageTypeDef, body: str) -> None:
        if not self.target.endswith(".fifo"):
            self.sqs.send_message(QueueUrl=self.target, MessageBody=body)
            return
        self.sqs.send_message(
            QueueUrl=self.target,
            MessageBody=body,
            MessageGroupId=message["Attributes"]["MessageGroupId"],
            MessageDeduplicationId=message["MessageId"],
        )


def _sent_at(message: MessageTypeDef) -> float:
    """In milliseconds."""
    return int(message["Attributes"]["SentTimestamp"])


def _envelope_of(body: str) -> dict[str, Any] | None:
    try:
        envelope = json.loads(body)
    except ValueError:
        return None
    return envelope if isinstance(envelope, dict) and "type" in envelope else None


def _reason_of(envelope: dict[str, Any], message: MessageTypeDef) -> str:
    """In the words of the worker, or of EventBridge Scheduler."""
    attributes = message.get("MessageAttributes") or {}
    told = attributes["ERROR_MESSAGE"].get("StringValue") if "ERROR_MESSAGE" in attributes else ""
    return str(envelope.get("failure") or told or NOT_SAID)


def _marked(envelope: dict[str, Any], reason: str, name: str) -> str:
    """With its reason also where SQS has moved it: so the sender knows that it may have been begun. And with
    a name of this redrive: so it knows what has failed since.
    """
    marks = {"failure": reason, "redrive": name} if envelope["type"] == "turn.v1" else {}
    return json.dumps({**envelope, **marks})


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("queue", choices=QUEUES)
    arguments.add_argument("--stack", default="parley")
    arguments.add_argument("--look", action="store_true", help="only tell what is there, and why")
    given = arguments.parse_args()
    outputs, name = outputs_of(given.stack), given.queue.capitalize()
    source, target = outputs[f"{name}DeadLettersUrl"], outputs[f"{name}QueueUrl"]
    letters = list(_told(Redriving(aws.client("sqs"), source, target, only_look=given.look).run()))
    print(f"{len(letters)} dead letter(s) of {given.queue}, stack {given.stack}")  # noqa: T201
    return 1 if any(letter.outcome.startswith("left") for letter in letters) else 0


def _told(letters: Iterator[Letter]) -> Iterator[Letter]:
    for letter in letters:
        print(f"{letter.group or '-'}\n    {letter.reason}\n    {letter.outcome}")  # noqa: T201 (a command's words)
        yield letter


if __name__ == "__main__":
    sys.exit(main())
