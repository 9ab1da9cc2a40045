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
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.stack import outputs_of
from shared import aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

QUEUES = ("inbound", "outbound", "tasks", "receipts", "delays", "exports", "deletions")
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
    _seen: set[str] = field(default_factory=set)

    def run(self) -> Iterator[Letter]:
        """Each dead letter that was there at the beginning."""
        begun = datetime.now(UTC).timestamp() * 1000
        while messages := self._receive():
            for message in messages:
                is_new = int(message["Attributes"]["SentTimestamp"]) > begun
                if is_new or message["MessageId"] in self._seen:
                    return
                self._seen.add(message["MessageId"])
                yield self._redrive(message)

    def _receive(self) -> list[MessageTypeDef]:
        received = self.sqs.receive_message(
            QueueUrl=self.source,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
            MessageAttributeNames=["All"],
            VisibilityTimeout=60,
        )
        return received.get("Messages", [])

    def _redrive(self, message: MessageTypeDef) -> Letter:
        group = message["Attributes"].get("MessageGroupId", "")
        envelope = _envelope_of(message["Body"])
        if envelope is None:
            return Letter(group, NOT_SAID, "left: it is no envelope of ours")
        reason = _reason_of(envelope, message)
        if self.only_look:
            return Letter(group, reason, "looked at")
        self._send(message, _marked(envelope, reason))
        self.sqs.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
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


def _marked(envelope: dict[str, Any], reason: str) -> str:
    """With its reason also where SQS has moved it: so the sender knows that it may have been begun."""
    marked = {**envelope, "failure": reason} if envelope["type"] == "turn.v1" else envelope
    return json.dumps(marked)


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
