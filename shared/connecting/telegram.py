"""Telegram: getMe, setWebhook, setMyCommands (https://core.telegram.org/bots/api)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shared.connecting.base import Answered, Call, Reading, Step, reason
from shared.connecting.menus import Entry, Menus
from shared.credential import Credential
from shared.platforms.answers import decoded, part, wait_of
from shared.platforms.base import Response

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member", "message_reaction")
"""What is not named here is never sent; left out, an earlier list would go on."""

_BAD_TOKEN = {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.MISDIRECTED_REQUEST}
"""404 too: the methods exist, so it is the token that is not known."""

_LATER = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
"""409 where another setWebhook came in between."""


class TelegramConnector:
    """Fulfils `Connector`. Of the credential it uses `bot_token` and `webhook_secret`."""

    def __init__(self, api_url: str = "https://api.telegram.org") -> None:
        self._api_url = api_url.rstrip("/")

    def connecting(self, credential: Credential, webhook_url: str, menus: Menus | None) -> tuple[Step, ...]:
        webhook = {
            "url": webhook_url,
            "secret_token": credential.settings["webhook_secret"],
            "allowed_updates": list(ALLOWED_UPDATES),
        }
        return (
            Step("credential", self._call(credential, "getMe"), proof="bot_token"),
            Step("webhook", self._call(credential, "setWebhook", webhook)),
            *(() if menus is None else self.listing(credential, menus, ())),
        )

    def disconnecting(self, credential: Credential) -> tuple[Step, ...]:
        """What is pending stays with Telegram for a day, for whoever connects next."""
        return (Step("webhook", self._call(credential, "deleteWebhook"), proof="bot_token"),)

    def read(self, response: Response) -> Reading:
        answer = decoded(response)
        if answer.get("ok") is True:
            return Reading(Answered.DONE, account=_account(part(answer, "result")))
        return Reading(
            _answered(response.status),
            reason(response.status, answer.get("description")),
            retry_after_seconds=wait_of(response, part(answer, "parameters").get("retry_after")),
        )

    def listing(self, credential: Credential, menus: Menus, former: Sequence[str]) -> tuple[Step, ...]:
        """The menu of a language stands before that for everybody, so those that are over are deleted."""
        over = [language for language in dict.fromkeys((*former, "")) if language not in menus]
        calls = [self._call(credential, "deleteMyCommands", _language(each)) for each in over]
        calls += [self._call(credential, "setMyCommands", _menu(*each)) for each in menus.items()]
        return tuple(Step("menu", call, needed=False) for call in calls)

    def _call(self, credential: Credential, method: str, given: Mapping[str, Any] | None = None) -> Call:
        return Call("POST", f"{self._api_url}/bot{credential.settings['bot_token']}/{method}", given or {})


def _menu(language: str, entries: tuple[Entry, ...]) -> dict[str, Any]:
    commands = [{"command": word, "description": words} for word, words in entries]
    return {"commands": commands, **_language(language)}


def _language(language: str) -> dict[str, str]:
    return {"language_code": language} if language else {}


def _answered(status: int) -> Answered:
    if status in _BAD_TOKEN:
        return Answered.CREDENTIAL_BAD
    is_refusal = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return Answered.REFUSED if is_refusal and status not in _LATER else Answered.LATER


def _account(result: Mapping[str, Any]) -> dict[str, str]:
    """Of getMe; other methods answer true."""
    names = {"id": "id", "name": "first_name", "username": "username"}
    return {ours: str(result[theirs])[:256] for ours, theirs in names.items() if theirs in result}
