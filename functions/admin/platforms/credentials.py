"""What each platform wants to know of an account, in which form, and what the server adds to it.

A credential leaves here as settings: flat strings under the names that adapters and webhooks read.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from shared.admin_api.fields import ONE_LINE, Draft, Token, shaped
from shared.admin_api.hints import masked
from shared.admin_api.problems import violations_of
from shared.credential import Credential
from shared.errors import Invalid

Platform = Literal["telegram", "whatsapp", "viber", "webchat"]

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def _origin(text: str) -> str:
    """An origin as browsers write it (RFC 6454): lower case, no path, no default port."""
    found = _ORIGIN.fullmatch(text.lower().removesuffix("/"))
    if found is None:
        raise ValueError("an origin is a scheme and a host, such as https://www.example.com")
    scheme, host, port = found.groups(default="")
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else port}"


Id = Annotated[str, shaped(r"[0-9]{1,32}", "this id has digits only")]
BotToken = Annotated[
    str,
    # api.telegram.org takes no token that starts with 0 or is longer than 80 characters.
    shaped(
        r"(?=.{3,80}$)[1-9][0-9]{0,16}:[A-Za-z0-9_-]+", "a token from BotFather looks like 123456789:AAF0…"
    ),
]
SecretToken = Annotated[str, shaped(r"[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, _ and -")]
ImageUrl = Annotated[str, shaped(r"https://[!-~]{1,1990}", "this has to be an https address")]
Origin = Annotated[str, AfterValidator(_origin)]


class Credentials(Draft):
    """The base of all. Its fields are what a caller may send.

    `secret` fields are encrypted and only hinted at; `made` ones are made by the server when nobody has
    sent any; `internal` ones are made too, and shown to nobody.
    """

    secret: ClassVar[frozenset[str]] = frozenset()
    made: ClassVar[frozenset[str]] = frozenset()
    internal: ClassVar[frozenset[str]] = frozenset()

    def settings(self) -> dict[str, str]:
        return self.model_dump(exclude_none=True)

    @classmethod
    def read_back(cls, public: Mapping[str, str]) -> dict[str, Any]:
        """Settings that are no secrets, in the form they were given."""
        return dict(public)

    def identity(self) -> str:
        """What the platform tells accounts apart by, "" for nothing: no two bots may have the same."""
        return ""


class TelegramCredentials(Credentials):
    secret = frozenset({"bot_token", "webhook_secret"})
    made = frozenset({"webhook_secret"})

    bot_token: BotToken
    webhook_secret: SecretToken | None = None

    def identity(self) -> str:
        """The bot's own id: it stays when BotFather gives a new token."""
        return self.bot_token.partition(":")[0]


class WhatsAppCredentials(Credentials):
    secret = frozenset({"access_token", "app_secret", "verify_token"})
    made = frozenset({"verify_token"})

    phone_number_id: Id
    access_token: Token
    app_secret: Token
    verify_token: Token | None = None
    business_account_id: Id | None = None

    def identity(self) -> str:
        return self.phone_number_id


class ViberCredentials(Credentials):
    secret = frozenset({"auth_token"})

    auth_token: Token
    sender_name: Annotated[
        str, StringConstraints(min_length=1, max_length=28, strip_whitespace=True), ONE_LINE
    ]
    sender_avatar: ImageUrl | None = None

    def identity(self) -> str:
        return sha256(self.auth_token.encode()).hexdigest()


class WebChatCredentials(Credentials):
    secret = frozenset({"token_secret"})
    internal = frozenset({"token_secret"})

    allowed_origins: Annotated[list[Origin], Field(max_length=50)] | None = None

    def settings(self) -> dict[str, str]:
        """Settings are strings: origins hold no spaces, so spaces part them."""
        return {"allowed_origins": " ".join(self.allowed_origins)} if self.allowed_origins else {}

    @classmethod
    def read_back(cls, public: Mapping[str, str]) -> dict[str, Any]:
        return {name: value.split() for name, value in public.items()}


CREDENTIALS: Mapping[str, type[Credentials]] = {
    "telegram": TelegramCredentials,
    "whatsapp": WhatsAppCredentials,
    "viber": ViberCredentials,
    "webchat": WebChatCredentials,
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Settings ready to be kept; `made` names those made up just now that are to be shown."""

    settings: dict[str, str]
    secret_fields: frozenset[str]
    identity: str
    made: frozenset[str]


def prepare(
    platform: str, given: Mapping[str, Any], kept: Mapping[str, str], hints: Mapping[str, str]
) -> Prepared:
    """Check what was given, and add what the server makes, unless it is among the settings `kept`.

    A secret given as it is shown stands for the one that is kept, so that what was read can be sent
    back. Raises `Invalid` with pointers into the body.
    """
    credentials = _checked(CREDENTIALS[platform], {**given, **_meant(given, kept, hints)})
    settings = credentials.settings()
    absent = (credentials.made | credentials.internal) - settings.keys()
    new = absent - kept.keys()
    settings |= {name: kept[name] for name in absent - new}
    settings |= {name: secrets.token_urlsafe(32) for name in new}
    return Prepared(settings, credentials.secret, credentials.identity(), new & credentials.made)


def identity_of(credential: Credential) -> str:
    """What the platform tells the account by that a kept credential is of."""
    settings: dict[str, Any] = dict(credential.settings)
    return CREDENTIALS[credential.platform].model_construct(**settings).identity()


def shown(platform: str, public: Mapping[str, str], hints: Mapping[str, str]) -> dict[str, Any]:
    """Settings as a member of the account may see them."""
    kind = CREDENTIALS[platform]
    secret = {name: masked(hint) for name, hint in hints.items() if name not in kind.internal}
    return {**kind.read_back(public), **secret}


def _meant(given: Mapping[str, Any], kept: Mapping[str, str], hints: Mapping[str, str]) -> dict[str, str]:
    return {name: kept[name] for name, hint in hints.items() if given.get(name) == masked(hint)}


def _checked(kind: type[Credentials], given: Mapping[str, Any]) -> Credentials:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        violations = violations_of(error, "credentials")
        raise Invalid(
            "The credentials are not valid; every reason is listed in errors.", violations
        ) from None
