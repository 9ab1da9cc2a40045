"""What stands for an event source goes on as one does."""

from __future__ import annotations

import threading
from typing import Any

from tests.conftest import Aws
from tests.load.pump import pump


def test_a_batch_that_fails_stops_nobody(aws_account: Aws) -> None:
    sqs, queue_url = aws_account.sqs, aws_account.deletions
    sqs.send_message(QueueUrl=queue_url, MessageBody="bad")
    is_over = threading.Event()
    met: list[str] = []

    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        met.extend(record["body"] for record in event["Records"])
        if met == ["bad"]:
            sqs.send_message(QueueUrl=queue_url, MessageBody="good")
            raise OSError("the store was too slow")
        is_over.set()
        return {"batchItemFailures": []}

    pump(handler, queue_url, is_over)

    assert met == ["bad", "good"]
