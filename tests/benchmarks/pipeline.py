"""A bot of Parley in one process: production's code on the way of a message, memory where AWS would be.

What stands in: the tables (`shared.storage.memory`), the queues (plain hand-over) and the clock. Not on
the way: proof of the sender, which needs headers; the two queues' JSON; the network.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.credential import Credential
from shared.dialog.manager import DialogManager, Outside
from shared.dialog.messages import Message
from shared.dialog.ports import RevisionRepository
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.dialog.state import Dialog, Task, Timer, dialog_id_of
from shared.platforms import adapter_for
from shared.platforms.base import WebhookRequest
from shared.queueing.envelopes import DialogDeletionEnvelope, OutboundEnvelope
from shared.storage.bots import Bot
from shared.storage.memory import MemoryBots, MemoryDialogs, MemoryHistory, MemoryScenarios
from shared.storage.scenarios import Scenario
from shared.webhook.body import decode
from shared.webhook.gateway import Call
from shared.webhook.intake import seal
from tests.benchmarks.files import Unusable

BOT_ID = "b07b07b0-0000-4000-8000-000000000001"
SCENARIO_ID = "b07b07b0-0000-4000-8000-000000000002"
BOT_NAME = "Benchmark"
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "telegram": {"bot_token": "42:benchmark", "webhook_secret": "benchmark"},
    "whatsapp": {
        "phone_number_id": "106540352242922",
        "access_token": "benchmark",
        "app_secret": "benchmark",
        "verify_token": "benchmark",
    },
    "viber": {"auth_token": "benchmark", "sender_name": BOT_NAME},
}
"""A credential of each platform that posts updates."""


class Pipeline:
    """One bot on one platform. `said` are all messages so far, `sent` counts the calls they took."""

    def __init__(
        self,
        platform: str,
        document: Mapping[str, Any],
        compiled: Callable[[RevisionRepository], CompiledScenarios] = CompiledScenarios,
    ) -> None:
        if platform not in SETTINGS:
            raise Unusable(f"there is no platform “{platform}” with webhook bodies: {', '.join(SETTINGS)}")
        self.said: list[Message] = []
        self.sent_bytes = 0
        self._adapter = adapter_for(platform)
        self._credential = Credential(
            "benchmark", BOT_ID, platform, is_active=True, settings=SETTINGS[platform]
        )
        self._call = Call(BOT_ID, "benchmark", "benchmark.invalid", WebhookRequest("POST", {}, {}, b""))
        self._dialogs = MemoryDialogs()
        self._outbound: list[OutboundEnvelope] = []
        self._now = _LONG_AGO
        self._manager = self._made_manager(document, compiled)

    def take(self, body: bytes) -> None:
        """Everything that follows from one webhook body, up to the bytes that messengers would be sent.

        The clock is that of the bodies: what carries no date happens at the latest date so far. So
        bodies can be run long after they were written, and give the same every time.
        """
        parsed = self._adapter.parse(decode(body), self._credential, self._now)
        for envelope in seal(parsed.events, self._call, self._credential, self._now).envelopes:
            self._now = max(self._now, envelope.event.occurred_at)
            self._manager.handle(envelope)
        for turn in self._outbound:
            self._send(turn)
        self._outbound.clear()

    def dialog_with(self, chat_id: str) -> Dialog | None:
        return self._dialogs.load(dialog_id_of(BOT_ID, self._adapter.platform, chat_id))

    def _send(self, turn: OutboundEnvelope) -> None:
        for n, message in enumerate(turn.messages, 1):
            delivery_id = f"{turn.dialog_id}:{turn.epoch}:{turn.turn}:{n}"
            rendered = self._adapter.render(message, turn.platform_chat_id, self._credential, delivery_id)
            for request in rendered.requests:
                self.sent_bytes += len(msgspec.json.encode(request.json))
            self.said.append(message)

    def _made_manager(
        self, document: Mapping[str, Any], made: Callable[[RevisionRepository], CompiledScenarios]
    ) -> DialogManager:
        scenarios, bots = MemoryScenarios(), MemoryBots()
        scenarios.create(_scenario(), dict(document))
        bots.create(_bot())
        compiled = made(scenarios)
        compiled.get(SCENARIO_ID, 1)
        outside = Outside(lambda: self._now, random.random)
        return DialogManager(
            self._dialogs,
            MemoryHistory(),
            ActiveScenarios(bots),
            compiled,
            _HandOver(self._outbound),
            _Nowhere(),
            _Nowhere(),
            _Nowhere(),
            _Nowhere(),
            outside,
        )


class _HandOver:
    """The outbound queue, without the queue."""

    def __init__(self, taken: list[OutboundEnvelope]) -> None:
        self._taken = taken

    def send(self, envelope: OutboundEnvelope) -> None:
        self._taken.append(envelope)


class _Nowhere:
    """What a conversation that is measured does not need: timers, tasks, deletions, a key."""

    def set(self, timer: Timer, dialog: Dialog, trace_id: str) -> None:
        raise Unusable("a scenario with timers is not measured here")

    def send(self, task: Task, dialog: Dialog, trace_id: str, last_message_id: str = "") -> None:
        raise Unusable("a scenario with tasks is not measured here")

    def send_dialog(self, envelope: DialogDeletionEnvelope) -> None:
        raise Unusable("no deletion is measured here")

    def seal(self, plain: bytes, context: Mapping[str, str]) -> str:
        raise Unusable("a scenario with sensitive answers is not measured here")


def _scenario() -> Scenario:
    return Scenario(id=SCENARIO_ID, bot_id=BOT_ID, name=BOT_NAME, created_at=_LONG_AGO, updated_at=_LONG_AGO)


def _bot() -> Bot:
    return Bot(
        id=BOT_ID,
        account_id="b07b07b0-0000-4000-8000-000000000003",
        name=BOT_NAME,
        active_scenario_id=SCENARIO_ID,
        active_revision=1,
        created_at=_LONG_AGO,
        updated_at=_LONG_AGO,
    )
