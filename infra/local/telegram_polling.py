"""Telegram without a public address: fetches updates and posts each to the local webhook."""

import asyncio
import contextlib
import hashlib
import hmac
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from infra.local.admin_api import AdminApi
from infra.local.progress import Say
from shared.connecting.telegram import ALLOWED_UPDATES

T = TypeVar("T")

POLL_SECONDS = 50
LONGEST_PAUSE_SECONDS = 60
UNKNOWN_TOKEN = {401, 404}
OTHER_RECEIVER = 409


class RefusedError(Exception):
    """Telegram will never take this token."""


class RetryError(Exception):
    """It did not work this time. The text is shown, so it never holds the token."""


@dataclass(frozen=True)
class TelegramBot:
    """What the poller has to know. The webhook's secret is made from the token, so none need be kept."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    api_url: str
    webhook_url: str


def webhook_secret(jwt_secret: str, token: str) -> str:
    return hmac.new(jwt_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def store_credential(api: AdminApi, bot_id: str, bot: TelegramBot) -> None:
    credentials = {"bot_token": bot.token, "webhook_secret": bot.secret}
    path = f"/api/bots/{bot_id}/platforms"
    if api.find(f"{path}/telegram") is None:
        api.post(path, {"platform": "telegram", "credentials": credentials, "is_active": True})
    else:
        api.put(f"{path}/telegram", {"credentials": credentials, "is_active": True})


class TelegramPolling:
    """Long polling in a thread of its own, until it is stopped or Telegram refuses the token."""

    def __init__(self, bot: TelegramBot, tell: Say) -> None:
        self._bot = bot
        self._tell = tell
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._poll())
        self._thread = threading.Thread(target=self._run, name="telegram", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended by itself
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(LONGEST_PAUSE_SECONDS)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _poll(self) -> None:
        async with httpx.AsyncClient(timeout=POLL_SECONDS + 15) as outside:
            try:
                await self._persist(partial(self._begin, outside))
                await self._pass_updates_on(outside)
            except RefusedError:
                self._tell(
                    "Telegram does not know the token in TELEGRAM_TOKEN; Parley goes on without Telegram."
                )

    async def _begin(self, outside: httpx.AsyncClient) -> None:
        """Telegram gives no updates away while a webhook is set."""
        me = await self._call(outside, "getMe", {})
        webhook = await self._call(outside, "getWebhookInfo", {})
        await self._call(outside, "deleteWebhook", {})
        self._tell(f"    Telegram:   https://t.me/{me['username']}")
        if url := webhook.get("url"):
            host = urlsplit(url).hostname
            self._tell(f"    Telegram calls {host} no longer; connect the bot there again afterwards.")

    async def _pass_updates_on(self, outside: httpx.AsyncClient) -> None:
        """The offset moves only past what the webhook has taken."""
        offset = 0
        async with httpx.AsyncClient(timeout=60, trust_env=False) as inside:
            while True:
                for update in await self._persist(partial(self._updates, outside, offset)):
                    answer = await self._persist(partial(self._deliver, inside, update))
                    await self._do_what_it_says(outside, answer)
                    offset = update["update_id"] + 1

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        pause = 1
        while True:
            try:
                return await attempt()
            except RetryError as error:
                self._tell(f"{error} Trying again in {pause} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _updates(self, outside: httpx.AsyncClient, offset: int) -> list[dict[str, Any]]:
        wanted = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": list(ALLOWED_UPDATES)}
        updates: list[dict[str, Any]] = await self._call(outside, "getUpdates", wanted)
        return updates

    async def _deliver(self, inside: httpx.AsyncClient, update: dict[str, Any]) -> httpx.Response:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._bot.secret}
        try:
            answer = await inside.post(self._bot.webhook_url, json=update, headers=headers)
        except httpx.TransportError as error:
            raise RetryError("The local webhook cannot be reached.") from error
        if not answer.is_success:
            raise RetryError(f"The local webhook answered {answer.status_code}.")
        return answer

    async def _do_what_it_says(self, outside: httpx.AsyncClient, answer: httpx.Response) -> None:
        """A webhook's answer may hold a call of the Bot API, which Telegram makes once."""
        with contextlib.suppress(ValueError, RetryError, RefusedError):
            call = answer.json()
            if isinstance(call, dict) and isinstance(method := call.pop("method", None), str):
                await self._call(outside, method, call)

    async def _call(self, outside: httpx.AsyncClient, method: str, arguments: dict[str, Any]) -> Any:
        address = f"{self._bot.api_url.rstrip('/')}/bot{self._bot.token}/{method}"
        try:
            answer = await outside.post(address, json=arguments)
            content = answer.json()
        except (httpx.HTTPError, ValueError):
            # Not chained: the address, which an error of the transport may show, holds the token.
            raise RetryError("Telegram cannot be reached.") from None
        if answer.status_code in UNKNOWN_TOKEN:
            raise RefusedError
        if answer.status_code == OTHER_RECEIVER:
            raise RetryError("Another program gets this bot's updates from Telegram.")
        if not answer.is_success or not isinstance(content, dict) or "result" not in content:
            raise RetryError(f"Telegram answered {answer.status_code} to {method}.")
        return content["result"]
