"""Stands where a Lambda's event source stands: `python -m tests.load.pump HANDLER QUEUE_VARIABLE THREADS`.

Each thread receives batches of a queue, hands them to the handler as SQS events, and deletes what was done.
Where the emulated AWS runs the consumers of a FIFO queue one at a time, these run side by side.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from shared import aws

_TIMEOUT_SECONDS = 15.0
_WAIT_SECONDS = 1

_logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], "Invocation"], dict[str, Any]]


class Invocation:
    """What Lambda tells about an invocation."""

    def __init__(self) -> None:
        self._ends_at = time.monotonic() + _TIMEOUT_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends_at - time.monotonic()) * 1000)


def pump(handler: Handler, queue_url: str, is_over: threading.Event) -> None:
    """Until it is over; a batch that fails comes again, and stops nobody."""
    while not is_over.is_set():
        try:
            _hand_over_a_batch(handler, queue_url)
        except Exception:
            _logger.exception("a batch has failed")


def _hand_over_a_batch(handler: Handler, queue_url: str) -> None:
    sqs = aws.client("sqs")
    messages = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=_WAIT_SECONDS,
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    if not messages:
        return
    answer = handler({"Records": [_record(message) for message in messages]}, Invocation())
    kept = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for message in messages:
        if message["MessageId"] not in kept:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def _record(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "eventSource": "aws:sqs",
    }


def main() -> None:
    handler_name, variable, threads = sys.argv[1:]
    handler: Handler = importlib.import_module(handler_name).lambda_handler
    is_over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_over.set())
    pumps = [
        threading.Thread(target=pump, args=(handler, os.environ[variable], is_over))
        for _ in range(int(threads))
    ]
    for each in pumps:
        each.start()
    for each in pumps:
        each.join()


if __name__ == "__main__":
    main()
