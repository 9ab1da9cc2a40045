"""Parley's web chat in one process: the real doors, engine and sender over repositories in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from shared.delivery.sender import Sender
from shared.dialog.manager import DialogManager, Outside
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.errors import Wait
from shared.platforms.base import Request, Response
from shared.platforms.webchat import WebchatAdapter
from shared.queueing.envelopes import InboundEnvelope, OutboundEnvelope
from shared.storage.bots import Bot
from shared.storage.memory import MemoryBots, MemoryDialogs, MemoryHistory, MemoryScenarios
from shared.storage.scenarios import Scenario
from shared.webchat.door import ChatDoor
from shared.webchat.page import PageDoor, Sources
from tests.dialog.doubles import KeptDeletions, KeptTasks, KeptTimers, PaperSealer
from tests.webhook.doubles import BOT_ID, Queue, Vault, gateway_event

FOLDER = Path(__file__).parents[2] / "functions" / "webhooks" / "webchat"
API = "/api/webhook/webchat/{bot_id}"
PAGE = "/chat/{bot_id}"


def now() -> datetime:
    return datetime.now(UTC)


class _Outbound:
    def __init__(self) -> None:
        self.envelopes: list[OutboundEnvelope] = []

    def send(self, envelope: OutboundEnvelope) -> None:
        self.envelopes.append(envelope)


class _NoTransport:
    def send(self, request: Request) -> Response:
        raise AssertionError("the web chat has nobody to send to")


class WebChat:
    """One bot with one scenario, reachable by its web chat."""

    def __init__(
        self,
        document: Mapping[str, Any],
        name: str = "Café",
        queue: Queue | None = None,
        allowed_origins: str = "",
    ) -> None:
        self.vault, self.queue, self.outbound = Vault(), queue or Queue(), _Outbound()
        self.vault.keep("webchat", token_secret="token-secret", allowed_origins=allowed_origins)
        self.dialogs, self.history = MemoryDialogs(), MemoryHistory()
        self.bots, self.scenarios = MemoryBots(), MemoryScenarios()
        self.bots.create(Bot(id=BOT_ID, account_id="a", name=name, created_at=now(), updated_at=now()))
        self.activate(document)
        self.credentials = self.vault.cache()
        self.door = ChatDoor(WebchatAdapter(), self.credentials, self.queue, self.dialogs, self.history, now)
        self.page = PageDoor(self.credentials, self.bots.get, Sources(FOLDER))
        outside = Outside(now=now, random=lambda: 0.5)
        compiled = CompiledScenarios(self.scenarios)
        self.manager = DialogManager(
            self.dialogs,
            self.history,
            ActiveScenarios(self.bots),
            compiled,
            self.outbound,
            KeptTimers(),
            KeptTasks(),
            KeptDeletions(),
            PaperSealer(),
            outside,
        )
        self.sender = Sender(
            self.history,
            self.credentials.get,
            lambda _: WebchatAdapter(),
            _NoTransport(),
            now,
            lambda: 1000.0,
        )

    def activate(self, document: Mapping[str, Any]) -> None:
        scenario = Scenario(id=str(uuid4()), bot_id=BOT_ID, name="s", created_at=now(), updated_at=now())
        self.scenarios.create(scenario, dict(document))
        self.bots.change(BOT_ID, active_scenario_id=scenario.id, active_revision=1)

    def call(self, method: str = "POST", body: str | bytes | None = None, **event: Any) -> dict[str, Any]:
        """What API Gateway would get for a call of the chat."""
        return self.door.answer(gateway_event(body, method=method, route=API, **event))

    def think(self) -> None:
        """The dialog worker takes up what is in its queue."""
        while self.queue.envelopes:
            self.manager.handle(self.queue.envelopes.pop(0))

    def deliver(self) -> None:
        """The sender takes up what is in its queue."""
        while self.outbound.envelopes:
            self._deliver(self.outbound.envelopes.pop(0))

    def _deliver(self, envelope: OutboundEnvelope) -> None:
        """Until all is out: like the queue, which gives a message with a delay again when that is over."""
        for times in count():
            try:
                self.sender.deliver(envelope, is_repeat=times > 0)
            except Wait as wait:
                time.sleep(wait.seconds)
            else:
                return

    def work(self) -> None:
        self.think()
        self.deliver()


class LiveQueue(Queue):
    """An inbound queue with workers behind it, which take their time: `seconds`."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.05
        self.waiting: SimpleQueue[InboundEnvelope | None] = SimpleQueue()

    def send(self, envelopes: Any) -> None:
        super().send(envelopes)
        for envelope in envelopes:
            self.waiting.put(envelope)

    def work_for(self, chat: WebChat) -> None:
        while (envelope := self.waiting.get()) is not None:
            time.sleep(self.seconds)
            chat.manager.handle(envelope)
            chat.deliver()


@contextmanager
def served(chat: WebChat, prefix: str = "") -> Iterator[str]:
    """The chat, made with a `LiveQueue`, on a port of this machine; the address of its page."""
    queue = chat.queue
    assert isinstance(queue, LiveQueue)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(chat, prefix))
    server.daemon_threads = True
    threads = [Thread(target=server.serve_forever, args=(0.05,)), Thread(target=queue.work_for, args=(chat,))]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}/chat/{BOT_ID}"
    finally:
        queue.waiting.put(None)
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join()


def _handler(chat: WebChat, prefix: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Between HTTP and the doors, as API Gateway is."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        do_POST = do_OPTIONS = do_GET  # noqa: N815

        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            resource, _, bot_id = url.path.removeprefix(prefix).rpartition("/")
            door = chat.page if resource == "/chat" else chat.door
            event = gateway_event(
                body or None,
                method=self.command,
                bot_id=bot_id,
                headers=dict(self.headers),
                query=dict(parse_qsl(url.query)),
                route=f"{resource}/{{bot_id}}",
            )
            self._write(door.answer(event))

        def _write(self, answer: Mapping[str, Any]) -> None:
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Tests have nothing to read here."""

    return Handler
