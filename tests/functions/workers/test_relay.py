"""The relay as Lambda calls it: timers go from the queue of delays to the queue of events."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import msgspec
import pytest
from botocore.stub import Stubber

from shared.dialog.events import TimerFired
from shared.queueing.envelopes import InboundEnvelope, read_inbound
from tests.conftest import Aws, Call

MODULE = "functions.workers.relay.handler"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

Relay = Callable[..., Any]


@pytest.fixture
def relay(aws_account: Aws) -> Iterator[Relay]:
    sys.modules.pop(MODULE, None)
    yield import_module(MODULE).lambda_handler
    sys.modules.pop(MODULE)


def timer(number: int, dialog: str = "dialog-1") -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id=dialog,
        bot_id="bot-1",
        platform="telegram",
        platform_chat_id="42",
        event=TimerFired(id=f"timer/0a1b2c3d/{number}", occurred_at=NOON, epoch="0a1b2c3d", timer=number),
        received_at=NOON,
        trace_id=f"{dialog}-0a1b2c3d-{number}",
    )


def batch(*bodies: bytes, receive_count: int = 1) -> dict[str, Any]:
    """A Lambda event from a standard queue: its messages have no group."""
    return {
        "Records": [
            {
                "messageId": f"message-{place}",
                "receiptHandle": "handle",
                "body": body.decode(),
                "attributes": {"ApproximateReceiveCount": str(receive_count)},
            }
            for place, body in enumerate(bodies)
        ]
    }


def arrived(account: Aws) -> list[Any]:
    """The messages of the inbound queue, one of each group."""
    received = account.sqs.receive_message(
        QueueUrl=account.inbound, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    return list(received.get("Messages", []))


def test_a_timer_arrives_as_it_was_set_in_its_dialog_s_group(relay: Relay, aws_account: Aws) -> None:
    body = msgspec.json.encode(timer(7))
    assert relay(batch(body), None) == {"batchItemFailures": []}
    (message,) = arrived(aws_account)
    assert message["Body"] == body.decode()
    assert message["Attributes"]["MessageGroupId"] == "dialog-1"


def test_a_timer_passed_on_twice_arrives_once(relay: Relay, aws_account: Aws, aws_calls: list[Call]) -> None:
    body = msgspec.json.encode(timer(7))
    relay(batch(body), None)
    relay(batch(body, receive_count=2), None)
    names = [call.params["Entries"][0]["MessageDeduplicationId"] for call in aws_calls]
    assert len(names) == 2
    assert len(set(names)) == 1
    assert len(arrived(aws_account)) == 1


def test_a_timer_that_is_none_keeps_no_other_back(relay: Relay, aws_account: Aws) -> None:
    event = batch(b"no timer", msgspec.json.encode(timer(1, "d-1")), msgspec.json.encode(timer(2, "d-2")))
    assert relay(event, None) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert {read_inbound(message["Body"]).dialog_id for message in arrived(aws_account)} == {"d-1", "d-2"}


def test_a_timer_that_inbound_did_not_take_stays(relay: Relay, aws_account: Aws) -> None:
    with Stubber(aws_account.sqs) as stubber:
        stubber.add_client_error("send_message_batch", "RequestThrottled")
        stubber.add_response("change_message_visibility_batch", {"Successful": [], "Failed": []})
        kept = relay(batch(msgspec.json.encode(timer(7))), None)
    assert kept == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


def test_a_relay_needs_little(aws_account: Aws) -> None:
    """Its cold start is on the way of every timer."""
    code = f"import sys, {MODULE}; print(*sys.modules)"
    loaded = _run(code)
    assert {"shared.queueing.consumer", "botocore.client"} <= loaded
    assert not {"pynamodb", "pydantic", "httpx", "cel_expr_python", "boto3"} & loaded


def _run(code: str) -> set[str]:
    """The words that a fresh Python prints."""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())
