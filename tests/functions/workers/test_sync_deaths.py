"""What the tasks worker does for main systems, killed before and after every call to AWS: whatever is to
arrive arrives under one name, and nothing that was refused is lost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.dialog.events import TaskFinished
from shared.queueing.envelopes import SyncCheckEnvelope, SyncRedriveEnvelope, TaskEnvelope, Work, read_inbound
from shared.storage.bot_settings import SYNC, DynamoBotSettings
from shared.storage.refusals import DynamoRefusals
from shared.storage.sealing import KmsSealer
from shared.storage.tables import Cache
from shared.tasks.sync_records import Refusal
from tests.backend.sync.runs import a_task
from tests.conftest import ENVIRONMENT, Aws, items_of
from tests.dialog.world import Fate
from tests.functions.workers.test_task_deaths import MODULE, Life
from tests.functions.workers.test_tasks import of_a_dialog, received
from tests.standins.server import Answer
from tests.standins.webhook import Webhook

KEY = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """`refused` are reasons, `looked` the health after a look, `told` the errors that the dialog heard of."""

    refused: tuple[tuple[str, ...], ...] = ()
    looked: str = ""
    told: tuple[str, ...] = ()


OUTCOMES = {
    "a step": Outcome(told=("",)),
    "a run": Outcome(),
    "a run that is refused": Outcome(refused=(("the webhook answers 400",),)),
    "what was refused": Outcome(),
    "a look": Outcome(looked="ok"),
}


class Stage:
    """An account whose bots send their runs to one webhook."""

    def __init__(self, aws_account: Aws, webhook: Webhook) -> None:
        sealer = KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])
        self.settings, self.refusals = DynamoBotSettings(sealer), DynamoRefusals(sealer)
        self.webhook = webhook
        self._account = aws_account
        self._dialogs = 0

    def live(self, kind: str, fate: Fate) -> tuple[Life, Outcome]:
        """Work of a kind, for a bot and a dialog of its own, and what came of it."""
        task = self._task(kind)
        self.webhook.requests.clear()
        self.webhook.answers = Answer(400 if kind == "a run that is refused" else 200)
        life = Life(self._work(kind, task), self.webhook, fate, let_turns_end)
        with life.counted():
            life.run()
        return life, self._outcome(kind, task.bot_id)

    def names(self) -> list[str]:
        """Of the messages that the webhook has got."""
        return [request.headers["webhook-id"] for request in self.webhook.requests]

    def _task(self, kind: str) -> TaskEnvelope:
        self._dialogs += 1
        of: dict[str, Any] = {
            "kind": "sync" if kind == "a step" else "sync_run",
            "dialog": f"d{self._dialogs}",
        }
        task = of_a_dialog(a_task({"name": "Ivan"}, ended_at="2026-11-23T10:05:00Z", **of))
        sync = {"sink": {"type": "webhook", "url": f"{self.webhook.url}/hook"}, "mapping": {"name": "name"}}
        self.settings.put(task.bot_id, SYNC, sync, {"signing_secret": KEY})
        return task

    def _work(self, kind: str, task: TaskEnvelope) -> Work:
        match kind:
            case "a look":
                return SyncCheckEnvelope(bot_id=task.bot_id, trace_id="t")
            case "what was refused":
                self.refusals.put(a_refusal(task), task)
                return SyncRedriveEnvelope(bot_id=task.bot_id, asked_at=datetime.now(UTC), trace_id="t")
        return task

    def _outcome(self, kind: str, bot_id: str) -> Outcome:
        refused = tuple(each.reasons for each in self.refusals.before(bot_id, NEVER))
        looked = self.settings.get(bot_id, SYNC).health["status"] if kind == "a look" else ""
        told = [read_inbound(body).event for body in received(self._account, self._account.inbound)]
        return Outcome(
            refused, looked, tuple({each.error for each in told if isinstance(each, TaskFinished)})
        )


def a_refusal(task: TaskEnvelope) -> Refusal:
    of: dict[str, Any] = {"bot_id": task.bot_id, "dialog_id": task.dialog_id, "platform": task.platform}
    return Refusal(id="1", run=1, status="completed", reasons=("wrong",), refused_at=LONG_AGO, **of)


def let_turns_end() -> None:
    """What a dead worker has held is held no more, as after the seconds that it may be."""
    for item in items_of("CACHE_TABLE"):
        mark = msgspec.json.decode(item["value"]["S"])
        if item["key"]["S"].startswith("synced#") and "until" in mark:
            value = msgspec.json.encode(mark | {"until": LONG_AGO}).decode()
            Cache(item["key"]["S"]).update([Cache.value.set(value)])


@pytest.fixture
def stage(aws_account: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with Webhook() as webhook:
        monkeypatch.setenv("PRIVATE_HOSTS", webhook.url.removeprefix("http://"))
        yield Stage(aws_account, webhook)
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize(("kind", "outcome"), OUTCOMES.items(), ids=OUTCOMES)
def test_nothing_is_lost_and_nothing_is_two_wherever_the_worker_dies(
    stage: Stage, kind: str, outcome: Outcome
) -> None:
    untroubled, found = stage.live(kind, Fate())
    assert (found, len(stage.names())) == (outcome, 1)

    for number in range(len(untroubled.calls)):
        for after in (False, True):
            life, found = stage.live(kind, Fate(number, after))
            point = f"{'after' if after else 'before'} {life.calls[number][0]} ({number})"
            assert found == outcome, point
            assert (len(stage.names()) in (1, 2), len(set(stage.names()))) == (True, 1), point
