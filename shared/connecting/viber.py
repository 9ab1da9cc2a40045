"""Viber: get_account_info and set_webhook, during which Viber calls the webhook.

Viber answers 200 to everything; `status` says what is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shared.connecting.base import Answered, Call, Reading, Step, reason
from shared.connecting.menus import Menus
from shared.credential import Credential
from shared.platforms.answers import decoded, number_of, wait_of
from shared.platforms.base import Response

EVENT_TYPES = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")

_BAD_TOKEN = {2, 7, 8, 9, 15}
"""The token is none, or the bot is blocked, gone, suspended or not authorized."""

_TOO_MANY = 12


class ViberConnector:
    """Fulfils `Connector`. Of the credential it uses `auth_token`."""

    def __init__(self, api_url: str = "https://chatapi.viber.com") -> None:
        self._base = f"{api_url.rstrip('/')}/pa"

    def connecting(
        self,
        credential: Credential,
        webhook_url: str,
        menus: Menus | None,  # noqa: ARG002 (others have one)
    ) -> tuple[Step, ...]:
        webhook = {
            "url": webhook_url,
            "event_types": list(EVENT_TYPES),
            "send_name": True,
            "send_photo": False,
        }
        return (
            Step("credential", self._call(credential, "get_account_info", {}), proof="auth_token"),
            Step("webhook", self._call(credential, "set_webhook", webhook)),
        )

    def disconnecting(self, credential: Credential) -> tuple[Step, ...]:
        return (Step("webhook", self._call(credential, "set_webhook", {"url": ""}), proof="auth_token"),)

    def listing(
        self,
        credential: Credential,  # noqa: ARG002 (others have menus)
        menus: Menus,  # noqa: ARG002
        former: Sequence[str],  # noqa: ARG002
    ) -> tuple[Step, ...]:
        return ()

    def read(self, response: Response) -> Reading:
        answer = decoded(response)
        status = number_of(answer.get("status"))
        if response.status == HTTPStatus.OK and status == 0:
            return Reading(Answered.DONE, account=_account(answer))
        return Reading(
            _answered(response.status, status),
            reason(response.status if status is None else status, answer.get("status_message")),
            retry_after_seconds=wait_of(response),
        )

    def _call(self, credential: Credential, method: str, given: Mapping[str, Any]) -> Call:
        headers = {"x-viber-auth-token": credential.settings["auth_token"]}
        return Call("POST", f"{self._base}/{method}", given, headers)


def _answered(http_status: int, status: int | None) -> Answered:
    if http_status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or status in _BAD_TOKEN:
        return Answered.CREDENTIAL_BAD
    is_known = status not in {None, _TOO_MANY} and http_status == HTTPStatus.OK
    return Answered.REFUSED if is_known else Answered.LATER


def _account(answer: Mapping[str, Any]) -> dict[str, str]:
    """Of get_account_info; set_webhook names no account."""
    names = {"id": "id", "name": "name", "username": "uri"}
    return {ours: str(answer[theirs])[:256] for ours, theirs in names.items() if theirs in answer}
