"""One adapter per messenger, pure: bytes in, values out. The contract is in `base`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

import msgspec

if TYPE_CHECKING:
    from shared.platforms.base import PlatformAdapter


class MessengerAddresses(msgspec.Struct, frozen=True):
    """Where the messengers' APIs are; a deployment may point them elsewhere (tests do)."""

    telegram_api_url: str = "https://api.telegram.org"
    whatsapp_api_url: str = "https://graph.facebook.com"
    whatsapp_api_version: str = "v25.0"
    viber_api_url: str = "https://chatapi.viber.com"


_ADAPTERS = {
    "telegram": ("TelegramAdapter", ("telegram_api_url",)),
    "whatsapp": ("WhatsAppAdapter", ("whatsapp_api_url", "whatsapp_api_version")),
    "viber": ("ViberAdapter", ("viber_api_url",)),
    "webchat": ("WebchatAdapter", ()),
}

PLATFORMS = tuple(_ADAPTERS)


def adapter_for(platform: str, addresses: object = MessengerAddresses()) -> PlatformAdapter:
    """The adapter of a platform; only its module is imported, for the sake of cold starts.

    `addresses` is anything with the fields of `MessengerAddresses`, such as a Lambda's settings.
    Raises `KeyError` for a platform that there is not.
    """
    name, fields = _ADAPTERS[platform]
    adapter = getattr(import_module(f"shared.platforms.{platform}"), name)
    return cast("PlatformAdapter", adapter(*(getattr(addresses, field) for field in fields)))
