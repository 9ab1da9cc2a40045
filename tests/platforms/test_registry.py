from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from shared.credential import Credential
from shared.dialog.messages import Button, Message
from shared.platforms import PLATFORMS, MessengerAddresses, adapter_for
from tests.platforms.cases import SETTINGS, credential


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_has_its_adapter(platform: str) -> None:
    assert adapter_for(platform).platform == platform


def test_a_platform_that_there_is_not_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        adapter_for("pigeon")


@pytest.mark.parametrize("platform", SETTINGS)
def test_adapters_speak_to_the_addresses_they_are_given(platform: str) -> None:
    addresses = MessengerAddresses(
        "http://127.0.0.1:1/tg/", "http://127.0.0.1:1/wa/", "v99.0", "http://127.0.0.1:1/vi/"
    )
    rendered = adapter_for(platform, addresses).render(Message("Hi"), "1", credential(platform), "d")
    assert [request.url for request in rendered.requests] == [
        {
            "telegram": "http://127.0.0.1:1/tg/bot123456789:AAEtelegram-token/sendMessage",
            "whatsapp": "http://127.0.0.1:1/wa/v99.0/106540352242922/messages",
            "viber": "http://127.0.0.1:1/vi/pa/send_message",
        }[platform]
    ]


def degradations(platform: str, message: Message) -> tuple[str, ...]:
    connected = Credential("c", "b", platform, is_active=True, settings=SETTINGS.get(platform, {}))
    return adapter_for(platform).render(message, "1", connected, "d").degradations


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("share", ["phone", "location"])
def test_an_adapter_shares_what_its_capabilities_say(platform: str, share: Any) -> None:
    given_up = degradations(platform, Message("Where?", buttons=(Button("Here", share=share),)))
    shares = adapter_for(platform).capabilities.shares
    assert given_up == (() if share in shares else ("share_dropped",))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_several_choices_are_pressed_where_capabilities_say_that_messages_change(platform: str) -> None:
    buttons = (Button("Tea", "p:0"), Button("Done", "p:1"))
    given_up = degradations(platform, Message("Which?", buttons=buttons, several=True))
    edits_in_place = adapter_for(platform).capabilities.edits_in_place
    assert given_up == (() if edits_in_place else ("choices_as_text",))


@pytest.mark.parametrize("platform", SETTINGS)
def test_an_adapter_is_imported_without_the_others_and_without_what_is_slow(platform: str) -> None:
    code = (
        "import sys; from shared.platforms import adapter_for\n"
        f"adapter_for({platform!r})\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}"
        " | {name for name in sys.modules if name.startswith('shared.platforms.')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {name for name in SETTINGS if f"shared.platforms.{name}" in loaded} == {platform}
    assert not loaded & {"httpx", "boto3", "botocore", "pydantic", "fastapi", "pynamodb"}
