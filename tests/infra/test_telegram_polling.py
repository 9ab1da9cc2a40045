"""A laptop without a public address talks to Telegram: every update reaches the webhook, none is lost."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infra.local.telegram_polling import TelegramBot, TelegramPolling, webhook_secret
from shared.connecting.telegram import ALLOWED_UPDATES
from tests.standins.telegram import TelegramStandIn

SECRET = "s3cret-of-the-webhook"


class Webhook(ThreadingHTTPServer):
    """The local webhook: remembers what it took, and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.taken: list[dict[str, Any]] = []
        self.secrets: set[str] = set()
        self.failures = 0
        self.answer: object = {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}/api/webhook/telegram/bot"


class Told:
    """What a person is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._first = threading.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self._first.set()

    def first(self) -> str:
        assert self._first.wait(10), "nothing was told"
        return self.lines[0]


class _Answering(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.server.secrets.add(self.headers["X-Telegram-Bot-Api-Secret-Token"])
        failed = self.server.failures > 0
        self.server.failures -= failed
        self.send_response(503 if failed else 200)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.answer).encode())

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def polling(telegram: TelegramStandIn, webhook: Webhook, told: Told) -> Iterator[TelegramPolling]:
    bot = TelegramBot(token=telegram.token, secret=SECRET, api_url=telegram.url, webhook_url=webhook.url)
    started = TelegramPolling(bot, told)
    started.start()
    yield started
    started.stop()


@pytest.mark.usefixtures("polling")
def test_every_update_is_posted_with_the_secret(telegram: TelegramStandIn, webhook: Webhook) -> None:
    person = telegram.person()
    person.say("/start")
    person.say("Ivan")
    telegram.wait_until(lambda: _has_confirmed(telegram))
    assert [update["message"]["text"] for update in webhook.taken] == ["/start", "Ivan"]
    assert webhook.secrets == {SECRET}


@pytest.mark.usefixtures("polling")
def test_an_update_that_the_webhook_refused_is_posted_again(
    telegram: TelegramStandIn, webhook: Webhook, told: Told
) -> None:
    webhook.failures = 1
    telegram.person().say("Ivan")
    telegram.wait_until(lambda: _has_confirmed(telegram))
    assert len({update["update_id"] for update in webhook.taken}) == 1
    assert len(webhook.taken) == 2
    assert told.lines[-1] == "The local webhook answered 503. Trying again in 1 s."


@pytest.mark.usefixtures("polling")
def test_a_call_in_the_webhook_s_answer_is_made(telegram: TelegramStandIn, webhook: Webhook) -> None:
    telegram.open_presses.add("42")
    webhook.answer = {"method": "answerCallbackQuery", "callback_query_id": "42"}
    telegram.person().say("Ivan")
    telegram.wait_until(lambda: telegram.acknowledged == ["42"])


def test_a_webhook_that_is_set_is_deleted_first_and_told_of(
    telegram: TelegramStandIn, webhook: Webhook, told: Told
) -> None:
    telegram.webhook = "https://bots.example/api/webhook/telegram/s3cret"
    bot = TelegramBot(token=telegram.token, secret=SECRET, api_url=telegram.url, webhook_url=webhook.url)
    polling = TelegramPolling(bot, told)
    polling.start()
    telegram.wait_until(lambda: telegram.pollers > 0)
    polling.stop()
    assert (telegram.webhook, telegram.refusals) == ("", [])
    assert told.lines == [
        "    Telegram:   https://t.me/standin_bot",
        "    Telegram calls bots.example no longer; connect the bot there again afterwards.",
    ]


@pytest.mark.usefixtures("polling")
def test_who_takes_the_updates_over_is_waited_out(telegram: TelegramStandIn, told: Told) -> None:
    telegram.wait_until(lambda: telegram.pollers > 0)
    with telegram.changed:
        telegram.webhook = "https://bots.example"
        telegram.changed.notify_all()
    telegram.wait_until(lambda: telegram.pollers > 1)
    assert told.lines[1] == "Another program gets this bot's updates from Telegram. Trying again in 1 s."


@pytest.mark.usefixtures("polling")
def test_of_a_webhook_that_is_not_set_nothing_is_told(telegram: TelegramStandIn, told: Told) -> None:
    telegram.wait_until(lambda: telegram.pollers > 0)
    assert told.lines == ["    Telegram:   https://t.me/standin_bot"]


@pytest.mark.usefixtures("polling")
def test_the_same_kinds_of_updates_are_asked_for_as_by_a_webhook(telegram: TelegramStandIn) -> None:
    telegram.person().say("Ivan")
    telegram.wait_until(lambda: _has_confirmed(telegram))
    asked = [request.body for request in telegram.requests if request.path.endswith("/getUpdates")]
    assert asked[0]["allowed_updates"] == list(ALLOWED_UPDATES)


@pytest.mark.parametrize("answer", [[], {"ok": True}, "hello"])
def test_an_answer_that_is_not_telegram_s_is_waited_out(webhook: Webhook, told: Told, answer: object) -> None:
    """That of a page between here and there, such as a hotel's."""
    webhook.answer = answer
    hotel = f"http://127.0.0.1:{webhook.server_address[1]}"
    polling = TelegramPolling(
        TelegramBot(token="1:AAE", secret=SECRET, api_url=hotel, webhook_url=webhook.url), told
    )
    polling.start()
    assert told.first() == "Telegram answered 200 to getMe. Trying again in 1 s."
    polling.stop()


def test_an_unknown_token_is_told_once_and_never_shown(
    telegram: TelegramStandIn, webhook: Webhook, told: Told
) -> None:
    token = "1:AAEunknown_token_0123456789abcdefghijkl"
    polling = TelegramPolling(
        TelegramBot(token=token, secret=SECRET, api_url=telegram.url, webhook_url=webhook.url), told
    )
    polling.start()
    sentence = "Telegram does not know the token in TELEGRAM_TOKEN; Parley goes on without Telegram."
    assert told.first() == sentence
    polling.stop()
    assert told.lines == [sentence]


def test_the_token_is_not_in_what_is_told_when_telegram_is_away(webhook: Webhook, told: Told) -> None:
    token = "1:AAEunreachable"
    bot = TelegramBot(token=token, secret=SECRET, api_url="http://127.0.0.1:9", webhook_url=webhook.url)
    polling = TelegramPolling(bot, told)
    polling.start()
    assert told.first() == "Telegram cannot be reached. Trying again in 1 s."
    polling.stop()
    assert token not in repr(bot)


def test_the_webhook_s_secret_is_the_same_for_the_same_token() -> None:
    assert webhook_secret("jwt", "1:token") == webhook_secret("jwt", "1:token")
    assert webhook_secret("jwt", "1:token") != webhook_secret("jwt", "2:token")


def _has_confirmed(telegram: TelegramStandIn) -> bool:
    """Telegram forgets an update only when it is asked for those after it."""
    return telegram.updates == []
