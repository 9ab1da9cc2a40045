"""The tasks worker as Lambda calls it, killed before and after every call to AWS, with real servers to ask.

What is asked of a server lies between two calls to AWS: to die before it is to die after the one, and to
lose its answer is to die before the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared import aws
from shared.dialog.events import TaskFinished
from shared.dialog.state import Dialog, Pending, Task, TaskKind
from shared.queueing.envelopes import TaskEnvelope, Work, read_inbound
from shared.storage.bot_settings import LLM, VALUE, DynamoBotSettings, name_of_secret
from shared.storage.bots import Bot, DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.sealing import KmsSealer
from tests.conftest import ENVIRONMENT, Aws
from tests.dialog.world import Fate, Killed
from tests.standins.openai import KEY, OpenAiStandIn
from tests.standins.server import Answer, Incoming, StandIn, answer_json

MODULE = "functions.workers.tasks.handler"
SERVICES = ("dynamodb", "kms", "sqs")
KEPT = "PutItem task#"

ASKED: dict[str, tuple[TaskKind, dict[str, Any]]] = {
    "a model": ("llm", {"prompt": "Greet Ada", "output": "text", "history": 0}),
    "a model, for others too": ("llm", {"prompt": "Hi", "output": "text", "history": 0, "cache": 60}),
    "a server": ("http", {"method": "GET", "headers": {}, "body": None, "schema": None}),
}


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class Api(StandIn):
    """A server of the account's, which knows who asks."""

    def answer(self, request: Incoming) -> Answer:
        return answer_json({"has_key": request.headers.get("authorization") == "Bearer s3cr3t"})

    def is_send(self, request: Incoming) -> bool:
        return False


@dataclass
class Life:
    """Work and what came of it. `calls` name those to AWS, each with how often a server had been asked.

    `meanwhile` happens before what a dead process had is received again.
    """

    work: Work
    server: StandIn
    fate: Fate
    meanwhile: Callable[[], None] = lambda: None
    calls: list[tuple[str, int]] = field(default_factory=list)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Let fate see every call to AWS."""
        open_calls: list[Any] = []

        def leaving(model: Any, params: dict[str, Any], **_: Any) -> None:
            self.calls.append((_name(model.name, params), len(self.server.requests)))
            open_calls.append(self.fate.call(model.name))
            open_calls[-1].__enter__()

        def returning(**_: Any) -> None:
            open_calls.pop().__exit__(None, None, None)

        for service in SERVICES:
            events = aws.client(service).meta.events
            events.register("before-call", leaving, unique_id="leaving")
            events.register("after-call", returning, unique_id="returning")
        yield
        for service in SERVICES:
            events = aws.client(service).meta.events
            events.unregister("before-call", unique_id="leaving")
            events.unregister("after-call", unique_id="returning")

    def run(self) -> None:
        """Hand the work to a fresh process, until one has lived long enough to be done with it."""
        for receive_count in (1, 2):
            sys.modules.pop(MODULE, None)
            handler = import_module(MODULE).lambda_handler
            try:
                assert handler(_batch(self.work, receive_count), Context()) == {"batchItemFailures": []}
            except Killed:
                self.meanwhile()
                continue
            return
        pytest.fail("a second receive has to be enough")

    def was_lost(self) -> bool:
        """Whether the process died between a server's answer and its being kept."""
        assert self.fate.kill_at is not None
        untroubled = [name for name, _ in self.calls[: self.fate.kill_at + 1]]
        _, asked = self.calls[self.fate.kill_at]
        return asked == 1 and (KEPT not in untroubled or (untroubled[-1] == KEPT and not self.fate.after))


def _name(operation: str, params: dict[str, Any]) -> str:
    key = str(msgspec.json.decode(params["body"] or b"{}").get("Item", {}).get("key", ""))
    return KEPT if "task#" in key else operation


def _batch(work: Work, receive_count: int) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": "d"}
    body = msgspec.json.encode(work).decode()
    return {"Records": [{"messageId": "1", "receiptHandle": "h", "body": body, "attributes": attributes}]}


