from __future__ import annotations

import subprocess
import sys

import pytest

from shared.dialog.messages import Message
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
