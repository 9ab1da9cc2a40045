"""Making a messenger call our webhook, and stop: the calls it takes, and what the answers mean.

As in `shared.platforms` everything but `caller` is pure: calls and answers are values. One module for each
messenger; `performing` makes its calls one after the other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from shared.platforms import MessengerAddresses

if TYPE_CHECKING:
    from shared.connecting.base import Connector

_CONNECTORS = {
    "telegram": ("TelegramConnector", ("telegram_api_url",)),
    "whatsapp": ("WhatsAppConnector", ("whatsapp_api_url", "whatsapp_api_version")),
    "viber": ("ViberConnector", ("viber_api_url",)),
    "webchat": ("WebchatConnector", ()),
}


def connector_for(platform: str, addresses: object = MessengerAddresses()) -> Connector:
    """The connector of a platform.

    `addresses` is anything with the fields of `MessengerAddresses`. Raises `KeyError` for a platform that
    there is not.
    """
    name, fields = _CONNECTORS[platform]
    connector = getattr(import_module(f"shared.connecting.{platform}"), name)
    return cast("Connector", connector(*(getattr(addresses, field) for field in fields)))