@dataclass
class Stage:
    """An account with a model, a server and a secret for it."""

    aws_account: Aws
    model: OpenAiStandIn
    api: Api

    def live(self, asked: str, fate: Fate, epoch: str = "e") -> Life:
        """A task of an epoch, done for a dialog that is in the epoch "e"."""
        kind, request = ASKED[asked]
        server: StandIn = self.model if kind == "llm" else self.api
        server.requests.clear()
        if kind == "http":
            secret = {"at": "/headers/authorization", "offset": len("Bearer "), "name": "key"}
            headers = {"authorization": "Bearer "}
            request = request | {"url": f"{self.api.url}/", "headers": headers, "secrets": [secret]}
        work = msgspec.structs.replace(self._task(kind, request), epoch=epoch)
        life = Life(work, server, fate)
        with life.counted():
            life.run()
        return life

    def told(self) -> list[TaskFinished]:
        """What lies in the inbound queue, taken out of it."""
        queue, found = self.aws_account.inbound, []
        while messages := self.aws_account.sqs.receive_message(QueueUrl=queue).get("Messages", []):
            for message in messages:
                self.aws_account.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                event = read_inbound(message["Body"]).event
                assert isinstance(event, TaskFinished)
                found.append(event)
        return found

    def _task(self, kind: TaskKind, request: dict[str, Any]) -> TaskEnvelope:
        now, bot_id, dialog_id = datetime.now(UTC), str(uuid4()), str(uuid4())
        DynamoBots().create(Bot(id=bot_id, account_id="a", name="b", created_at=now, updated_at=now))
        settings = DynamoBotSettings(KmsSealer(lambda: self.aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"]))
        model = {"provider": "openai", "model": "gpt-test", "base_url": self.model.base_url}
        settings.put(bot_id, LLM, model, {"api_key": KEY})
        settings.put(bot_id, name_of_secret("key"), {}, {VALUE: "s3cr3t"})
        chat: dict[str, Any] = {"platform": "telegram", "platform_chat_id": "42"}
        dialog = Dialog(
            id=dialog_id,
            bot_id=bot_id,
            epoch="e",
            created_at=now,
            updated_at=now,
            last_interaction_at=now,
            pending=Pending(kind, 7, "a"),
            **chat,
        )
        DynamoDialogs().commit(dialog, None)
        return TaskEnvelope(
            dialog_id=dialog_id,
            epoch="e",
            bot_id=bot_id,
            task=Task(number=7, kind=kind, request=request, timeout=20),
            trace_id="t",
            **chat,
        )


@pytest.fixture
def stage(aws_account: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with OpenAiStandIn() as model, Api() as api:
        hosts = ",".join(each.url.removeprefix("http://") for each in (model, api))
        monkeypatch.setenv("PRIVATE_HOSTS", hosts)
        yield Stage(aws_account, model, api)
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize("asked", ASKED)
def test_a_task_has_one_result_wherever_its_worker_dies(stage: Stage, asked: str) -> None:
    untroubled = stage.live(asked, Fate())
    (expected,) = stage.told()
    assert expected.error == ""
    assert len(untroubled.server.requests) == 1
    assert KEPT in [name for name, _ in untroubled.calls]

    for number in range(len(untroubled.calls)):
        for after in (False, True):
            life = stage.live(asked, Fate(number, after))
            point = f"{'after' if after else 'before'} {life.calls[number][0]} ({number})"
            results = {msgspec.json.encode(event.result) for event in stage.told()}
            assert len(results) == 1, point
            is_known = asked == "a model, for others too"
            assert len(life.server.requests) <= 1 + life.was_lost(), point
            assert is_known or len(life.server.requests) == 1 + life.was_lost(), point


def test_nothing_is_asked_for_a_dialog_that_is_gone(stage: Stage) -> None:
    for asked in ASKED:
        life = stage.live(asked, Fate(), epoch="a later one")
        assert life.server.requests == []
    assert stage.told() == []
