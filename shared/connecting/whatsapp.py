"""WhatsApp Cloud API: the phone number, the subscription of its account, and a callback of its own.

An app has one callback address; an override by number lets many bots share the app.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shared.connecting.base import Answered, Call, Reading, Step, reason
from shared.connecting.menus import Menus
from shared.credential import Credential
from shared.platforms.answers import decoded, number_of, part, wait_of
from shared.platforms.base import Response
from shared.platforms.whatsapp_answers import NO_SUCH_OBJECT

_FIELDS = "id,display_phone_number,verified_name"

_BAD_TOKEN = {0, 10, 190} | set(range(200, 300))
"""Error codes: not authenticated, a token that has expired or is none, a permission that it lacks."""

_LATER = {1, 2, 4, 17, 32, 341, 368, 613, 80007, 130429, 131016, 131056, 133016}
"""Passing faults of Meta's, and its limits."""


class WhatsAppConnector:
    """Fulfils `Connector`. Of the credential it uses `phone_number_id`, `access_token`, `verify_token` and,
    where it is given, `business_account_id`.
    """

    def __init__(self, api_url: str = "https://graph.facebook.com", api_version: str = "v25.0") -> None:
        self._base = f"{api_url.rstrip('/')}/{api_version}"

    def connecting(
        self,
        credential: Credential,
        webhook_url: str,
        menus: Menus | None,  # noqa: ARG002 (others have one)
    ) -> tuple[Step, ...]:
        settings = credential.settings
        account = settings.get("business_account_id")
        callback = {"override_callback_uri": webhook_url, "verify_token": settings["verify_token"]}
        check = self._call(credential, "GET", f"{settings['phone_number_id']}?fields={_FIELDS}")
        subscribe = self._call(credential, "POST", f"{account}/subscribed_apps", {})
        return (
            Step("credential", check, proof="access_token"),
            *((Step("subscription", subscribe, proof="business_account_id"),) if account else ()),
            Step("webhook", self._configured(credential, callback)),
        )

    def disconnecting(self, credential: Credential) -> tuple[Step, ...]:
        """The subscription stays: other numbers of the account may live by it."""
        removed = self._configured(credential, {"override_callback_uri": ""})
        return (Step("webhook", removed, proof="access_token"),)

    def listing(
        self,
        credential: Credential,  # noqa: ARG002 (others have menus)
        menus: Menus,  # noqa: ARG002
        former: Sequence[str],  # noqa: ARG002
    ) -> tuple[Step, ...]:
        return ()

    def read(self, response: Response) -> Reading:
        answer = decoded(response)
        error = part(answer, "error")
        if response.status == HTTPStatus.OK and not error and answer.get("success", True) is True:
            return Reading(Answered.DONE, account=_account(answer))
        return Reading(
            _answered(response.status, error),
            reason(error.get("code", response.status), error.get("message")),
            retry_after_seconds=wait_of(response),
        )

    def _configured(self, credential: Credential, callback: Mapping[str, str]) -> Call:
        number = credential.settings["phone_number_id"]
        return self._call(credential, "POST", number, {"webhook_configuration": callback})

    def _call(
        self, credential: Credential, method: Any, path: str, given: Mapping[str, Any] | None = None
    ) -> Call:
        headers = {"authorization": f"Bearer {credential.settings['access_token']}"}
        return Call(method, f"{self._base}/{path}", given, headers)


def _answered(status: int, error: Mapping[str, Any]) -> Answered:
    code = number_of(error.get("code"))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS or code in _LATER:
        return Answered.LATER
    if status == HTTPStatus.UNAUTHORIZED or code in _BAD_TOKEN:
        return Answered.CREDENTIAL_BAD
    if number_of(error.get("error_subcode")) == NO_SUCH_OBJECT:
        return Answered.CREDENTIAL_BAD
    return Answered.REFUSED if status >= HTTPStatus.BAD_REQUEST or error else Answered.LATER


def _account(answer: Mapping[str, Any]) -> dict[str, str]:
    names = {"id": "id", "name": "verified_name", "phone_number": "display_phone_number"}
    return {ours: str(answer[theirs])[:256] for ours, theirs in names.items() if theirs in answer}
