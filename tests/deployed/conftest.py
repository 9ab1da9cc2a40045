"""One deployment for all tests here: the real template on an embedded AWS, with IAM enforced."""

from collections.abc import Iterator

import pytest

from infra.local.embedded import EmbeddedParley
from infra.local.ports import free_port
from infra.local.running import RunInfo
from infra.local.settings import Settings


@pytest.fixture(scope="session")
def messenger_urls() -> dict[str, str]:
    """Where the deployment finds the messengers, as template parameters; stand-ins take their place."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    return {"TelegramApiUrl": nowhere, "WhatsAppApiUrl": nowhere, "ViberApiUrl": nowhere}


@pytest.fixture(scope="session")
def parley(tmp_path_factory: pytest.TempPathFactory, messenger_urls: dict[str, str]) -> Iterator[RunInfo]:
    settings = Settings(
        port=free_port(), state_dir=tmp_path_factory.mktemp("parley"), parameters=messenger_urls
    )
    with EmbeddedParley(settings) as running:
        yield running
