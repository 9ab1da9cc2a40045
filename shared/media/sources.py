"""Where each messenger keeps what people send, and how its own words for it are read.

Pure: a source says what to ask for, and is handed the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

from shared.credential import Credential
from shared.errors import ParleyError
from shared.platforms import telegram_answers, whatsapp_answers
from shared.platforms.answers import decoded, part
from shared.platforms.base import Delivery, Outcome, Response

USER_AGENT = "Parley/1"
"""Meta's store of files is said to refuse those who do not say who they are."""

_OF_META = (".fbsbx.com", ".facebook.com")
"""Whose hosts may see a token of WhatsApp's."""


class Unfetchable(ParleyError):
    """The file cannot be had, and never will be; says why, for people."""


class NotNow(ParleyError):
    """It may be had later: in so many seconds, where the messenger says so."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Get:
    """What to ask for, and where; `url` may hold a token. `is_ours`: the host is one that a setting names."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_ours: bool = False


Ask = Callable[[Get], Response]
"""Gets a short answer. Raises `NotNow`."""


class Source(Protocol):
    """One messenger's store of files."""

    @property
    def name(self) -> str:
        """The messenger, for people."""
        ...

    @property
    def keeps_address(self) -> bool:
        """Whether `locate` always comes to the same address, so that one that is gone stays gone."""
        ...

    def locate(self, reference: str, credential: Credential, ask: Ask) -> Get:
        """Where the file is at this moment. Raises `Unfetchable`, `NotNow`."""
        ...


@dataclass(frozen=True, slots=True)
class TelegramFiles:
    """`getFile` tells a path, which is good for an hour at least."""

    api_url: str
    name: str = "Telegram"
    keeps_address: bool = False

    def locate(self, reference: str, credential: Credential, ask: Ask) -> Get:
        token = credential.settings["bot_token"]
        asked = f"{self.api_url}/bot{token}/getFile?{urlencode({'file_id': reference})}"
        answer = ask(Get(asked, is_ours=True))
        path = part(decoded(answer), "result").get("file_path")
        if answer.status == HTTPStatus.OK and isinstance(path, str) and path:
            return Get(f"{self.api_url}/file/bot{token}/{quote(path)}", is_ours=True)
        said = telegram_answers.interpret(answer)
        if "too big" in said.reason:
            raise Unfetchable("Telegram hands over files of at most 20 MB.")
        raise _refusal(self.name, said)


@dataclass(frozen=True, slots=True)
class WhatsAppFiles:
    """The id leads to an address, which is good for five minutes and wants the same token."""

    api_url: str
    api_version: str
    name: str = "WhatsApp"
    keeps_address: bool = False

    def locate(self, reference: str, credential: Credential, ask: Ask) -> Get:
        bearer = {
            "authorization": f"Bearer {credential.settings['access_token']}",
            "user-agent": USER_AGENT,
        }
        owner = urlencode({"phone_number_id": credential.settings["phone_number_id"]})
        asked = f"{self.api_url}/{self.api_version}/{quote(reference, safe='')}?{owner}"
        answer = ask(Get(asked, bearer, is_ours=True))
        url = decoded(answer).get("url")
        if answer.status == HTTPStatus.OK and isinstance(url, str) and url:
            return self._found(url, bearer)
        raise _refusal(self.name, whatsapp_answers.sort(answer))

    def _found(self, url: str, bearer: Mapping[str, str]) -> Get:
        """Only Meta hears the token, wherever the file is."""
        is_ours = origin_of(url) == origin_of(self.api_url)
        scheme, host = origin_of(url)[:2]
        is_metas = scheme == "https" and f".{host}".endswith(_OF_META)
        heard = bearer if is_ours or is_metas else {"user-agent": USER_AGENT}
        return Get(url, heard, is_ours=is_ours)


@dataclass(frozen=True, slots=True)
class ViberFiles:
    """The callback tells the address itself, so whoever can sign one names it: it is asked for with care."""

    api_url: str
    name: str = "Viber"
    keeps_address: bool = True

    def locate(self, reference: str, credential: Credential, ask: Ask) -> Get:  # noqa: ARG002 - as all have it
        return Get(reference, is_ours=origin_of(reference) == origin_of(self.api_url))


class Addresses(Protocol):
    """The messengers' addresses, as settings have them."""

    @property
    def telegram_api_url(self) -> str: ...
    @property
    def whatsapp_api_url(self) -> str: ...
    @property
    def whatsapp_api_version(self) -> str: ...
    @property
    def viber_api_url(self) -> str: ...


def sources_of(addresses: Addresses) -> Mapping[str, Source]:
    """By platform; on one that is missing people send no files."""
    return {
        "telegram": TelegramFiles(addresses.telegram_api_url),
        "whatsapp": WhatsAppFiles(addresses.whatsapp_api_url, addresses.whatsapp_api_version),
        "viber": ViberFiles(addresses.viber_api_url),
    }


_PASSES = frozenset(
    {Outcome.RETRY, Outcome.CHAT_LIMITED, Outcome.BOT_LIMITED, Outcome.CREDENTIAL_BAD, Outcome.SENT}
)
"""What another try may mend: a credential is renewed by its owner; a success that tells nothing is none."""


def _refusal(name: str, said: Delivery) -> ParleyError:
    words = f"{name} does not hand the file over: {said.reason or 'it does not say why'}"
    if said.outcome in _PASSES or "temporarily" in said.reason:
        return NotNow(words, said.retry_after_seconds)
    return Unfetchable(words)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Where an address leads, or nowhere."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port
