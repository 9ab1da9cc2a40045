"""`make run`: Parley in the foreground, until Ctrl-C or SIGTERM."""

import os
import signal
import sys
import time
from types import FrameType

from infra.local.admin_api import AdminApi
from infra.local.embedded import EmbeddedParley
from infra.local.errors import StartError
from infra.local.progress import say
from infra.local.running import RunInfo
from infra.local.settings import Settings
from infra.local.telegram_polling import TelegramBot, TelegramPolling, store_credential, webhook_secret

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(BaseException):
    """A signal came. Not an Exception, so that nothing on the way takes it for a failure."""


def main() -> int:
    _stop_on_signals()
    try:
        _run(Settings.from_environment(os.environ))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except StoppedError:
        say("Stopped.")
    return 0


def _run(settings: Settings) -> None:
    parley = EmbeddedParley(settings, say)
    with parley as info:
        _welcome(settings, info)
        polling = _poll_telegram(settings, info)
        try:
            while True:
                parley.ensure_running()
                time.sleep(1)
        finally:
            say("Stopping, and saving the state ...")
            if polling is not None:
                polling.stop()


def _welcome(settings: Settings, info: RunInfo) -> None:
    say("")
    say("Parley is ready.")
    for bot in info.bots:
        say(f"    {bot.name + ':':<23}{bot.chat_url}")
    say(f"    {'Admin API:':<23}{info.api_url}/api  (token and ids: {settings.state_dir.name}/run.json)")
    say(f"    {'Main system:':<23}{info.main_system_url}  (of the demo: its orders and its staff)")
    if info.bots_without_a_model:
        names = " and ".join(info.bots_without_a_model)
        say(f"    OPENAI_API_KEY=... make run lets a language model read what is written to {names}.")
    say("    Ctrl-C stops it and keeps everything; make clean forgets.")


def _poll_telegram(settings: Settings, info: RunInfo) -> TelegramPolling | None:
    if not settings.telegram_token:
        return None
    bot = TelegramBot(
        token=settings.telegram_token,
        secret=webhook_secret(info.jwt_secret, settings.telegram_token),
        api_url=settings.telegram_api_url,
        webhook_url=f"http://127.0.0.1:{settings.port}/api/webhook/telegram/{info.bot_id}",
    )
    with AdminApi(info.api_url, info.admin_token) as api:
        store_credential(api, info.bot_id, bot)
    polling = TelegramPolling(bot, say)
    polling.start()
    return polling


def _stop_on_signals() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOPPING_SIGNALS:  # one is enough: a second must not cut the saving short
            signal.signal(number, signal.SIG_IGN)
        raise StoppedError

    for number in STOPPING_SIGNALS:
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
